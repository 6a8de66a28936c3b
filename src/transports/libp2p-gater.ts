import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import type { PeerGate } from '../core/ports.ts'

export interface ByteCounts {
  bytesIn: number
  bytesOut: number
}

/**
 * Refuses banned peers in every direction, and counts the bytes of the connections it lets through: it sees each of them, and libp2p's metrics would make
 * every component keep counters that nobody reads. libp2p's own rule for browsers, no loopback and no plain WebSocket, is lifted: there such an address is the user's choice.
 */
export function createGater(gate: PeerGate, counts: ByteCounts): ConnectionGater {
  const isBanned = (peerId: PeerId): boolean => gate.isBanned(peerId.toString())
  const admit = (peerId: PeerId, connection: MultiaddrConnection): boolean => {
    if (isBanned(peerId)) return true
    countBytes(connection, counts)
    return false
  }
  return {
    denyDialPeer: isBanned,
    denyDialMultiaddr: () => false,
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

/** A listener for `message` would make the connection deliver to it what its reader has not yet come for, so that would be lost: its dispatch is watched instead. */
function countBytes(connection: MultiaddrConnection, counts: ByteCounts): void {
  const isRelayed = connection.remoteAddr.getComponents().some(({ name }) => name === 'p2p-circuit')
  // Its bytes are counted on the connection to the relay.
  if (isRelayed) return
  const dispatchEvent = connection.dispatchEvent.bind(connection)
  connection.dispatchEvent = (event) => {
    if (event.type === 'message')
      counts.bytesIn += (event as unknown as { data: { byteLength: number } }).data.byteLength
    return dispatchEvent(event)
  }
  const send = connection.send.bind(connection)
  connection.send = (data) => {
    counts.bytesOut += data.byteLength
    return send(data)
  }
}
