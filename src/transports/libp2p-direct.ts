import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { withTimeout } from '../core/deadline.ts'
import { setRecent } from '../core/set-recent.ts'
import { bestConnection, isRelayed, protocolsOf } from './libp2p-peers.ts'

const dialTimeoutMs = 10_000
/**
 * @libp2p/webrtc 6.0 loses some 10 of 100 dials: the first message passes before it listens, and it then waits in vain for ten seconds. A dial that succeeds takes a fraction of one; a lost one is given up
 * early and tried again.
 */
const webrtcTries = 3
const directTryMs = 4_000
/** Where a relayed connection serves, a direct one is tried for again after so long. */
const retryAfterMs = 60_000
const maxRemembered = 1_000

/** Connections to peers: a direct one where there is or can be one, else through a relay. Rejects with libp2p's error, or the signal's reason. */
export function createDirectDialler(
  node: () => Libp2p,
): (peer: PeerId, signal: AbortSignal | undefined) => Promise<Connection> {
  const failedAtMs = new Map<string, number>()

  async function tryDirectly(peer: PeerId, signal: AbortSignal | undefined): Promise<Connection | undefined> {
    const direct = (await knownAddresses(peer)).filter((address) => !isRelayed(address))
    if (direct.length === 0) return undefined
    const tries = direct.some((address) => protocolsOf(address).includes('webrtc')) ? webrtcTries : 1
    for (let attempt = 0; attempt < tries; attempt++) {
      try {
        const connection = await node().dial(direct, { signal: withTimeout(signal, directTryMs) })
        failedAtMs.delete(peer.toString())
        return connection
      } catch {
        signal?.throwIfAborted()
      }
    }
    setRecent(failedAtMs, peer.toString(), Date.now(), maxRemembered)
    return undefined
  }

  /** Where the peer store says a peer is, each address with its ID. */
  async function knownAddresses(peer: PeerId): Promise<Multiaddr[]> {
    const known = await node()
      .peerStore.get(peer)
      .catch(() => undefined)
    return (known?.addresses ?? []).map(({ multiaddr: address }) =>
      protocolsOf(address).at(-1) === 'p2p' ? address : address.encapsulate(`/p2p/${peer}`),
    )
  }

  return async (peer, signal) => {
    const standing = bestConnection(node().getConnections(peer))
    const triedLately = Date.now() - (failedAtMs.get(peer.toString()) ?? 0) < retryAfterMs
    if (standing?.direct || (standing !== undefined && triedLately)) return standing
    const direct = await tryDirectly(peer, signal)
    if (direct !== undefined) return direct
    // One may have come from the other side meanwhile.
    return (
      bestConnection(node().getConnections(peer)) ?? node().dial(peer, { signal: withTimeout(signal, dialTimeoutMs) })
    )
  }
}
