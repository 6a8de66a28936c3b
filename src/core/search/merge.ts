import semver from 'semver'
import type { SearchResult } from '../control/service.ts'
import { rankDocuments } from './rank.ts'
import type { PackageDocument, SearchQuery } from './types.ts'

/** A package as a central registry describes it: its publisher and CIDs are empty. */
export interface CentralHit extends PackageDocument {
  /** `central:<name>` */
  source: string
}

export interface OwnHit {
  document: PackageDocument
  score: number
  providers: number
  sources: string[]
}

/** What registries say about one name. */
export interface CentralGroup {
  /** Where they disagree, the newest stands for all. */
  newest: CentralHit
  hits: CentralHit[]
}

/** By name, what registries say. */
export function groupByName(central: readonly CentralHit[]): Map<string, CentralGroup> {
  const groups = new Map<string, CentralGroup>()
  for (const hit of central) {
    const group = groups.get(hit.name)
    if (group === undefined) {
      groups.set(hit.name, { newest: hit, hits: [hit] })
      continue
    }
    group.hits.push(hit)
    if (isNewer(hit.version, group.newest.version)) group.newest = hit
  }
  return groups
}

/** Those that stand for themselves beside packages of these names that somebody has signed. */
export function standAlone(groups: ReadonlyMap<string, CentralGroup>, signed: ReadonlySet<string>): CentralHit[] {
  return [...groups.values()].flatMap(({ newest }) => (signed.has(newest.name) ? [] : [newest]))
}

/**
 * One list out of what peers and central registries say. A central package with a name that peers have too becomes one more source of it; the others stand for themselves, with no
 * publisher, because nobody signed them. Ranked alike, best first.
 */
export function mergeResults(request: {
  query: SearchQuery
  limit: number
  documents: readonly OwnHit[]
  central: readonly CentralHit[]
}): SearchResult['results'] {
  const { query, limit, documents, central } = request
  const groups = groupByName(central)
  const hitsOf = (name: string): CentralHit[] => groups.get(name)?.hits ?? []
  const sourcesOf = (name: string): string[] => [...new Set(hitsOf(name).map(({ source }) => source))]
  const disagreementsOf = ({ name, version }: PackageDocument) =>
    hitsOf(name)
      .filter((hit) => hit.version !== version)
      .map((hit) => ({ source: hit.source, version: hit.version }))
  const own = documents.map(({ document, score, providers, sources }) => ({
    name: document.name,
    version: document.version,
    description: document.description,
    category: document.category,
    keywords: document.keywords,
    publisher: document.publisher as string | null,
    cid: document.cid as string | null,
    score,
    providers,
    disagreements: disagreementsOf(document),
    sources: [...sources, ...sourcesOf(document.name)],
    yanked: document.yanked,
  }))
  const others = standAlone(groups, new Set(own.map(({ name }) => name)))
  const foreign = rankDocuments(query, others, limit).map(({ document, score }) => ({
    name: document.name,
    version: document.version,
    description: document.description,
    category: document.category,
    keywords: document.keywords,
    publisher: null,
    cid: null,
    score,
    providers: 0,
    sources: sourcesOf(document.name),
    disagreements: disagreementsOf(document),
    yanked: false,
  }))
  return [...own, ...foreign]
    .sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .slice(0, limit)
}

function isNewer(a: string, b: string): boolean {
  return semver.valid(a) !== null && (semver.valid(b) === null || semver.gt(a, b))
}
