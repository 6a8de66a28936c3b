import type { Libp2p, PeerId } from '@libp2p/interface'
import { kadDHT, passthroughMapper, removePrivateAddressesMapper } from '@libp2p/kad-dht'
import type { CID } from 'multiformats/cid'
import { withTimeout } from '../core/deadline.ts'
import { RegistryError } from '../core/errors.ts'
import type { PeerNetwork, RecordRules } from '../core/ports.ts'
import type { CoreServices, ServiceOptions } from './libp2p-services.ts'

export const kadProtocol = '/ggen/kad/1.0.0'

/** A peer that was just identified enters the routing table a moment later; longer than this no operation waits for it. */
const routingTableWaitMs = 2_000
/** What the core has not announced again for a day is no longer held; the DHT would go on announcing it. */
const forgetProvidedMs = 24 * 3600_000

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function dhtService({ dhtMode, privateNetwork, recordRules }: ServiceOptions) {
  return kadDHT({
    protocol: kadProtocol,
    clientMode: dhtMode === 'client',
    peerInfoMapper: privateNetwork ? passthroughMapper : removePrivateAddressesMapper,
    // Without it every operation of a node that is alone waits for a first peer.
    allowQueryWithZeroPeers: true,
    validators: Object.fromEntries(
      recordRules.map(({ namespace, validate }) => [
        namespace,
        (key: Uint8Array, value: Uint8Array) => validate(decoder.decode(key), value),
      ]),
    ),
    selectors: Object.fromEntries(
      recordRules.map(({ namespace, select }) => [
        namespace,
        (key: Uint8Array, values: Uint8Array[]) => select(decoder.decode(key), values),
      ]),
    ),
  })
}

export interface RoutingOptions {
  node: () => Libp2p<CoreServices>
  recordRules: RecordRules[]
  queryTimeoutMs: number
  isBanned(peerId: string): boolean
  /** Connected peers that answer DHT queries, by what they told at identify. */
  connectedServers(): number
}

type Routing = Pick<PeerNetwork, 'provide' | 'findProviders' | 'putRecord' | 'getRecord'>

/**
 * Content routing and records over the Kademlia DHT. Every operation is bounded by the query timeout: what was found or done until then counts, and with
 * nobody to ask it ends at once. Only an abort by the caller throws.
 */
export function createRouting(options: RoutingOptions): Routing {
  const { node, recordRules, queryTimeoutMs, isBanned, connectedServers } = options
  const provided = new Map<string, { cid: CID; atMs: number }>()

  /** Runs a query until it ends, fails or times out; the caller's abort alone is an error. */
  async function* query<T>(
    run: (signal: AbortSignal) => AsyncIterable<T>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<T> {
    signal?.throwIfAborted()
    const until = withTimeout(signal, queryTimeoutMs)
    await routingTableFilled(until)
    try {
      yield* run(until)
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof RegistryError) throw error
    }
    signal?.throwIfAborted()
  }

  async function routingTableFilled(signal: AbortSignal): Promise<void> {
    const deadlineMs = performance.now() + routingTableWaitMs
    while (node().services.dht.routingTable.size === 0 && connectedServers() > 0) {
      if (signal.aborted || performance.now() > deadlineMs) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  function rulesFor(key: string): RecordRules {
    const rules = recordRules.find(({ namespace }) => key.startsWith(`/${namespace}/`))
    if (rules === undefined) throw new RegistryError('INTERNAL', `There are no rules for records like ${key}.`)
    return rules
  }

  async function forgetOldProvided(nowMs: number): Promise<void> {
    for (const [key, { cid, atMs }] of provided) {
      if (nowMs - atMs < forgetProvidedMs) continue
      provided.delete(key)
      await node().services.dht.cancelReprovide(cid)
    }
  }

  /** Where a provider can be dialled, for `openStream`. An address is a hint: who answers there proves its identity. */
  async function remember(id: PeerId, multiaddrs: Parameters<ReturnType<typeof node>['dial']>[0][]): Promise<void> {
    if (multiaddrs.length > 0) await node().peerStore.merge(id, { multiaddrs: multiaddrs as never })
  }

  return {
    async provide(cid, { signal } = {}) {
      provided.set(cid.toString(), { cid, atMs: Date.now() })
      await forgetOldProvided(Date.now())
      for await (const _event of query((until) => node().services.dht.provide(cid, { signal: until }), signal));
    },

    async *findProviders(cid, { signal } = {}) {
      const seen = new Set<string>([node().peerId.toString()])
      for await (const event of query((until) => node().services.dht.findProviders(cid, { signal: until }), signal)) {
        if (event.name !== 'PROVIDER') continue
        const fresh = event.providers.filter(({ id }) => !seen.has(id.toString()) && !isBanned(id.toString()))
        const isConnected = (id: PeerId): number => Number(node().getConnections(id).length > 0)
        for (const { id, multiaddrs } of fresh.sort((a, b) => isConnected(b.id) - isConnected(a.id))) {
          seen.add(id.toString())
          await remember(id, multiaddrs)
          yield id.toString()
        }
      }
    },

    async putRecord(key, value, { signal } = {}) {
      await rulesFor(key).validate(key, value)
      const takers = new Set<string>()
      const put = (until: AbortSignal) => node().services.dht.put(encoder.encode(key), value, { signal: until })
      for await (const event of query(put, signal)) {
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') takers.add(event.from.toString())
        // Comes after the response of a peer that answered but did not store it.
        if (event.name === 'QUERY_ERROR') takers.delete(event.from.toString())
      }
      return takers.size
    },

    async getRecord(key, { signal } = {}) {
      const { select } = rulesFor(key)
      const found: Uint8Array[] = []
      const get = (until: AbortSignal) => node().services.dht.get(encoder.encode(key), { signal: until })
      for await (const event of query(get, signal)) {
        // The DHT checks each record against its rules before it hands it out.
        if (event.name === 'PEER_RESPONSE' && event.record !== undefined) found.push(event.record.value)
        if (event.name === 'VALUE') return event.value
      }
      // It ends without a value, too, when it ran out of time or could not correct a peer that holds an old one.
      return found.length === 0 ? undefined : found[select(key, found)]
    },
  }
}
