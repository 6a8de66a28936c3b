import type { CID } from 'multiformats/cid'
import type { VerifiedEntry } from './log/types.ts'
import type { PackageDocument, SearchQuery } from './search/types.ts'

/** What the core needs from a platform. Each port has one contract suite in `test/contracts/`, run against every implementation. */

export interface Lifecycle {
  start(): Promise<void>
  /** Idempotent. */
  stop(): Promise<void>
}

export interface OperationOptions<Progress = never> {
  /** Cancels this operation, never the node. An abort rethrows `signal.reason`. */
  signal?: AbortSignal | undefined
  onProgress?: ((event: Progress) => void) | undefined
}

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
}

/** SHA-256 of the bytes: 32 bytes. Synchronous where the platform can (Node), which is faster for many small blocks. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** An Ed25519 key that signs as a publisher. The secret may be unreadable (a non-extractable WebCrypto key). */
export interface Signer {
  /** `did:key:z6Mk…` */
  readonly did: string
  /** Returns the 64-byte signature. */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

export interface Block {
  cid: CID
  bytes: Uint8Array
}

export interface BlockRoot {
  /** The manifest's CID. */
  cid: CID
  /** Never evicted: published here or pinned by the user. */
  pinned: boolean
  /** Sum of its blocks' sizes, shared ones included. */
  bytes: number
  lastUsedMs: number
}

export interface BlockUsage {
  blocks: number
  bytes: number
  maxBytes: number
  pinnedBytes: number
  roots: number
}

/**
 * Content-addressed blocks, grouped into roots (packages): eviction takes whole roots, least recently used first, and never a pinned
 * one. Blocks without a root are leftovers of unfinished fetches; they resume a download and are the first to go.
 */
export interface BlockStore extends Lifecycle {
  /** One answer per CID, in order. */
  has(cids: readonly CID[]): Promise<boolean[]>
  /**
   * The block's bytes, or undefined when absent. With `verify` the bytes are hashed again; a corrupt block is thrown away, reported
   * through `onCorrupt`, and undefined is returned, so that the caller fetches it anew.
   */
  get(cid: CID, options?: { verify?: boolean }): Promise<Uint8Array | undefined>
  /** Stores blocks atomically where it can. Throws `VERIFICATION_FAILED` when bytes don't hash to their CID, `STORAGE_FULL` on a full disk. */
  putMany(blocks: readonly Block[]): Promise<void>
  delete(cids: readonly CID[]): Promise<void>
  /**
   * Declares (or updates) a root over blocks that are all present, else throws `STORAGE_CORRUPT`; evicts older roots when the limit is passed. Eviction and
   * `deleteRoot` take only what the root alone held: loose blocks may belong to a publish or fetch under way.
   */
  putRoot(root: CID, blocks: readonly CID[], options: { pinned: boolean }): Promise<void>
  touchRoot(root: CID): Promise<void>
  deleteRoot(root: CID): Promise<void>
  roots(): Promise<BlockRoot[]>
  usage(): Promise<BlockUsage>
  /** Drops blocks without a root and, while over the limit, least recently used roots. Idempotent, interruptible. */
  collectGarbage(options?: OperationOptions): Promise<{ removedBlocks: number; removedBytes: number }>
  /** Removes everything that is not pinned. */
  clear(): Promise<{ removedBlocks: number; removedBytes: number }>
}

/** `added`; `known` (held already); `forked` (kept as the proof of a fork, see protocol). */
export type EntryPutResult = 'added' | 'known' | 'forked'

export interface LogState {
  author: string
  /** Entry with the highest seq below any fork. */
  head: VerifiedEntry
  /** Number of entries held. */
  entries: number
  /** Lowest seq at which two different entries are held. */
  forkSeq?: number
}

/** Signed log entries. Holds only what was verified; at most two entries per (author, seq), the second being a fork's proof. */
export interface EntryStore extends Lifecycle {
  /** Stores all in one transaction, in order; one result per entry. */
  putMany(entries: readonly VerifiedEntry[]): Promise<EntryPutResult[]>
  get(cid: CID): Promise<VerifiedEntry | undefined>
  has(cids: readonly CID[]): Promise<boolean[]>
  log(author: string): Promise<LogState | undefined>
  logs(): Promise<LogState[]>
  /** Entries of one author by ascending seq (a forked seq yields both). */
  entries(author: string, options?: { fromSeq?: number; limit?: number }): Promise<VerifiedEntry[]>
  /** All entries (any type that concerns packages) about a package name, of every publisher or one, by (publisher, seq). */
  byPackage(name: string, publisher?: string): Promise<VerifiedEntry[]>
  /** Releases whose manifest has this CID. */
  byManifest(manifest: CID): Promise<VerifiedEntry[]>
  /** All `rotate` and `revoke` entries that name this publisher, by whoever signed them: who may speak for the publisher is read from them. */
  succession(publisher: string): Promise<VerifiedEntry[]>
  /** CIDs of all entries, sorted by their bytes, for reconciliation. */
  cids(): Promise<Uint8Array[]>
  count(): Promise<{ entries: number; packages: number; publishers: number }>
}

/** Full-text candidates. Ranking is the core's (`search/rank.ts`), so that every platform orders alike. */
export interface SearchIndex extends Lifecycle {
  /** Inserts or replaces by (publisher, name). */
  upsert(documents: readonly PackageDocument[]): Promise<void>
  remove(keys: readonly { publisher: string; name: string }[]): Promise<void>
  /** The best candidates by the engine's own relevance, at most `limit`. An empty query text lists by newest. */
  search(query: SearchQuery, limit: number): Promise<PackageDocument[]>
  get(publisher: string, name: string): Promise<PackageDocument | undefined>
  /** Names within a small edit distance of `name`, nearest first: for "did you mean". */
  similarNames(name: string, limit: number): Promise<string[]>
}

/**
 * Small JSON documents that must survive everything: trust pins, reputation. Written whole and atomically; `read` returns undefined when
 * absent and the caller parses what it gets.
 */
export interface StateStore {
  read(name: string): Promise<unknown>
  write(name: string, value: unknown): Promise<void>
}

/**
 * The publisher's own log, the one thing that can't be re-fetched: losing its head would fork it. Kept apart from the index and its database.
 */
export interface LogJournal {
  /** Everybody whose entries are kept here: the keys this machine has signed with. */
  authors(): Promise<string[]>
  /** All own entries of this author, by ascending seq, as envelope bytes. */
  read(author: string): Promise<Uint8Array[]>
  /** Claims `seq` durably and exclusively; false when another process has claimed it already. */
  append(author: string, seq: number, envelope: Uint8Array): Promise<boolean>
}

/** One file offered for publishing. `read` yields its bytes in order, and fails when the file changed since it was listed. */
export interface SourceFile {
  /** Relative, `/`-separated, as on disk (not yet checked). */
  path: string
  size: number
  exec: boolean
  read(): AsyncIterable<Uint8Array>
}

export interface PackageSource {
  /** What to call it in messages: the folder's path. */
  label: string
  files: SourceFile[]
  /** Left out by ignore rules, with the rule or reason. */
  ignored: { path: string; reason: string }[]
}

/** Where packages are installed: a project folder. Writes are atomic per package. */
export interface InstallTarget {
  /** Text of the lock file, undefined when there is none. */
  readLock(): Promise<string | undefined>
  writeLock(text: string): Promise<void>
  /** Replaces the package's folder by these files, all or nothing. Returns the folder's path. */
  writePackage(name: string, files: AsyncIterable<InstallFile> | Iterable<InstallFile>): Promise<string>
  removePackage(name: string): Promise<boolean>
  /** Names of the packages present on disk. */
  listPackages(): Promise<string[]>
  /** The installed files of one package as a source (nothing ignored), undefined when absent. */
  openPackage(name: string): Promise<PackageSource | undefined>
  packagePath(name: string): string
}

export interface InstallFile {
  path: string
  exec: boolean
  size: number
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** A full-duplex byte stream to one peer. */
export interface PeerStream {
  readonly peerId: string
  /** True when the bytes run through a relay. */
  readonly relayed: boolean
  /** Resolves when the transport takes more: this is the back-pressure path. Rejects when the stream is gone or the signal aborts. */
  send(bytes: Uint8Array, signal?: AbortSignal): Promise<void>
  /** Chunks as they arrive, of any size, ending when the peer closes its side. */
  receive(signal?: AbortSignal): AsyncIterable<Uint8Array>
  /** Closes our writing side after what was sent. */
  close(): Promise<void>
  abort(error: Error): void
}

export interface PeerInfo {
  peerId: string
  address: string
  transport: 'tcp' | 'websocket' | 'webrtc' | 'webrtc-direct' | 'webtransport' | 'relay' | 'memory' | 'unknown'
  direction: 'inbound' | 'outbound'
  relayed: boolean
  /** Round trip of the last ping. */
  latencyMs?: number
  /** `name/version` from identify. */
  agent?: string
  /** Protocols the peer speaks. */
  protocols: string[]
  /** Since it was connected, over all of its connections. */
  bytesIn: number
  bytesOut: number
  /** What a relayed connection may still carry, and for how long; absent where the relay sets no limit. */
  relayLimit?: { bytesLeft?: number; msLeft?: number } | undefined
}

export type GossipVerdict = 'accept' | 'ignore' | 'reject'

/** May this peer talk to us? Asked by the connection gater, gossip and routing. */
export interface PeerGate {
  isBanned(peerId: string): boolean
  /** 0..1, 1 when unknown. Feeds gossipsub's application score. */
  score(peerId: string): number
}

export interface NetworkStats {
  dhtMode: 'server' | 'client'
  routingTable: number
  /** Peers subscribed to each topic we subscribe to. */
  topics: { topic: string; subscribers: number }[]
  bytesIn: number
  bytesOut: number
}

export interface NetworkEvents {
  /** A peer is connected and identified, its protocols known. */
  'peer:connected': PeerInfo
  'peer:disconnected': { peerId: string }
  'addresses:changed': { addresses: string[] }
  /** Gossip of ours or another's broke the rules: whose. */
  'gossip:rejected': { peerId: string; topic: string }
}

/** The peer-to-peer network, as the core sees it. Peer IDs and addresses are strings in the usual libp2p notation. */
export interface PeerNetwork extends Lifecycle {
  readonly peerId: string
  addresses(): string[]
  peers(): PeerInfo[]
  stats(): NetworkStats
  /** Dials an address or a known peer. Throws `INVALID_MULTIADDR`, `CONNECTION_FAILED`, `PEER_BANNED`, `PEER_NOT_FOUND`. Returns the peer ID. */
  connect(target: string, options?: OperationOptions): Promise<string>
  /** Keeps the connection up: re-dialled when lost, and after a restart where peers are stored. */
  keepConnected(peerId: string, keep: boolean): Promise<void>
  disconnect(peerId: string): Promise<void>
  ping(peerId: string, options?: OperationOptions): Promise<number>
  /** Streams beyond `maxStreamsPerPeer` are reset. The handler's failure resets its stream only. */
  handle(protocol: string, handler: (stream: PeerStream) => Promise<void>): Promise<void>
  /** Throws `CONNECTION_FAILED` when the peer can't be reached or doesn't speak the protocol. */
  openStream(peerId: string, protocol: string, options?: OperationOptions): Promise<PeerStream>
  /** Announces that we hold the content. Resolves when the routing peers were told; with no peers, at once. */
  provide(cid: CID, options?: OperationOptions): Promise<void>
  /** Peer IDs (never our own), as they are found; each once. */
  findProviders(cid: CID, options?: OperationOptions): AsyncIterable<string>
  /** Stores a record in the DHT. `key` starts with its namespace (`/ggen-log/…`). Returns how many peers took it. */
  putRecord(key: string, value: Uint8Array, options?: OperationOptions): Promise<number>
  getRecord(key: string, options?: OperationOptions): Promise<Uint8Array | undefined>
  /** `validate` judges each message before it is delivered or passed on: `from` handed it to us, `origin` published it. */
  subscribe(
    topic: string,
    validate: (message: Uint8Array, from: string, origin: string) => Promise<GossipVerdict>,
  ): Promise<void>
  /** Returns the number of peers it was sent to; 0 is no failure. */
  publish(topic: string, message: Uint8Array): Promise<number>
  on<E extends keyof NetworkEvents>(event: E, listener: (detail: NetworkEvents[E]) => void): () => void
}

/** How DHT records of one namespace are checked; passed to the network when it is made. */
export interface RecordRules {
  /** Without slashes: `ggen-log`. */
  namespace: string
  /** Throws when the record must be refused. */
  validate(key: string, value: Uint8Array): Promise<void>
  /** Index of the better record. */
  select(key: string, values: Uint8Array[]): number
}
