import { parseCid } from '../core/blocks/block.ts'
import { changeTrust } from '../core/control/change-trust.ts'
import { peerRows } from '../core/control/peer-rows.ts'
import type {
  CacheRemoval,
  InfoResult,
  KeyResult,
  PeersResult,
  PublishResult,
  SearchRequest,
  SearchResult,
  ServiceProgress,
  TrustRequest,
  TrustResult,
} from '../core/control/service.ts'
import { RegistryError } from '../core/errors.ts'
import { fingerprint } from '../core/identity/fingerprint.ts'
import { manifestBlocks, manifestBytes } from '../core/manifest/manifest.ts'
import type { OperationOptions } from '../core/ports.ts'
import { releasesBy } from '../core/registry/packages.ts'
import { rankDocuments } from '../core/search/rank.ts'
import { version } from '../core/version.ts'
import type { FolderInput } from '../storage/browser.ts'
import { openPackageFolder } from '../storage/browser.ts'
import type { GgenNode } from './create-node.ts'
import type { Verification } from './describe-verification.ts'
import { describeVerification } from './describe-verification.ts'
import { exportPublisher, importPublisher } from './publisher-key.ts'
import { fetchRelayDocument } from './relay-document.ts'

export interface NodeStatus {
  peerId: string
  publisher: string
  version: string
  uptimeMs: number
  addresses: string[]
  dht: { mode: 'server' | 'client'; routingTable: number }
  peers: { connected: number; max: number; banned: number }
  topics: { topic: string; subscribers: number }[]
  packages: { published: number; known: number; cached: number }
  cache: { bytes: number; maxBytes: number }
  bandwidth: { in: number; out: number }
  /** Of the whole origin, in bytes; zeros where the browser does not tell. */
  quota: { usage: number; quota: number; persisted: boolean }
}

export interface RelayState {
  url: string
  /** Undefined when it does not answer; then `error` says why. */
  peerId?: string
  error?: string
  /** Whether it has given this node a place at which others reach it. */
  reserved: boolean
  limits: { maxReservations: number; maxRelayedBytes: number; maxRelayedMs: number } | undefined
}

export interface PackageFiles {
  cid: string
  name: string
  version: string
  bytes: number
  /** `content` is the same for the same bytes. */
  files: { path: string; size: number; exec: boolean; content: string }[]
}

export interface FetchResult {
  cid: string
  name: string
  version: string
  fetchedBytes: number
  sources: string[]
}

export interface CachedPackage {
  name: string
  version: string
  publisher: string | null
  cid: string
  bytes: number
  pinned: boolean
  lastUsedMs: number
}

// biome-ignore lint/suspicious/noConfusingVoidType: it lets callers leave the argument out
type Nothing = void

/** A search's answer, with what a page sorts and filters by besides. */
export interface DescribedSearchResult extends Omit<SearchResult, 'results'> {
  results: (SearchResult['results'][number] & {
    license: string
    /** Milliseconds since the Unix epoch, by the publisher's clock; 0 when unknown. */
    timeMs: number
  })[]
}

interface Methods {
  status: { request: Nothing; result: NodeStatus }
  peers: { request: Nothing; result: PeersResult }
  connect: { request: { target: string }; result: { peerId: string } }
  search: { request: SearchRequest; result: DescribedSearchResult }
  /** What is known in this browser already, without asking anybody. */
  known: { request: { query: string; limit: number }; result: DescribedSearchResult['results'] }
  relays: { request: Nothing; result: RelayState[] }
  info: { request: { spec: string; offline?: boolean }; result: Omit<InfoResult, 'installed'> }
  /** The whole package into the cache, every block checked. */
  fetch: { request: { cid: string; name: string; version: string }; result: FetchResult }
  files: { request: { cid: string }; result: PackageFiles }
  /** Packages, of those known here, that need this one. */
  dependents: { request: { name: string }; result: { names: string[] } }
  /** One file alone. */
  file: { request: { cid: string; path: string }; result: Uint8Array }
  verification: { request: { cid: string }; result: Verification }
  publish: {
    request: { folder: FolderInput; label?: string; name?: string; version?: string; dryRun?: boolean; wait?: number }
    result: PublishResult
  }
  replicas: { request: { cid: string }; result: { peers: string[] } }
  trust: { request: TrustRequest; result: TrustResult }
  key: { request: Nothing; result: KeyResult }
  exportKey: { request: { passphrase: string }; result: { file: string } }
  importKey: { request: { file: string; passphrase?: string }; result: { publisher: string } }
  cache: { request: Nothing; result: { bytes: number; maxBytes: number; packages: CachedPackage[] } }
  pin: { request: { cid: string; pinned: boolean }; result: undefined }
  evict: { request: { cid: string }; result: undefined }
  clearCache: { request: Nothing; result: CacheRemoval }
}

/** What pages ask of the node, from whichever tab: structured-cloneable in and out. */
export type BrowserService = {
  [M in keyof Methods]: (
    request: Methods[M]['request'],
    options?: OperationOptions<ServiceProgress>,
  ) => Promise<Methods[M]['result']>
}

export interface ServiceEvents {
  /** Peers, addresses or what is known have changed. */
  changed: { what: 'peers' | 'addresses' | 'packages' }
  'log:forked': { author: string; seq: number }
  'peer:banned': { peerId: string; reason: string }
}

export const browserServiceMethods = Object.keys({
  status: true,
  peers: true,
  connect: true,
  search: true,
  known: true,
  relays: true,
  info: true,
  fetch: true,
  files: true,
  dependents: true,
  file: true,
  verification: true,
  publish: true,
  replicas: true,
  trust: true,
  key: true,
  exportKey: true,
  importKey: true,
  cache: true,
  pin: true,
  evict: true,
  clearCache: true,
} satisfies Record<keyof Methods, true>) as (keyof Methods)[]

const replicaLookupMs = 3_000
const relayTimeoutMs = 3_000
/** Ranking decides among these. */
const knownCandidates = 400

async function relayState(url: string, addresses: string[], signal: AbortSignal): Promise<RelayState> {
  try {
    const { peerId, limits } = await fetchRelayDocument(url, signal)
    return { url, peerId, limits, reserved: addresses.some((address) => address.includes(`${peerId}/p2p-circuit`)) }
  } catch (error) {
    return { url, error: error instanceof Error ? error.message : String(error), reserved: false, limits: undefined }
  }
}

/** The service around a node that runs in this tab. `restart` is called when the publisher's key has changed. */
export function createBrowserService(
  node: GgenNode,
  hooks: {
    emit<E extends keyof ServiceEvents>(event: E, detail: ServiceEvents[E]): void
    restart(): Promise<void>
  },
): BrowserService {
  const { registry, network, storage, reputation, config } = node
  const startedMs = Date.now()
  const { blocks, entries } = storage
  network.on('peer:connected', () => hooks.emit('changed', { what: 'peers' }))
  network.on('peer:disconnected', () => hooks.emit('changed', { what: 'peers' }))
  network.on('addresses:changed', () => hooks.emit('changed', { what: 'addresses' }))
  node.events.on('release:discovered', () => hooks.emit('changed', { what: 'packages' }))
  node.events.on('log:forked', ({ author, seq }) => hooks.emit('log:forked', { author, seq }))
  node.events.on('peer:banned', ({ peerId, reason }) => hooks.emit('peer:banned', { peerId, reason }))

  /** After the answer has gone out: the restart closes the channel it goes through. */
  function restartSoon(): void {
    setTimeout(() => void hooks.restart(), 0)
  }

  async function cachedPackages(): Promise<CachedPackage[]> {
    const roots = await blocks.roots()
    return Promise.all(
      roots.map(async ({ cid, bytes, pinned, lastUsedMs }) => {
        const release = (await entries.byManifest(cid))[0]?.entry
        const body = release?.type === 'release' ? release.body : undefined
        const { name, version: packageVersion } = body ?? (await registry.content.manifest(cid, { offline: true }))
        const publisher = release?.publisher ?? null
        return { name, version: packageVersion, publisher, cid: cid.toString(), bytes, pinned, lastUsedMs }
      }),
    )
  }

  return {
    async status() {
      const publisher = await registry.publisherLog.publisher()
      const [usage, count, own, roots, estimate, persisted] = await Promise.all([
        blocks.usage(),
        entries.count(),
        releasesBy(registry.parts, publisher),
        blocks.roots(),
        navigator.storage.estimate(),
        navigator.storage.persisted(),
      ])
      const { dhtMode, routingTable, topics, bytesIn, bytesOut } = network.stats()
      return {
        peerId: network.peerId,
        publisher,
        version,
        uptimeMs: Date.now() - startedMs,
        addresses: network.addresses(),
        dht: { mode: dhtMode, routingTable },
        peers: {
          connected: network.peers().length,
          max: config.performance.max_peers,
          banned: reputation.bans().length,
        },
        topics,
        packages: {
          published: new Set(own.map(({ entry }) => entry.body.name)).size,
          known: count.packages,
          cached: roots.length,
        },
        cache: { bytes: usage.bytes, maxBytes: usage.maxBytes },
        bandwidth: { in: bytesIn, out: bytesOut },
        quota: { usage: estimate.usage ?? 0, quota: estimate.quota ?? 0, persisted },
      }
    },
    peers: async () => ({ peers: peerRows(network, reputation, registry.packagesAt) }),
    connect: async ({ target }, options) => ({
      peerId: await network.connect(target, { signal: options?.signal }),
    }),
    async search(request, options) {
      const found = await registry.search(request, options)
      const results = found.results.map(async (result) => {
        const known = result.publisher === null ? undefined : await storage.search.get(result.publisher, result.name)
        return { ...result, license: known?.license ?? '', timeMs: known?.time ?? 0 }
      })
      return { ...found, results: await Promise.all(results) }
    },
    async known({ query, limit }) {
      const wanted = { text: query }
      const found = rankDocuments(wanted, await storage.search.search(wanted, knownCandidates), limit)
      return found.map(({ document, score }) => ({
        ...document,
        score,
        providers: 0,
        sources: ['local'],
        disagreements: [],
        timeMs: document.time,
      }))
    },
    async relays(_request, options) {
      const timeout = AbortSignal.timeout(relayTimeoutMs)
      const signal = options?.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])
      return Promise.all(node.relays.map((url) => relayState(url, network.addresses(), signal)))
    },
    info: ({ spec, offline }, options) => registry.info(spec, { signal: options?.signal, offline }),
    async fetch({ cid, ...wanted }, options) {
      const { manifest, fetchedBytes, sources } = await registry.content.fetchContent(
        { cid: parseCid(cid), ...wanted },
        options,
      )
      return { cid, name: manifest.name, version: manifest.version, fetchedBytes, sources }
    },
    async files({ cid }, options) {
      const manifest = await registry.content.manifest(parseCid(cid), { signal: options?.signal })
      return {
        cid,
        name: manifest.name,
        version: manifest.version,
        bytes: manifestBytes(manifest),
        files: manifest.files.map(({ path, size, exec, blocks: own }) => ({
          path,
          size,
          exec: exec === true,
          content: own.join(' '),
        })),
      }
    },
    async dependents({ name }, options) {
      const names = new Set<string>()
      for (const { author } of await entries.logs()) {
        options?.signal?.throwIfAborted()
        for (const { entry } of await entries.entries(author))
          if (entry.type === 'release' && Object.hasOwn(entry.body.dependencies, name)) names.add(entry.body.name)
      }
      return { names: [...names].sort() }
    },
    file: ({ cid, path }, options) => registry.content.file(parseCid(cid), path, { signal: options?.signal }),
    verification: ({ cid }, options) => describeVerification(registry, parseCid(cid), options),
    async publish({ folder, label, ...request }, options) {
      return registry.publish(await openPackageFolder(folder, label), { ...request, ...options })
    },
    async replicas({ cid }, options) {
      const timeout = AbortSignal.timeout(replicaLookupMs)
      const signal = options?.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])
      const peers: string[] = []
      for await (const peerId of registry.content.announcedBy(parseCid(cid), { signal })) peers.push(peerId)
      return { peers }
    },
    trust: (request) => changeTrust(registry, request),
    async key() {
      const publisher = await registry.publisherLog.publisher()
      return { publisher, fingerprint: fingerprint(publisher), key: registry.parts.signer.did }
    },
    async exportKey({ passphrase }) {
      const file = await exportPublisher(storage.keys, passphrase, registry.publisherLog.handOn)
      restartSoon()
      return { file }
    },
    async importKey({ file, passphrase }) {
      const publisher = await importPublisher(storage.keys, file, passphrase)
      restartSoon()
      return { publisher }
    },
    async cache() {
      const { bytes, maxBytes } = await blocks.usage()
      return { bytes, maxBytes, packages: await cachedPackages() }
    },
    async pin({ cid, pinned }) {
      const root = parseCid(cid)
      const manifest = await registry.content.manifest(root, { offline: true })
      await blocks.putRoot(root, [root, ...manifestBlocks(manifest)], { pinned })
      return undefined
    },
    async evict({ cid }) {
      const own = await registry.publisherLog.publisher()
      const release = (await entries.byManifest(parseCid(cid))).find(({ entry }) => entry.publisher === own)
      if (release !== undefined) {
        throw new RegistryError('DENIED', 'This is a package you published; others may have only your copy.', {
          hint: 'It stays until you clear all data of this site.',
        })
      }
      await blocks.deleteRoot(parseCid(cid))
      return undefined
    },
    clearCache: () => blocks.clear(),
  }
}
