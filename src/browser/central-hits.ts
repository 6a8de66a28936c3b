import type { CentralGroup, CentralHit } from '../core/search/merge.ts'
import { groupByName } from '../core/search/merge.ts'
import type { PackageDocument } from '../core/search/types.ts'
import { setRecent } from '../core/set-recent.ts'

const defaultMaxHits = 2_000

/** What central registries have told this tab, for as long as its node runs. Nobody signed it, so it goes into no index and to no peer. */
export interface CentralHits {
  remember(source: string, documents: readonly PackageDocument[]): void
  byName(): ReadonlyMap<string, CentralGroup>
}

/** The longest untold is forgotten first. */
export function createCentralHits(maxHits = defaultMaxHits): CentralHits {
  const hits = new Map<string, CentralHit>()
  let groups: ReadonlyMap<string, CentralGroup> | undefined
  return {
    remember(source, documents) {
      if (documents.length > 0) groups = undefined
      // A registry may list several versions of one package.
      const newest = groupByName(documents.map((document) => ({ ...document, source }))).values()
      for (const { newest: hit } of newest) setRecent(hits, `${source}/${hit.name}`, hit, maxHits)
    },
    byName() {
      groups ??= groupByName([...hits.values()])
      return groups
    },
  }
}
