import type { OperationOptions } from '../ports.ts'
import type { CentralHit } from '../search/merge.ts'
import type { SearchQuery } from '../search/types.ts'

/** A registry with a server, asked beside the network. */
export interface CentralRegistry {
  /** As the user calls it in the configuration. */
  readonly name: string
  search(query: SearchQuery, options: OperationOptions & { limit: number }): Promise<Omit<CentralHit, 'source'>[]>
}
