/** One package of one publisher as search sees it: its newest release that is not yanked (or the newest, when all are). */
export interface PackageDocument {
  publisher: string
  name: string
  version: string
  /** Manifest CID, as a string. */
  cid: string
  /** CID of the release's log entry, as a string. */
  entry: string
  description: string
  keywords: string[]
  category: string
  license: string
  authors: string[]
  /** Milliseconds since the Unix epoch. */
  time: number
  yanked: boolean
  /** Deprecation message of this version, empty when none. */
  deprecated: string
}

export interface SearchQuery {
  text: string
  category?: string | undefined
}
