import type { CID } from 'multiformats/cid'
import { assembleNode } from '../../core/assemble-node.ts'
import { registrySettings } from '../../core/config/registry-settings.ts'
import type { Config } from '../../core/config/settings.ts'
import { RegistryError } from '../../core/errors.ts'
import type { Events } from '../../core/events.ts'
import { createEvents } from '../../core/events.ts'
import type { PeerNetwork } from '../../core/ports.ts'
import { logHeadRules } from '../../core/registry/announcer.ts'
import type { RegistryEvents } from '../../core/registry/registry-events.ts'
import type { RegistryNode } from '../../core/registry-node.ts'
import type { Reputation } from '../../core/reputation/reputation.ts'
import { version } from '../../core/version.ts'
import type { HomePaths, NodeStorage } from '../../storage/node.ts'
import { createNodeStorage, loadOrCreateSecret, nodeSha256 } from '../../storage/node.ts'
import { openCentralRegistries } from './central.ts'
import { loadPublisher } from './keys.ts'

/** `daemon`: a full peer. `client`: one command's short life, which asks others and serves nobody. `offline`: what is on the disk, and no network. */
export type NodeMode = 'daemon' | 'client' | 'offline'

export interface OpenedNode {
  node: RegistryNode
  storage: NodeStorage
  network: PeerNetwork | undefined
  reputation: Reputation
  events: Events<RegistryEvents>
  start(): Promise<void>
  stop(): Promise<void>
}

const MiB = 1024 * 1024

/** Puts together the node of a home. Nothing is opened and nobody is dialled before `start`; keys are made where there are none. */
export async function openNode(options: {
  paths: HomePaths
  config: Config
  mode: NodeMode
  onError?(error: unknown): void
}): Promise<OpenedNode> {
  const { config, mode } = options
  const paths =
    config.storage.cache_dir === '' ? options.paths : { ...options.paths, cacheDir: config.storage.cache_dir }
  const clock = { now: () => Date.now() }
  const events = createEvents<RegistryEvents>(options.onError ?? (() => undefined))
  const storage = createNodeStorage({
    paths,
    maxCacheBytes: config.storage.max_cache_size * MiB,
    clock,
    onCorrupt: (cid: CID) => events.emit('block:corrupt', { cid: cid.toString() }),
  })
  const { registry, ...assembled } = await assembleNode({
    ...storage,
    clock,
    sha256: nodeSha256,
    signer: await loadPublisher(paths.publisherKey),
    central: openCentralRegistries(config, paths.home, storage.httpCache),
    settings: registrySettings(config, mode === 'daemon' ? 'full' : 'light'),
    events,
    banThreshold: config.security.ban_threshold,
    store: storage.datastore,
    openNetwork: async (reputation) =>
      mode === 'offline' ? undefined : openNetwork(paths, config, mode, storage, reputation),
  })
  return { ...assembled, node: registry, storage, events }
}

async function openNetwork(
  paths: HomePaths,
  config: Config,
  mode: 'daemon' | 'client',
  storage: NodeStorage,
  reputation: Reputation,
): Promise<PeerNetwork> {
  const { network, performance: limits, security } = config
  requirePeers([...network.bootstrap_nodes, ...network.relay_addresses])
  const { createNodeNetwork, generateIdentity } = await import('../../transports/node.ts')
  const identity = await loadOrCreateSecret(paths.identityKey, generateIdentity)
  const serves = mode === 'daemon'
  return createNodeNetwork({
    identity,
    agent: `ggen-p2p/${version}`,
    listenAddresses: serves ? network.listen_addresses : [],
    announceAddresses: serves ? network.announce_addresses : [],
    bootstrapNodes: network.bootstrap_nodes,
    relayAddresses: serves ? network.relay_addresses : [],
    maxPeers: limits.max_peers,
    minPeers: serves ? limits.min_peers : 0,
    dhtQueryTimeoutMs: limits.dht_query_timeout * 1000,
    dhtMode: serves && network.dht_server_mode ? 'server' : 'client',
    gossipHeartbeatMs: limits.gossipsub_heartbeat * 1000,
    mdns: serves && network.mdns,
    enableTls: security.enable_tls,
    webrtc: serves && network.listen_addresses.some((address) => address.includes('/webrtc')),
    gate: reputation,
    recordRules: [logHeadRules(nodeSha256)],
    datastore: storage.datastore,
  })
}

/** Whom to expect at an address is part of it: without, anybody could answer there. Throws `INVALID_MULTIADDR`. */
function requirePeers(addresses: readonly string[]): void {
  const nameless = addresses.find((address) => !address.includes('/p2p/'))
  if (nameless === undefined) return
  throw new RegistryError('INVALID_MULTIADDR', `"${nameless}" does not say whose address it is.`, {
    hint: 'A bootstrap or relay address ends with /p2p/<peer ID>, as its node shows it: ggen marketplace p2p status',
  })
}
