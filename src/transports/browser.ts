import { noise } from '@libp2p/noise'
import { webRTC, webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { webTransport } from '@libp2p/webtransport'
import type { PeerNetwork } from '../core/ports.ts'
import { circuitTransport } from './libp2p-circuit.ts'
import { streamMuxer } from './libp2p-muxer.ts'
import type { NetworkOptions, PlatformParts } from './libp2p-network.ts'
import { createLibp2pNetwork } from './libp2p-network.ts'

export { generateIdentity } from './libp2p-identity.ts'
export type { RelayDocument } from './libp2p-relays.ts'

export interface BrowserNetworkOptions
  extends Omit<NetworkOptions, 'dhtMode' | 'listenAddresses' | 'announceAddresses'> {
  /** STUN servers, asked for our public address when browsers connect to each other. None: it works on one machine or LAN, and through most home routers it does not. */
  iceServers: string[]
}

/**
 * The network of a browser tab: it dials WebSocket, webrtc-direct and WebTransport, and is reached over WebRTC, signalled through the relays it has reservations on. In the DHT
 * it is a client: a tab comes and goes too fast to hold others' records.
 */
export function createBrowserNetwork(options: BrowserNetworkOptions): PeerNetwork {
  const { iceServers } = options
  const rtcConfiguration = { rtcConfiguration: { iceServers: iceServers.length > 0 ? [{ urls: iceServers }] : [] } }
  const network: NetworkOptions = { ...options, dhtMode: 'client', listenAddresses: ['/webrtc'] }
  return createLibp2pNetwork(network, async (): Promise<PlatformParts> => {
    return {
      listenAddresses: network.listenAddresses,
      transports: [
        webSockets(),
        webRTC(rtcConfiguration),
        webRTCDirect(rtcConfiguration),
        webTransport(),
        circuitTransport(),
      ] as PlatformParts['transports'],
      connectionEncrypters: [noise()],
      streamMuxers: [streamMuxer()],
    }
  })
}
