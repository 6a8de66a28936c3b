import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { dcutr } from '@libp2p/dcutr'
import type { Connection, Stream, StreamHandler } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import type { PeerNetwork } from '../core/ports.ts'
import { createRateLimiter } from '../core/reputation/rate-limiter.ts'
import { circuitTransport } from './libp2p-circuit.ts'
import { streamMuxer } from './libp2p-muxer.ts'
import type { NetworkOptions, PlatformParts } from './libp2p-network.ts'
import { createLibp2pNetwork } from './libp2p-network.ts'
import { watchBytes } from './libp2p-watch-bytes.ts'
import { fixPorts } from './node-ports.ts'
import { webrtcParts } from './node-webrtc.ts'

export { generateIdentity } from './libp2p-identity.ts'

export interface RelayLimits {
  maxReservations: number
  reservationTtlMs: number
  /** Of one relayed connection, both ways together. */
  maxBytes: number
  maxDurationMs: number
  /** Reservations and relayed connections one peer may ask for in a minute. */
  requestsPerMinute: number
}

export interface RelayNetworkOptions extends NetworkOptions {
  relay: RelayLimits
  /** For WSS: PEM texts. Without, WebSockets are plain, for a proxy to encrypt. */
  certificate?: { key: string; cert: string } | undefined
  /** New connections one address may make in a second. */
  connectionsPerSecond: number
  /** IP ranges that may not connect, like `192.0.2.0/24`. */
  denyRanges: string[]
  /** Says who may reserve or dial through us, besides the gate. */
  mayRelay(peerId: string): boolean
}

export interface RelayStats {
  reservations: number
  /** Relayed connections open now. */
  circuits: number
  relayedBytes: number
  /** Requests refused: over their peer's rate, or not allowed. */
  refused: number
}

export interface RelayNetwork extends PeerNetwork {
  relayStats(): RelayStats
}

/** A client that reloads comes back at once; its place is kept so long. */
const graceMs = 60_000

/**
 * The network of a relay: a node that is reached from everywhere (TCP, WebSocket, webrtc-direct), keeps reservations for those that are not, and carries what they say
 * to each other until they have found a direct way. At most one per process, never restarted in it.
 */
export function createRelayNetwork(options: RelayNetworkOptions): RelayNetwork {
  const counts = { circuits: 0, relayedBytes: 0, refused: 0 }
  let server: CircuitRelayService | undefined
  const limiter = createRateLimiter({ perMinute: options.relay.requestsPerMinute, clock: { now: () => Date.now() } })
  const leaving = new Map<string, ReturnType<typeof setTimeout>>()

  function takeRequest(peerId: string): boolean {
    if (options.mayRelay(peerId) && limiter.take(peerId) === 'ok') return true
    counts.refused++
    return false
  }

  /** libp2p's relay tells nobody how much it carries: the asker's stream, through which all of a circuit passes, is watched. */
  function watched(handler: StreamHandler): StreamHandler {
    return (stream: Stream, connection: Connection) => {
      if (!takeRequest(connection.remotePeer.toString())) {
        stream.abort(new Error('Too many requests to this relay.'))
        return
      }
      counts.circuits++
      stream.addEventListener('close', () => void counts.circuits--, { once: true })
      const count = (bytes: number): void => {
        counts.relayedBytes += bytes
      }
      watchBytes(stream, { received: count, sent: count })
      return handler(stream, connection)
    }
  }

  type ServerComponents = Parameters<ReturnType<typeof circuitRelayServer>>[0]
  function relayService(components: ServerComponents): CircuitRelayService {
    const { registrar } = components
    const watching = {
      handle: (protocol: string, handler: StreamHandler, handlerOptions?: object) =>
        registrar.handle(protocol, watched(handler), handlerOptions),
      unhandle: (protocol: string) => registrar.unhandle(protocol),
    }
    const { maxReservations, reservationTtlMs, maxBytes, maxDurationMs } = options.relay
    server = circuitRelayServer({
      hopTimeout: 15_000,
      maxInboundHopStreams: 64,
      maxOutboundHopStreams: 64,
      maxOutboundStopStreams: 300,
      reservations: {
        maxReservations,
        reservationTtl: reservationTtlMs,
        applyDefaultLimit: true,
        defaultDataLimit: BigInt(maxBytes),
        defaultDurationLimit: maxDurationMs,
      },
    })({
      logger: components.logger,
      peerStore: components.peerStore,
      connectionManager: components.connectionManager,
      addressManager: components.addressManager,
      peerId: components.peerId,
      privateKey: components.privateKey,
      connectionGater: components.connectionGater,
      registrar: watching,
    } as never)
    return server
  }

  const network = createLibp2pNetwork(options, async (context): Promise<PlatformParts> => {
    const web = await webrtcParts(options.identity, context)
    const { certificate } = options
    return {
      listenAddresses: await fixPorts(options.listenAddresses, context.datastore),
      transports: [
        tcp(),
        webSockets(certificate === undefined ? {} : { https: certificate }),
        circuitTransport(),
        ...web.transports,
      ],
      connectionEncrypters: [tls(), noise()],
      streamMuxers: [streamMuxer()],
      connectionManager: {
        inboundConnectionThreshold: options.connectionsPerSecond,
        deny: options.denyRanges.map(rangeAddress),
      } as NonNullable<PlatformParts['connectionManager']>,
      services: { dcutr: dcutr() as never, ...web.services, relay: relayService as never },
    }
  })

  network.on('peer:connected', ({ peerId }) => {
    clearTimeout(leaving.get(peerId))
    leaving.delete(peerId)
  })
  network.on('peer:disconnected', ({ peerId }) => {
    // libp2p keeps the place of a client that has gone until its time is over: hours, while others are refused.
    const timer = setTimeout(() => {
      leaving.delete(peerId)
      for (const id of server?.reservations.keys() ?? []) {
        if (id.toString() === peerId) server?.reservations.delete(id)
      }
    }, graceMs)
    timer.unref()
    leaving.set(peerId, timer)
  })

  return { ...network, relayStats: () => ({ reservations: server?.reservations.size ?? 0, ...counts }) }
}

function rangeAddress(range: string): string {
  const [host = '', bits] = range.split('/')
  const family = host.includes(':') ? 'ip6' : 'ip4'
  return multiaddr(`/${family}/${host}/ipcidr/${bits ?? (family === 'ip6' ? 128 : 32)}`).toString()
}
