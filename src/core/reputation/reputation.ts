import * as v from 'valibot'
import type { Clock, Lifecycle, PeerGate, StateStore } from '../ports.ts'

/** What a peer can be guilty of. Never on this list: a timeout on our side, a cancelled request, a full disk. */
export type Fault = 'bad-block' | 'bad-signature' | 'bad-gossip' | 'protocol-violation' | 'flooding'

export interface Ban {
  peerId: string
  reason: string
  untilMs: number
}

export interface PeerRecord {
  peerId: string
  successes: number
  failures: number
  faults: number
  bytes: number
  latencyMs: number
  score: number
}

export interface Reputation extends PeerGate, Lifecycle {
  recordSuccess(peerId: string, served: { bytes: number; latencyMs: number }): void
  /** The peer did not deliver: its score falls, but this alone never bans. */
  recordFailure(peerId: string): void
  /** The peer broke the rules: its score falls, and `banThreshold` of these ban it. */
  recordFault(peerId: string, fault: Fault): void
  ban(peerId: string, reason: string): void
  unban(peerId: string): boolean
  bans(): Ban[]
  record(peerId: string): PeerRecord
}

const halfLifeMs = 24 * 3600_000
const banMs = 24 * 3600_000
const saveDelayMs = 2_000
/** Most peers remembered; the one unheard-of longest is forgotten first, banned ones last. */
const maxPeers = 10_000

const recordSchema = v.object({
  successes: v.pipe(v.number(), v.minValue(0)),
  failures: v.pipe(v.number(), v.minValue(0)),
  faults: v.pipe(v.number(), v.minValue(0)),
  bytes: v.pipe(v.number(), v.minValue(0)),
  latencyMs: v.pipe(v.number(), v.minValue(0)),
  atMs: v.number(),
  ban: v.optional(v.object({ reason: v.string(), untilMs: v.number() })),
})
const stateSchema = v.record(v.string(), recordSchema)
type Remembered = v.InferOutput<typeof recordSchema>

/**
 * What each peer has been worth to us. Counts decay with a half-life of a day; `score = successes / (successes + failures)` over the decayed
 * counts, 1 when unknown. `banThreshold` decayed faults ban a peer for a day. Persisted, debounced; a lost file only means that everybody is unknown again.
 */
export function createReputation(options: {
  state: StateStore
  clock: Clock
  banThreshold: number
  onBan(ban: Ban): void
}): Reputation {
  const { state, clock, banThreshold, onBan } = options
  let peers = new Map<string, Remembered>()
  let saving: ReturnType<typeof setTimeout> | undefined

  function decayed(peer: Remembered): Remembered {
    const nowMs = clock.now()
    const factor = 0.5 ** (Math.max(0, nowMs - peer.atMs) / halfLifeMs)
    const { successes, failures, faults, bytes } = peer
    return {
      ...peer,
      successes: successes * factor,
      failures: failures * factor,
      faults: faults * factor,
      bytes: bytes * factor,
      atMs: nowMs,
    }
  }

  function look(peerId: string): Remembered {
    const peer = peers.get(peerId)
    return peer ? decayed(peer) : { successes: 0, failures: 0, faults: 0, bytes: 0, latencyMs: 0, atMs: clock.now() }
  }

  function change(peerId: string, update: (peer: Remembered) => Remembered): void {
    const changed = update(look(peerId))
    peers.delete(peerId)
    peers.set(peerId, changed)
    if (peers.size > maxPeers) forgetOne()
    saving ??= setTimeout(() => void save().catch(() => undefined), saveDelayMs)
  }

  function forgetOne(): void {
    for (const [peerId, peer] of peers) {
      if (isBannedNow(peer)) continue
      peers.delete(peerId)
      return
    }
    const oldest = peers.keys().next().value
    if (oldest !== undefined) peers.delete(oldest)
  }

  const isBannedNow = (peer: Remembered | undefined): boolean => (peer?.ban?.untilMs ?? 0) > clock.now()

  async function save(): Promise<void> {
    clearTimeout(saving)
    saving = undefined
    await state.write('reputation', Object.fromEntries(peers))
  }

  function ban(peerId: string, reason: string): void {
    const untilMs = clock.now() + banMs
    change(peerId, (peer) => ({ ...peer, ban: { reason, untilMs } }))
    onBan({ peerId, reason, untilMs })
  }

  return {
    async start() {
      const parsed = v.safeParse(stateSchema, (await state.read('reputation')) ?? {})
      peers = new Map(parsed.success ? Object.entries(parsed.output) : [])
    },
    async stop() {
      if (saving !== undefined) await save()
    },
    recordSuccess(peerId, { bytes, latencyMs }) {
      change(peerId, (peer) => ({ ...peer, successes: peer.successes + 1, bytes: peer.bytes + bytes, latencyMs }))
    },
    recordFailure(peerId) {
      change(peerId, (peer) => ({ ...peer, failures: peer.failures + 1 }))
    },
    recordFault(peerId, fault) {
      change(peerId, (peer) => ({ ...peer, failures: peer.failures + 1, faults: peer.faults + 1 }))
      // Decay between two faults leaves a little less than a whole one: rounded, so that ten in a row are ten.
      if (Math.round(look(peerId).faults) >= banThreshold && !isBannedNow(peers.get(peerId))) ban(peerId, fault)
    },
    ban,
    unban(peerId) {
      if (!isBannedNow(peers.get(peerId))) return false
      change(peerId, ({ ban: _lifted, ...peer }) => ({ ...peer, faults: 0 }))
      return true
    },
    isBanned: (peerId) => isBannedNow(peers.get(peerId)),
    bans: () =>
      [...peers].flatMap(([peerId, peer]) => (peer.ban && isBannedNow(peer) ? [{ peerId, ...peer.ban }] : [])),
    score(peerId) {
      const { successes, failures } = look(peerId)
      return successes + failures === 0 ? 1 : successes / (successes + failures)
    },
    record(peerId) {
      const { successes, failures, faults, bytes, latencyMs } = look(peerId)
      const score = successes + failures === 0 ? 1 : successes / (successes + failures)
      return { peerId, successes, failures, faults, bytes, latencyMs, score }
    },
  }
}
