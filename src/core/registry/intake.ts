import { RegistryError } from '../errors.ts'
import { limits } from '../limits.ts'
import { verifyEntry } from '../log/entry.ts'
import { checkLink } from '../log/link.ts'
import type { VerifiedEntry } from '../log/types.ts'
import type { GossipVerdict } from '../ports.ts'
import type { Holders } from './holders.ts'
import { refreshDocuments } from './packages.ts'
import type { RegistryParts } from './parts.ts'

export interface Intake {
  /**
   * Verifies envelopes from the network and stores what is valid. Returns the entries that are new here. An invalid envelope costs `from` its
   * reputation and is dropped; the others are kept.
   */
  accept(envelopes: readonly Uint8Array[], from: string): Promise<VerifiedEntry[]>
  /** Stores entries that were verified already: our own, or those of a rebuilt index. */
  store(entries: readonly VerifiedEntry[], from: string | undefined): Promise<VerifiedEntry[]>
  judgeGossip(message: Uint8Array, from: string, origin: string): Promise<GossipVerdict>
}

/** The one door through which log entries enter: whoever brings them, they are verified, linked, stored and indexed the same way. */
export function createIntake(
  parts: RegistryParts,
  hooks: { holders: Holders; onFork: (envelopes: Uint8Array[]) => void },
): Intake {
  const { entries, reputation, trust, events, clock, sha256 } = parts
  // Stores run one after the other: two that touch the same package would otherwise index each other's outdated view.
  let queue: Promise<unknown> = Promise.resolve()

  async function verifyFrom(envelope: Uint8Array, from: string): Promise<VerifiedEntry | undefined> {
    try {
      return await verifyEntry(envelope, { sha256, nowMs: clock.now() })
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'VERIFICATION_FAILED') throw error
      reputation.recordFault(from, 'bad-signature')
      return undefined
    }
  }

  /** False for an entry that does not continue any branch of its log that we hold: its own branch must come first. */
  async function continuesItsLog(entry: VerifiedEntry, batch: ReadonlyMap<string, VerifiedEntry[]>): Promise<boolean> {
    const { author, seq } = entry.entry
    if (seq === 0) return true
    const held = await entries.entries(author, { fromSeq: seq - 1, limit: 2 })
    const before = [
      ...held.filter((other) => other.entry.seq === seq - 1),
      ...(batch.get(`${author}/${seq - 1}`) ?? []),
    ]
    return before.length === 0 || before.some((previous) => checkLink(previous, entry) === 'linked')
  }

  async function storeNow(batch: readonly VerifiedEntry[], from: string | undefined): Promise<VerifiedEntry[]> {
    const bySeq = new Map<string, VerifiedEntry[]>()
    const linked: VerifiedEntry[] = []
    for (const entry of batch) {
      if (trust.isBlocked(entry.entry.publisher) || !(await continuesItsLog(entry, bySeq))) continue
      const key = `${entry.entry.author}/${entry.entry.seq}`
      bySeq.set(key, [...(bySeq.get(key) ?? []), entry])
      linked.push(entry)
    }
    const results = await entries.putMany(linked)
    const added = linked.filter((_, index) => results[index] !== 'known')
    await refreshDocuments(parts, added)
    for (const [index, entry] of linked.entries()) {
      if (results[index] === 'forked') await reportFork(entry)
    }
    for (const entry of added) announceDiscovery(entry, from)
    return added
  }

  async function reportFork(entry: VerifiedEntry): Promise<void> {
    const { author, seq } = entry.entry
    const branches = await entries.entries(author, { fromSeq: seq, limit: 2 })
    events.emit('log:forked', { author, seq })
    hooks.onFork(branches.filter((branch) => branch.entry.seq === seq).map((branch) => branch.envelope))
  }

  function announceDiscovery(verified: VerifiedEntry, from: string | undefined): void {
    const { entry } = verified
    if (entry.type !== 'release') return
    const { name, version, manifest } = entry.body
    events.emit('release:discovered', { publisher: entry.publisher, name, version, cid: manifest.toString(), from })
  }

  function store(batch: readonly VerifiedEntry[], from: string | undefined): Promise<VerifiedEntry[]> {
    const done = queue.then(() => storeNow(batch, from))
    queue = done.catch(() => undefined)
    return done
  }

  return {
    store,
    async accept(envelopes, from) {
      const verified = await Promise.all(envelopes.map((envelope) => verifyFrom(envelope, from)))
      return store(
        verified.filter((entry) => entry !== undefined),
        from,
      )
    },
    async judgeGossip(message, from, origin) {
      if (reputation.isBanned(from)) return 'ignore'
      let verified: VerifiedEntry
      try {
        verified = await verifyEntry(message, { sha256, nowMs: clock.now() })
      } catch {
        return 'reject'
      }
      if (clock.now() - verified.entry.time > limits.maxGossipAgeMs) return 'ignore'
      if (verified.entry.type === 'release') hooks.holders.add(verified.entry.body.manifest.toString(), origin)
      const added = await store([verified], from)
      return added.length > 0 ? 'accept' : 'ignore'
    },
  }
}
