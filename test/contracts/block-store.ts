import type { CID } from 'multiformats/cid'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createBlock } from '../../src/core/blocks/block.ts'
import { equalBytes } from '../../src/core/blocks/node-codec.ts'
import { webcryptoSha256 } from '../../src/core/blocks/webcrypto-sha256.ts'
import type { Block, BlockStore } from '../../src/core/ports.ts'
import { randomBytes } from '../support/bytes.ts'

const blockOf = (size: number): Promise<Block> => createBlock('raw', randomBytes(size), webcryptoSha256)
const blocksOf = (...sizes: number[]): Promise<Block[]> => Promise.all(sizes.map(blockOf))
const cidsOf = (blocks: readonly Block[]): CID[] => blocks.map(({ cid }) => cid)

/** What every BlockStore must do. `make` gives a store that is not started, with room for 1,000,000 bytes. */
export function describeBlockStore(name: string, make: (clock: { now(): number }) => Promise<BlockStore>): void {
  describe(`${name} as a block store`, () => {
    const clock = { time: 1_000_000, now: () => clock.time }
    let store: BlockStore

    beforeEach(async () => {
      store = await make(clock)
      await store.start()
    })
    afterEach(() => store.stop())

    async function putPackage(blocks: Block[], pinned = false): Promise<CID> {
      await store.putMany(blocks)
      await store.putRoot(blocks[0]!.cid, cidsOf(blocks), { pinned })
      clock.time += 1000
      return blocks[0]!.cid
    }

    test('gives back what was put, small and large, and answers in order', async () => {
      const blocks = await blocksOf(0, 1, 64 * 1024, 64 * 1024 + 1, 200_000)
      const absent = await blockOf(10)
      await store.putMany(blocks)
      expect(await store.has([absent.cid, ...cidsOf(blocks)])).toEqual([false, true, true, true, true, true])
      for (const { cid, bytes } of blocks)
        expect(equalBytes((await store.get(cid, { verify: true }))!, bytes)).toBe(true)
      expect(await store.get(absent.cid)).toBeUndefined()
      expect(await store.usage()).toMatchObject({
        blocks: 5,
        bytes: 1 + 64 * 1024 * 2 + 1 + 200_000,
        maxBytes: 1_000_000,
      })
    })

    test('puts the same block once', async () => {
      const block = await blockOf(100)
      await store.putMany([block, block])
      await store.putMany([block])
      expect(await store.usage()).toMatchObject({ blocks: 1, bytes: 100 })
    })

    test('refuses wrong bytes, and then stores nothing of the batch', async () => {
      const [right, wrong] = await blocksOf(10, 20)
      const batch = [right!, { cid: wrong!.cid, bytes: new Uint8Array(20) }]
      await expect(store.putMany(batch)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
      expect(await store.has(cidsOf(batch))).toEqual([false, false])
    })

    test('deletes blocks', async () => {
      const blocks = await blocksOf(10, 100_000)
      await store.putMany(blocks)
      await store.delete(cidsOf(blocks))
      expect(await store.has(cidsOf(blocks))).toEqual([false, false])
      expect(await store.usage()).toMatchObject({ blocks: 0, bytes: 0 })
    })

    test('lists roots by last use, with their sizes', async () => {
      const first = await putPackage(await blocksOf(10, 20))
      const second = await putPackage(await blocksOf(30), true)
      await store.touchRoot(first)
      const roots = await store.roots()
      expect(roots.map(({ cid, bytes, pinned }) => [cid.toString(), bytes, pinned])).toEqual([
        [second.toString(), 30, true],
        [first.toString(), 30, false],
      ])
      expect(await store.usage()).toMatchObject({ roots: 2, pinnedBytes: 30 })
    })

    test('evicts whole roots, least recently used first, when the limit is passed; never a pinned one, never the new one', async () => {
      const pinned = await putPackage(await blocksOf(400_000), true)
      const old = await blocksOf(10, 300_000)
      await putPackage(old)
      const middle = await putPackage(await blocksOf(250_000))
      await store.touchRoot(old[0]!.cid)
      clock.time += 1000
      const newest = await putPackage(await blocksOf(200_000))
      expect((await store.roots()).map(({ cid }) => cid.toString()).sort()).toEqual(
        [pinned, old[0]!.cid, newest].map(String).sort(),
      )
      expect(await store.has([middle])).toEqual([false])
      const huge = await putPackage(await blocksOf(700_000))
      expect((await store.roots()).map(({ cid }) => cid.toString()).sort()).toEqual([pinned, huge].map(String).sort())
      expect(await store.has(cidsOf(old))).toEqual([false, false])
    })

    test('keeps blocks that another root shares', async () => {
      const [shared, own, other] = await blocksOf(10, 20, 30)
      const first = await putPackage([own!, shared!])
      await putPackage([other!, shared!])
      await store.deleteRoot(first)
      expect(await store.has(cidsOf([shared!, own!, other!]))).toEqual([true, false, true])
    })

    test('spares, when it evicts or deletes, blocks that have no root yet', async () => {
      const loose = await blocksOf(10, 100_000)
      await store.putMany(loose)
      const old = await putPackage(await blocksOf(800_000))
      await store.deleteRoot(await putPackage(await blocksOf(30)))
      await putPackage(await blocksOf(300_000))
      expect(await store.has([old, ...cidsOf(loose)])).toEqual([false, true, true])
    })

    test('declares no root over blocks that are not there', async () => {
      const [held, absent] = await blocksOf(10, 20)
      await store.putMany([held!])
      await expect(store.putRoot(held!.cid, cidsOf([held!, absent!]), { pinned: true })).rejects.toMatchObject({
        code: 'STORAGE_CORRUPT',
      })
      expect(await store.roots()).toEqual([])
    })

    test('changes a root when it is put again', async () => {
      const blocks = await blocksOf(10, 20)
      const root = await putPackage(blocks)
      await store.putRoot(root, cidsOf(blocks), { pinned: true })
      expect(await store.roots()).toMatchObject([{ pinned: true, bytes: 30 }])
    })

    test('collects garbage: leftovers in time, and no block of a root', async () => {
      const kept = await blocksOf(10, 20)
      await putPackage(kept)
      await store.putMany(await blocksOf(40, 100_000))
      clock.time += 24 * 3600_000
      expect(await store.collectGarbage()).toEqual({ removedBlocks: 2, removedBytes: 100_040 })
      expect(await store.collectGarbage()).toEqual({ removedBlocks: 0, removedBytes: 0 })
      expect(await store.has(cidsOf(kept))).toEqual([true, true])
    })

    test('clears everything that is not pinned', async () => {
      const pinned = await blocksOf(10, 20)
      await putPackage(pinned, true)
      await putPackage(await blocksOf(30))
      await store.putMany(await blocksOf(40))
      expect(await store.clear()).toEqual({ removedBlocks: 2, removedBytes: 70 })
      expect(await store.has(cidsOf(pinned))).toEqual([true, true])
      expect(await store.usage()).toMatchObject({ blocks: 2, bytes: 30, roots: 1, pinnedBytes: 30 })
    })
  })
}
