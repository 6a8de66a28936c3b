import type { OperationOptions, PackageSource } from '../ports.ts'
import type { PackageDocument, SearchQuery } from '../search/types.ts'

/** One version as a central registry describes it. Nothing in it is signed: it is worth what the registry's word is worth. */
export interface CentralRelease {
  name: string
  version: string
  description: string
  category: string
  keywords: string[]
  license: string
  authors: string[]
  repository: string
  /** Other packages of this registry: name → range. What an npm package depends on is left to npm. */
  dependencies: Record<string, string>
  /** Milliseconds since the Unix epoch; 0 where the registry does not say. */
  timeMs: number
  deprecated: string
  /** What the content is checked against: an SRI text, or a SHA-256 in hex; empty where the registry gives none. */
  integrity: string
  /** did:key of the publisher the registry vouches for under this name. */
  attested?: string | undefined
}

/** A registry with a server, asked beside the network. */
export interface CentralRegistry {
  /** As the user calls it in the configuration. */
  readonly name: string
  readonly kind: 'ggen' | 'npm'
  /** Their publishers and CIDs are empty. */
  search(query: SearchQuery, options: OperationOptions & { limit: number }): Promise<PackageDocument[]>
  /** All versions, in any order; empty when the registry has no such package. Throws `CENTRAL_UNAVAILABLE`. */
  versions(name: string, options?: OperationOptions): Promise<CentralRelease[]>
  /** Downloads one version and checks it. Throws `CENTRAL_UNAVAILABLE`, and `VERIFICATION_FAILED` when it is not what was announced. */
  open(release: CentralRelease, options?: OperationOptions): Promise<PackageSource>
}

/** The source's name in results: `central:main`. */
export const sourceName = (registry: CentralRegistry): string => `central:${registry.name}`
