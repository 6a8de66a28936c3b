import { authorizedAuthors } from '../log/authority.ts'
import type { Release } from '../log/history.ts'
import { newestRelease, packageHistory, toPackageDocument } from '../log/history.ts'
import type { ReleaseEntry, VerifiedEntry } from '../log/types.ts'
import type { PackageDocument } from '../search/types.ts'
import type { RegistryParts } from './parts.ts'

type HistoryParts = Pick<RegistryParts, 'entries' | 'trust'>

/** One publisher's releases of one package, newest first, with what was yanked, deprecated, handed on or forked since. */
export async function releasesOf(parts: HistoryParts, publisher: string, name: string): Promise<Release[]> {
  return history(parts, publisher, await parts.entries.byPackage(name, publisher))
}

/** Releases of every publisher of a name that is not blocked, by publisher. */
export async function releasesByPublisher(parts: HistoryParts, name: string): Promise<Map<string, Release[]>> {
  const byPublisher = new Map<string, VerifiedEntry[]>()
  for (const entry of await parts.entries.byPackage(name)) {
    const { publisher } = entry.entry
    if (parts.trust.isBlocked(publisher)) continue
    byPublisher.set(publisher, [...(byPublisher.get(publisher) ?? []), entry])
  }
  const releases = new Map<string, Release[]>()
  for (const [publisher, entries] of byPublisher) {
    const own = await history(parts, publisher, entries)
    // Empty where somebody without authority signed in another's name.
    if (own.length > 0) releases.set(publisher, own)
  }
  return releases
}

async function history(parts: HistoryParts, publisher: string, entries: readonly VerifiedEntry[]): Promise<Release[]> {
  const succession = await parts.entries.succession(publisher)
  const forkSeqs = new Map<string, number>()
  for (const author of new Set([publisher, ...[...succession, ...entries].map(({ entry }) => entry.author)])) {
    const seq = (await parts.entries.log(author))?.forkSeq
    if (seq !== undefined && !parts.trust.acceptsFork(author)) forkSeqs.set(author, seq)
  }
  return packageHistory(entries, { forkSeqs, authority: authorizedAuthors(publisher, succession, { forkSeqs }) })
}

/** Brings the search index up to what these entries changed. */
export async function refreshDocuments(
  parts: Pick<RegistryParts, 'entries' | 'trust' | 'search'>,
  changed: readonly VerifiedEntry[],
): Promise<void> {
  const keys = new Map<string, { publisher: string; name: string }>()
  for (const { entry } of changed) {
    if ('name' in entry.body && entry.type !== 'profile') {
      keys.set(`${entry.publisher}/${entry.body.name}`, { publisher: entry.publisher, name: entry.body.name })
    }
  }
  const documents: PackageDocument[] = []
  for (const { publisher, name } of keys.values()) {
    const newest = newestRelease(await releasesOf(parts, publisher, name))
    if (newest !== undefined) documents.push(toPackageDocument(newest))
  }
  if (documents.length > 0) await parts.search.upsert(documents)
}

/** Makes the search index from the entries where it was lost: its documents are nothing but a view of them. */
export async function restoreDocuments(parts: Pick<RegistryParts, 'entries' | 'trust' | 'search'>): Promise<void> {
  const [any] = await parts.search.search({ text: '' }, 1)
  if (any !== undefined) return
  for (const { author } of await parts.entries.logs())
    await refreshDocuments(parts, await parts.entries.entries(author))
}

/** Everything a publisher has released, log by log, oldest first. */
export async function releasesBy(
  parts: Pick<RegistryParts, 'entries'>,
  publisher: string,
): Promise<VerifiedEntry<ReleaseEntry>[]> {
  const logs = (await parts.entries.logs()).filter(({ head }) => head.entry.publisher === publisher)
  const entries = await Promise.all(logs.map(({ author }) => parts.entries.entries(author)))
  return entries.flat().filter(isRelease)
}

export function isRelease(verified: VerifiedEntry): verified is VerifiedEntry<ReleaseEntry> {
  return verified.entry.type === 'release'
}
