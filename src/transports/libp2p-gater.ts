import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import type { PeerGate } from '../core/ports.ts'
import { isRelayed } from './libp2p-peers.ts'
import { createRtcBackoff } from './libp2p-rtc-backoff.ts'
import type { Traffic } from './libp2p-watch-bytes.ts'

/**
 * Refuses banned peers in every direction, and counts the bytes of the connections it lets through: it sees each of them, and libp2p's metrics would make
 * every component keep counters that nobody reads. libp2p's own rule for browsers, no loopback and no plain WebSocket, is lifted: there such an address is the user's choice.
 */
export function createGater(gate: PeerGate, traffic: Traffic): ConnectionGater {
  const rtcBackoff = createRtcBackoff()
  const isBanned = (peerId: PeerId): boolean => gate.isBanned(peerId.toString())
  const admit = (peerId: PeerId, connection: MultiaddrConnection): boolean => {
    if (isBanned(peerId)) return true
    const id = peerId.toString()
    const relayed = isRelayed(connection.remoteAddr)
    traffic.watch(id, connection, !relayed)
    if (!relayed) rtcBackoff.succeeded(id)
    return false
  }
  return {
    denyDialPeer: isBanned,
    denyDialMultiaddr: (address) => !rtcBackoff.mayDial(address),
    denyInboundEncryptedConnection: isBanned,
    denyOutboundEncryptedConnection: isBanned,
    denyInboundUpgradedConnection: admit,
    denyOutboundUpgradedConnection: admit,
    denyInboundRelayReservation: isBanned,
    denyOutboundRelayedConnection: (source, destination) => isBanned(source) || isBanned(destination),
    denyInboundRelayedConnection: (_relay, source) => isBanned(source),
    filterMultiaddrForPeer: (peerId) => !isBanned(peerId),
  }
}
