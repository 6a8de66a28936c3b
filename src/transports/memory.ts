import type { CID } from 'multiformats/cid'
import { RegistryError } from '../core/errors.ts'
import { createEvents } from '../core/events.ts'
import { limits } from '../core/limits.ts'
import type { NetworkEvents, PeerGate, PeerInfo, PeerNetwork, PeerStream, RecordRules } from '../core/ports.ts'
import { createMemoryPipe } from './memory-stream.ts'

interface MemoryPeer {
  network: PeerNetwork
  gate: PeerGate
  handlers: Map<string, (stream: PeerStream) => Promise<void>>
  topics: Map<string, Parameters<PeerNetwork['subscribe']>[1]>
  connected: Set<string>
  linked(info: PeerInfo): void
  unlinked(peerId: string): void
}

/** What all memory networks of one test share: who is there, who provides what, the records. */
export interface MemoryHub {
  readonly peers: Map<string, MemoryPeer>
  readonly providers: Map<string, Set<string>>
  readonly records: Map<string, Uint8Array>
}

export function createMemoryHub(): MemoryHub {
  return { peers: new Map(), providers: new Map(), records: new Map() }
}

const permissive: PeerGate = { isBanned: () => false, score: () => 1 }

/**
 * A PeerNetwork inside one process, for tests of what runs over a network: streams with back-pressure, gossip, provider and other records, without sockets. It is held
 * to the same contract suite as the real one.
 */
export function createMemoryNetwork(
  hub: MemoryHub,
  options: { peerId: string; gate?: PeerGate; recordRules?: RecordRules[] },
): PeerNetwork {
  const { peerId, gate = permissive, recordRules = [] } = options
  const events = createEvents<NetworkEvents>((error) => {
    throw error
  })
  const handlers: MemoryPeer['handlers'] = new Map()
  const topics: MemoryPeer['topics'] = new Map()
  const connected = new Set<string>()
  const open = new Map<string, number>()

  function info(other: string, direction: PeerInfo['direction']): PeerInfo {
    const protocols = [...(hub.peers.get(other)?.handlers.keys() ?? [])]
    return {
      peerId: other,
      address: `/memory/${other}`,
      transport: 'memory',
      direction,
      relayed: false,
      protocols,
      // It counts none.
      bytesIn: 0,
      bytesOut: 0,
    }
  }

  function target(id: string): MemoryPeer {
    const peer = hub.peers.get(id)
    if (peer === undefined) throw new RegistryError('CONNECTION_FAILED', `${id} cannot be reached.`)
    return peer
  }

  function rulesFor(key: string): RecordRules {
    const rules = recordRules.find(({ namespace }) => key.startsWith(`/${namespace}/`))
    if (rules === undefined) throw new RegistryError('INTERNAL', `No rules for records like ${key}.`)
    return rules
  }

  const network: PeerNetwork = {
    peerId,
    async start() {
      hub.peers.set(peerId, {
        network,
        gate,
        handlers,
        topics,
        connected,
        linked: (peer) => events.emit('peer:connected', peer),
        unlinked: (id) => events.emit('peer:disconnected', { peerId: id }),
      })
    },
    async stop() {
      for (const other of [...connected]) await network.disconnect(other)
      if (hub.peers.get(peerId)?.network === network) hub.peers.delete(peerId)
    },
    addresses: () => [`/memory/${peerId}`],
    peers: () => [...connected].map((other) => info(other, 'outbound')),
    stats: () => ({
      dhtMode: 'server',
      routingTable: connected.size,
      topics: [...topics.keys()].map((topic) => ({
        topic,
        subscribers: [...connected].filter((other) => hub.peers.get(other)?.topics.has(topic)).length,
      })),
      bytesIn: 0,
      bytesOut: 0,
    }),
    async connect(address, { signal } = {}) {
      signal?.throwIfAborted()
      const id = address.replace(/^\/memory\//, '')
      if (gate.isBanned(id)) throw new RegistryError('PEER_BANNED', `${id} is banned.`)
      const other = target(id)
      if (other.gate.isBanned(peerId)) throw new RegistryError('CONNECTION_FAILED', `${id} refuses the connection.`)
      if (connected.has(id)) return id
      connected.add(id)
      other.connected.add(peerId)
      events.emit('peer:connected', info(id, 'outbound'))
      other.linked({ ...info(peerId, 'inbound'), protocols: [...handlers.keys()] })
      return id
    },
    async keepConnected() {},
    async disconnect(id) {
      if (!connected.delete(id)) return
      const other = hub.peers.get(id)
      other?.connected.delete(peerId)
      events.emit('peer:disconnected', { peerId: id })
      other?.unlinked(peerId)
    },
    async ping(id) {
      target(id)
      return 0
    },
    async handle(protocol, handler) {
      handlers.set(protocol, handler)
    },
    async openStream(id, protocol, { signal } = {}) {
      signal?.throwIfAborted()
      if (!connected.has(id)) await network.connect(id)
      const handler = target(id).handlers.get(protocol)
      if (handler === undefined) throw new RegistryError('CONNECTION_FAILED', `${id} does not speak ${protocol}.`)
      const key = `${id} ${protocol}`
      const count = open.get(key) ?? 0
      if (count >= limits.maxStreamsPerPeer)
        throw new RegistryError('CONNECTION_FAILED', `${id} takes no more streams.`)
      open.set(key, count + 1)
      const [ours, theirs] = createMemoryPipe(peerId, id)
      handler(theirs)
        .then(() => theirs.close())
        .catch((error: unknown) => theirs.abort(error instanceof Error ? error : new Error(String(error))))
        .finally(() => open.set(key, (open.get(key) ?? 1) - 1))
      return ours
    },
    async provide(cid) {
      const providers = hub.providers.get(cid.toString()) ?? new Set()
      hub.providers.set(cid.toString(), providers.add(peerId))
    },
    async *findProviders(cid: CID, { signal } = {}) {
      for (const id of hub.providers.get(cid.toString()) ?? []) {
        signal?.throwIfAborted()
        if (id !== peerId) yield id
      }
    },
    async putRecord(key, value) {
      const rules = rulesFor(key)
      await rules.validate(key, value)
      const held = hub.records.get(key)
      if (held !== undefined) await rules.validate(key, held)
      const best = held === undefined ? value : [held, value][rules.select(key, [held, value])]!
      hub.records.set(key, best)
      return hub.peers.size - 1
    },
    async getRecord(key) {
      return hub.records.get(key)
    },
    async subscribe(topic, validate) {
      topics.set(topic, validate)
    },
    async publish(topic, message) {
      return deliver(topic, message, peerId, new Set([peerId]), peerId)
    },
    on: events.on,
  }

  /** Floods a message as gossip does: who accepts it passes it on. */
  async function deliver(
    topic: string,
    message: Uint8Array,
    from: string,
    seen: Set<string>,
    origin: string,
  ): Promise<number> {
    let reached = 0
    for (const id of hub.peers.get(from)?.connected ?? []) {
      const peer = hub.peers.get(id)
      const validate = peer?.topics.get(topic)
      if (peer === undefined || validate === undefined || seen.has(id) || peer.gate.isBanned(from)) continue
      seen.add(id)
      reached++
      if ((await validate(message, from, origin)) === 'accept') await deliver(topic, message, id, seen, origin)
    }
    return reached
  }

  return network
}
