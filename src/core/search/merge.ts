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
    sources: [...sources, ...central.filter(({ name }) => name === document.name).map(({ source }) => source)],
    yanked: document.yanked,
  }))
  const names = new Set(own.map(({ name }) => name))
  const others = new Map<string, CentralHit & { sources: string[] }>()
  for (const hit of central.filter(({ name }) => !names.has(name))) {
    const known = others.get(hit.name)
    others.set(hit.name, { ...(known ?? hit), sources: [...(known?.sources ?? []), hit.source] })
  }
  const ranked = rankDocuments(query, [...others.values()].map(asDocument), limit)
  const foreign = ranked.flatMap(({ document, score }) => {
    const hit = others.get(document.name)
    if (hit === undefined) return []
    const { name, version, description, category, keywords, sources } = hit
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
        yanked: false,
      },
    ]
  })
  return [...own, ...foreign]
    .sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .slice(0, limit)
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
