import { createBlock } from '../blocks/block.ts'
import { RegistryError } from '../errors.ts'
import { createEntry, verifyEntry } from '../log/entry.ts'
import type { LogEntry, VerifiedEntry } from '../log/types.ts'
import type { Intake } from './intake.ts'
import type { RegistryParts } from './parts.ts'

/** Appending loses a race against another process on the same home only this often before it is a bug. */
const maxClaims = 20

type Statement = {
  [T in LogEntry['type']]: { type: T; body: Extract<LogEntry, { type: T }>['body'] }
}[LogEntry['type']]

export interface PublisherLog {
  /** Brings the index up to the journal, which survives what an index may not. Returns how many entries it restored. */
  restore(): Promise<number>
  /** Signs and appends one statement; durable when it resolves. */
  append(statement: Statement): Promise<VerifiedEntry>
  head(): Promise<VerifiedEntry | undefined>
}

/**
 * The own log. The journal, not the index, decides what comes next: it claims each `seq` exclusively on disk, so that neither a crash, a
 * lost database nor a second process makes the publisher sign two entries with one `seq`, which every other node would take for a fork.
 */
export function createPublisherLog(parts: RegistryParts, intake: Intake): PublisherLog {
  const { signer, journal, entries, clock, sha256 } = parts

  async function head(): Promise<VerifiedEntry | undefined> {
    const newest = (await journal.read(signer.did)).at(-1)
    const own = newest === undefined ? undefined : await verifyEntry(newest, { sha256 })
    // The same key used on another machine: its entries reach us by sync, and the log goes on after them.
    const known = (await entries.log(signer.did))?.head
    if (own === undefined || known === undefined) return own ?? known
    return known.entry.seq > own.entry.seq ? known : own
  }

  return {
    head,
    async restore() {
      const envelopes = await journal.read(signer.did)
      const blocks = await Promise.all(envelopes.map((envelope) => createBlock('dag-cbor', envelope, sha256)))
      const held = await entries.has(blocks.map((block) => block.cid))
      const missing = envelopes.filter((_, index) => !held[index])
      const verified = await Promise.all(missing.map((envelope) => verifyEntry(envelope, { sha256 })))
      await intake.store(verified, undefined)
      return verified.length
    },
    async append(statement) {
      if ((await entries.log(signer.did))?.forkSeq !== undefined) {
        throw new RegistryError(
          'LOG_FORKED',
          'Your own log has forked: two machines signed with the same key at once.',
          {
            hint: 'Other nodes refuse what comes after the fork. Publish with a new key (ggen marketplace key import) and tell those who trust the old one.',
          },
        )
      }
      for (let claim = 0; claim < maxClaims; claim++) {
        const previous = await head()
        const seq = previous === undefined ? 0 : previous.entry.seq + 1
        const entry = await createEntry(
          signer,
          {
            publisher: previous?.entry.publisher ?? signer.did,
            seq,
            prev: previous?.cid ?? null,
            time: clock.now(),
            ...statement,
          },
          sha256,
        )
        if (await journal.append(signer.did, seq, entry.envelope)) {
          await intake.store([entry], undefined)
          return entry
        }
      }
      throw new RegistryError('INTERNAL', `Could not claim the next place in the own log after ${maxClaims} tries.`)
    },
  }
}
