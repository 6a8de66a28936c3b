import { RegistryError } from '../errors.ts'
import type { LogJournal, Sha256 } from '../ports.ts'
import { verifyEntry } from './entry.ts'
import type { RotateEntry, VerifiedEntry } from './types.ts'

/** The rotations that lead from a publisher's first key to `did`, the first one first; none where `did` is a first key. From a journal, which has all of its owner's. */
export async function rotationsTo(did: string, journal: LogJournal, sha256: Sha256): Promise<Uint8Array[]> {
  const byTarget = new Map<string, VerifiedEntry>()
  for (const author of await journal.authors()) {
    const envelopes = await journal.read(author)
    // A rotation is the last that a key says.
    const last = envelopes.at(-1)
    const entry = last === undefined ? undefined : await verifyEntry(last, { sha256 })
    if (entry?.entry.type === 'rotate') byTarget.set(entry.entry.body.to, entry)
  }
  const chain: Uint8Array[] = []
  for (let key = did; ; ) {
    const rotation = byTarget.get(key)
    if (rotation === undefined) return chain
    byTarget.delete(key)
    chain.unshift(rotation.envelope)
    key = rotation.entry.author
  }
}

/** Keeps the rotations that came with an imported key, so that it goes on under its publisher, whose did:key is returned. Throws `USAGE` for others than `rotationsTo` gives. */
export async function keepRotations(
  did: string,
  rotations: readonly Uint8Array[],
  journal: LogJournal,
  sha256: Sha256,
): Promise<string> {
  const entries: RotateEntry[] = []
  for (const envelope of rotations) {
    const { entry } = await verifyEntry(envelope, { sha256 })
    if (entry.type === 'rotate') entries.push(entry)
  }
  const publisher = entries[0]?.author ?? did
  const leadsOn = entries.every(
    (entry, index) => entry.publisher === publisher && entry.body.to === (entries[index + 1]?.author ?? did),
  )
  if (!leadsOn || entries.length !== rotations.length) {
    throw new RegistryError('USAGE', 'The rotations in the key file do not lead to its key.', {
      hint: 'Export the key again where it is used.',
    })
  }
  for (const [index, envelope] of rotations.entries()) {
    const { author, seq } = entries[index]!
    await journal.append(author, seq, envelope)
  }
  return publisher
}
