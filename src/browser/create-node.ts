import type { CID } from 'multiformats/cid'
import { assembleNode } from '../core/assemble-node.ts'
import { webcryptoSha256 } from '../core/blocks/webcrypto-sha256.ts'
import { resolveConfig } from '../core/config/config.ts'
import { registrySettings } from '../core/config/registry-settings.ts'
import type { Config } from '../core/config/settings.ts'
import { RegistryError } from '../core/errors.ts'
import type { Events } from '../core/events.ts'
import { createEvents } from '../core/events.ts'
import type { PeerNetwork } from '../core/ports.ts'
import { logHeadRules } from '../core/registry/announcer.ts'
import type { RegistryEvents } from '../core/registry/registry-events.ts'
import type { RegistryNode } from '../core/registry-node.ts'
import type { Reputation } from '../core/reputation/reputation.ts'
import { version } from '../core/version.ts'
import type { BrowserStorage } from '../storage/browser.ts'
import { createBrowserStorage } from '../storage/browser.ts'
import { createBrowserNetwork, generateIdentity } from '../transports/browser.ts'
import type { CentralHits } from './central-hits.ts'
import { createCentralHits } from './central-hits.ts'
import { openPageRegistries, requirePageRegistries } from './central-registries.ts'
import { takeLock } from './node-lock.ts'
import { loadPublisher } from './publisher-key.ts'
import { fetchRelayDocument } from './relay-document.ts'

export interface NodeOptions {
  /** Relays to be reached through, which are also the way into the network: URLs (`https://relay.example`) or addresses with their peer ID. */
  relays?: readonly string[]
  /**
   * Settings by `section.key`, as in p2p-config.toml; those that a browser has no use for change nothing. `central.registries` are none unless given here: their servers learn the visitor's address, and what is searched
   * for.
   */
  settings?: Readonly<Record<string, unknown>>
  /** What its databases' names begin with; an origin can have several nodes under different names. Default `ggen`. */
  name?: string
  /** STUN servers (`stun:…`) for connections to other browsers. Default: those the first relay names, which are none unless its operator chose some. */
  iceServers?: readonly string[]
}

export interface GgenNode {
  readonly registry: RegistryNode
  readonly network: PeerNetwork
  readonly config: Config
  /** URLs of the relays it was given. */
  readonly relays: readonly string[]
  readonly storage: BrowserStorage
  readonly reputation: Reputation
  /** What central registries have told so far. */
  readonly centralHits: CentralHits
  readonly events: Events<RegistryEvents>
  start(): Promise<void>
  stop(): Promise<void>
}

const MiB = 1024 * 1024
const firstRelayTimeoutMs = 2_000

/**
 * A registry node in this tab. One tab of an origin runs it at a time: throws `ALREADY_RUNNING` in another (`createSharedNode` shares the one there is), and `PERMISSION` where the page
 * has no secure context, `INVALID_CONFIG` for central registries that no page can ask. The network is not touched before `start`.
 *
 * @example
 * const node = await createNode({ relays: [location.origin] })
 * await node.start()
 * const found = await node.registry.search({ query: 'rest api' }, { signal: AbortSignal.timeout(5_000) })
 * await node.stop()
 */
export async function createNode(options: NodeOptions = {}): Promise<GgenNode> {
  requireSecureContext()
  // Before the place is taken: whoever corrects a mistake must not find it still occupied.
  requirePageRegistries(options.settings?.['central.registries'] ?? [])
  const { name = 'ggen', relays = [] } = options
  const release = await takeLock(name)
  if (release === undefined) {
    throw new RegistryError('ALREADY_RUNNING', 'Another tab of this site runs the node.', {
      hint: 'Use that tab, or createSharedNode, which lets all tabs share it.',
    })
  }
  try {
    const opened = await openNode({ ...options, name, relays })
    return {
      ...opened,
      async stop() {
        await opened.stop().finally(release)
      },
    }
  } catch (error) {
    release()
    throw error
  }
}

function requireSecureContext(): void {
  if (globalThis.crypto?.subtle !== undefined && navigator.locks !== undefined) return
  throw new RegistryError(
    'PERMISSION',
    'This page was not loaded over a secure connection, so the browser gives it no cryptography.',
    {
      hint: 'Open it over https://, or on this machine as http://localhost.',
    },
  )
}

async function openNode(options: NodeOptions & { name: string; relays: readonly string[] }): Promise<GgenNode> {
  const { name, relays } = options
  const { config } = resolveConfig({ flags: options.settings ?? {} })
  const centralHits = createCentralHits()
  const central = openPageRegistries(config.central.registries, centralHits)
  const clock = { now: () => Date.now() }
  const events = createEvents<RegistryEvents>((error) => queueMicrotask(() => Promise.reject(error)))
  const storage = createBrowserStorage({
    name,
    maxCacheBytes: config.storage.max_cache_size * MiB,
    clock,
    onCorrupt: (cid: CID) => events.emit('block:corrupt', { cid: cid.toString() }),
  })
  const assembled = await assembleNode({
    ...storage,
    clock,
    sha256: webcryptoSha256,
    signer: await loadPublisher(storage.keys),
    central,
    // Light: a visitor asks index holders; the whole index would be a download before the first search.
    settings: registrySettings(config, 'light'),
    events,
    banThreshold: config.security.ban_threshold,
    store: storage,
    openNetwork: async (reputation) =>
      createBrowserNetwork({
        identity: await loadIdentity(storage),
        agent: `ggen-p2p/${version}`,
        bootstrapNodes: config.network.bootstrap_nodes,
        relayAddresses: [...relays, ...config.network.relay_addresses],
        resolveRelay: fetchRelayDocument,
        iceServers: [...(options.iceServers ?? (await iceServersOf(relays, storage)))],
        maxPeers: config.performance.max_peers,
        minPeers: config.performance.min_peers,
        dhtQueryTimeoutMs: config.performance.dht_query_timeout * 1000,
        gossipHeartbeatMs: config.performance.gossipsub_heartbeat * 1000,
        gate: reputation,
        recordRules: [logHeadRules(webcryptoSha256)],
        datastore: storage.datastore,
      }),
  })
  const urls = relays.filter((relay) => relay.startsWith('http'))
  return { ...assembled, config, relays: urls, storage, events, centralHits }
}

/** One identity over all reloads: a relay would otherwise keep a place for each. */
async function loadIdentity({ keys }: BrowserStorage): Promise<Uint8Array> {
  const stored = await keys.read<Uint8Array>('identity')
  if (stored !== undefined) return stored
  const identity = await generateIdentity()
  await keys.write('identity', identity)
  return identity
}

/** As the first relay names them; offline as it did the last time. */
async function iceServersOf(relays: readonly string[], { keys }: BrowserStorage): Promise<string[]> {
  const url = relays.find((relay) => relay.startsWith('http'))
  if (url === undefined) return []
  try {
    const { iceServers } = await fetchRelayDocument(url, AbortSignal.timeout(firstRelayTimeoutMs))
    await keys.write('ice-servers', iceServers)
    return iceServers
  } catch {
    return (await keys.read<string[]>('ice-servers')) ?? []
  }
}
