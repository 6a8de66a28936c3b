import type { CentralRegistry } from '../central/central-registry.ts'
import type { Events } from '../events.ts'
import type {
  BlockStore,
  Clock,
  EntryStore,
  LogJournal,
  PeerNetwork,
  SearchIndex,
  Sha256,
  Signer,
  StateStore,
} from '../ports.ts'
import type { Reputation } from '../reputation/reputation.ts'
import type { Trust } from '../trust/trust.ts'
import type { RegistryEvents } from './registry-events.ts'

export interface RegistrySettings {
  /** Gossip topic for new entries. */
  topic: string
  /** A full node keeps every entry it learns and answers search and sync; a light one (a browser tab, a one-shot command) asks full ones. */
  role: 'full' | 'light'
  /** Peers a package is fetched from at once. */
  parallelFetches: number
  /** Requests one peer may make in a minute, per protocol. */
  requestsPerMinute: number
  minPeerReputation: number
  /** How long a version must have been out before it is chosen. */
  minReleaseAgeMs: number
  /** How often a full node reconciles its entries with a connected peer. */
  syncIntervalMs: number
  /** How often what we hold is announced again; provider records of the DHT expire after a day or two. */
  reprovideIntervalMs: number
}

export const defaultSettings: RegistrySettings = {
  topic: '/ggen/packages/v1',
  role: 'full',
  parallelFetches: 6,
  requestsPerMinute: 600,
  minPeerReputation: 0.7,
  minReleaseAgeMs: 0,
  syncIntervalMs: 60_000,
  reprovideIntervalMs: 6 * 3600_000,
}

/** What a registry node is made of. A composition root (command line, browser, relay) chooses the parts; the core only knows the ports. */
export interface RegistryParts {
  clock: Clock
  sha256: Sha256
  signer: Signer
  blocks: BlockStore
  entries: EntryStore
  search: SearchIndex
  state: StateStore
  journal: LogJournal
  /** Absent: an offline node, which still searches, verifies and installs from its cache and the central registries. */
  network?: PeerNetwork | undefined
  reputation: Reputation
  trust: Trust
  central: CentralRegistry[]
  settings: RegistrySettings
  events: Events<RegistryEvents>
}
