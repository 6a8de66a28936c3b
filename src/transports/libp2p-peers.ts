import type { Connection, Peer } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerInfo } from '../core/ports.ts'
import type { Traffic } from './libp2p-watch-bytes.ts'

/** What identify told about a peer. */
export interface PeerIdentity {
  agent: string | undefined
  protocols: string[]
}

/** The protocols of an address, outermost last. */
export const protocolsOf = (address: Multiaddr): string[] => address.getComponents().map(({ name }) => name)

/** WebRTC between browsers names the circuit it was signalled over, but does not run through it. */
export function isRelayed(address: Multiaddr): boolean {
  const names = protocolsOf(address)
  return names.includes('p2p-circuit') && !names.includes('webrtc')
}

function transportOf(address: Multiaddr): PeerInfo['transport'] {
  const names = new Set(protocolsOf(address))
  // The order matters: a relayed address also names the transport to the relay, and /webrtc stands on a circuit.
  if (names.has('webrtc-direct')) return 'webrtc-direct'
  if (names.has('webrtc')) return 'webrtc'
  if (names.has('p2p-circuit')) return 'relay'
  if (names.has('webtransport')) return 'webtransport'
  if (names.has('ws') || names.has('wss')) return 'websocket'
  if (names.has('memory')) return 'memory'
  return names.has('tcp') ? 'tcp' : 'unknown'
}

/** The connection that traffic to a peer takes: direct before relayed, older before newer. */
export function bestConnection(connections: readonly Connection[]): Connection | undefined {
  const open = connections.filter(({ status }) => status === 'open')
  return open.find(({ direct }) => direct) ?? open[0]
}

export function toPeerInfo(connection: Connection, identity: PeerIdentity | undefined, traffic: Traffic): PeerInfo {
  const peerId = connection.remotePeer.toString()
  return {
    peerId,
    address: connection.remoteAddr.toString(),
    transport: transportOf(connection.remoteAddr),
    direction: connection.direction,
    relayed: !connection.direct,
    protocols: identity?.protocols ?? [],
    ...traffic.of(peerId),
    relayLimit: limitOf(connection),
    ...(connection.rtt === undefined ? {} : { latencyMs: connection.rtt }),
    ...(identity?.agent === undefined ? {} : { agent: identity.agent }),
  }
}

/** No relay carries one connection for longer. */
const longestRelayedSeconds = 24 * 60 * 60

/** libp2p counts these down itself. */
function limitOf({ limits, timeline }: Connection): PeerInfo['relayLimit'] {
  if (limits === undefined) return undefined
  return {
    ...(limits.bytes === undefined ? {} : { bytesLeft: Number(limits.bytes) }),
    ...(limits.seconds === undefined ? {} : { msLeft: msLeftOf(limits.seconds, Date.now() - timeline.open) }),
  }
}

/** js-libp2p's relay writes milliseconds where the protocol, and its own client, have seconds (circuit-relay-v2 4.2: `duration`): of such a relay the count began a thousand times too high. */
function msLeftOf(secondsLeft: number, elapsedMs: number): number {
  const wholeSeconds = secondsLeft + elapsedMs / 1000
  return Math.max(0, (wholeSeconds > longestRelayedSeconds ? wholeSeconds : wholeSeconds * 1000) - elapsedMs)
}

/** As stored by identify. */
export function identityOf(peer: Peer): PeerIdentity {
  const agent = peer.metadata.get('AgentVersion')
  return { agent: agent === undefined ? undefined : new TextDecoder().decode(agent), protocols: peer.protocols }
}
