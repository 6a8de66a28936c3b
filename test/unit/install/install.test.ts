import { appendFileSync, chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { uninstallPackages } from '../../../src/core/install/install.ts'
import type { TestNode } from '../registry/test-network.ts'
import { createTestNetwork, packageSource, until } from '../registry/test-network.ts'

let net: ReturnType<typeof createTestNetwork>
let alice: TestNode
let bob: TestNode

beforeEach(async () => {
  net = createTestNetwork()
  alice = await net.add('alice')
  bob = await net.add('bob')
  await net.connect(bob, alice)
  await alice.node.publish(
    packageSource({ name: 'base', version: '1.0.0' }, { 'README.md': 'base', 'data/x.txt': 'x' }),
  )
  await alice.node.publish(packageSource({ name: 'top', dependencies: { base: '^1.0.0' } }))
  await until('bob knows top', async () => (await bob.node.parts.entries.byPackage('top')).length > 0)
})

afterEach(() => net.dispose())

const lockText = () => readFileSync(join(bob.projectDir, 'ggen.lock'), 'utf8')
const at = (path: string) => join(bob.projectDir, '.ggen/packages', path)

describe('install', () => {
  test('locks what was asked for and what it needs, and changes nothing the second time', async () => {
    await bob.node.install(bob.project, ['top'])
    const lock = lockText()
    expect(lock).toContain('"top" = "*"')
    expect(lock).not.toContain('"base" = ')
    const again = await bob.node.install(bob.project, ['top'], { frozenLockfile: true })
    expect(again.installed.every(({ fetchedBytes, sources }) => fetchedBytes === 0 && sources[0] === 'cache')).toBe(
      true,
    )
    expect(again.notices).toEqual([])
    expect(lockText()).toBe(lock)
  })

  test('with a frozen lock refuses to change it', async () => {
    await expect(bob.node.install(bob.project, ['top'], { frozenLockfile: true })).rejects.toMatchObject({
      code: 'USAGE',
    })
    expect(existsSync(join(bob.projectDir, 'ggen.lock'))).toBe(false)
  })

  test('as a dry run writes nothing', async () => {
    const { installed } = await bob.node.install(bob.project, ['top'], { dryRun: true })
    expect(installed.map(({ name }) => name)).toEqual(['base', 'top'])
    expect(existsSync(bob.projectDir)).toBe(false)
    expect(bob.node.parts.trust.pinOf('top')).toBeUndefined()
  })

  test('that fails leaves the project as it was', async () => {
    await bob.node.install(bob.project, ['base'])
    const lock = lockText()
    await expect(bob.node.install(bob.project, ['top', 'nobody'])).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' })
    await expect(
      bob.node.install(bob.project, ['top'], { signal: AbortSignal.abort(new Error('no')) }),
    ).rejects.toThrow('no')
    expect(lockText()).toBe(lock)
    expect(existsSync(at('top'))).toBe(false)
  })

  test('removes what a new version no longer needs', async () => {
    await bob.node.install(bob.project, ['top'])
    await alice.node.publish(packageSource({ name: 'top', version: '2.0.0' }))
    await until('bob knows 2.0.0', async () => (await bob.node.parts.entries.byPackage('top')).length > 1)
    const { removed } = await bob.node.install(bob.project, ['top@2'])
    expect(removed).toEqual(['base'])
    expect(existsSync(at('base'))).toBe(false)
  })

  test('mends a corrupt block from its peers, and gives up when nobody has it', async () => {
    await bob.node.install(bob.project, ['base'])
    const [root] = await bob.node.parts.blocks.roots()
    const manifest = await bob.node.content.manifest(root!.cid)
    const block = manifest.files.find(({ path }) => path === 'data/x.txt')!.blocks[0]!
    await bob.node.parts.blocks.delete([block])
    rmSync(at('base'), { recursive: true })
    expect((await bob.node.install(bob.project, ['base'])).installed[0]?.sources).toEqual(['alice'])
    await bob.node.parts.blocks.delete([block])
    await net.stop(alice.node)
    await expect(bob.node.install(bob.project, [], { force: true })).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
  })
})

describe('verify', () => {
  beforeEach(async () => {
    await bob.node.install(bob.project, ['top'])
  })

  const faults = async () => (await bob.node.verify(bob.project, ['base'])).packages[0]!

  test('passes what is as it was installed', async () => {
    expect(await bob.node.verify(bob.project)).toMatchObject({
      ok: true,
      packages: [
        { name: 'base', ok: true, signature: 'valid', files: 3, faults: [] },
        { name: 'top', ok: true, signature: 'valid' },
      ],
    })
  })

  test('names what was changed, is missing, was added, and whose mode differs', async () => {
    appendFileSync(at('base/README.md'), '!')
    rmSync(at('base/data/x.txt'))
    writeFileSync(at('base/new.txt'), 'new')
    chmodSync(at('base/package.toml'), 0o755)
    const { ok, faults: found } = await faults()
    expect(ok).toBe(false)
    expect(found.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'README.md', fault: 'changed' },
      { path: 'data/x.txt', fault: 'missing' },
      { path: 'new.txt', fault: 'extra' },
      { path: 'package.toml', fault: 'executable' },
    ])
  })

  test('says so even without the manifest', async () => {
    appendFileSync(at('base/README.md'), '!')
    for (const { cid } of await bob.node.parts.blocks.roots()) await bob.node.parts.blocks.deleteRoot(cid)
    expect(await faults()).toMatchObject({ ok: false, faults: [{ fault: 'changed' }] })
  })

  test('notices a package that is gone, and a lock that names another publisher', async () => {
    rmSync(at('base'), { recursive: true })
    expect(await faults()).toMatchObject({ ok: false, error: expect.stringContaining('not installed') })
    await bob.node.install(bob.project, [])
    writeFileSync(join(bob.projectDir, 'ggen.lock'), lockText().replaceAll(alice.publisher, bob.publisher))
    expect(await faults()).toMatchObject({ ok: false, signature: 'invalid' })
    writeFileSync(
      join(bob.projectDir, 'ggen.lock'),
      lockText().replace(/cid = ".*"/, 'cid = "bafyreiefotvyc3novrpnwt46xfw6stetfcrdgvsryp75gowhv7melh36dy"'),
    )
    expect(await faults()).toMatchObject({ ok: false, signature: 'missing' })
    await expect(bob.node.verify(bob.project, ['other'])).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' })
  })
})

describe('uninstall', () => {
  test('removes a package and what only it needed', async () => {
    await bob.node.install(bob.project, ['top'])
    await expect(uninstallPackages(bob.project, ['base'])).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('top'),
    })
    expect(await uninstallPackages(bob.project, ['top'])).toEqual({ removed: ['base', 'top'] })
    expect(await bob.project.listPackages()).toEqual([])
    await expect(uninstallPackages(bob.project, ['top'])).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' })
  })

  test('keeps what was asked for itself', async () => {
    await bob.node.install(bob.project, ['top', 'base'])
    expect(await uninstallPackages(bob.project, ['top'])).toEqual({ removed: ['top'] })
    expect(lockText()).toContain('"base" = "*"')
  })
})
