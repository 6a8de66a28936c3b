import { beforeEach, expect, test } from 'vitest'
import { RegistryError } from '../../../src/core/errors.ts'
import { createBlockWriter } from '../../../src/core/exchange/block-writer.ts'
import { limits } from '../../../src/core/limits.ts'
import type { Block, BlockStore } from '../../../src/core/ports.ts'
import { createMemoryBlocks } from '../../../src/storage/memory-blocks.ts'
import { nodeSha256 as sha256 } from '../../../src/storage/node-sha256.ts'
import { testBlocks } from './test-exchange.ts'

let store: BlockStore
let batches: number[]
/** What a write waits for, or fails with. */
let beforeWrite: () => Promise<void>

beforeEach(() => {
  const memory = createMemoryBlocks({ maxBytes: 1e9, sha256, clock: { now: () => 0 } })
  batches = []
  beforeWrite = async () => undefined
  store = {
    ...memory,
    async putMany(blocks) {
      batches.push(blocks.length)
      await beforeWrite()
      await memory.putMany(blocks)
    },
  }
})

const heldOf = async (blocks: Block[]) => (await store.has(blocks.map(({ cid }) => cid))).filter(Boolean).length

test('blocks are written in large transactions, the rest at the end', async () => {
  const blocks = await testBlocks(1_100, 8)
  const writer = createBlockWriter(store)
  for (const block of blocks) await writer.add(block)
  await writer.finish()
  expect(batches).toEqual([512, 512, 76])
  expect(await heldOf(blocks)).toBe(1_100)
  expect(writer.failure).toBeUndefined()
})

test('few large blocks are a transaction too', async () => {
  const blocks = await testBlocks(5, limits.fetchBufferBytes / 8)
  const writer = createBlockWriter(store)
  for (const block of blocks) await writer.add(block)
  await writer.finish()
  expect(batches).toEqual([4, 1])
})

test('nothing is written where nothing was added', async () => {
  await createBlockWriter(store).finish()
  expect(batches).toEqual([])
})

test('one batch fills while another is written, and a third has to wait', async () => {
  const blocks = await testBlocks(1_024, 8)
  let release: () => void = () => undefined
  const written = new Promise<void>((resolve) => {
    release = resolve
  })
  beforeWrite = () => written
  const writer = createBlockWriter(store)
  for (const block of blocks.slice(0, 1_023)) await writer.add(block)
  expect(batches).toEqual([512])
  let added = false
  const adding = writer.add(blocks[1_023]!).then(() => {
    added = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(added).toBe(false)
  release()
  await adding
  await writer.finish()
  expect(batches).toEqual([512, 512])
  expect(await heldOf(blocks)).toBe(1_024)
})

test('a failed write is known at once, and fails all that follows', async () => {
  const failure = new RegistryError('STORAGE_FULL', 'The disk is full.')
  beforeWrite = async () => {
    throw failure
  }
  const blocks = await testBlocks(1_025, 8)
  const writer = createBlockWriter(store)
  for (const block of blocks.slice(0, 1_023)) await writer.add(block)
  expect(writer.failure).toEqual({ reason: failure })
  await expect(writer.add(blocks[1_023]!)).rejects.toBe(failure)
  await writer.add(blocks[1_024]!)
  await expect(writer.finish()).rejects.toBe(failure)
  expect(batches).toEqual([512])
})

test('a last write that fails is the failure of finishing', async () => {
  const failure = new RegistryError('STORAGE_FULL', 'The disk is full.')
  beforeWrite = async () => {
    throw failure
  }
  const writer = createBlockWriter(store)
  await writer.add((await testBlocks(1, 8))[0]!)
  await expect(writer.finish()).rejects.toBe(failure)
})
