import type { VerifiedEntry } from './types.ts'

/**
 * How an entry stands to the one held before it in its author's log: `linked` continues it, `gap` leaves entries out
 * that we don't hold, `mismatch` contradicts it (another author, a seq already taken, or a `prev` that names a
 * different entry: one side of a fork).
 */
export function checkLink(previous: VerifiedEntry | undefined, next: VerifiedEntry): 'linked' | 'gap' | 'mismatch' {
  const { author, seq, prev } = next.entry
  if (previous === undefined) return seq === 0 ? 'linked' : 'gap'
  if (previous.entry.author !== author || seq <= previous.entry.seq) return 'mismatch'
  if (seq > previous.entry.seq + 1) return 'gap'
  return prev?.equals(previous.cid) ? 'linked' : 'mismatch'
}

/** Two different entries of one author with one seq: the proof that its log forked. */
export function isFork(a: VerifiedEntry, b: VerifiedEntry): boolean {
  return a.entry.author === b.entry.author && a.entry.seq === b.entry.seq && !a.cid.equals(b.cid)
}
