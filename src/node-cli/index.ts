/** The library in Node: a registry node over TCP, WebSocket and WebRTC, with its files below a home. The browser's root exports the same names. */

import { resolveConfig } from '../core/config/config.ts'
import type { Config } from '../core/config/settings.ts'
import type { PeerNetwork } from '../core/ports.ts'
import type { RegistryNode } from '../core/registry-node.ts'
import { homePaths } from '../storage/node.ts'
import type { NodeOptions } from './node/node-options.ts'
import { openNode } from './node/open-node.ts'

export type { Config } from '../core/config/settings.ts'
export type {
  InfoResult,
  InstallResult,
  PublishResult,
  SearchRequest,
  SearchResult,
  ServiceProgress,
  VerifyResult,
} from '../core/control/service.ts'
export type { ErrorCode } from '../core/errors.ts'
export { RegistryError } from '../core/errors.ts'
export type { InstallTarget, PackageSource, PeerNetwork } from '../core/ports.ts'
export type { RegistryNode } from '../core/registry-node.ts'
export { openPackageFolder, openProjectFolder } from '../storage/node.ts'
export type { NodeOptions } from './node/node-options.ts'
export type { SharedNode } from './shared-node.ts'
export { createSharedNode } from './shared-node.ts'

export interface GgenNode {
  readonly registry: RegistryNode
  /** Undefined in an offline node. */
  readonly network: PeerNetwork | undefined
  readonly config: Config
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * A registry node in this process, a full peer unless `mode` says otherwise. Nothing is opened before `start`.
 *
 * @example
 * const node = await createNode({ home: '/tmp/ggen', settings: { 'network.bootstrap_nodes': [address] } })
 * await node.start()
 * const found = await node.registry.search({ query: 'rest api' }, { signal: AbortSignal.timeout(5_000) })
 * await node.registry.install(openProjectFolder('.'), ['rest-handlers'])
 * await node.stop()
 */
export async function createNode({ home, settings = {}, mode = 'daemon' }: NodeOptions): Promise<GgenNode> {
  const { config } = resolveConfig({ flags: settings })
  const opened = await openNode({ paths: homePaths(home), config, mode })
  return { registry: opened.node, network: opened.network, config, start: opened.start, stop: opened.stop }
}
