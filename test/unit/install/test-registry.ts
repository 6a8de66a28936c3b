import type { CID } from 'multiformats/cid'
import type { CentralRegistry, CentralRelease } from '../../../src/core/central/central-registry.ts'
import { RegistryError } from '../../../src/core/errors.ts'
import type { InstallDeps } from '../../../src/core/install/install.ts'
import type { LockedPackage } from '../../../src/core/install/lock-file.ts'
import { buildManifest } from '../../../src/core/manifest/build.ts'
import type { Manifest } from '../../../src/core/manifest/types.ts'
import type { Block, InstallTarget } from '../../../src/core/ports.ts'
import { releasesByPublisher } from '../../../src/core/registry/packages.ts'
import { centralCandidate, signedCandidate } from '../../../src/core/resolve/candidate.ts'
import { resolvePublisher } from '../../../src/core/resolve/publisher.ts'
import { createTrust } from '../../../src/core/trust/trust.ts'
import { createEntryTable } from '../../../src/storage/entry-table.ts'
import { createMemoryState } from '../../../src/storage/memory.ts'
import { createMemoryBlocks } from '../../../src/storage/memory-blocks.ts'
import { nodeSha256 as sha256 } from '../../../src/storage/node-sha256.ts'
import { testSigner } from '../identity/test-signers.ts'
import { createTestLog } from '../log/test-entries.ts'
import { memorySource } from '../manifest/test-source.ts'

export type Files = Record<string, string>

interface Content {
  cid: CID
  manifest: Manifest
  blocks: Block[]
}

/** What `installPackages` needs, around everything that publishers have signed and peers hold: no network, no disk. */
export async function createTestRegistry() {
  const clock = { time: 1_700_000_600_000, now: () => clock.time }
  const blocks = createMemoryBlocks({ maxBytes: 1e9, sha256, clock })
  const entries = createEntryTable()
  const trust = createTrust(createMemoryState())
  /** By name@version; what is taken out of it, no peer holds any more. */
  const contents = new Map<string, Content>()
  const central = new Map<string, { registry: CentralRegistry; releases: CentralRelease[] }>()
  const fetched: string[] = []
  const lookups: { name: string; locked: LockedPackage | undefined; registry: string; offline: boolean }[] = []
  const ada = await testSigner(1)
  const bea = await testSigner(2)
  const logs = { ada: createTestLog(ada), bea: createTestLog(bea) }

  async function hold(name: string, version: string, files: Files): Promise<Content & { bytes: number }> {
    const held: Block[] = []
    const source = memorySource(
      Object.entries(files).map(([path, content]) => ({ path, content, exec: path.endsWith('.sh') })),
    )
    const putBlocks = async (added: Block[]) => void held.push(...added)
    const { manifest, block, bytes } = await buildManifest({ name, version, source, sha256, putBlocks })
    const content = { cid: block.cid, manifest, blocks: [...held, block] }
    contents.set(`${name}@${version}`, content)
    return { ...content, bytes }
  }

  const deps: InstallDeps = {
    clock,
    trust,
    minReleaseAgeMs: 0,
    store: { blocks, sha256 },
    async lookup({ name, publisher }, { locked, registry, offline, signal }) {
      signal?.throwIfAborted()
      lookups.push({ name, locked, registry, offline })
      const offered = central.get(name)
      if (offered !== undefined) {
        const candidates = offered.releases.map((release) => centralCandidate(offered.registry, release))
        return { decision: { publisher: null, by: 'central' }, candidates }
      }
      const known = await releasesByPublisher({ entries, trust }, name)
      const lockedPublisher = locked?.publisher ?? undefined
      const decision = resolvePublisher({ name, publisher, locked: lockedPublisher, known, attested: [], trust })
      return { decision, candidates: (known.get(decision.publisher) ?? []).map(signedCandidate) }
    },
    async fetch({ name, version }) {
      fetched.push(`${name}@${version}`)
      const content = contents.get(`${name}@${version}`)
      if (content === undefined) throw new RegistryError('NO_PROVIDERS', `Nobody holds ${name}@${version}.`)
      const held = await blocks.has(content.blocks.map(({ cid }) => cid))
      const missing = content.blocks.filter((_, index) => !held[index])
      await blocks.putMany(missing.map(({ cid, bytes }) => ({ cid, bytes: bytes.slice() })))
      const fetchedBytes = missing.reduce((sum, { bytes }) => sum + bytes.length, 0)
      return { cid: content.cid, manifest: content.manifest, fetchedBytes, sources: missing.length > 0 ? ['peer'] : [] }
    },
  }

  return {
    deps,
    clock,
    blocks,
    entries,
    trust,
    contents,
    fetched,
    lookups,
    ada: ada.did,
    bea: bea.did,

    async publish(
      name: string,
      version = '1.0.0',
      options: { dependencies?: Record<string, string>; files?: Files; by?: keyof typeof logs } = {},
    ): Promise<string> {
      const { dependencies = {}, files = { 'README.md': `${name} ${version}` }, by = 'ada' } = options
      const { cid, bytes } = await hold(name, version, files)
      await entries.putMany([await logs[by].release(version, { name, dependencies, manifest: cid, bytes })])
      return cid.toString()
    },
    yank: async (name: string, version: string, reason: string) => {
      await entries.putMany([await logs.ada.append({ type: 'yank', body: { name, version, reason } })])
    },
    deprecate: async (name: string, range: string, message: string) => {
      await entries.putMany([await logs.ada.append({ type: 'deprecate', body: { name, range, message } })])
    },

    /** A package that only a central registry has. */
    async offer(name: string, kind: CentralRegistry['kind'], change: Partial<CentralRelease> = {}): Promise<void> {
      const registry: CentralRegistry = {
        name: 'main',
        kind,
        search: async () => [],
        versions: async () => [],
        open: async () => memorySource([]),
      }
      const unsaid = { description: '', category: '', keywords: [], license: '', authors: [], repository: '' }
      const release: CentralRelease = {
        ...unsaid,
        name,
        version: '1.0.0',
        dependencies: {},
        timeMs: 0,
        deprecated: '',
        integrity: 'sha512-abc',
        ...change,
      }
      await hold(name, release.version, { 'index.js': name })
      central.set(name, { registry, releases: [release] })
    },

    /** Makes a block that is held rot. */
    async rot(cid: CID): Promise<void> {
      const bytes = await blocks.get(cid)
      if (bytes === undefined) throw new Error(`${cid} is not held.`)
      bytes[0] = bytes[0]! ^ 0xff
    },
  }
}

export type TestRegistry = Awaited<ReturnType<typeof createTestRegistry>>

interface FileState {
  exec: boolean
  content: string
}

async function filesOf(target: InstallTarget, name: string): Promise<Map<string, FileState>> {
  const files = new Map<string, FileState>()
  for (const { path, exec, read } of (await target.openPackage(name))?.files ?? []) {
    const parts: Uint8Array[] = []
    for await (const chunk of read()) parts.push(chunk)
    files.set(path, { exec, content: Buffer.concat(parts).toString() })
  }
  return files
}

/** Everything in a project, to compare. */
export async function contentOf(target: InstallTarget): Promise<unknown> {
  const packages = (await target.listPackages()).map(async (name) => [name, [...(await filesOf(target, name))]])
  return { lock: await target.readLock(), packages: await Promise.all(packages) }
}

/** What the user, or anybody else, does to installed files. */
export async function changeFiles(
  target: InstallTarget,
  name: string,
  change: (files: Map<string, FileState>) => void,
): Promise<void> {
  const files = await filesOf(target, name)
  change(files)
  const written = [...files].map(([path, { exec, content }]) => {
    const bytes = new TextEncoder().encode(content)
    return { path, exec, size: bytes.length, chunks: [bytes] }
  })
  await target.writePackage(name, written)
}
