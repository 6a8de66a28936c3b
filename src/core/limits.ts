const KiB = 1024
const MiB = 1024 * KiB

/**
 * Every bound of the data model and the wire, in one place. `docs/LIMITS.md` explains them to users; a test holds the two together.
 * Sizes are bytes, durations milliseconds.
 */
export const limits = {
  /** Largest file block. One block is hashed and stored as a whole, so this is also a transfer's unit of memory. */
  maxBlockBytes: MiB,
  /** Largest manifest block: about 20,000 files. */
  maxManifestBytes: 2 * MiB,
  /** Largest signed log entry, envelope included: entries are gossiped, and gossip above this is refused unread. */
  maxEntryBytes: 64 * KiB,
  /** Most files in one package. */
  maxFiles: 20_000,
  /** Largest package, all files together. */
  maxPackageBytes: 2 * 1024 * MiB,
  /** Longest path inside a package, in UTF-8 bytes, and its deepest nesting. */
  maxPathBytes: 1024,
  maxPathDepth: 64,
  /** Longest single name in a path, in UTF-8 bytes: what the common file systems allow. */
  maxPathSegmentBytes: 255,
  /** Longest package name, in characters. */
  maxNameLength: 128,
  /** Longest version and semver range, in characters: the semver library reads no longer ones. */
  maxVersionLength: 256,
  maxDescriptionLength: 4096,
  maxKeywords: 64,
  maxKeywordLength: 64,
  maxCategoryLength: 64,
  maxLicenseLength: 256,
  maxAuthors: 64,
  maxAuthorLength: 256,
  maxUrlLength: 2048,
  /** Registry dependencies of one release. */
  maxDependencies: 256,
  /** External dependencies of one release, and the longest text of one. */
  maxExternal: 512,
  maxExternalLength: 1024,
  /** Longest reason of a yank or revocation and longest deprecation message, in characters. */
  maxReasonLength: 1024,
  /** Blocks up to this size live in SQLite, larger ones as files (measured: see docs/ARCHITECTURE.md). */
  inlineBlockBytes: 64 * KiB,
  /** Most CIDs in one want-list of the block exchange. */
  maxWantedBlocks: 4096,
  /** A block stream that delivers nothing for this long is given up and the next provider asked. */
  blockIdleTimeoutMs: 10_000,
  /** A stream we serve is closed when its peer asks nothing, or takes nothing, for this long. */
  streamIdleTimeoutMs: 60_000,
  streamSendTimeoutMs: 30_000,
  /** A frame or block must be whole after this long: a peer that sends a byte now and then can't hold a stream. */
  frameTimeoutMs: 120_000,
  /** Most fetched bytes that wait in memory for the disk. */
  fetchBufferBytes: 8 * MiB,
  /** Most entries about one package name in one answer. */
  maxPackageEntries: 1_000,
  /** All entries of one search answer together. */
  maxAnswerBytes: 4 * MiB,
  /** Longest search query, in characters, and most results a peer answers. */
  maxQueryLength: 256,
  maxSearchResults: 100,
  searchTimeoutMs: 5_000,
  /** Most entries one sync delivers each way; the next sync brings the rest. */
  maxSyncEntries: 100_000,
  syncIdleTimeoutMs: 15_000,
  /** Most digests in one of the 256 buckets of a sync: enough for four million entries. */
  maxBucketDigests: 16 * KiB,
  /** Syncs one peer may begin in a minute. */
  syncsPerMinute: 60,
  /** Streams a peer may hold open to us at once, per protocol. */
  maxStreamsPerPeer: 16,
  /** Streams of one protocol we open over one connection: the peer's own limit decides, this only catches a leak of ours. */
  maxOutboundStreams: 256,
  /** Gossip older than this is ignored: history comes by sync, and replayed gossip must not travel. */
  maxGossipAgeMs: 3600 * 1000,
  /** An entry dated further in the future than this is refused: clocks drift, days are a lie. */
  maxClockSkewMs: 24 * 3600 * 1000,
} as const
