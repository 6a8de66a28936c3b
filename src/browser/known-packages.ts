import { CID } from 'multiformats/cid'
import type { BlockStore, SearchIndex } from '../core/ports.ts'
import { standAlone } from '../core/search/merge.ts'
import { rankDocuments } from '../core/search/rank.ts'
import type { PackageDocument } from '../core/search/types.ts'
import type { Trust } from '../core/trust/trust.ts'
import type { CentralHits } from './central-hits.ts'

export const facetNames = ['category', 'keyword', 'licence', 'publisher'] as const
export type FacetName = (typeof facetNames)[number]

export interface KnownRequest {
  query: string
  /** Only packages that have these values; an empty one is none. */
  filter?: Partial<Record<FacetName, string>>
  /** `relevance` lists the newest first where the query is empty. */
  order?: 'relevance' | 'newest' | 'name'
  limit: number
}

export interface KnownPackage {
  name: string
  version: string
  description: string
  category: string
  keywords: string[]
  license: string
  /** null, as `cid` is: a central registry's word, signed by nobody. */
  publisher: string | null
  petname: string | null
  cid: string | null
  /** `central:<name>` of the registry that describes it; empty for what somebody signed. */
  registry: string
  /** All registries that list a package of this name. */
  registries: string[]
  /** Milliseconds since the Unix epoch, by the publisher's clock; 0 when unknown. */
  timeMs: number
  yanked: boolean
  /** Its manifest, at least, is kept here. */
  cached: boolean
  /** Other peers known to hold it, as far as they have told. */
  holders: number
}

export interface KnownPackages {
  packages: KnownPackage[]
  /** All that fit, of which `packages` are the first. */
  total: number
  /** Values of each facet, the most frequent first, with the number of packages that fit all other facets; `petname` is that of a publisher whom the visitor has named. */
  facets: Record<FacetName, { value: string; count: number; petname: string | null }[]>
}

/** Of each facet: a longer list is no choice any more. */
const maxFacetValues = 100

function valuesOf({ category, keywords, license, publisher }: PackageDocument, facet: FacetName): string[] {
  const values = { category: [category], keyword: keywords, licence: [license], publisher: [publisher] }[facet]
  return values.filter((value) => value !== '')
}

/**
 * What fits the words: the index's documents and, ranked among them, what central registries have told. As in every merged list, a central package whose name stands in it with a signature is no row of its own;
 * the filters do not change that, or their counts would.
 */
async function fittingWords(
  { search, trust, central }: { search: SearchIndex; trust: Trust; central: CentralHits },
  text: string,
): Promise<PackageDocument[]> {
  const found = await search.search({ text }, Number.MAX_SAFE_INTEGER)
  const signed = found.filter(({ publisher }) => !trust.isBlocked(publisher))
  const groups = central.byName()
  if (groups.size === 0) return signed
  const others = standAlone(groups, new Set(signed.map(({ name }) => name)))
  return rankDocuments({ text }, [...signed, ...others], Number.MAX_SAFE_INTEGER).map(({ document }) => document)
}

/** What is known in this browser, without asking anybody: ranked, filtered and counted over everything that fits, of which the first `limit` are told. */
export async function knownPackages(
  parts: {
    search: SearchIndex
    blocks: BlockStore
    trust: Trust
    central: CentralHits
    holdersOf(manifest: string): string[]
  },
  { query, filter = {}, order = 'relevance', limit }: KnownRequest,
): Promise<KnownPackages> {
  const { blocks, trust, central, holdersOf } = parts
  const wanted = facetNames.filter((facet) => (filter[facet] ?? '') !== '')
  const counts = new Map(facetNames.map((facet) => [facet, new Map<string, number>()]))
  const fitting: PackageDocument[] = []
  for (const document of await fittingWords(parts, query)) {
    const unfit = wanted.filter((facet) => !valuesOf(document, facet).includes(filter[facet]!))
    if (unfit.length === 0) fitting.push(document)
    // It counts for a facet that alone keeps it out: choosing its value there would show it.
    if (unfit.length > 1) continue
    for (const facet of unfit.length === 1 ? unfit : facetNames) {
      const values = counts.get(facet)!
      for (const value of valuesOf(document, facet)) values.set(value, (values.get(value) ?? 0) + 1)
    }
  }
  if (order === 'newest') fitting.sort((a, b) => b.time - a.time)
  if (order === 'name') fitting.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const shown = fitting.slice(0, limit)
  const cids = shown.flatMap(({ cid }) => (cid === '' ? [] : [cid]))
  const areHeld = await blocks.has(cids.map((cid) => CID.parse(cid)))
  const held = new Set(cids.filter((_, at) => areHeld[at]))
  const registriesOf = (name: string): string[] => [
    ...new Set((central.byName().get(name)?.hits ?? []).map(({ source }) => source)),
  ]
  const mostFrequent = (facet: FacetName) =>
    [...counts.get(facet)!]
      .map(([value, count]) => ({
        value,
        count,
        petname: facet === 'publisher' ? (trust.petnameOf(value) ?? null) : null,
      }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
      .slice(0, maxFacetValues)
  return {
    packages: shown.map(({ name, version, description, category, keywords, license, publisher, cid, ...rest }) => ({
      name,
      version,
      description,
      category,
      keywords,
      license,
      publisher: publisher === '' ? null : publisher,
      petname: trust.petnameOf(publisher) ?? null,
      cid: cid === '' ? null : cid,
      registry: publisher === '' ? (central.byName().get(name)?.newest.source ?? '') : '',
      registries: registriesOf(name),
      timeMs: rest.time,
      yanked: rest.yanked,
      cached: held.has(cid),
      holders: cid === '' ? 0 : holdersOf(cid).length,
    })),
    total: fitting.length,
    facets: {
      category: mostFrequent('category'),
      keyword: mostFrequent('keyword'),
      licence: mostFrequent('licence'),
      publisher: mostFrequent('publisher'),
    },
  }
}
