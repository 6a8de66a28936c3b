import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findOutdated, whyInstalled } from '../../../src/core/install/inspect.ts'
import { readLock } from '../../../src/core/install/install.ts'
import type { TestNode } from './test-network.ts'
import { createTestNetwork, packageSource, until } from './test-network.ts'

let net: ReturnType<typeof createTestNetwork>
let alice: TestNode
let bob: TestNode

beforeEach(async () => {
  net = createTestNetwork()
  alice = await net.add('alice')
  bob = await net.add('bob')
  await net.connect(bob, alice)
  for (const version of ['1.0.0', '1.1.0', '2.0.0-beta.1'])
    await alice.node.publish(packageSource({ name: 'tool', version }))
  await until('bob knows all three', async () => (await bob.node.parts.entries.byPackage('tool')).length === 3)
})

afterEach(() => net.dispose())

const statement = (type: string) =>
  until(`bob has the ${type}`, async () =>
    (await bob.node.parts.entries.byPackage('tool')).some(({ entry }) => entry.type === type),
  )

describe('yank', () => {
  test('withdraws a version for all but those who have it locked, until it is taken back', async () => {
    await bob.node.install(bob.project, ['tool'])
    const said = await alice.node.yank({ name: 'tool', version: '1.1.0', reason: 'breaks' })
    expect(said?.entry.type).toBe('yank')
    expect(await alice.node.yank({ name: 'tool', version: '1.1.0' })).toBeUndefined()
    await statement('yank')
    const carol = await net.add('carol')
    await net.connect(carol, alice)
    expect((await carol.node.install(carol.project, ['tool'])).installed[0]?.version).toBe('1.0.0')
    await expect(carol.node.install(carol.project, ['tool@1.1.0'])).rejects.toMatchObject({
      code: 'YANKED',
      message: expect.stringContaining('breaks'),
    })
    const again = await bob.node.install(bob.project, [], { force: true })
    expect(again.installed[0]?.version).toBe('1.1.0')
    expect(again.notices.join()).toContain('withdrawn')
    await alice.node.yank({ name: 'tool', version: '1.1.0', undo: true })
    await until('it is offered again', async () => (await carol.node.info('tool')).version === '1.1.0')
  })

  test('is for own versions only', async () => {
    await expect(bob.node.yank({ name: 'tool', version: '1.0.0' })).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' })
    await expect(alice.node.yank({ name: 'tool', version: '9.0.0' })).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
      hint: expect.stringContaining('1.1.0'),
    })
  })
})

describe('deprecate', () => {
  test('tells who installs what to use instead, until it is taken back', async () => {
    const { versions } = await alice.node.deprecate({ name: 'tool', range: '<2', message: 'use 2' })
    expect(versions).toContain('1.0.0')
    await statement('deprecate')
    const { notices } = await bob.node.install(bob.project, ['tool'])
    expect(notices.join()).toContain('use 2')
    await alice.node.deprecate({ name: 'tool', range: '*', message: '' })
    await until('it is no longer so', async () => (await bob.node.info('tool')).deprecated === '')
  })

  test('refuses ranges that are none or hold no version', async () => {
    await expect(alice.node.deprecate({ name: 'tool', range: 'soon', message: 'x' })).rejects.toMatchObject({
      code: 'USAGE',
    })
    await expect(alice.node.deprecate({ name: 'tool', range: '^7', message: 'x' })).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
    })
  })
})

describe('updates', () => {
  test('are found, kept within the requested range, and made', async () => {
    await bob.node.install(bob.project, ['tool@~1.0'])
    const outdated = async () => findOutdated(await readLock(bob.project), (locked) => bob.node.candidates(locked))
    expect(await outdated()).toEqual([
      { name: 'tool', current: '1.0.0', wanted: '1.0.0', latest: '1.1.0', requested: true, yanked: false },
    ])
    await alice.node.publish(packageSource({ name: 'tool', version: '1.0.5' }))
    await until('bob knows it', async () => (await outdated())[0]?.wanted === '1.0.5')
    const kept = await bob.node.install(bob.project, [])
    expect(kept.installed[0]?.version).toBe('1.0.0')
    const updated = await bob.node.install(bob.project, [], { update: [] })
    expect(updated.installed[0]?.version).toBe('1.0.5')
    await expect(bob.node.install(bob.project, [], { update: ['none'] })).rejects.toMatchObject({
      code: 'PACKAGE_NOT_FOUND',
    })
    await bob.node.install(bob.project, ['tool'])
    await bob.node.install(bob.project, [], { update: ['tool'] })
    expect(await outdated()).toEqual([])
  })

  test('are advised away from a withdrawn version', async () => {
    await bob.node.install(bob.project, ['tool'])
    await alice.node.yank({ name: 'tool', version: '1.1.0' })
    await statement('yank')
    const [row] = await findOutdated(await readLock(bob.project), (locked) =>
      bob.node.candidates(locked, { offline: true }),
    )
    expect(row).toMatchObject({ current: '1.1.0', wanted: '1.0.0', yanked: true })
  })
})

test('why names every way from a requested package, shortest first', async () => {
  await alice.node.publish(packageSource({ name: 'middle', dependencies: { tool: '^1' } }))
  await alice.node.publish(packageSource({ name: 'top', dependencies: { middle: '^1', tool: '*' } }))
  await until('bob knows them', async () => (await bob.node.parts.entries.byPackage('top')).length === 1)
  await bob.node.install(bob.project, ['top', 'middle'])
  const lock = await readLock(bob.project)
  expect(whyInstalled(lock, 'tool')).toEqual([
    ['middle', 'tool'],
    ['top', 'tool'],
    ['top', 'middle', 'tool'],
  ])
  expect(whyInstalled(lock, 'top')).toEqual([['top']])
  expect(() => whyInstalled(lock, 'none')).toThrow(expect.objectContaining({ code: 'PACKAGE_NOT_FOUND' }))
})
