import semver from 'semver'
import type { PackageDocument } from '../search/types.ts'
import type { SeqRange } from './authority.ts'
import { authorizedAuthors, compareSeq } from './authority.ts'
import type { DeprecateEntry, ReleaseEntry, UnyankEntry, VerifiedEntry, YankEntry } from './types.ts'

/** One version as its publisher's log tells it. */
export interface Release {
  entry: VerifiedEntry<ReleaseEntry>
  yanked: false | { reason: string }
  /** The publisher's message, empty when the version is not deprecated. */
  deprecated: string
  /** Released at or after a fork of its author's log: to be refused (`LOG_FORKED`) until the user accepts the fork. */
  afterFork: boolean
}

export interface HistoryOptions {
  /**
   * Where authors' logs forked. Their releases from there on are marked, their other statements from there on ignored.
   */
  forkSeqs?: ReadonlyMap<string, number> | undefined
  /** Who speaks for the publisher, where the package's own entries don't tell it all. */
  authority?: ReadonlyMap<string, SeqRange> | undefined
}

/**
 * The releases of ONE publisher's package, newest version first (semver; build metadata breaks ties), from its entries
 * and the publisher's `rotate` and `revoke` entries, in any order. A version means the content it was first released
 * with: a later release of the same version is passed over. Of yanks and unyanks, and of deprecations that match, the
 * last one counts. Anyone can sign an entry that names another publisher; what authors without authority say is passed
 * over (see `authorizedAuthors`).
 */
export function packageHistory(entries: readonly VerifiedEntry[], options: HistoryOptions = {}): Release[] {
  const { forkSeqs, authority = authorizedAuthors(entries[0]?.entry.publisher ?? '', entries, { forkSeqs }) } = options
  const ordered = [...authority].flatMap(([author, { toSeq, end }]) =>
    entries
      .filter(({ entry }) => entry.author === author && (entry.seq <= toSeq || end === 'fork'))
      .sort(compareSeq)
      .map((entry) => ({ entry, afterFork: entry.entry.seq > toSeq })),
  )
  const trusted = ordered.filter(({ afterFork }) => !afterFork).map(({ entry }) => entry)
  const releases = new Map<string, Release>()
  for (const { entry, afterFork } of ordered) {
    if (!is(entry, 'release')) continue
    const { version } = entry.entry.body
    if (releases.has(version)) continue
    releases.set(version, {
      entry,
      afterFork,
      yanked: yankOf(version, trusted),
      deprecated: deprecationOf(version, trusted),
    })
  }
  return [...releases.values()].sort((a, b) =>
    semver.compareBuild(b.entry.entry.body.version, a.entry.entry.body.version),
  )
}

/** The newest release to offer: stable before prerelease; neither yanked nor after a fork while there is another. */
export function newestRelease(releases: readonly Release[]): Release | undefined {
  const offered = releases.filter((release) => !release.yanked && !release.afterFork)
  const stable = offered.find(({ entry }) => semver.prerelease(entry.entry.body.version) === null)
  return stable ?? offered[0] ?? releases.find((release) => !release.afterFork) ?? releases[0]
}

/** What search shows of a package by its newest release. */
export function toPackageDocument({ entry: { cid, entry }, yanked, deprecated }: Release): PackageDocument {
  const { name, version, manifest, description, keywords, category, license, authors } = entry.body
  return {
    publisher: entry.publisher,
    name,
    version,
    cid: manifest.toString(),
    entry: cid.toString(),
    description,
    keywords,
    category,
    license,
    authors,
    time: entry.time,
    yanked: yanked !== false,
    deprecated,
  }
}

function yankOf(version: string, ordered: readonly VerifiedEntry[]): Release['yanked'] {
  const last = ordered.findLast(
    (entry): entry is VerifiedEntry<YankEntry | UnyankEntry> =>
      (is(entry, 'yank') || is(entry, 'unyank')) && entry.entry.body.version === version,
  )
  return last?.entry.type === 'yank' ? { reason: last.entry.body.reason ?? '' } : false
}

function deprecationOf(version: string, ordered: readonly VerifiedEntry[]): string {
  const last = ordered.findLast(
    (entry): entry is VerifiedEntry<DeprecateEntry> =>
      is(entry, 'deprecate') && semver.satisfies(version, entry.entry.body.range, { includePrerelease: true }),
  )
  return last?.entry.body.message ?? ''
}

function is<Type extends VerifiedEntry['entry']['type']>(
  entry: VerifiedEntry,
  type: Type,
): entry is VerifiedEntry<Extract<VerifiedEntry['entry'], { type: Type }>> {
  return entry.entry.type === type
}
