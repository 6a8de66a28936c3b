/** The library in a browser: a registry node over WebSocket and WebRTC, with its data in IndexedDB. The root for Node exports the same names. */

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
export { openPackageFolder, openProjectFolder } from '../storage/browser.ts'
export type { GgenNode, NodeOptions } from './create-node.ts'
export { createNode } from './create-node.ts'
export type { BrowserService, ServiceEvents } from './service.ts'
export type { SharedNode } from './shared-node.ts'
export { createSharedNode } from './shared-node.ts'
