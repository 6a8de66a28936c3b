import { CID } from 'multiformats/cid'
import type { SearchRequest, SearchResult, ServiceProgress, SourceStatus } from '../control/service.ts'
import { RegistryError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { OperationOptions } from '../ports.ts'
import type { CentralHit } from '../search/merge.ts'
import { mergeResults } from '../search/merge.ts'
import { rankDocuments } from '../search/rank.ts'
import type { PackageDocument } from '../search/types.ts'
import type { Discovery } from './discover.ts'
import type { ContentFetcher } from './fetch.ts'
import type { Holders } from './holders.ts'
import type { RegistryParts } from './parts.ts'

/** The index offers more than is shown, so that the core's ranking, not the engine's, decides. */
const candidatesPerResult = 8
const minCandidates = 100
const defaultTimeoutMs = 3_000
/** Named as soon as a source has answered; the merged list comes at the end. */
const maxNamesShown = 5
/** Counting holders in the DHT may not hold up the answer longer than this. */
const providerCountBudgetMs = 400

export interface SearchCollaborators {
  discovery: Discovery
  fetcher: ContentFetcher
  holders: Holders
}

interface Leg {
  source: string
  status: SourceStatus
  results: number
  tookMs: number
  error?: string
}

/**
 * Asks the own index, peers and central registries at once, under one deadline, and merges what they say. Peers' answers are signed entries: they are
 * verified, kept and ranked here again. A source that fails or is late is named in `sources` and delays nobody.
 */
export async function search(
  parts: RegistryParts,
  { discovery, fetcher, holders }: SearchCollaborators,
  request: SearchRequest,
  options: OperationOptions<ServiceProgress> = {},
): Promise<SearchResult> {
  const { clock, central, network } = parts
  const startedMs = clock.now()
  const limit = Math.min(request.limit ?? 10, limits.maxSearchResults)
  const timeoutMs = request.timeoutMs ?? defaultTimeoutMs
  const registry = request.registry ?? 'all'
  if (request.query.length > limits.maxQueryLength) {
    throw new RegistryError(
      'USAGE',
      `The query is ${request.query.length} characters long; at most ${limits.maxQueryLength}.`,
      {
        hint: 'Search for a few words.',
      },
    )
  }
  const query = { text: request.query, category: request.category }
  const legs: Leg[] = []
  const finish = (leg: Leg, names: readonly string[] = []): void => {
    legs.push(leg)
    options.onProgress?.({ type: 'source:answered', ...leg, names: [...new Set(names)].slice(0, maxNamesShown) })
  }

  const candidates = () => parts.search.search(query, Math.max(minCandidates, limit * candidatesPerResult))
  const localBefore = await candidates()
  const namesOf = (documents: readonly PackageDocument[]): string[] =>
    rankDocuments(query, documents, maxNamesShown).map(({ document }) => document.name)
  finish(
    { source: 'local', status: 'ok', results: localBefore.length, tookMs: clock.now() - startedMs },
    namesOf(localBefore),
  )

  const seenAtPeers = new Set<string>()
  const centralHits: CentralHit[] = []
  await Promise.all([
    registry === 'central' ? skipped('p2p') : askPeers(),
    ...central.map((source) => (registry === 'p2p' ? skipped(`central:${source.name}`) : askCentral(source))),
  ])
  options.signal?.throwIfAborted()

  const documents =
    registry === 'central' ? [] : (await candidates()).filter(({ publisher }) => !parts.trust.isBlocked(publisher))
  const ranked = rankDocuments(query, documents, limit)
  const providers = await countProviders(ranked.map(({ document }) => document))
  const results = mergeResults({
    query,
    limit,
    documents: ranked.map(({ document, score }) => ({
      document,
      score,
      providers: providers.get(document.cid) ?? 0,
      sources: sourcesOf(document),
    })),
    central: centralHits,
  })
  return { query: request.query, results, tookMs: clock.now() - startedMs, sources: legs }

  function sourcesOf(document: PackageDocument): string[] {
    const key = (other: PackageDocument) => other.publisher === document.publisher && other.name === document.name
    return [...(localBefore.some(key) ? ['local'] : []), ...(seenAtPeers.has(document.cid) ? ['p2p'] : [])]
  }

  async function skipped(source: string): Promise<void> {
    finish({ source, status: 'skipped', results: 0, tookMs: 0 })
  }

  async function askPeers(): Promise<void> {
    if (network === undefined) return skipped('p2p')
    const answer = await discovery.ask({ kind: 'search', query, limit }, { signal: options.signal, timeoutMs })
    for (const manifest of answer.manifests) seenAtPeers.add(manifest)
    const tookMs = clock.now() - startedMs
    if (answer.asked > 0 && answer.answered === 0) {
      const status = tookMs >= timeoutMs ? 'timeout' : 'error'
      return finish({ source: 'p2p', status, results: 0, tookMs, ...(answer.error ? { error: answer.error } : {}) })
    }
    const found = (await candidates()).filter(({ cid }) => answer.manifests.has(cid))
    const status = answer.asked === 0 ? 'skipped' : 'ok'
    finish({ source: 'p2p', status, results: answer.manifests.size, tookMs }, namesOf(found))
  }

  async function askCentral(source: (typeof central)[number]): Promise<void> {
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])
    const name = `central:${source.name}`
    try {
      const hits = await source.search(query, { limit, signal })
      centralHits.push(...hits.map((hit) => ({ ...hit, source: name })))
      finish(
        { source: name, status: 'ok', results: hits.length, tookMs: clock.now() - startedMs },
        hits.map((hit) => hit.name),
      )
    } catch (error) {
      options.signal?.throwIfAborted()
      const message = error instanceof Error ? error.message : String(error)
      const status = timeout.aborted ? 'timeout' : 'error'
      finish({ source: name, status, results: 0, tookMs: clock.now() - startedMs, error: message })
    }
  }

  /** Peers known to hold each package, us included: who told us, plus what the DHT says within its budget. */
  async function countProviders(documents: PackageDocument[]): Promise<Map<string, number>> {
    const held = await parts.blocks.has(documents.map(({ cid }) => CID.parse(cid)))
    const signal = AbortSignal.timeout(providerCountBudgetMs)
    const counts = documents.map(async ({ cid }, index): Promise<[string, number]> => {
      const peerIds = new Set(holders.of(cid))
      for await (const peerId of fetcher.announcedBy(CID.parse(cid), { signal })) peerIds.add(peerId)
      return [cid, peerIds.size + (held[index] ? 1 : 0)]
    })
    return new Map(await Promise.all(counts))
  }
}
