import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RegistryError } from '../src/core/errors.ts'
import type { Events } from '../src/core/events.ts'
import { createEvents } from '../src/core/events.ts'
import { createSigner, generateKeyPair } from '../src/core/identity/key-pair.ts'
import type { PeerGate } from '../src/core/ports.ts'
import { logHeadRules } from '../src/core/registry/announcer.ts'
import { defaultSettings } from '../src/core/registry/parts.ts'
import type { RegistryEvents } from '../src/core/registry/registry-events.ts'
import type { RegistryNode } from '../src/core/registry-node.ts'
import { createRegistryNode } from '../src/core/registry-node.ts'
import type { Reputation } from '../src/core/reputation/reputation.ts'
import { createReputation } from '../src/core/reputation/reputation.ts'
import { createTrust } from '../src/core/trust/trust.ts'
import { version } from '../src/core/version.ts'
import { createNodeStorage, homePaths, nodeSha256, readSecret, writeSecret } from '../src/storage/node.ts'
import type { RelayNetwork } from '../src/transports/relay.ts'
import { createRelayNetwork, generateIdentity } from '../src/transports/relay.ts'
import type { RelayConfig } from './config.ts'
import { mebibytes } from './config.ts'

export interface Relay {
  readonly node: RegistryNode
  readonly network: RelayNetwork
  readonly reputation: Reputation
  readonly events: Events<RegistryEvents>
  start(): Promise<void>
  stop(): Promise<void>
}

/** The relay's node: it knows every release, answers search and sync, and publishes nothing itself. Nothing is opened before `start`. */
export async function createRelay(config: RelayConfig): Promise<Relay> {
  const { limits, access } = config
  const paths = homePaths(config.home)
  const clock = { now: () => Date.now() }
  const events = createEvents<RegistryEvents>(() => undefined)
  const storage = createNodeStorage({
    paths,
    maxCacheBytes: mebibytes(limits.max_cache_mb),
    clock,
    onCorrupt: (cid) => events.emit('block:corrupt', { cid: cid.toString() }),
  })
  let hangUp: ((peerId: string) => void) | undefined
  const reputation = createReputation({
    state: storage.state,
    clock,
    banThreshold: 10,
    onBan(ban) {
      events.emit('peer:banned', ban)
      hangUp?.(ban.peerId)
    },
  })
  const denied = new Set(access.deny_peers)
  const allowed = new Set(access.allow_peers)
  const gate: PeerGate = {
    isBanned: (peerId) => denied.has(peerId) || reputation.isBanned(peerId),
    score: reputation.score,
  }
  const network = createRelayNetwork({
    identity: loadIdentity(paths.identityKey, await generateIdentity()),
    agent: `ggen-relay/${version}`,
    listenAddresses: config.listen,
    announceAddresses: config.announce,
    bootstrapNodes: config.bootstrap,
    relayAddresses: [],
    maxPeers: limits.max_connections,
    minPeers: 0,
    dhtQueryTimeoutMs: 30_000,
    dhtMode: 'server',
    gossipHeartbeatMs: 1_000,
    gate,
    recordRules: [logHeadRules(nodeSha256)],
    datastore: storage.datastore,
    certificate: config.tls && readCertificate(config.tls),
    connectionsPerSecond: limits.connections_per_second,
    denyRanges: access.deny_ranges,
    mayRelay: (peerId) => allowed.size === 0 || allowed.has(peerId),
    relay: {
      maxReservations: limits.max_reservations,
      reservationTtlMs: limits.reservation_ttl * 1000,
      maxBytes: mebibytes(limits.max_relayed_mb),
      maxDurationMs: limits.max_relayed_seconds * 1000,
      requestsPerMinute: limits.relay_requests_per_minute,
    },
  })
  hangUp = (peerId) => void network.disconnect(peerId).catch(() => undefined)
  const node = createRegistryNode({
    clock,
    sha256: nodeSha256,
    // It signs nothing; a key of its own each time keeps nobody's secret on a public machine.
    signer: await createSigner(await generateKeyPair({ extractable: false })),
    blocks: storage.blocks,
    entries: storage.entries,
    search: storage.search,
    state: storage.state,
    journal: storage.journal,
    network,
    reputation,
    trust: createTrust(storage.state),
    central: [],
    settings: { ...defaultSettings, topic: config.topic, role: 'full', requestsPerMinute: limits.requests_per_minute },
    events,
  })
  return {
    node,
    network,
    reputation,
    events,
    async start() {
      await storage.datastore.start()
      await node.start()
    },
    async stop() {
      await reputation.stop()
      await node.stop().finally(() => storage.datastore.stop())
    },
  }
}

/** Its peer ID is in the configuration of others: it stays. */
function loadIdentity(path: string, fresh: Uint8Array): Uint8Array {
  const stored = readSecret(path)
  if (stored !== undefined) return stored
  writeSecret(path, fresh)
  return fresh
}

export function readCertificate({ key, cert }: { key: string; cert: string }): { key: string; cert: string } {
  const read = (path: string): string => {
    try {
      return readFileSync(join(path), 'utf8')
    } catch (cause) {
      throw new RegistryError('INVALID_CONFIG', `The certificate file ${path} cannot be read.`, {
        hint: 'tls.key and tls.cert name PEM files that the relay may read.',
        cause,
      })
    }
  }
  return { key: read(key), cert: read(cert) }
}
