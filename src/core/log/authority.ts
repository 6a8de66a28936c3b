import type { RevokeEntry, RotateEntry, VerifiedEntry } from './types.ts'

/**
 * Part of an author's log, both ends included; `toSeq` is Infinity while the author may go on, and below `fromSeq` when
 * nothing counts.
 */
export interface SeqRange {
  fromSeq: number
  toSeq: number
  /** Why it ends: `rotate` and `revoke` are the entry at `toSeq`, `fork` comes right after it. */
  end: 'none' | 'rotate' | 'revoke' | 'fork'
}

/**
 * Who speaks for a publisher, and in which part of their own log: the publisher's first key until it hands on
 * (`rotate`, that entry included) or gives up (`revoke`), then the key handed to, from its seq 0. In the order of
 * succession. Entries may be all that is known of the logs, in any order; those of other publishers are passed over,
 * and so is everything from an author's fork on, when `forkSeqs` has it.
 */
export function authorizedAuthors(
  publisher: string,
  entries: readonly VerifiedEntry[],
  { forkSeqs }: { forkSeqs?: ReadonlyMap<string, number> | undefined } = {},
): Map<string, SeqRange> {
  const authority = new Map<string, SeqRange>()
  let author: string | undefined = publisher
  while (author !== undefined && !authority.has(author)) {
    const forkSeq = forkSeqs?.get(author) ?? Number.POSITIVE_INFINITY
    const last = lastStatement(publisher, author, entries, forkSeq)
    const end = last?.entry.type ?? (forkSeq === Number.POSITIVE_INFINITY ? 'none' : 'fork')
    authority.set(author, { fromSeq: 0, toSeq: last?.entry.seq ?? forkSeq - 1, end })
    author = last?.entry.type === 'rotate' ? last.entry.body.to : undefined
  }
  return authority
}

/** The earliest entry before the fork by which the author stops speaking for the publisher. */
function lastStatement(
  publisher: string,
  author: string,
  entries: readonly VerifiedEntry[],
  forkSeq: number,
): VerifiedEntry<RotateEntry | RevokeEntry> | undefined {
  return entries
    .filter(({ entry }) => entry.author === author && entry.publisher === publisher && entry.seq < forkSeq)
    .filter((verified) => verified.entry.type === 'rotate' || verified.entry.type === 'revoke')
    .sort(compareSeq)[0] as VerifiedEntry<RotateEntry | RevokeEntry> | undefined
}

/** By seq; the sides of a fork by their CIDs, so that everyone who accepts it reads it alike. */
export function compareSeq(a: VerifiedEntry, b: VerifiedEntry): number {
  return a.entry.seq - b.entry.seq || (a.cid.toString() < b.cid.toString() ? -1 : 1)
}
