import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { blockStatus, blocksProtocol, encodeWants, readAnswer } from '../../../src/core/exchange/wire.ts'
import { limits } from '../../../src/core/limits.ts'
import type { Block, BlockStore, PeerStream } from '../../../src/core/ports.ts'
import type { ByteReader } from '../../../src/core/wire/byte-reader.ts'
import { createByteReader } from '../../../src/core/wire/byte-reader.ts'
import { encodeFrame, encodeVarint } from '../../../src/core/wire/frames.ts'
import type { TestExchange } from './test-exchange.ts'
import { createTestExchange, testBlocks } from './test-exchange.ts'

const clock = { time: 1_000_000, now: () => clock.time }
let exchange: TestExchange
let blocks: Block[]

beforeEach(async () => {
  exchange = await createTestExchange(clock)
  blocks = await testBlocks(10, 2_000)
})
afterEach(() => exchange.stop())

async function open(peerId: string): Promise<{ stream: PeerStream; reader: ByteReader }> {
  const stream = await exchange.own.openStream(peerId, blocksProtocol)
  return { stream, reader: createByteReader(stream.receive(), { idleTimeoutMs: 10_000 }) }
}

async function ask(peerId: string, wanted: readonly Block[]): Promise<(Uint8Array | 'missing' | 'busy')[]> {
  const { stream, reader } = await open(peerId)
  await stream.send(encodeWants(wanted.map(({ cid }) => cid)))
  await stream.close()
  const answers: Awaited<ReturnType<typeof readAnswer>>[] = []
  for (const _want of wanted) answers.push(await readAnswer(reader))
  // Nothing more than was asked for.
  expect(await reader.varint()).toBeUndefined()
  return answers
}

const isBlock = (answer: unknown, block: Block) =>
  answer instanceof Uint8Array && Buffer.compare(answer, block.bytes) === 0

describe('serving blocks', () => {
  test('answers each want in its order, with what is held and what is not', async () => {
    const [a, b, c] = blocks as [Block, Block, Block]
    await exchange.honest('server', [a, c])
    const answers = await ask('server', [c, b, a])
    expect(isBlock(answers[0], c)).toBe(true)
    expect(answers[1]).toBe('missing')
    expect(isBlock(answers[2], a)).toBe(true)
  })

  test('answers one want-list after the other on one stream, and an empty one with nothing', async () => {
    await exchange.honest('server', blocks)
    const { stream, reader } = await open('server')
    for (const block of blocks) await stream.send(encodeWants([block.cid]))
    await stream.send(encodeWants([]))
    await stream.close()
    for (const block of blocks) expect(isBlock(await readAnswer(reader), block)).toBe(true)
    expect(await reader.varint()).toBeUndefined()
  })

  test.each([
    ['large ones, which go out as they are', 3, 200_000],
    ['many small ones, which are gathered', 400, 2_000],
    ['the largest there are', 2, limits.maxBlockBytes],
  ])('delivers blocks of every size: %s', async (_what, count, size) => {
    const held = await testBlocks(count, size)
    await exchange.honest('server', held)
    const answers = await ask('server', held)
    expect(answers.every((answer, index) => isBlock(answer, held[index]!))).toBe(true)
  })

  test('gathers small blocks into large writes', async () => {
    const held = await testBlocks(400, 2_000)
    await exchange.honest('server', held)
    const stream = await exchange.own.openStream('server', blocksProtocol)
    await stream.send(encodeWants(held.map(({ cid }) => cid)))
    await stream.close()
    const sizes: number[] = []
    for await (const chunk of stream.receive()) sizes.push(chunk.length)
    expect(sizes.length).toBeLessThan(10)
    expect(Math.max(...sizes)).toBeLessThan(300_000)
  })

  test('calls a block missing that is corrupt on its disk, rather than send it', async () => {
    await exchange.honest('server', blocks)
    // The memory store keeps the very bytes it was given.
    blocks[1]!.bytes[5]! ^= 1
    const answers = await ask('server', blocks.slice(0, 3))
    expect(isBlock(answers[0], blocks[0]!)).toBe(true)
    expect(answers[1]).toBe('missing')
    expect(isBlock(answers[2], blocks[2]!)).toBe(true)
  })

  test('answers busy beyond the budget, for every block that was wanted, until a minute has passed', async () => {
    const theirs = await exchange.honest('server', blocks, { requestsPerMinute: 1 })
    expect(isBlock((await ask('server', blocks.slice(0, 1)))[0], blocks[0]!)).toBe(true)
    expect(await ask('server', blocks.slice(0, 3))).toEqual(['busy', 'busy', 'busy'])
    clock.time += 60_000
    expect(isBlock((await ask('server', blocks.slice(0, 1)))[0], blocks[0]!)).toBe(true)
    expect(theirs.record('own').faults).toBe(0)
  })

  test('charges who goes on asking while it is told busy', async () => {
    const theirs = await exchange.honest('server', blocks, { requestsPerMinute: 1 })
    const { stream, reader } = await open('server')
    const insist = async (times: number) => {
      for (let time = 0; time < times; time++) {
        await stream.send(encodeWants([blocks[0]!.cid]))
        await readAnswer(reader)
      }
    }
    await insist(21)
    expect(theirs.record('own').faults).toBe(0)
    await insist(1)
    expect(theirs.record('own').faults).toBe(1)
  })

  test.each([
    ['bytes that are no CIDs in number', encodeFrame(new Uint8Array(7))],
    ['bytes that are no CIDs in kind', encodeFrame(new Uint8Array(36))],
    ['more than may be wanted at once', encodeVarint(36 * (limits.maxWantedBlocks + 1))],
    ['a length without end', new Uint8Array(6).fill(0xff)],
  ])('resets the stream of who sends %s, and charges it', async (_what, bytes) => {
    const theirs = await exchange.honest('server', blocks)
    const { stream, reader } = await open('server')
    await stream.send(bytes)
    await expect(reader.bytes(1)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(theirs.record('own').faults).toBe(1)
  })

  test('charges nobody who goes away in the middle of a want-list', async () => {
    const theirs = await exchange.honest('server', blocks)
    const { stream, reader } = await open('server')
    await stream.send(encodeWants([blocks[0]!.cid]).subarray(0, 20))
    await stream.close()
    await expect(reader.bytes(1)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(theirs.record('own')).toMatchObject({ failures: 0, faults: 0 })
  })

  test('resets the stream when its own disk fails, which costs the peer nothing', async () => {
    const store = exchange.newStore()
    const broken: BlockStore = {
      ...store,
      // Stands for a disk that cannot be had here.
      async get(cid, options) {
        if (cid.equals(blocks[1]!.cid)) throw new Error('The disk cannot be read.')
        return store.get(cid, options)
      },
    }
    const theirs = await exchange.honest('server', blocks, { blocks: broken })
    const { stream, reader } = await open('server')
    await stream.send(encodeWants(blocks.map(({ cid }) => cid)))
    await expect(reader.bytes(100_000)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(theirs.record('own')).toMatchObject({ failures: 0, faults: 0 })
    // The next one is served as ever.
    expect(isBlock((await ask('server', blocks.slice(2, 3)))[0], blocks[2]!)).toBe(true)
  })

  test('knows three answers', () => {
    expect(blockStatus).toEqual({ missing: 0, have: 1, busy: 2 })
  })
})
