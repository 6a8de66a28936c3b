import type { InfoResult } from '../control/service.ts'
import type { Release } from '../log/history.ts'
import { newestRelease } from '../log/history.ts'
import { parseSpec } from '../resolve/spec.ts'
import { pickRelease } from '../resolve/versions.ts'
import type { ContentFetcher } from './fetch.ts'
import type { Holders } from './holders.ts'
import type { Lookup, LookupOptions } from './lookup.ts'
import type { RegistryParts } from './parts.ts'

/** Counting holders in the DHT may not hold up the answer longer than this. */
const providerCountBudgetMs = 1_000

const isoTime = (timeMs: number): string => new Date(timeMs).toISOString()

/** All that is known about one package without fetching it: the version the spec means, and all versions. Throws what `Lookup` throws, `VERSION_NOT_FOUND`. */
export async function packageInfo(
  parts: RegistryParts,
  { lookup, content, holders }: { lookup: Lookup; content: ContentFetcher; holders: Holders },
  spec: string,
  options: LookupOptions,
): Promise<Omit<InfoResult, 'installed'>> {
  const requirement = await lookup.requirementOf(parseSpec(spec), options)
  const { decision, releases } = await lookup.find(requirement, options)
  const release = chosen(requirement, releases)
  const { entry } = release.entry
  const { body } = entry
  const manifest = body.manifest.toString()
  const [cached] = await parts.blocks.has([body.manifest])
  const peers = new Set(holders.of(manifest))
  const signal = AbortSignal.timeout(providerCountBudgetMs)
  if (!options.offline) for await (const peerId of content.announcedBy(body.manifest, { signal })) peers.add(peerId)
  options.signal?.throwIfAborted()
  return {
    name: body.name,
    version: body.version,
    publisher: decision.publisher,
    petname: parts.trust.petnameOf(decision.publisher) ?? null,
    cid: manifest,
    entry: release.entry.cid.toString(),
    description: body.description,
    category: body.category,
    keywords: body.keywords,
    license: body.license,
    authors: body.authors,
    repository: body.repository,
    bytes: body.bytes,
    files: body.files,
    published: isoTime(entry.time),
    yanked: release.yanked !== false,
    deprecated: release.deprecated,
    dependencies: body.dependencies,
    external: body.external ?? {},
    versions: releases.map((one) => ({
      version: one.entry.entry.body.version,
      cid: one.entry.entry.body.manifest.toString(),
      published: isoTime(one.entry.entry.time),
      yanked: one.yanked !== false,
      deprecated: one.deprecated,
    })),
    providers: peers.size + (cached ? 1 : 0),
    cached: cached ?? false,
    forked: (await parts.entries.log(entry.author))?.forkSeq !== undefined,
  }
}

/** Unlike an install, a look may also be taken at what was yanked or stands after a fork. */
function chosen({ name, range }: { name: string; range: string }, releases: readonly Release[]): Release {
  const exact = releases.find((release) => release.entry.entry.body.version === range)
  const newest = range === '*' ? newestRelease(releases) : undefined
  return exact ?? newest ?? pickRelease(name, releases, [range])
}
