import type { RegistrySettings } from '../registry/parts.ts'
import { defaultSettings } from '../registry/parts.ts'
import type { Config } from './settings.ts'

/** What the configuration says to the registry, which counts in milliseconds. */
export function registrySettings(config: Config, role: RegistrySettings['role']): RegistrySettings {
  return {
    ...defaultSettings,
    topic: config.network.packages_topic,
    role,
    parallelFetches: config.performance.parallel_fetches,
    requestsPerMinute: config.security.requests_per_minute,
    minPeerReputation: config.security.min_peer_reputation,
    minReleaseAgeMs: config.security.min_release_age * 3600_000,
  }
}
