import type { CID } from 'multiformats/cid'

/** What a publisher says about one version, enough for search and the explorer without the content. */
export interface ReleaseBody {
  name: string
  version: string
  manifest: CID
  /** Sum of the files' sizes. */
  bytes: number
  files: number
  description: string
  keywords: string[]
  category: string
  license: string
  authors: string[]
  repository: string
  /** First block's CID and size of the README where there is one. */
  readme?: { path: string; blocks: CID[]; bytes: number }
  /** Registry dependencies: name → semver range. */
  dependencies: Record<string, string>
  /** Dependencies that other package managers resolve, as the package file has them: kept and shown, never acted on. */
  external?: Record<string, string>
}

export interface YankBody {
  name: string
  version: string
  reason?: string
}

export interface DeprecateBody {
  name: string
  /** Semver range of the versions meant. */
  range: string
  /** Empty to take a deprecation back. */
  message: string
}

export interface ProfileBody {
  /** How the publisher would like to be called: a claim, never an identity. */
  name: string
  url?: string
}

export interface RotateBody {
  /** did:key that continues the log; the envelope carries its signature too. */
  to: string
}

export interface RevokeBody {
  /** Why the key is no longer to be trusted. */
  reason: string
}

interface EntryBase<Type extends string, Body> {
  v: 1
  publisher: string
  author: string
  seq: number
  /** CID of the author's entry before; null exactly when seq is 0. */
  prev: CID | null
  /** Milliseconds since the Unix epoch, by the author's clock. */
  time: number
  type: Type
  body: Body
}

export type ReleaseEntry = EntryBase<'release', ReleaseBody>
export type YankEntry = EntryBase<'yank', YankBody>
export type UnyankEntry = EntryBase<'unyank', YankBody>
export type DeprecateEntry = EntryBase<'deprecate', DeprecateBody>
export type ProfileEntry = EntryBase<'profile', ProfileBody>
export type RotateEntry = EntryBase<'rotate', RotateBody>
export type RevokeEntry = EntryBase<'revoke', RevokeBody>

export type LogEntry =
  | ReleaseEntry
  | YankEntry
  | UnyankEntry
  | DeprecateEntry
  | ProfileEntry
  | RotateEntry
  | RevokeEntry

declare const verified: unique symbol

/** An entry whose envelope's size, schema and signatures were checked. Only `verifyEntry` and a store that holds what it returned make one. */
export interface VerifiedEntry<E extends LogEntry = LogEntry> {
  readonly [verified]: true
  /** CID of the envelope (dag-cbor). */
  readonly cid: CID
  readonly entry: E
  /** The DSSE envelope as it was signed, dag-cbor bytes. */
  readonly envelope: Uint8Array
}
