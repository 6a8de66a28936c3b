import { beforeEach, describe, expect, test } from 'vitest'
import { parseCid } from '../../../src/core/blocks/block.ts'
import { installPackages } from '../../../src/core/install/install.ts'
import { createInstalledFiles } from '../../../src/core/install/installed-files.ts'
import { verifyInstalled } from '../../../src/core/install/verify.ts'
import type { InstallTarget } from '../../../src/core/ports.ts'
import { signedCandidate } from '../../../src/core/resolve/candidate.ts'
import { createEntryTable } from '../../../src/storage/entry-table.ts'
import { createMemoryProject } from '../../../src/storage/memory.ts'
import type { TestRegistry } from './test-registry.ts'
import { changeFiles, createTestRegistry } from './test-registry.ts'

let registry: TestRegistry
let project: InstallTarget
let cid: string

beforeEach(async () => {
  registry = await createTestRegistry()
  project = createMemoryProject()
  cid = await registry.publish('base', '1.0.0', { files: { 'a.txt': 'a', 'b.txt': 'b', 'run.sh': 'echo' } })
  await registry.publish('other')
  await installPackages(registry.deps, project, [
    { name: 'base', range: '*' },
    { name: 'other', range: '*' },
  ])
})

const verify = (names: string[] = [], target = project, entries = registry.entries) =>
  verifyInstalled({ store: registry.deps.store, entries }, target, names)
const base = async (target = project) => (await verify(['base'], target)).packages[0]!
const edit = async (change: (lock: string) => string) => project.writeLock(change((await project.readLock())!))

describe('verifying', () => {
  test('passes what is as it was installed', async () => {
    expect(await verify()).toEqual({
      ok: true,
      packages: [
        {
          name: 'base',
          version: '1.0.0',
          cid,
          publisher: registry.ada,
          signature: 'valid',
          files: 3,
          faults: [],
          ok: true,
        },
        expect.objectContaining({ name: 'other', ok: true }),
      ],
    })
    expect(await verify([], createMemoryProject())).toEqual({ ok: true, packages: [] })
  })

  test('names every file that differs, and how', async () => {
    await changeFiles(project, 'base', (files) => {
      files.set('a.txt', { exec: false, content: 'A' })
      files.delete('b.txt')
      files.set('run.sh', { exec: false, content: 'echo' })
      files.set('new.txt', { exec: false, content: '' })
    })
    const result = await verify()
    expect(result.ok).toBe(false)
    expect(result.packages[0]).toMatchObject({ ok: false, files: 3, signature: 'valid' })
    expect(result.packages[0]!.faults).toEqual([
      { path: 'a.txt', fault: 'changed' },
      { path: 'b.txt', fault: 'missing' },
      { path: 'run.sh', fault: 'not-executable' },
      { path: 'new.txt', fault: 'extra' },
    ])
    expect(result.packages[1]).toMatchObject({ name: 'other', ok: true })
  })

  test('notices a file that was made executable, and one that grew', async () => {
    await changeFiles(project, 'base', (files) => {
      files.set('a.txt', { exec: true, content: 'a' })
      files.set('b.txt', { exec: false, content: 'bb' })
    })
    expect((await base()).faults).toEqual([
      { path: 'a.txt', fault: 'executable' },
      { path: 'b.txt', fault: 'changed' },
    ])
  })

  test('counts what is no regular file as extra', async () => {
    const linked: InstallTarget = {
      ...project,
      async openPackage(name) {
        const source = await project.openPackage(name)
        return source && { ...source, ignored: [{ path: 'link', reason: 'symbolic link' }] }
      },
    }
    expect(await base(linked)).toMatchObject({ ok: false, faults: [{ path: 'link', fault: 'extra' }] })
  })

  test('without the manifest, or with files that no package may hold, says only that something changed', async () => {
    await changeFiles(project, 'base', (files) => files.delete('b.txt'))
    await registry.blocks.delete([parseCid(cid)])
    expect(await base()).toMatchObject({ ok: false, files: 2, faults: [{ path: '', fault: 'changed' }] })
    await changeFiles(project, 'other', (files) => files.set('con.txt', { exec: false, content: '' }))
    expect((await verify(['other'])).packages[0]).toMatchObject({
      ok: false,
      faults: [{ path: '', fault: 'changed' }],
    })
  })

  test('a file that cannot be read is a failure, not a verdict', async () => {
    const locked: InstallTarget = {
      ...project,
      async openPackage(name) {
        const source = await project.openPackage(name)
        const files = source!.files.map((file) => ({
          ...file,
          // biome-ignore lint/correctness/useYield: it fails before there is anything to yield
          async *read(): AsyncIterable<Uint8Array> {
            throw new Error('permission denied')
          },
        }))
        return { ...source!, files }
      },
    }
    await expect(verify(['base'], locked)).rejects.toThrow('permission denied')
  })

  test('says which package is not installed', async () => {
    await project.removePackage('base')
    expect(await base()).toMatchObject({ ok: false, files: 0, faults: [], error: 'It is not installed.' })
  })

  test('refuses a name that is not locked', async () => {
    await expect(verify(['base', 'nobody'])).rejects.toMatchObject({
      code: 'PACKAGE_NOT_FOUND',
      message: expect.stringContaining('nobody'),
    })
  })

  test('a signature is missing where no release says so, and invalid where one says something else', async () => {
    expect((await verify(['base'], project, createEntryTable())).packages[0]).toMatchObject({
      ok: false,
      signature: 'missing',
      faults: [],
    })
    await edit((lock) => lock.replaceAll(registry.ada, registry.bea))
    expect(await base()).toMatchObject({ ok: false, signature: 'invalid', publisher: registry.bea })
    await edit((lock) => lock.replaceAll(registry.bea, registry.ada).replace('version = "1.0.0"', 'version = "1.0.1"'))
    expect(await base()).toMatchObject({ ok: false, signature: 'invalid' })
  })

  test('what comes from a central registry has its signature from nobody, and passes by its content', async () => {
    await registry.offer('left', 'npm')
    await installPackages(registry.deps, project, [{ name: 'left', range: '*' }])
    expect((await verify(['left'])).packages[0]).toMatchObject({ ok: true, signature: 'central', publisher: null })
    await changeFiles(project, 'left', (files) => files.set('index.js', { exec: false, content: 'evil' }))
    expect((await verify(['left'])).packages[0]).toMatchObject({ ok: false, signature: 'central' })
  })
})

describe('installed files', () => {
  async function setUp(mend: boolean) {
    const { manifest } = registry.contents.get('base@1.0.0')!
    const { candidates } = await registry.deps.lookup(
      { name: 'base', range: '*' },
      { locked: undefined, registry: 'all', offline: true },
    )
    const candidate = candidates[0]!
    let refetches = 0
    const files = createInstalledFiles(registry.deps.store, async (wanted) => {
      refetches++
      expect(wanted).toBe(candidate)
      if (mend) await registry.deps.fetch(wanted, {})
    })
    await registry.rot(manifest.files[1]!.blocks[0]!)
    async function read(): Promise<Record<string, string>> {
      const texts: Record<string, string> = {}
      for await (const { path, chunks } of files(candidate, manifest)) {
        texts[path] = ''
        for await (const chunk of chunks) texts[path] += new TextDecoder().decode(chunk)
      }
      return texts
    }
    return { read, refetches: () => refetches }
  }

  test('are read from the cache, a corrupt block fetched anew once', async () => {
    const { read, refetches } = await setUp(true)
    const expected = { 'a.txt': 'a', 'b.txt': 'b', 'run.sh': 'echo' }
    expect(await read()).toEqual(expected)
    expect(refetches()).toBe(1)
    expect(await read()).toEqual(expected)
    expect(refetches()).toBe(1)
  })

  test('a block that is corrupt again is given up', async () => {
    const { read, refetches } = await setUp(false)
    await expect(read()).rejects.toMatchObject({ code: 'STORAGE_CORRUPT', message: expect.stringContaining('base') })
    expect(refetches()).toBe(1)
  })
})

test('a signed candidate tells what its release says', async () => {
  const { candidates } = await registry.deps.lookup(
    { name: 'base', range: '*' },
    { locked: undefined, registry: 'all', offline: true },
  )
  const [candidate] = candidates
  if (candidate?.origin.kind !== 'signed') throw new Error('It is not signed.')
  const release = { entry: candidate.origin.entry, yanked: { reason: 'r' }, deprecated: 'd', afterFork: true }
  expect(signedCandidate(release)).toMatchObject({
    name: 'base',
    version: '1.0.0',
    publisher: registry.ada,
    registry: '',
    cid,
    bytes: 6,
    yanked: { reason: 'r' },
    deprecated: 'd',
    afterFork: true,
  })
})
