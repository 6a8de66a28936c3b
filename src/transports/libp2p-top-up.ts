import type { Libp2p, Peer } from '@libp2p/interface'

export interface TopUp {
  run(): Promise<void>
  /** A connection to this peer has ended: it is not dialled again for a minute. */
  leaveAlone(peerId: string): void
}

const retryAfterMs = 5 * 60_000
const leaveAloneMs = 60_000
const dialsAtOnce = 5

/**
 * Dials peers we know of while we have fewer than `minPeers`: libp2p remembers whom discovery finds, but connects to nobody by itself. A peer that could not be reached is
 * left alone for some minutes.
 */
export function createTopUp(
  node: () => Libp2p,
  options: { minPeers: number; isBanned(peerId: string): boolean },
): TopUp {
  const notBeforeMs = new Map<string, number>()

  function isCandidate(peer: Peer): boolean {
    const id = peer.id.toString()
    if (peer.id.equals(node().peerId) || peer.addresses.length === 0 || options.isBanned(id)) return false
    return node().getConnections(peer.id).length === 0 && Date.now() >= (notBeforeMs.get(id) ?? 0)
  }

  return {
    leaveAlone: (peerId) => void notBeforeMs.set(peerId, Date.now() + leaveAloneMs),
    async run() {
      const wanted = Math.min(options.minPeers - node().getPeers().length, dialsAtOnce)
      if (wanted <= 0) return
      const candidates = (await node().peerStore.all()).filter(isCandidate)
      const chosen = candidates.sort(() => Math.random() - 0.5).slice(0, wanted)
      for (const { id } of chosen) notBeforeMs.set(id.toString(), Date.now() + retryAfterMs)
      await Promise.allSettled(chosen.map(({ id }) => node().dial(id)))
    },
  }
}
