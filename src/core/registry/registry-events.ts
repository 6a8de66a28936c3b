/** Facts a registry node tells its host, in the past tense. */
export interface RegistryEvents {
  'release:discovered': { publisher: string; name: string; version: string; cid: string; from: string | undefined }
  'release:published': { publisher: string; name: string; version: string; cid: string }
  'log:forked': { author: string; seq: number }
  'peer:banned': { peerId: string; reason: string; untilMs: number }
  /** A block came and is the one that was asked for. */
  'block:received': { cid: string; peerId: string }
  /** A peer gave bytes that are not the block it was asked for, of the content with this manifest. */
  'block:rejected': { manifest: string; peerId: string; reason: string }
  'block:corrupt': { cid: string }
  'sync:completed': { peerId: string; received: number; sent: number }
  /** Something failed in the background; the node goes on. `task` says what it was doing. */
  'background:failed': { task: string; error: unknown }
}
