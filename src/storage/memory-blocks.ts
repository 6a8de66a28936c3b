import type { CID } from 'multiformats/cid'
import { incompleteRoot, matchesCid } from '../core/blocks/block.ts'
import { RegistryError } from '../core/errors.ts'
import type { BlockRoot, BlockStore, Clock, Sha256 } from '../core/ports.ts'

interface Root extends BlockRoot {
  blocks: string[]
}

/** A BlockStore in memory, for tests; it is held to the same contract as the one on disk. */
export function createMemoryBlocks(options: {
  maxBytes: number
  sha256: Sha256
  clock: Clock
  onCorrupt?(cid: CID): void
}): BlockStore {
  const { maxBytes, sha256, clock } = options
  const blocks = new Map<string, Uint8Array>()
  const roots = new Map<string, Root>()

  const usedBytes = (): number => [...blocks.values()].reduce((sum, bytes) => sum + bytes.length, 0)

  function removeLoose(): { removedBlocks: number; removedBytes: number } {
    const held = new Set([...roots.values()].flatMap((root) => root.blocks))
    const removed = { removedBlocks: 0, removedBytes: 0 }
    for (const [key, bytes] of blocks) {
      if (held.has(key)) continue
      blocks.delete(key)
      removed.removedBlocks++
      removed.removedBytes += bytes.length
    }
    return removed
  }

  function dropRoot(rootKey: string): { removedBlocks: number; removedBytes: number } {
    const own = roots.get(rootKey)?.blocks ?? []
    roots.delete(rootKey)
    const others = new Set([...roots.values()].flatMap((root) => root.blocks))
    const alone = own.filter((key) => !others.has(key) && blocks.has(key))
    const removedBytes = alone.reduce((sum, key) => sum + (blocks.get(key)?.length ?? 0), 0)
    for (const key of alone) blocks.delete(key)
    return { removedBlocks: alone.length, removedBytes }
  }

  function evict(spared?: string): { removedBlocks: number; removedBytes: number } {
    const removed = { removedBlocks: 0, removedBytes: 0 }
    while (usedBytes() > maxBytes) {
      const candidates = [...roots].filter(([key, root]) => !root.pinned && key !== spared)
      const oldest = candidates.sort(([, a], [, b]) => a.lastUsedMs - b.lastUsedMs)[0]
      if (oldest === undefined) break
      const step = dropRoot(oldest[0])
      removed.removedBlocks += step.removedBlocks
      removed.removedBytes += step.removedBytes
    }
    return removed
  }

  const sizeOf = (root: Root): number => root.blocks.reduce((sum, key) => sum + (blocks.get(key)?.length ?? 0), 0)

  return {
    async start() {},
    async stop() {},
    async has(cids) {
      return cids.map((cid) => blocks.has(cid.toString()))
    },
    async get(cid, { verify = false } = {}) {
      const bytes = blocks.get(cid.toString())
      if (bytes === undefined || !verify || (await matchesCid(cid, bytes, sha256))) return bytes
      blocks.delete(cid.toString())
      options.onCorrupt?.(cid)
      return undefined
    },
    async putMany(added) {
      for (const { cid, bytes } of added) {
        if (await matchesCid(cid, bytes, sha256)) continue
        throw new RegistryError('VERIFICATION_FAILED', `The bytes are not those of block ${cid}; nothing was stored.`)
      }
      for (const { cid, bytes } of added) blocks.set(cid.toString(), bytes)
    },
    async delete(cids) {
      for (const cid of cids) blocks.delete(cid.toString())
    },
    async putRoot(cid, content, { pinned }) {
      const keys = [...new Set(content.map(String))]
      if (keys.some((key) => !blocks.has(key))) throw incompleteRoot(cid)
      roots.set(cid.toString(), { cid, pinned, bytes: 0, lastUsedMs: clock.now(), blocks: keys })
      evict(cid.toString())
    },
    async touchRoot(cid) {
      const root = roots.get(cid.toString())
      if (root !== undefined) root.lastUsedMs = clock.now()
    },
    async deleteRoot(cid) {
      dropRoot(cid.toString())
    },
    async roots() {
      const sorted = [...roots.values()].sort((a, b) => a.lastUsedMs - b.lastUsedMs)
      return sorted.map((root) => ({
        cid: root.cid,
        pinned: root.pinned,
        bytes: sizeOf(root),
        lastUsedMs: root.lastUsedMs,
      }))
    },
    async usage() {
      const pinned = new Set([...roots.values()].filter((root) => root.pinned).flatMap((root) => root.blocks))
      const pinnedBytes = [...pinned].reduce((sum, key) => sum + (blocks.get(key)?.length ?? 0), 0)
      return { blocks: blocks.size, bytes: usedBytes(), maxBytes, pinnedBytes, roots: roots.size }
    },
    async collectGarbage() {
      const loose = removeLoose()
      const evicted = evict()
      return {
        removedBlocks: loose.removedBlocks + evicted.removedBlocks,
        removedBytes: loose.removedBytes + evicted.removedBytes,
      }
    },
    async clear() {
      const dropped = [...roots].filter(([, root]) => !root.pinned).map(([key]) => dropRoot(key))
      return [...dropped, removeLoose()].reduce((a, b) => ({
        removedBlocks: a.removedBlocks + b.removedBlocks,
        removedBytes: a.removedBytes + b.removedBytes,
      }))
    },
  }
}
