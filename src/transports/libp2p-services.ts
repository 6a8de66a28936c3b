import type { GossipSub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import type { Listener } from '@libp2p/interface'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import type { Ping } from '@libp2p/ping'
import { ping } from '@libp2p/ping'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerGate, RecordRules } from '../core/ports.ts'
import { gossipService } from './libp2p-gossip.ts'
import { dhtService } from './libp2p-routing.ts'

/** Parts of libp2p that only its components see: listening while running, and vouching for an address. */
export interface Internals {
  transportManager: {
    listen(addresses: Multiaddr[]): Promise<void>
    getListeners(): Listener[]
    getAddrs(): Multiaddr[]
  }
  addressManager: { confirmObservedAddr(address: Multiaddr, options: { type: 'transport' }): void }
}

export interface CoreServices extends Record<string, unknown> {
  dht: SingleKadDHT
  pubsub: GossipSub
  ping: Ping
  internals: Internals
}

export interface ServiceOptions {
  dhtMode: 'server' | 'client'
  /** Private and loopback addresses stay in the DHT: right on a LAN and in tests, wrong on the internet. */
  privateNetwork: boolean
  gossipHeartbeatMs: number
  gate: PeerGate
  recordRules: RecordRules[]
}

/** The services every node has, on whatever platform. */
export function coreServices(options: ServiceOptions) {
  return {
    identify: identify({ runOnLimitedConnection: true }),
    identifyPush: identifyPush({ runOnLimitedConnection: true }),
    // The defaults, 2 in and 1 out, make simultaneous pings fail, and libp2p drops a connection whose ping failed.
    ping: ping({ maxInboundStreams: 8, maxOutboundStreams: 8, runOnLimitedConnection: true }),
    dht: dhtService(options),
    pubsub: gossipService({ heartbeatMs: options.gossipHeartbeatMs, gate: options.gate }),
    internals: (components: Internals): Internals => ({
      transportManager: components.transportManager,
      addressManager: components.addressManager,
    }),
  }
}
