import { parseCid } from '../blocks/block.ts'
import type { InfoResult } from '../control/service.ts'
import type { Candidate } from '../resolve/candidate.ts'
import { parseSpec } from '../resolve/spec.ts'
import { pickRelease } from '../resolve/versions.ts'
import type { ContentFetcher } from './fetch.ts'
import type { Holders } from './holders.ts'
import type { Lookup, LookupOptions } from './lookup.ts'
import type { RegistryParts } from './parts.ts'

/** Counting holders in the DHT may not hold up the answer longer than this. */
const providerCountBudgetMs = 1_000

/** Empty when unknown. */
const isoTime = (timeMs: number): string => (timeMs === 0 ? '' : new Date(timeMs).toISOString())

/** All that is known about one package without fetching it: the version the spec means, and all versions. Throws what `Lookup` throws, `VERSION_NOT_FOUND`. */
export async function packageInfo(
  parts: RegistryParts,
  { lookup, content, holders }: { lookup: Lookup; content: ContentFetcher; holders: Holders },
  spec: string,
  options: LookupOptions,
): Promise<PackageInfo> {
  const requirement = await lookup.requirementOf(parseSpec(spec), options)
  const { candidates } = await lookup.find(requirement, options)
  const candidate = chosen(requirement, candidates)
  return {
    ...describe(parts, candidate, candidates),
    ...(await describeHolders(parts, content, holders, candidate, options)),
  }
}

export type PackageInfo = Omit<InfoResult, 'installed'>
type Info = PackageInfo

/** What is known of a candidate without asking who holds it. */
export function describe(
  parts: RegistryParts,
  candidate: Candidate,
  candidates: readonly Candidate[],
): Omit<Info, 'providers' | 'cached' | 'forked'> {
  return { ...describeOrigin(candidate), ...describeCommon(parts, candidate, candidates) }
}

function describeCommon(parts: RegistryParts, candidate: Candidate, candidates: readonly Candidate[]) {
  const { name, version, publisher, cid, timeMs, deprecated, dependencies } = candidate
  return {
    name,
    version,
    publisher,
    petname: publisher === null ? null : (parts.trust.petnameOf(publisher) ?? null),
    cid,
    source: candidate.registry === '' ? 'p2p' : candidate.registry,
    published: isoTime(timeMs),
    yanked: candidate.yanked !== false,
    deprecated,
    dependencies,
    versions: candidates.map((one) => ({
      version: one.version,
      cid: one.cid,
      published: isoTime(one.timeMs),
      yanked: one.yanked !== false,
      deprecated: one.deprecated,
    })),
  }
}

function describeOrigin({
  origin,
  bytes,
}: Candidate): Pick<
  Info,
  | 'entry'
  | 'description'
  | 'category'
  | 'keywords'
  | 'license'
  | 'authors'
  | 'repository'
  | 'bytes'
  | 'files'
  | 'external'
> {
  if (origin.kind === 'signed') {
    const {
      description,
      category,
      keywords,
      license,
      authors,
      repository,
      files,
      external = {},
    } = origin.entry.entry.body
    return {
      entry: origin.entry.cid.toString(),
      description,
      category,
      keywords,
      license,
      authors,
      repository,
      bytes,
      files,
      external,
    }
  }
  const unknown = { description: '', category: '', keywords: [], license: '', authors: [], repository: '' }
  const { description, category, keywords, license, authors, repository } =
    origin.kind === 'central' ? origin.release : unknown
  return { entry: null, description, category, keywords, license, authors, repository, bytes, files: 0, external: {} }
}

async function describeHolders(
  parts: RegistryParts,
  content: ContentFetcher,
  holders: Holders,
  { cid, origin }: Candidate,
  options: LookupOptions,
): Promise<Pick<Info, 'providers' | 'cached' | 'forked'>> {
  if (cid === null) return { providers: 0, cached: false, forked: false }
  const manifest = parseCid(cid)
  const [cached = false] = await parts.blocks.has([manifest])
  const peers = new Set(holders.of(cid))
  const signal = AbortSignal.timeout(providerCountBudgetMs)
  if (!options.offline) for await (const peerId of content.announcedBy(manifest, { signal })) peers.add(peerId)
  options.signal?.throwIfAborted()
  const log = origin.kind === 'signed' ? await parts.entries.log(origin.entry.entry.author) : undefined
  return { providers: peers.size + (cached ? 1 : 0), cached, forked: log?.forkSeq !== undefined }
}

/** Unlike an install, a look may also be taken at what was yanked or stands after a fork. */
export function chosen({ name, range }: { name: string; range: string }, candidates: readonly Candidate[]): Candidate {
  const exact = candidates.find(({ version }) => version === range)
  if (exact !== undefined) return exact
  try {
    return pickRelease(name, candidates, [range])
  } catch (error) {
    const [newest] = candidates
    if (range !== '*' || newest === undefined) throw error
    return newest
  }
}
