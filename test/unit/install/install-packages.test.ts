import { beforeEach, describe, expect, test } from 'vitest'
import { fingerprint } from '../../../src/core/identity/fingerprint.ts'
import type { InstallOptions } from '../../../src/core/install/install.ts'
import { installPackages, uninstallPackages } from '../../../src/core/install/install.ts'
import { formatLock, parseLock } from '../../../src/core/install/lock-file.ts'
import type { InstallTarget } from '../../../src/core/ports.ts'
import { parseSpec } from '../../../src/core/resolve/spec.ts'
import { createMemoryProject } from '../../../src/storage/memory.ts'
import type { TestRegistry } from './test-registry.ts'
import { changeFiles, contentOf, createTestRegistry } from './test-registry.ts'

let registry: TestRegistry
let project: InstallTarget

beforeEach(async () => {
  registry = await createTestRegistry()
  project = createMemoryProject()
})

function install(specs: string[], options: InstallOptions = {}, target = project) {
  const wanted = specs.map((text) => {
    const spec = parseSpec(text)
    if (spec.kind === 'content') throw new Error('Name a package.')
    return spec
  })
  return installPackages(registry.deps, target, wanted, options)
}

const lock = async () => parseLock((await project.readLock()) ?? '')
const lockedVersions = async () =>
  Object.fromEntries((await lock()).packages.map(({ name, version }) => [name, version]))

/** app 1.0.0 and 2.0.0 need base ^1; base has 1.0.0 */
async function publishAppAndBase(): Promise<void> {
  await registry.publish('base', '1.0.0', { files: { 'data.txt': 'one', 'run.sh': 'echo' } })
  await registry.publish('app', '1.0.0', { dependencies: { base: '^1.0.0' } })
}

describe('installing', () => {
  beforeEach(publishAppAndBase)

  test('writes what was asked for with what it needs, and locks all of it', async () => {
    const { installed, removed, tookMs } = await install(['app@^1'])
    expect(installed.map(({ name, version, publisher, path }) => ({ name, version, publisher, path }))).toEqual([
      { name: 'app', version: '1.0.0', publisher: registry.ada, path: '/memory/app' },
      { name: 'base', version: '1.0.0', publisher: registry.ada, path: '/memory/base' },
    ])
    expect(installed[1]).toMatchObject({ bytes: 7, sources: ['peer'], cid: (await lock()).packages[1]!.cid })
    expect(installed[1]!.fetchedBytes).toBeGreaterThan(7)
    expect([removed, tookMs]).toEqual([[], 0])
    expect(await lock()).toMatchObject({
      requested: { app: '^1' },
      packages: [
        { name: 'app', version: '1.0.0', publisher: registry.ada, dependencies: ['base'] },
        { name: 'base', version: '1.0.0', publisher: registry.ada, dependencies: [] },
      ],
    })
    expect(await contentOf(project)).toMatchObject({
      packages: [
        ['app', [['README.md', { exec: false, content: 'app 1.0.0' }]]],
        [
          'base',
          [
            ['data.txt', { exec: false, content: 'one' }],
            ['run.sh', { exec: true, content: 'echo' }],
          ],
        ],
      ],
    })
  })

  test('a second time fetches and changes nothing', async () => {
    await install(['app'])
    const before = await contentOf(project)
    registry.fetched.length = 0
    const { installed } = await install(['app'])
    expect(installed.map(({ sources, fetchedBytes }) => ({ sources, fetchedBytes }))).toEqual([
      { sources: ['cache'], fetchedBytes: 0 },
      { sources: ['cache'], fetchedBytes: 0 },
    ])
    expect(registry.fetched).toEqual([])
    expect(await contentOf(project)).toEqual(before)
  })

  test('mends what was changed in the project, and with force writes what is intact again', async () => {
    await install(['app'])
    const before = await contentOf(project)
    await changeFiles(project, 'base', (files) => files.set('data.txt', { exec: false, content: 'mine' }))
    registry.fetched.length = 0
    await install([])
    expect(registry.fetched).toEqual(['base@1.0.0'])
    expect(await contentOf(project)).toEqual(before)
    await install([], { force: true })
    expect(registry.fetched).toEqual(['base@1.0.0', 'app@1.0.0', 'base@1.0.0'])
    expect(await contentOf(project)).toEqual(before)
  })

  test('with nothing asked for restores a fresh checkout from its lock file, newer releases or not', async () => {
    await install(['app'])
    await registry.publish('base', '1.5.0')
    const checkout = createMemoryProject()
    await checkout.writeLock((await project.readLock())!)
    await install([], { frozenLockfile: true }, checkout)
    expect(await contentOf(checkout)).toEqual(await contentOf(project))
  })

  test('with a frozen lock file refuses what the lock does not say, and touches nothing', async () => {
    await expect(install(['app'], { frozenLockfile: true })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('--frozen-lockfile'),
    })
    await install(['base'])
    const before = await contentOf(project)
    await expect(install(['app'], { frozenLockfile: true })).rejects.toMatchObject({ code: 'USAGE' })
    await expect(install(['base@1.0.0'], { frozenLockfile: true })).rejects.toMatchObject({ code: 'USAGE' })
    expect(await contentOf(project)).toEqual(before)
    expect(registry.fetched).toEqual(['base@1.0.0'])
    expect((await install(['base'], { frozenLockfile: true })).installed).toHaveLength(1)
  })

  test('as a dry run says what it would do, and writes, pins, fetches and removes nothing', async () => {
    const { installed, notices } = await install(['app'], { dryRun: true })
    expect(installed.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['app', 9],
      ['base', 7],
    ])
    expect(notices).toHaveLength(2)
    expect(await contentOf(project)).toEqual({ lock: undefined, packages: [] })
    expect(registry.trust.list()).toEqual([])
    expect(registry.fetched).toEqual([])

    await install(['app'])
    await registry.publish('app', '2.0.0')
    const before = await contentOf(project)
    expect((await install(['app@2'], { dryRun: true })).removed).toEqual(['base'])
    expect(await contentOf(project)).toEqual(before)
  })

  test('removes what a new version no longer needs', async () => {
    await install(['app'])
    await registry.publish('app', '2.0.0')
    expect(await install(['app@2'])).toMatchObject({ removed: ['base'] })
    expect(await project.listPackages()).toEqual(['app'])
    expect(await lockedVersions()).toEqual({ app: '2.0.0' })
  })

  test('keeps earlier requests, and replaces the range of what is asked for again', async () => {
    await install(['base@1.0.0'])
    await install(['app@^1'])
    await install(['base@^1'])
    expect((await lock()).requested).toEqual({ app: '^1', base: '^1' })
  })

  test('tells the lookup which registry to ask, and whether to go out at all', async () => {
    await install(['base'])
    await install(['base'], { registry: 'p2p', offline: true })
    expect(registry.lookups.map((one) => [one.registry, one.offline, one.locked?.version])).toContainEqual([
      'p2p',
      true,
      '1.0.0',
    ])
    expect(registry.lookups[0]).toMatchObject({ registry: 'all', offline: false, locked: undefined })
  })

  test('passes over what came out too recently, but for what is locked', async () => {
    await install(['base'])
    await registry.publish('base', '1.1.0')
    const young = createMemoryProject()
    registry.deps.minReleaseAgeMs = registry.clock.time - 1_700_000_000_000
    await install(['base'], {}, young)
    expect(parseLock((await young.readLock())!).packages[0]!.version).toBe('1.0.0')
    registry.deps.minReleaseAgeMs = Number.MAX_SAFE_INTEGER
    await expect(install(['base'], {}, createMemoryProject())).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' })
    expect((await install([])).installed[0]).toMatchObject({ version: '1.0.0' })
  })
})

describe('updating', () => {
  beforeEach(async () => {
    await publishAppAndBase()
    await install(['app'])
    await registry.publish('base', '1.1.0')
    await registry.publish('app', '1.1.0', { dependencies: { base: '^1.0.0' } })
  })

  test('an install keeps what is locked', async () => {
    await install([])
    expect(await lockedVersions()).toEqual({ app: '1.0.0', base: '1.0.0' })
  })

  test('of one name ignores the lock for it alone', async () => {
    await install([], { update: ['base'] })
    expect(await lockedVersions()).toEqual({ app: '1.0.0', base: '1.1.0' })
  })

  test('of nothing named ignores all of the lock, but not the requested ranges', async () => {
    await registry.publish('app', '2.0.0')
    await install(['app@^1'])
    await install([], { update: [] })
    expect(await lockedVersions()).toEqual({ app: '1.1.0', base: '1.1.0' })
  })

  test('of what is not locked is refused', async () => {
    await expect(install([], { update: ['app', 'other'] })).rejects.toMatchObject({
      code: 'PACKAGE_NOT_FOUND',
      message: expect.stringContaining('other'),
    })
  })
})

describe('an install that fails', () => {
  beforeEach(publishAppAndBase)

  test('because a package cannot be fetched leaves the project and the pins as they were', async () => {
    await registry.publish('other')
    await install(['other'])
    const before = await contentOf(project)
    registry.contents.delete('base@1.0.0')
    await expect(install(['app'])).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
    expect(registry.fetched).toContain('app@1.0.0')
    expect(await contentOf(project)).toEqual(before)
    expect(registry.trust.pinOf('app')).toBeUndefined()
  })

  test('because one of the names is unknown fetches nothing', async () => {
    await expect(install(['app', 'nobody'])).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' })
    expect(registry.fetched).toEqual([])
    expect(await contentOf(project)).toEqual({ lock: undefined, packages: [] })
  })

  test('because it was cancelled, even after the last fetch, leaves the project as it was', async () => {
    const controller = new AbortController()
    const { fetch } = registry.deps
    registry.deps.fetch = async (candidate, options) => {
      const fetched = await fetch(candidate, options)
      if (candidate.name === 'base') controller.abort(new Error('enough'))
      return fetched
    }
    await expect(install(['app'], { signal: controller.signal })).rejects.toThrow('enough')
    expect(registry.fetched).toEqual(['app@1.0.0', 'base@1.0.0'])
    expect(await contentOf(project)).toEqual({ lock: undefined, packages: [] })
  })

  test('in the middle of writing leaves the old lock, and the same command completes it', async () => {
    const full = {
      ...project,
      async writePackage(...args: Parameters<InstallTarget['writePackage']>) {
        if (args[0] === 'base') throw new Error('disk full')
        return project.writePackage(...args)
      },
    }
    await expect(install(['app'], {}, full)).rejects.toThrow('disk full')
    expect(await project.readLock()).toBeUndefined()
    expect(await project.listPackages()).toEqual(['app'])
    await install(['app'])
    expect(await project.listPackages()).toEqual(['app', 'base'])
    expect(await lockedVersions()).toEqual({ app: '1.0.0', base: '1.0.0' })
  })

  test('because the lock file is broken writes nothing', async () => {
    await project.writeLock('<<<<<<< HEAD\n')
    await expect(install(['app'])).rejects.toMatchObject({
      code: 'INVALID_MANIFEST',
      message: expect.stringContaining('ggen.lock:1:'),
    })
    expect(await contentOf(project)).toEqual({ lock: '<<<<<<< HEAD\n', packages: [] })
  })
})

test('a block that rots between fetch and writing is fetched again', async () => {
  await publishAppAndBase()
  const { fetch } = registry.deps
  let times = 0
  registry.deps.fetch = async (candidate, options) => {
    const fetched = await fetch(candidate, options)
    if (times++ === 0) await registry.rot(fetched.manifest.files[0]!.blocks[0]!)
    return fetched
  }
  await install(['base'])
  expect(times).toBe(2)
  expect(await contentOf(project)).toMatchObject({
    packages: [
      [
        'base',
        [
          ['data.txt', { content: 'one' }],
          ['run.sh', {}],
        ],
      ],
    ],
  })
})

describe('notices', () => {
  beforeEach(publishAppAndBase)

  test('say that a publisher is pinned, with the fingerprint, the first time only', async () => {
    const { notices } = await install(['base'])
    expect(notices).toEqual([expect.stringContaining(fingerprint(registry.ada))])
    expect(notices[0]).toContain(registry.ada)
    expect(registry.trust.pinOf('base')).toBe(registry.ada)
    expect((await install(['base'], {}, createMemoryProject())).notices).toEqual([])
  })

  test('leave an earlier pin alone when a spec names another publisher', async () => {
    await registry.trust.pin('base', registry.ada)
    await registry.publish('base', '3.0.0', { by: 'bea' })
    const { installed, notices } = await install([`${registry.bea}/base`])
    expect(installed[0]).toMatchObject({ version: '3.0.0', publisher: registry.bea })
    expect(notices).toEqual([])
    expect(registry.trust.pinOf('base')).toBe(registry.ada)
  })

  test('say what is deprecated, and what is withdrawn but locked', async () => {
    await install(['app'])
    await registry.deprecate('app', '<2', 'use app 2')
    await registry.yank('base', '1.0.0', 'leaks memory')
    expect((await install([])).notices).toEqual([
      'app@1.0.0 is deprecated: use app 2',
      'base@1.0.0 was withdrawn, but is locked: leaks memory',
    ])
    await expect(install(['app'], {}, createMemoryProject())).rejects.toMatchObject({
      code: 'YANKED',
      message: expect.stringMatching(/leaks memory.*app → base/),
    })
  })

  test('say that nobody signed what a central registry offers, and what of it is left to npm', async () => {
    await registry.offer('left', 'npm')
    await registry.offer('right', 'ggen', { deprecated: 'old' })
    const { installed, notices } = await install(['left', 'right'])
    expect(notices).toEqual([
      expect.stringMatching(/left@1\.0\.0 comes from central:main: nobody signed it/),
      expect.stringMatching(/left depends on is left to npm/),
      expect.stringMatching(/right@1\.0\.0 comes from central:main/),
      'right@1.0.0 is deprecated: old',
    ])
    expect(installed[0]).toMatchObject({ publisher: null, cid: expect.stringMatching(/^bafy/) })
    expect((await lock()).packages[0]).toMatchObject({
      publisher: null,
      registry: 'central:main',
      integrity: 'sha512-abc',
      cid: installed[0]!.cid,
    })
    expect(registry.trust.list()).toEqual([])
    registry.fetched.length = 0
    await install([], { frozenLockfile: true })
    expect(registry.fetched).toEqual([])
  })
})

test('a pinned name under another key is refused, and nothing is written', async () => {
  await registry.publish('base', '1.0.0', { by: 'bea' })
  await registry.trust.pin('base', registry.ada)
  await expect(install(['base'])).rejects.toMatchObject({ code: 'PUBLISHER_CHANGED' })
  expect(await contentOf(project)).toEqual({ lock: undefined, packages: [] })
})

describe('uninstalling', () => {
  beforeEach(async () => {
    await publishAppAndBase()
    await registry.publish('tool', '1.0.0', { dependencies: { base: '*' } })
  })

  test('removes a package with what nothing needs any more', async () => {
    await install(['app'])
    expect(await uninstallPackages(project, ['app'])).toEqual({ removed: ['app', 'base'] })
    expect(await contentOf(project)).toEqual({ lock: formatLock({ requested: {}, packages: [] }), packages: [] })
  })

  test('keeps what another package needs, and what was asked for itself', async () => {
    await install(['app', 'tool'])
    expect(await uninstallPackages(project, ['app'])).toEqual({ removed: ['app'] })
    expect(await project.listPackages()).toEqual(['base', 'tool'])
    await install(['base'])
    expect(await uninstallPackages(project, ['tool'])).toEqual({ removed: ['tool'] })
    expect(await lockedVersions()).toEqual({ base: '1.0.0' })
  })

  test('of what another package needs is refused by its name, and changes nothing', async () => {
    await install(['app', 'base'])
    const before = await contentOf(project)
    await expect(uninstallPackages(project, ['base'])).rejects.toMatchObject({
      code: 'USAGE',
      message: 'base is needed by app.',
      hint: 'Uninstall app first.',
    })
    expect(await contentOf(project)).toEqual(before)
    expect(await uninstallPackages(project, ['base', 'app'])).toEqual({ removed: ['app', 'base'] })
  })

  test('removes a folder that the lock does not know, and refuses a name that is nowhere', async () => {
    await install(['base'])
    await project.writePackage('stray', [])
    expect(await uninstallPackages(project, ['stray'])).toEqual({ removed: ['stray'] })
    await expect(uninstallPackages(project, ['base', 'stray'])).rejects.toMatchObject({
      code: 'PACKAGE_NOT_FOUND',
      message: expect.stringContaining('stray'),
    })
    expect(await project.listPackages()).toEqual(['base'])
  })

  test('takes apart packages that need each other', async () => {
    await registry.publish('ping', '1.0.0', { dependencies: { pong: '*' } })
    await registry.publish('pong', '1.0.0', { dependencies: { ping: '*' } })
    await install(['ping'])
    await expect(uninstallPackages(project, ['pong'])).rejects.toMatchObject({ code: 'USAGE' })
    expect(await uninstallPackages(project, ['ping'])).toEqual({ removed: ['ping', 'pong'] })
  })
})
