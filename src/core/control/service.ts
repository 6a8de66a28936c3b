import type { OutdatedPackage } from '../install/inspect.ts'
import type { OperationOptions } from '../ports.ts'

type Nothing = Record<string, never>

/** What can be asked of a node, and what it answers: the requests' and results' JSON. Paths are absolute. */
export interface ServiceMethods {
  status: { request: Nothing; result: StatusResult }
  connect: { request: { target: string; persistent?: boolean }; result: { peerId: string } }
  disconnect: { request: { peerId: string }; result: { peerId: string } }
  peers: { request: { sort?: PeerSort }; result: PeersResult }
  bootstrap: { request: { nodes?: string[]; wait?: boolean }; result: BootstrapResult }
  publish: { request: PublishRequest; result: PublishResult }
  search: { request: SearchRequest; result: SearchResult }
  install: { request: InstallRequest; result: InstallResult }
  uninstall: { request: { names: string[]; dir: string }; result: { removed: string[] } }
  list: { request: { dir: string }; result: ListResult }
  info: { request: { spec: string; dir?: string; offline?: boolean }; result: InfoResult }
  verify: { request: { names: string[]; dir: string }; result: VerifyResult }
  outdated: { request: { dir: string; offline?: boolean }; result: OutdatedResult }
  why: { request: { name: string; dir: string }; result: WhyResult }
  yank: { request: { name: string; version: string; reason?: string; undo?: boolean }; result: StatementResult }
  deprecate: { request: { name: string; range: string; message: string }; result: StatementResult }
  trust: { request: TrustRequest; result: TrustResult }
  key: { request: Nothing; result: KeyResult }
  cacheInfo: { request: Nothing; result: CacheInfoResult }
  cacheCollect: { request: Nothing; result: CacheRemoval }
  cacheClear: { request: Nothing; result: CacheRemoval }
}

/** In the order of the interface above, which the type holds complete. */
export const serviceMethods = Object.keys({
  status: true,
  connect: true,
  disconnect: true,
  peers: true,
  bootstrap: true,
  publish: true,
  search: true,
  install: true,
  uninstall: true,
  list: true,
  info: true,
  verify: true,
  outdated: true,
  why: true,
  yank: true,
  deprecate: true,
  trust: true,
  key: true,
  cacheInfo: true,
  cacheCollect: true,
  cacheClear: true,
} satisfies Record<keyof ServiceMethods, true>) as (keyof ServiceMethods)[]

/**
 * What a running node does for the command line and for whoever talks to its control API: plain JSON in, plain JSON out, progress
 * on the side. The daemon implements it around its node and serves it over HTTP; a command without a daemon runs the same implementation in its own
 * process; the control client is the same interface again on the other end of the socket. Results are the CLI contract's JSON.
 */
export type RegistryService = {
  [Method in keyof ServiceMethods]: (
    request: ServiceMethods[Method]['request'],
    options?: ServiceOptions,
  ) => Promise<ServiceMethods[Method]['result']>
}

export type ServiceOptions = OperationOptions<ServiceProgress>

/** Facts while an operation runs; the CLI and the explorer draw the same ones. `bytes` count what has been done of `totalBytes`. */
export type ServiceProgress =
  | { type: 'stage'; stage: string; detail?: string }
  | { type: 'files'; done: number; total: number; bytes: number; totalBytes: number }
  | { type: 'provider:found'; peerId: string }
  | { type: 'block:received'; peerId: string; cid: string; bytes: number; totalBytes: number; package: string }
  | { type: 'block:rejected'; peerId: string; reason: string }
  /** `names`: the first packages it found; `error`: why it did not answer. */
  | {
      type: 'source:answered'
      source: string
      status: SourceStatus
      results: number
      tookMs: number
      names: string[]
      error?: string
    }
  | { type: 'replica'; replicas: number; wanted: number }
  | { type: 'warning'; message: string }

export interface StatusResult {
  running: true
  peerId: string
  publisher: string
  version: string
  pid: number
  uptimeMs: number
  addresses: string[]
  dht: { mode: 'server' | 'client'; routingTable: number }
  peers: { connected: number; max: number; banned: number }
  topics: { topic: string; subscribers: number }[]
  packages: { published: number; known: number; cached: number }
  cache: { bytes: number; maxBytes: number }
  bandwidth: { in: number; out: number }
  memory: { rss: number }
  /** What the node noticed and repaired or could not do: shown by `status`. */
  warnings: string[]
}

export type PeerSort = 'reputation' | 'latency' | 'packages'

export interface PeersResult {
  peers: {
    peerId: string
    address: string
    transport: string
    direction: 'inbound' | 'outbound'
    /** 0..1 */
    reputation: number
    latencyMs: number | null
    /** Packages this peer has served us or announced. */
    packages: number
    banned: boolean
    agent: string
  }[]
}

export interface BootstrapResult {
  contacted: number
  connected: number
  routingTable: number
  tookMs: number
}

export interface PublishRequest {
  dir: string
  dryRun?: boolean
  /** Resolve when this many other peers hold a verified copy. */
  wait?: number
  waitTimeoutMs?: number
  announce?: boolean
  name?: string
  version?: string
}

export interface PublishResult {
  name: string
  version: string
  publisher: string
  cid: string
  /** CID of the log entry; null in a dry run of something new. */
  entry: string | null
  files: number
  bytes: number
  replicas: number
  tookMs: number
  unchanged?: boolean
  dryRun?: { files: { path: string; size: number }[]; ignored: { path: string; reason: string }[] }
  warnings?: string[]
}

export type RegistryChoice = 'all' | 'p2p' | 'central'

export interface SearchRequest {
  query: string
  category?: string
  limit?: number
  timeoutMs?: number
  registry?: RegistryChoice
}

export type SourceStatus = 'ok' | 'timeout' | 'error' | 'skipped'

export interface SearchResult {
  query: string
  results: {
    name: string
    version: string
    description: string
    category: string
    keywords: string[]
    /** did:key, or null for a package only a central registry has. */
    publisher: string | null
    cid: string | null
    score: number
    /** Peers known to hold it, us included. */
    providers: number
    sources: string[]
    /** Sources that name another newest version. */
    disagreements: { source: string; version: string }[]
    yanked: boolean
  }[]
  tookMs: number
  sources: { source: string; status: SourceStatus; results: number; tookMs: number; error?: string }[]
}

export interface InstallRequest {
  specs: string[]
  /** Project folder. */
  dir: string
  registry?: RegistryChoice
  frozenLockfile?: boolean
  offline?: boolean
  dryRun?: boolean
  force?: boolean
  /** Choose these anew instead of keeping the lock's versions; all when empty. */
  update?: string[]
}

export interface InstalledPackage {
  name: string
  version: string
  publisher: string | null
  /** null only in a dry run of what a central registry offers. */
  cid: string | null
  path: string
  bytes: number
  /** What came over the network for it; 0 when everything was held. */
  fetchedBytes: number
  /** `cache`, peer IDs, `central:<name>`. */
  sources: string[]
}

export interface InstallResult {
  installed: InstalledPackage[]
  removed: string[]
  tookMs: number
  /** Shown to people: a pin made on first use, a deprecation. */
  notices: string[]
}

export interface ListResult {
  dir: string
  packages: { name: string; version: string; publisher: string | null; cid: string; path: string; present: boolean }[]
}

export interface InfoResult {
  name: string
  version: string
  publisher: string | null
  petname: string | null
  /** null for what is known only from a central registry. */
  cid: string | null
  /** `p2p`, or the central registry that describes it. */
  source: string
  entry: string | null
  description: string
  category: string
  keywords: string[]
  license: string
  authors: string[]
  repository: string
  bytes: number
  files: number
  /** ISO 8601, by the publisher's clock. */
  published: string
  yanked: boolean
  deprecated: string
  dependencies: Record<string, string>
  external: Record<string, string>
  versions: { version: string; cid: string | null; published: string; yanked: boolean; deprecated: string }[]
  providers: number
  cached: boolean
  installed: string | null
  forked: boolean
}

export type FileFault = { path: string; fault: 'changed' | 'missing' | 'extra' | 'not-executable' | 'executable' }

export interface VerifyResult {
  ok: boolean
  packages: {
    name: string
    version: string
    cid: string
    publisher: string | null
    ok: boolean
    /**
     * `valid`: the publisher's signature over this CID was checked here; `missing`: no signed entry is held; `invalid`; `central`: nobody signed it, it was checked against
     * a central registry's checksum when it came.
     */
    signature: 'valid' | 'missing' | 'invalid' | 'central'
    files: number
    faults: FileFault[]
    error?: string
  }[]
}

export interface OutdatedResult {
  dir: string
  packages: OutdatedPackage[]
}

export interface WhyResult {
  name: string
  version: string
  /** Each from a requested package to this one. */
  paths: string[][]
}

export interface StatementResult {
  name: string
  /** Versions it is about. */
  versions: string[]
  /** CID of the log entry; null when nothing had to be said. */
  entry: string | null
}

export type TrustRequest =
  | { action: 'list' }
  /** `publisher` is a did:key, a prefix of a known one, or a petname. */
  | { action: 'add'; publisher: string; petname?: string }
  | { action: 'remove' | 'block'; publisher: string }

export interface TrustResult {
  publishers: { publisher: string; petname: string | null; fingerprint: string; blocked: boolean; pins: string[] }[]
}

export interface KeyResult {
  publisher: string
  /** Of the publisher's did:key. */
  fingerprint: string
  /** The did:key that signs; another than the publisher after a rotation. */
  key: string
}

export interface CacheInfoResult {
  dir: string
  bytes: number
  maxBytes: number
  pinnedBytes: number
  blocks: number
  packages: {
    name: string
    version: string
    publisher: string | null
    cid: string
    bytes: number
    pinned: boolean
    lastUsed: string
  }[]
}

export interface CacheRemoval {
  removedBlocks: number
  removedBytes: number
}
