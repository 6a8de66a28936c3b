import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Relay } from './relay.ts'

/** What Prometheus reads: read from the node when it asks, so that counting costs nothing in between. */
export function createMetrics({ registry, network, reputation }: Relay): Registry {
  const register = new Registry()
  collectDefaultMetrics({ register })

  function gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [register],
      async collect() {
        this.set(await read())
      },
    })
  }

  const stats = network.relayStats
  gauge('ggen_relay_reservations', 'Reservations held now', () => stats().reservations)
  gauge('ggen_relay_circuits', 'Relay requests and relayed connections open now', () => stats().circuits)
  gauge('ggen_relay_relayed_bytes_total', 'Bytes carried between peers', () => stats().relayedBytes)
  gauge('ggen_relay_refused_total', 'Relay requests refused for their rate or by the lists', () => stats().refused)
  gauge('ggen_dht_routing_table', 'Peers in the DHT routing table', () => network.stats().routingTable)
  gauge('ggen_bytes_in_total', 'Bytes received from peers', () => network.stats().bytesIn)
  gauge('ggen_bytes_out_total', 'Bytes sent to peers', () => network.stats().bytesOut)
  gauge('ggen_peers_banned', 'Peers banned now', () => reputation.bans().length)
  gauge('ggen_entries', 'Log entries held', async () => (await registry.parts.entries.count()).entries)
  gauge('ggen_packages', 'Packages known', async () => (await registry.parts.entries.count()).packages)
  new Gauge({
    name: 'ggen_peers',
    help: 'Connected peers',
    labelNames: ['transport'],
    registers: [register],
    collect() {
      this.reset()
      for (const { transport } of network.peers()) this.inc({ transport })
    },
  })
  new Gauge({
    name: 'ggen_gossip_subscribers',
    help: 'Peers subscribed to the topic',
    labelNames: ['topic'],
    registers: [register],
    collect() {
      for (const { topic, subscribers } of network.stats().topics) this.set({ topic }, subscribers)
    },
  })
  return register
}
