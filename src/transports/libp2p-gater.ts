import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import type { PeerGate } from '../core/ports.ts'
import { isRelayed } from './libp2p-peers.ts'
import { createRtcBackoff } from './libp2p-rtc-backoff.ts'
import { watchBytes } from './libp2p-watch-bytes.ts'

export interface ByteCounts {
  bytesIn: number
  bytesOut: number
}

/**
 * Refuses banned peers in every direction, and counts the bytes of the connections it lets through: it sees each of them, and libp2p's metrics would make
 * every component keep counters that nobody reads. libp2p's own rule for browsers, no loopback and no plain WebSocket, is lifted: there such an address is the user's choice.
 */
export function createGater(gate: PeerGate, counts: ByteCounts): ConnectionGater {
  const rtcBackoff = createRtcBackoff()
  const isBanned = (peerId: PeerId): boolean => gate.isBanned(peerId.toString())
  const admit = (peerId: PeerId, connection: MultiaddrConnection): boolean => {
    if (isBanned(peerId)) return true
    // A relayed connection's bytes are counted on the connection to the relay.
    if (isRelayed(connection.remoteAddr)) return false
    rtcBackoff.succeeded(peerId.toString())
    watchBytes(connection, {
      received: (bytes) => {
        counts.bytesIn += bytes
      },
      sent: (bytes) => {
        counts.bytesOut += bytes
      },
    })
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
