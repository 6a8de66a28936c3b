import type { Libp2p } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { MemoryDatastore } from 'datastore-core'
import type { Datastore } from 'interface-datastore'
import type { Libp2pOptions } from 'libp2p'
import { createLibp2p } from 'libp2p'
import { withTimeout } from '../core/deadline.ts'
import { RegistryError } from '../core/errors.ts'
import { createEvents } from '../core/events.ts'
import { limits } from '../core/limits.ts'
import type { NetworkEvents, PeerInfo, PeerNetwork, PeerStream } from '../core/ports.ts'
import { bannedError, dialError, listenError, parseAddress, parsePeerId, parseTarget } from './libp2p-dial.ts'
import { createDirectDialler } from './libp2p-direct.ts'
import { createGater } from './libp2p-gater.ts'
import { createGossip } from './libp2p-gossip.ts'
import { createHandlers } from './libp2p-handlers.ts'
import { identityKey } from './libp2p-identity.ts'
import { createKeeper } from './libp2p-keeper.ts'
import { createKeptPeers } from './libp2p-kept-peers.ts'
import { bestConnection, identityOf, toPeerInfo } from './libp2p-peers.ts'
import { isPrivate, isPrivateNetwork } from './libp2p-private.ts'
import type { RelayDocument } from './libp2p-relays.ts'
import { createRelays } from './libp2p-relays.ts'
import { createRoster } from './libp2p-roster.ts'
import { createRouting, kadProtocol } from './libp2p-routing.ts'
import type { CoreServices, ServiceOptions } from './libp2p-services.ts'
import { coreServices } from './libp2p-services.ts'
import { createPeerStream } from './libp2p-stream.ts'
import { createTopUp } from './libp2p-top-up.ts'
import { createTraffic } from './libp2p-watch-bytes.ts'
import { within } from './libp2p-within.ts'

export interface NetworkOptions extends Omit<ServiceOptions, 'privateNetwork'> {
  /** The peer's identity, as `generateIdentity` made it. */
  identity: Uint8Array
  /** `name/version`, told to peers. */
  agent: string
  listenAddresses: string[]
  /** Told to peers besides those we listen on: what a router forwards here, or the name of a server. */
  announceAddresses?: string[]
  /** Kept connected, re-dialled for as long as it takes. */
  bootstrapNodes: string[]
  /** Relays on which a reservation is kept, so that peers reach us through them; URLs where `resolveRelay` is given. */
  relayAddresses: string[]
  /** Asks the relay behind a URL for its addresses, each time they are needed: they may have changed with its certificate. */
  resolveRelay?: ((url: string, signal: AbortSignal) => Promise<RelayDocument>) | undefined
  maxPeers: number
  /** Below this many, known peers are dialled. */
  minPeers: number
  dhtQueryTimeoutMs: number
  /** libp2p's memory of peers, records and certificates. Absent: nothing outlives the process. Opened and closed by the caller. */
  datastore?: Datastore | undefined
}

/** What differs between Node, browser and relay; made anew at each start. */
export interface PlatformParts {
  listenAddresses: string[]
  transports: NonNullable<Libp2pOptions['transports']>
  connectionEncrypters: NonNullable<Libp2pOptions['connectionEncrypters']>
  streamMuxers: NonNullable<Libp2pOptions['streamMuxers']>
  peerDiscovery?: NonNullable<Libp2pOptions['peerDiscovery']>
  /** What this platform decides about connections besides their number. */
  connectionManager?: Libp2pOptions['connectionManager']
  /** Further services by name, as factories. */
  services?: Record<string, (components: never) => unknown>
}

export interface PlatformContext {
  peerId: string
  datastore: Datastore
  privateNetwork: boolean
}

const dialTimeoutMs = 10_000
const identifyTimeoutMs = 5_000
const hangUpTimeoutMs = 1_000
const stopTimeoutMs = 2_500
/** Also the interval of the background pings. */
const upkeepIntervalMs = 30_000

type Node = Libp2p<CoreServices>

/**
 * A PeerNetwork over libp2p 3. `start` throws `CONNECTION_FAILED` naming an address it can't listen on and `INVALID_MULTIADDR` for one that is none; what had
 * been started is stopped again. Handlers and subscriptions may be given before or after the start.
 *
 * The DHT keeps private and loopback addresses when the network is private: no entrance (bootstrap node or relay) is configured, or one of these, or an address
 * we listen on, is private. On the internet they would only make peers dial into their own LANs.
 */
export function createLibp2pNetwork(
  options: NetworkOptions,
  platform: (context: PlatformContext) => Promise<PlatformParts>,
): PeerNetwork {
  const { gate, minPeers } = options
  const privateKey = identityKey(options.identity)
  const peerId = peerIdFromPrivateKey(privateKey).toString()
  const datastore = options.datastore ?? new MemoryDatastore()
  const events = createEvents<NetworkEvents>((error) => queueMicrotask(() => Promise.reject(error)))
  const traffic = createTraffic()
  const handlers = new Map<string, (stream: PeerStream) => Promise<void>>()
  const serve = createHandlers()
  const roster = createRoster()
  const gossip = createGossip(events.emit, gate)
  const keptPeers = createKeptPeers(datastore)
  const dialDirectly = createDirectDialler(node)
  const topUp = createTopUp(node, { minPeers, isBanned: gate.isBanned })
  const relays = createRelays({ node, identified: roster.identified, resolve: options.resolveRelay })
  const keeper = createKeeper({
    isUp(target) {
      const { peerId: id } = parseTarget(target)
      return id !== undefined && (gate.isBanned(id.toString()) || node().getConnections(id).length > 0)
    },
    raise: (target) =>
      node().dial(parseTarget(target).address ?? parsePeerId(target), { signal: AbortSignal.timeout(dialTimeoutMs) }),
  })
  let running: Node | undefined
  let upkeep: ReturnType<typeof setInterval> | undefined

  function node(): Node {
    if (running === undefined)
      throw new RegistryError('NODE_NOT_RUNNING', 'The network is not running.', { hint: 'Start the node first.' })
    return running
  }

  async function register(
    created: Node,
    protocol: string,
    handler: (stream: PeerStream) => Promise<void>,
  ): Promise<void> {
    await created.handle(protocol, serve(protocol, handler), {
      runOnLimitedConnection: true,
      // Per connection; `serve` holds the same limit over all connections of a peer.
      maxInboundStreams: limits.maxStreamsPerPeer,
      maxOutboundStreams: limits.maxOutboundStreams,
    })
  }

  async function create(): Promise<Node> {
    const privateNetwork = isPrivateNetwork(options)
    const parts = await platform({ peerId, datastore, privateNetwork })
    const [name = 'ggen', version = '0'] = options.agent.split('/')
    return createLibp2p<CoreServices>({
      start: false,
      privateKey,
      datastore,
      nodeInfo: { name, version, userAgent: options.agent },
      addresses: {
        listen: parts.listenAddresses.map((address) => parseAddress(address).toString()),
        appendAnnounce: (options.announceAddresses ?? []).map((address) => parseAddress(address).toString()),
      },
      transports: parts.transports,
      connectionEncrypters: parts.connectionEncrypters,
      streamMuxers: parts.streamMuxers,
      peerDiscovery: parts.peerDiscovery ?? [],
      connectionGater: createGater(gate, traffic),
      connectionManager: {
        maxConnections: options.maxPeers,
        // The defaults, 5 a second per address and 10 at once, turn away a household that comes online together.
        inboundConnectionThreshold: 50,
        maxIncomingPendingConnections: 100,
        ...parts.connectionManager,
      },
      // A machine under load may answer late; a connection whose ping fails is dropped.
      connectionMonitor: { pingInterval: upkeepIntervalMs, pingTimeout: { minTimeout: 15_000 } },
      services: { ...coreServices({ ...options, privateNetwork }), ...parts.services } as never,
    })
  }

  function listenTo(created: Node): void {
    created.addEventListener('peer:identify', ({ detail: { peerId: id, agentVersion, protocols, connection } }) => {
      if (connection.status !== 'open') return
      const isNew = roster.set(id.toString(), { agent: agentVersion, protocols })
      relays.learn(id.toString(), protocols)
      if (!isNew) return
      events.emit('peer:connected', toPeerInfo(connection, roster.get(id.toString()), traffic))
      created.services.ping.ping(id, { signal: AbortSignal.timeout(identifyTimeoutMs) }).then(
        (latencyMs) => {
          connection.rtt = latencyMs
        },
        () => undefined,
      )
    })
    created.addEventListener('peer:update', ({ detail: { peer } }) => {
      if (roster.get(peer.id.toString()) !== undefined) roster.set(peer.id.toString(), identityOf(peer))
    })
    created.addEventListener('peer:disconnect', ({ detail: id }) => {
      if (roster.delete(id.toString())) events.emit('peer:disconnected', { peerId: id.toString() })
      traffic.forget(id.toString())
      // Whoever ended it, on purpose perhaps: those that must be kept are raised again by the keeper.
      topUp.leaveAlone(id.toString())
      if (running === created) maintain()
    })
    created.addEventListener('peer:discovery', () => {
      if (running === created) void topUp.run().catch(() => undefined)
    })
    created.addEventListener('self:peer:update', () => {
      events.emit('addresses:changed', { addresses: created.getMultiaddrs().map(String) })
    })
  }

  function maintain(): void {
    keeper.wake()
    relays.wake()
    topUp.run().catch(() => undefined)
  }

  /** Public addresses of our own interfaces need no proof by others that they are ours. */
  function vouchForAddresses({ services: { internals } }: Node): void {
    for (const address of internals.transportManager.getAddrs()) {
      if (!isPrivate(address.toString())) internals.addressManager.confirmObservedAddr(address, { type: 'transport' })
    }
  }

  const network: PeerNetwork = {
    peerId,
    async start() {
      const created = await create()
      for (const [protocol, handler] of handlers) await register(created, protocol, handler)
      listenTo(created)
      try {
        await created.start()
      } catch (error) {
        throw listenError(error)
      }
      running = created
      vouchForAddresses(created)
      gossip.attach(created.services.pubsub)
      for (const { peerId: id, addresses } of await keptPeers.load()) {
        await created.peerStore.merge(parsePeerId(id), { multiaddrs: addresses.map(parseAddress) })
        keeper.keep(id)
      }
      for (const address of options.bootstrapNodes) keeper.keep(address)
      for (const address of options.relayAddresses) relays.keep(address)
      upkeep = setInterval(maintain, upkeepIntervalMs)
      maintain()
    },
    async stop() {
      const stopping = running
      if (stopping === undefined) return
      clearInterval(upkeep)
      keeper.stop()
      relays.stop()
      gossip.detach()
      running = undefined
      await within(stopTimeoutMs, stopping.stop())
      roster.clear()
    },
    addresses: () => running?.getMultiaddrs().map(String) ?? [],
    peers() {
      const rows: PeerInfo[] = []
      for (const id of running?.getPeers() ?? []) {
        const best = bestConnection(running?.getConnections(id) ?? [])
        if (best !== undefined) rows.push(toPeerInfo(best, roster.get(id.toString()), traffic))
      }
      return rows
    },
    stats: () => ({
      dhtMode: running?.services.dht.getMode() ?? options.dhtMode,
      routingTable: running?.services.dht.routingTable.size ?? 0,
      topics: gossip.topics(),
      ...traffic.total,
    }),
    async connect(target, { signal } = {}) {
      signal?.throwIfAborted()
      const { address, peerId: id } = parseTarget(target)
      if (id !== undefined && gate.isBanned(id.toString())) throw bannedError(id.toString())
      try {
        const connection = await (address === undefined
          ? dialDirectly(id!, signal)
          : node().dial(address, { signal: withTimeout(signal, dialTimeoutMs) }))
        const remote = connection.remotePeer.toString()
        await roster.identified(remote, withTimeout(signal, identifyTimeoutMs)).catch(() => signal?.throwIfAborted())
        return remote
      } catch (error) {
        throw dialError(target, error, signal)
      }
    },
    async keepConnected(id, keep) {
      const peer = parsePeerId(id)
      if (!keep) {
        keeper.release(id)
        await keptPeers.remove(id)
        return
      }
      const known = await node().peerStore.all({ filters: [(candidate) => candidate.id.equals(peer)] })
      await keptPeers.save(
        id,
        known.flatMap(({ addresses }) => addresses.map(({ multiaddr }) => multiaddr.toString())),
      )
      keeper.keep(id)
    },
    async disconnect(id) {
      await node().hangUp(parsePeerId(id), { signal: AbortSignal.timeout(hangUpTimeoutMs) })
    },
    async ping(id, { signal } = {}) {
      try {
        return await node().services.ping.ping(parsePeerId(id), { signal: withTimeout(signal, dialTimeoutMs) })
      } catch (error) {
        throw dialError(id, error, signal)
      }
    },
    async handle(protocol, handler) {
      handlers.set(protocol, handler)
      if (running !== undefined) await register(running, protocol, handler)
    },
    async openStream(id, protocol, { signal } = {}) {
      signal?.throwIfAborted()
      const peer = parsePeerId(id)
      if (gate.isBanned(id)) throw bannedError(id)
      try {
        const connection = await dialDirectly(peer, signal)
        const stream = await connection.newStream(protocol, {
          signal: withTimeout(signal, dialTimeoutMs),
          runOnLimitedConnection: true,
          maxOutboundStreams: limits.maxOutboundStreams,
        })
        return createPeerStream(stream, connection)
      } catch (error) {
        throw dialError(id, error, signal)
      }
    },
    ...createRouting({
      node,
      recordRules: options.recordRules,
      queryTimeoutMs: options.dhtQueryTimeoutMs,
      isBanned: gate.isBanned,
      connectedServers: () => roster.count(({ protocols }) => protocols.includes(kadProtocol)),
    }),
    subscribe: gossip.subscribe,
    publish: gossip.publish,
    on: events.on,
  }
  return network
}
