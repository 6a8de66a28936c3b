import type { CID } from 'multiformats/cid'
import type { BlockStore, Clock, Sha256 } from '../core/ports.ts'
import { createBlockTable } from './block-table.ts'

/** A BlockStore in memory, for tests; it is held to the same contract as the lasting ones. */
export function createMemoryBlocks(options: {
  maxBytes: number
  sha256: Sha256
  clock: Clock
  onCorrupt?(cid: CID): void
}): BlockStore {
  const held = new Map<string, Uint8Array>()
  return createBlockTable({
    ...options,
    maxBytes: () => options.maxBytes,
    backing: {
      load: async () => ({ sizes: [], roots: [] }),
      read: async (key) => held.get(key),
      async write(blocks) {
        for (const { key, bytes } of blocks) held.set(key, bytes)
      },
      async remove(blocks) {
        for (const { key } of blocks) held.delete(key)
      },
      async writeRoot() {},
      async removeRoot() {},
    },
  })
}
