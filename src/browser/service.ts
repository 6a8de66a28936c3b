import type {
  CacheRemoval,
  InfoResult,
  KeyResult,
  PeersResult,
  PublishResult,
  RegistryChoice,
  SearchRequest,
  SearchResult,
  ServiceProgress,
  TrustRequest,
  TrustResult,
} from '../core/control/service.ts'
import type { MetadataOverrides } from '../core/manifest/metadata.ts'
import type { PackageMetadata } from '../core/manifest/types.ts'
import type { OperationOptions, PeerInfo } from '../core/ports.ts'
import type { FolderInput } from '../storage/browser.ts'
import type { CentralOrigin } from './central-packages.ts'
import type { Verification } from './describe-verification.ts'
import type { KnownPackages, KnownRequest } from './known-packages.ts'

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
  limits: { maxReservations: number; maxRelayedBytes: number; maxRelayedMs: number } | undefined
}

export type ConnectedPeer = PeersResult['peers'][number] & Pick<PeerInfo, 'bytesIn' | 'bytesOut' | 'relayLimit'>

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

export interface Holders {
  /** Peers said to hold a content: by themselves, or in the DHT. */
  peers: string[]
  /** Peers that gave other bytes for it since this browser's node was started; they were thrown away. */
  refused: { peerId: string; times: number }[]
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

/** A folder, and what counts in place of what its package file says. */
export interface PublishFolder extends MetadataOverrides {
  folder: FolderInput
  label?: string
}

export interface PublishPreview extends PublishResult {
  metadata: Pick<PackageMetadata, 'name' | 'version' | 'description' | 'category' | 'license' | 'keywords' | 'file'>
}

// biome-ignore lint/suspicious/noConfusingVoidType: it lets callers leave the argument out
type Nothing = void

interface Methods {
  status: { request: Nothing; result: NodeStatus }
  peers: { request: Nothing; result: { peers: ConnectedPeer[] } }
  connect: { request: { target: string }; result: { peerId: string } }
  search: { request: SearchRequest; result: SearchResult }
  /** What is known in this browser already, without asking anybody. */
  known: { request: KnownRequest; result: KnownPackages }
  relays: { request: Nothing; result: RelayState[] }
  /** A package of a central registry has no publisher, and a CID only once it was downloaded here. `registry`: whom to ask, all by default. */
  info: {
    request: { spec: string; offline?: boolean; registry?: RegistryChoice }
    result: Omit<InfoResult, 'installed'>
  }
  /** What a central registry offers, from its server, checked against the checksum it gives and kept in the cache. */
  download: {
    request: { name: string; version: string }
    result: FetchResult & Pick<CentralOrigin, 'checksum'>
  }
  /** The whole package into the cache, every block checked. */
  fetch: { request: { cid: string; name: string; version: string }; result: FetchResult }
  files: { request: { cid: string }; result: PackageFiles }
  /** Packages, of those known here, that need this one. */
  dependents: { request: { name: string }; result: { names: string[] } }
  /** One file alone. */
  file: { request: { cid: string; path: string }; result: Uint8Array }
  verification: { request: { cid: string }; result: Verification }
  /** What publishing would do, and what the package says of itself. */
  preview: { request: PublishFolder; result: PublishPreview }
  publish: { request: PublishFolder & { wait?: number }; result: PublishResult }
  /** `offline`: as far as they are known, without asking the DHT. */
  holders: { request: { cid: string; offline?: boolean }; result: Holders }
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
  /** Peers, addresses, what is known, or who gave wrong bytes has changed. */
  changed: { what: 'peers' | 'addresses' | 'packages' | 'refusals' }
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
  download: true,
  fetch: true,
  files: true,
  dependents: true,
  file: true,
  verification: true,
  preview: true,
  publish: true,
  holders: true,
  trust: true,
  key: true,
  exportKey: true,
  importKey: true,
  cache: true,
  pin: true,
  evict: true,
  clearCache: true,
} satisfies Record<keyof Methods, true>) as (keyof Methods)[]
