import { dcutr } from '@libp2p/dcutr'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { webSockets } from '@libp2p/websockets'
import type { PeerNetwork } from '../core/ports.ts'
import { circuitTransport } from './libp2p-circuit.ts'
import { streamMuxer } from './libp2p-muxer.ts'
import type { NetworkOptions, PlatformParts } from './libp2p-network.ts'
import { createLibp2pNetwork } from './libp2p-network.ts'
import { fixPorts } from './node-ports.ts'
import { webrtcParts } from './node-webrtc.ts'

export { generateIdentity } from './libp2p-identity.ts'

export interface NodeNetworkOptions extends NetworkOptions {
  /** Find peers on the LAN by multicast. */
  mdns: boolean
  /** Offer TLS besides Noise. */
  enableTls: boolean
  /** Load WebRTC, for browsers to dial us. Short-lived nodes don't need it, and its native library is slow to load and to leave. */
  webrtc: boolean
}

type WebParts = Required<Pick<PlatformParts, 'transports' | 'services'>>

const mdnsServiceTag = '_ggen-p2p._udp.local'

/**
 * The network of a terminal node or relay: TCP, WebSocket, circuits through relays and, for browsers, WebRTC. At most one network with `webrtc` per process, and never
 * restarted in it: the native library does not bear it.
 */
export function createNodeNetwork(options: NodeNetworkOptions): PeerNetwork {
  return createLibp2pNetwork(options, async (context): Promise<PlatformParts> => {
    const web: WebParts = options.webrtc
      ? await webrtcParts(options.identity, context)
      : { transports: [], services: {} }
    const listenAddresses = options.listenAddresses.filter((address) => options.webrtc || !address.includes('/webrtc'))
    return {
      listenAddresses: await fixPorts(listenAddresses, context.datastore),
      transports: [tcp(), webSockets(), circuitTransport(), ...web.transports],
      // TLS first: Node encrypts it natively, about twice as fast as Noise. Browsers have only Noise.
      connectionEncrypters: options.enableTls ? [tls(), noise()] : [noise()],
      streamMuxers: [streamMuxer()],
      peerDiscovery: options.mdns ? [await mdnsDiscovery()] : [],
      services: { dcutr: dcutr() as never, ...web.services },
    }
  })
}

async function mdnsDiscovery(): Promise<NonNullable<PlatformParts['peerDiscovery']>[number]> {
  const { mdns } = await import('@libp2p/mdns')
  return mdns({ serviceTag: mdnsServiceTag })
}
