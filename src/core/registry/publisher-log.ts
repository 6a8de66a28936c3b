import { createBlock } from '../blocks/block.ts'
import { RegistryError } from '../errors.ts'
import { createEntry, verifyEntry } from '../log/entry.ts'
import type { LogEntry, VerifiedEntry } from '../log/types.ts'
import type { Signer } from '../ports.ts'
import type { Intake } from './intake.ts'
import type { RegistryParts } from './parts.ts'

/** Appending loses a race against another process on the same home only this often before it is a bug. */
const maxClaims = 20

type Statement = {
  [T in LogEntry['type']]: { type: T; body: Extract<LogEntry, { type: T }>['body'] }
}[LogEntry['type']]

export interface PublisherLog {
  /** Under which did:key the own key publishes: its own, or the one of the first key of a chain of rotations that leads to it. */
  publisher(): Promise<string>
  /** Brings the index up to the journal, which survives what an index may not. Returns how many entries it restored. */
  restore(): Promise<number>
  /** Signs and appends one statement; durable when it resolves. */
  append(statement: Statement): Promise<VerifiedEntry>
  /**
   * Hands the log on to another key, which signs too; the own key says nothing after that. Saying it again to the same key changes nothing.
   */
  handOn(successor: Signer): Promise<VerifiedEntry>
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

  /** The rotation by which another key handed on to ours. It carries our signature, so nobody can foist one on us. */
  async function handedOnBy(): Promise<VerifiedEntry | undefined> {
    for (const { head: other } of await entries.logs()) {
      const succession = await entries.succession(other.entry.publisher)
      const found = succession.find(({ entry }) => entry.type === 'rotate' && entry.body.to === signer.did)
      if (found !== undefined) return found
    }
    return undefined
  }

  async function publisher(): Promise<string> {
    return (await head())?.entry.publisher ?? (await handedOnBy())?.entry.publisher ?? signer.did
  }

  async function claim(
    sign: (previous: VerifiedEntry | undefined, seq: number) => Promise<VerifiedEntry>,
  ): Promise<VerifiedEntry> {
    for (let attempt = 0; attempt < maxClaims; attempt++) {
      const previous = await head()
      if (previous?.entry.type === 'rotate') throw handedOn(previous.entry.body.to)
      const seq = previous === undefined ? 0 : previous.entry.seq + 1
      const entry = await sign(previous, seq)
      if (await journal.append(signer.did, seq, entry.envelope)) {
        await intake.store([entry], undefined)
        return entry
      }
    }
    throw new RegistryError('INTERNAL', `Could not claim the next place in the own log after ${maxClaims} tries.`)
  }

  return {
    head,
    publisher,
    async handOn(successor) {
      const last = await head()
      if (last?.entry.type === 'rotate' && last.entry.body.to === successor.did) return last
      const own = await publisher()
      return claim((previous, seq) => {
        const fields = {
          publisher: own,
          seq,
          prev: previous?.cid ?? null,
          time: clock.now(),
          type: 'rotate',
          body: { to: successor.did },
        } as const
        return createEntry([signer, successor], fields, sha256)
      })
    },
    async restore() {
      const authors = new Set([...(await journal.authors()), signer.did])
      const envelopes = (await Promise.all([...authors].map((author) => journal.read(author)))).flat()
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
      const own = await publisher()
      return claim((previous, seq) =>
        createEntry(
          signer,
          { publisher: own, seq, prev: previous?.cid ?? null, time: clock.now(), ...statement },
          sha256,
        ),
      )
    },
  }
}

function handedOn(successor: string): RegistryError {
  return new RegistryError('DENIED', `This key has handed on to ${successor}, and can say nothing more.`, {
    hint: 'Publish with the new key: ggen marketplace key import <its file>',
  })
}
