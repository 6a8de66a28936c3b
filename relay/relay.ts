import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AssembledNode } from '../src/core/assemble-node.ts'
import { assembleNode } from '../src/core/assemble-node.ts'
import { RegistryError } from '../src/core/errors.ts'
import type { Events } from '../src/core/events.ts'
import { createEvents } from '../src/core/events.ts'
import { createSigner, generateKeyPair } from '../src/core/identity/key-pair.ts'
import { logHeadRules } from '../src/core/registry/announcer.ts'
import { defaultSettings } from '../src/core/registry/parts.ts'
import type { RegistryEvents } from '../src/core/registry/registry-events.ts'
import { version } from '../src/core/version.ts'
import { createNodeStorage, homePaths, loadOrCreateSecret, nodeSha256 } from '../src/storage/node.ts'
import type { RelayNetwork } from '../src/transports/relay.ts'
import { createRelayNetwork, generateIdentity } from '../src/transports/relay.ts'
import type { RelayConfig } from './config.ts'
import { mebibytes } from './config.ts'

export interface Relay extends AssembledNode<RelayNetwork> {
  readonly events: Events<RegistryEvents>
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
  const denied = new Set(access.deny_peers)
  const allowed = new Set(access.allow_peers)
  const assembled = await assembleNode({
    ...storage,
    clock,
    sha256: nodeSha256,
    // It signs nothing; a key of its own each time keeps nobody's secret on a public machine.
    signer: await createSigner(await generateKeyPair({ extractable: false })),
    central: [],
    settings: { ...defaultSettings, topic: config.topic, role: 'full', requestsPerMinute: limits.requests_per_minute },
    events,
    banThreshold: 10,
    store: storage.datastore,
    openNetwork: async (reputation) =>
      createRelayNetwork({
        // Its peer ID is in the configuration of others: it stays.
        identity: await loadOrCreateSecret(paths.identityKey, generateIdentity),
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
        gate: {
          isBanned: (peerId) => denied.has(peerId) || reputation.isBanned(peerId),
          score: reputation.score,
        },
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
      }),
  })
  return { ...assembled, events }
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
