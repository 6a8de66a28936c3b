import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import type { PeerGate } from '../core/ports.ts'
import { createRtcBackoff } from './libp2p-rtc-backoff.ts'

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
    if (!isRelayed(connection)) rtcBackoff.succeeded(peerId.toString())
    countBytes(connection, counts)
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

/** WebRTC between browsers names the circuit it was signalled over, but does not run through it. */
function isRelayed({ remoteAddr }: MultiaddrConnection): boolean {
  const names = remoteAddr.getComponents().map(({ name }) => name)
  return names.includes('p2p-circuit') && !names.includes('webrtc')
}

/** A listener for `message` would make the connection deliver to it what its reader has not yet come for, so that would be lost: its dispatch is watched instead. */
function countBytes(connection: MultiaddrConnection, counts: ByteCounts): void {
  // Its bytes are counted on the connection to the relay.
  if (isRelayed(connection)) return
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
