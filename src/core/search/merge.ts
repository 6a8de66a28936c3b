import semver from 'semver'
import type { SearchResult } from '../control/service.ts'
import { rankDocuments } from './rank.ts'
import type { PackageDocument, SearchQuery } from './types.ts'

/** A package as a central registry describes it. */
export interface CentralHit {
  name: string
  version: string
  description: string
  category: string
  keywords: string[]
  /** `central:<name>` */
  source: string
}

export interface OwnHit {
  document: PackageDocument
  score: number
  providers: number
  sources: string[]
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
    disagreements: central
      .filter(({ name, version }) => name === document.name && version !== document.version)
      .map(({ source, version }) => ({ source, version })),
    sources: [...sources, ...central.filter(({ name }) => name === document.name).map(({ source }) => source)],
    yanked: document.yanked,
  }))
  const names = new Set(own.map(({ name }) => name))
  const others = new Map<string, CentralHit[]>()
  for (const hit of central) if (!names.has(hit.name)) others.set(hit.name, [...(others.get(hit.name) ?? []), hit])
  // Where registries disagree, the newest stands for all, and the others are named.
  const newest = [...others.values()].map((hits) =>
    hits.reduce((best, hit) => (isNewer(hit.version, best.version) ? hit : best)),
  )
  const ranked = rankDocuments(query, newest.map(asDocument), limit)
  const foreign = ranked.flatMap(({ document, score }) => {
    const { name, version, description, category, keywords } = document
    const hits = others.get(name) ?? []
    const sources = hits.map(({ source }) => source)
    const disagreements = hits
      .filter((hit) => hit.version !== version)
      .map((hit) => ({ source: hit.source, version: hit.version }))
    return [
      {
        name,
        version,
        description,
        category,
        keywords,
        publisher: null,
        cid: null,
        score,
        providers: 0,
        sources,
        disagreements,
        yanked: false,
      },
    ]
  })
  return [...own, ...foreign]
    .sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .slice(0, limit)
}

function isNewer(a: string, b: string): boolean {
  return semver.valid(a) !== null && (semver.valid(b) === null || semver.gt(a, b))
}

function asDocument({ name, version, description, category, keywords }: CentralHit): PackageDocument {
  const unknown = {
    publisher: '',
    cid: '',
    entry: '',
    license: '',
    authors: [],
    time: 0,
    yanked: false,
    deprecated: '',
  }
  return { ...unknown, name, version, description, category, keywords }
}
