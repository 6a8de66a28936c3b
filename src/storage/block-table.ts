import type { CID } from 'multiformats/cid'
import { incompleteRoot, matchesCid } from '../core/blocks/block.ts'
import { RegistryError } from '../core/errors.ts'
import type { Block, BlockRoot, BlockStore, Clock, Sha256 } from '../core/ports.ts'

/** A root as it is kept: blocks by their CIDs' text. */
export interface StoredRoot {
  cid: CID
  pinned: boolean
  lastUsedMs: number
  blocks: string[]
}

/** Where a table's bytes and roots lie. Keys are CIDs as text. */
export interface BlockBacking {
  /** Everything that is kept already: sizes in bytes, and the roots. */
  load(): Promise<{ sizes: Iterable<[string, number]>; roots: StoredRoot[] }>
  read(key: string): Promise<Uint8Array | undefined>
  /** All or none. Throws `STORAGE_FULL` when there is no room. */
  write(blocks: readonly { key: string; bytes: Uint8Array }[]): Promise<void>
  remove(blocks: readonly { key: string; size: number }[]): Promise<void>
  writeRoot(key: string, root: StoredRoot): Promise<void>
  removeRoot(key: string): Promise<void>
}

interface Removal {
  removedBlocks: number
  removedBytes: number
}

const sum = (a: Removal, b: Removal): Removal => ({
  removedBlocks: a.removedBlocks + b.removedBlocks,
  removedBytes: a.removedBytes + b.removedBytes,
})
const nothing: Removal = { removedBlocks: 0, removedBytes: 0 }

/** A BlockStore that keeps sizes and roots in memory and the bytes in a backing which one process, or tab, has to itself. */
export function createBlockTable(options: {
  maxBytes(): number
  sha256: Sha256
  clock: Clock
  backing: BlockBacking
  onCorrupt?: ((cid: CID) => void) | undefined
}): BlockStore {
  const { sha256, clock, backing } = options
  const sizes = new Map<string, number>()
  const roots = new Map<string, StoredRoot>()
  let usedBytes = 0

  function forget(key: string): number {
    const size = sizes.get(key) ?? 0
    if (sizes.delete(key)) usedBytes -= size
    return size
  }

  async function removeBlocks(keys: readonly string[]): Promise<Removal> {
    const present = keys.flatMap((key) => (sizes.has(key) ? [{ key, size: forget(key) }] : []))
    if (present.length > 0) await backing.remove(present)
    return { removedBlocks: present.length, removedBytes: present.reduce((total, { size }) => total + size, 0) }
  }

  async function removeLoose(): Promise<Removal> {
    const held = new Set([...roots.values()].flatMap(({ blocks }) => blocks))
    return removeBlocks([...sizes.keys()].filter((key) => !held.has(key)))
  }

  async function dropRoot(rootKey: string): Promise<Removal> {
    const own = roots.get(rootKey)?.blocks ?? []
    roots.delete(rootKey)
    await backing.removeRoot(rootKey)
    const others = new Set([...roots.values()].flatMap(({ blocks }) => blocks))
    return removeBlocks(own.filter((key) => !others.has(key)))
  }

  async function evict(maxBytes: number, spared?: string): Promise<Removal> {
    let removed = nothing
    while (usedBytes > maxBytes) {
      const candidates = [...roots].filter(([key, root]) => !root.pinned && key !== spared)
      const oldest = candidates.sort(([, a], [, b]) => a.lastUsedMs - b.lastUsedMs)[0]
      if (oldest === undefined) break
      removed = sum(removed, await dropRoot(oldest[0]))
    }
    return removed
  }

  const sizeOf = (blocks: Iterable<string>): number => {
    let bytes = 0
    for (const key of blocks) bytes += sizes.get(key) ?? 0
    return bytes
  }

  /** A platform's quota may be tighter than our limit: older packages make room once, then it is an error. */
  async function write(blocks: readonly { key: string; bytes: Uint8Array }[]): Promise<void> {
    try {
      await backing.write(blocks)
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'STORAGE_FULL') throw error
      const incoming = blocks.reduce((total, { bytes }) => total + bytes.length, 0)
      const { removedBytes } = await evict(Math.max(0, usedBytes - 2 * incoming))
      if (removedBytes === 0) throw error
      await backing.write(blocks)
    }
  }

  return {
    async start() {
      const stored = await backing.load()
      sizes.clear()
      roots.clear()
      usedBytes = 0
      for (const [key, size] of stored.sizes) {
        sizes.set(key, size)
        usedBytes += size
      }
      for (const root of stored.roots) roots.set(root.cid.toString(), root)
    },
    async stop() {},
    has: async (cids) => cids.map((cid) => sizes.has(cid.toString())),
    async get(cid, { verify = false } = {}) {
      const key = cid.toString()
      if (!sizes.has(key)) return undefined
      const bytes = await backing.read(key)
      if (bytes !== undefined && (!verify || (await matchesCid(cid, bytes, sha256)))) return bytes
      // Corrupt, or taken away by whoever owns the platform's storage.
      await removeBlocks([key])
      options.onCorrupt?.(cid)
      return undefined
    },
    async putMany(added: readonly Block[]) {
      const matches = await Promise.all(added.map(({ cid, bytes }) => matchesCid(cid, bytes, sha256)))
      const wrong = matches.indexOf(false)
      if (wrong !== -1) {
        throw new RegistryError(
          'VERIFICATION_FAILED',
          `The bytes are not those of block ${added[wrong]!.cid}; nothing was stored.`,
        )
      }
      const fresh = new Map(added.map(({ cid, bytes }) => [cid.toString(), bytes]))
      for (const key of fresh.keys()) if (sizes.has(key)) fresh.delete(key)
      if (fresh.size === 0) return
      await write([...fresh].map(([key, bytes]) => ({ key, bytes })))
      for (const [key, bytes] of fresh) {
        if (!sizes.has(key)) usedBytes += bytes.length
        sizes.set(key, bytes.length)
      }
    },
    async delete(cids) {
      await removeBlocks(cids.map(String))
    },
    async putRoot(cid, content, { pinned }) {
      const blocks = [...new Set(content.map(String))]
      if (blocks.some((key) => !sizes.has(key))) throw incompleteRoot(cid)
      const root = { cid, pinned, lastUsedMs: clock.now(), blocks }
      await backing.writeRoot(cid.toString(), root)
      roots.set(cid.toString(), root)
      await evict(options.maxBytes(), cid.toString())
    },
    async touchRoot(cid) {
      const root = roots.get(cid.toString())
      if (root === undefined) return
      root.lastUsedMs = clock.now()
      await backing.writeRoot(cid.toString(), root)
    },
    async deleteRoot(cid) {
      await dropRoot(cid.toString())
    },
    async roots() {
      const sorted = [...roots.values()].sort((a, b) => a.lastUsedMs - b.lastUsedMs)
      return sorted.map(({ cid, pinned, lastUsedMs, blocks }): BlockRoot => {
        return { cid, pinned, bytes: sizeOf(blocks), lastUsedMs }
      })
    },
    async usage() {
      const pinned = new Set([...roots.values()].filter((root) => root.pinned).flatMap(({ blocks }) => blocks))
      const maxBytes = options.maxBytes()
      return { blocks: sizes.size, bytes: usedBytes, maxBytes, pinnedBytes: sizeOf(pinned), roots: roots.size }
    },
    async collectGarbage({ signal } = {}) {
      signal?.throwIfAborted()
      const loose = await removeLoose()
      return sum(loose, await evict(options.maxBytes()))
    },
    async clear() {
      let removed = nothing
      for (const [key, root] of [...roots]) if (!root.pinned) removed = sum(removed, await dropRoot(key))
      return sum(removed, await removeLoose())
    },
  }
}
