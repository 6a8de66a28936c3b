import type { Libp2p, Peer } from '@libp2p/interface'

const retryAfterMs = 5 * 60_000
const dialsAtOnce = 5

/**
 * Dials peers we know of while we have fewer than `minPeers`: libp2p remembers whom discovery finds, but connects to nobody by itself. A peer that could not be reached is
 * left alone for some minutes.
 */
export function createTopUp(
  node: () => Libp2p,
  options: { minPeers: number; isBanned(peerId: string): boolean },
): () => Promise<void> {
  const triedMs = new Map<string, number>()

  function isCandidate(peer: Peer): boolean {
    const id = peer.id.toString()
    if (peer.id.equals(node().peerId) || peer.addresses.length === 0 || options.isBanned(id)) return false
    return node().getConnections(peer.id).length === 0 && Date.now() - (triedMs.get(id) ?? 0) > retryAfterMs
  }

  return async () => {
    const wanted = Math.min(options.minPeers - node().getPeers().length, dialsAtOnce)
    if (wanted <= 0) return
    const candidates = (await node().peerStore.all()).filter(isCandidate)
    const chosen = candidates.sort(() => Math.random() - 0.5).slice(0, wanted)
    for (const { id } of chosen) triedMs.set(id.toString(), Date.now())
    await Promise.allSettled(chosen.map(({ id }) => node().dial(id)))
  }
}
