import type { PeerIdentity } from './libp2p-peers.ts'

/** Connected peers that were identified. */
export interface Roster {
  get(peerId: string): PeerIdentity | undefined
  /** True when the peer is new. */
  set(peerId: string, identity: PeerIdentity): boolean
  /** True when the peer was there. */
  delete(peerId: string): boolean
  clear(): void
  count(matches: (identity: PeerIdentity) => boolean): number
  /** Waits until a peer is identified; rejects when the signal aborts. */
  identified(peerId: string, signal: AbortSignal): Promise<PeerIdentity>
}

export function createRoster(): Roster {
  const identities = new Map<string, PeerIdentity>()
  const waiting = new Set<() => void>()

  return {
    get: (peerId) => identities.get(peerId),
    set(peerId, identity) {
      const isNew = !identities.has(peerId)
      identities.set(peerId, identity)
      if (isNew) for (const check of [...waiting]) check()
      return isNew
    },
    delete: (peerId) => identities.delete(peerId),
    clear: () => identities.clear(),
    count: (matches) => [...identities.values()].filter(matches).length,
    identified(peerId, signal) {
      return new Promise((resolve, reject) => {
        const check = (): void => {
          const identity = identities.get(peerId)
          if (identity === undefined && !signal.aborted) return
          waiting.delete(check)
          signal.removeEventListener('abort', check)
          if (identity === undefined) reject(signal.reason)
          else resolve(identity)
        }
        waiting.add(check)
        signal.addEventListener('abort', check)
        check()
      })
    },
  }
}
