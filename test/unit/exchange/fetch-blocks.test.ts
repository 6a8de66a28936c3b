import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createBlock } from '../../../src/core/blocks/block.ts'
import { webcryptoSha256 as sha256 } from '../../../src/core/blocks/webcrypto-sha256.ts'
import type { ServiceProgress } from '../../../src/core/control/service.ts'
import { RegistryError } from '../../../src/core/errors.ts'
import { fetchBlocks } from '../../../src/core/exchange/fetch-blocks.ts'
import { serveBlocks } from '../../../src/core/exchange/serve-blocks.ts'
import { blockStatus, blocksProtocol, encodeHave, readWants } from '../../../src/core/exchange/wire.ts'
import type { Block, BlockStore, PeerNetwork, PeerStream } from '../../../src/core/ports.ts'
import type { Reputation } from '../../../src/core/reputation/reputation.ts'
import { createReputation } from '../../../src/core/reputation/reputation.ts'
import { createByteReader } from '../../../src/core/wire/byte-reader.ts'
import { encodeFrame } from '../../../src/core/wire/frames.ts'
import { createMemoryState } from '../../../src/storage/memory.ts'
import { createMemoryBlocks } from '../../../src/storage/memory-blocks.ts'
import { createMemoryHub, createMemoryNetwork } from '../../../src/transports/memory.ts'

const clock = { now: () => Date.now() }
let hub: ReturnType<typeof createMemoryHub>
let own: PeerNetwork
let store: BlockStore
let reputation: Reputation
let blocks: Block[]

beforeEach(async () => {
  hub = createMemoryHub()
  own = createMemoryNetwork(hub, { peerId: 'own' })
  await own.start()
  store = newStore()
  reputation = newReputation()
  blocks = await Promise.all(
    Array.from({ length: 60 }, () => createBlock('raw', new Uint8Array(randomBytes(2_000)), sha256)),
  )
})
afterEach(() => reputation.stop())

const newStore = () => createMemoryBlocks({ maxBytes: 1e9, sha256, clock })
const newReputation = () =>
  createReputation({ state: createMemoryState(), clock, banThreshold: 10, onBan: () => undefined })

/** An honest provider of some of the blocks. */
async function honest(
  peerId: string,
  held: readonly Block[],
  options: { requestsPerMinute?: number; reputation?: Reputation } = {},
): Promise<void> {
  const network = createMemoryNetwork(hub, { peerId })
  await network.start()
  const blockStore = newStore()
  await blockStore.putMany(held)
  const { requestsPerMinute = 1000 } = options
  await serveBlocks({
    network,
    blocks: blockStore,
    reputation: options.reputation ?? newReputation(),
    clock,
    requestsPerMinute,
  })
}

/** A provider that answers each wanted block as it likes. */
async function strange(peerId: string, answer: (stream: PeerStream, index: number) => Promise<void>): Promise<void> {
  const network = createMemoryNetwork(hub, { peerId })
  await network.start()
  await network.handle(blocksProtocol, async (stream) => {
    const reader = createByteReader(stream.receive(), { idleTimeoutMs: 10_000 })
    let index = 0
    for (let wants = await readWants(reader); wants !== undefined; wants = await readWants(reader)) {
      for (const _want of wants) await answer(stream, index++)
    }
  })
}

function fetchFrom(
  providers: string[] | AsyncIterable<string>,
  options: {
    signal?: AbortSignal
    onProgress?(event: ServiceProgress): void
    blocks?: BlockStore
    parallel?: number
  } = {},
) {
  return fetchBlocks(
    { network: own, blocks: options.blocks ?? store, sha256, reputation, clock, minPeerReputation: 0.7 },
    {
      cids: blocks.map(({ cid }) => cid),
      providers,
      parallel: options.parallel ?? 4,
      label: { package: 'demo', totalBytes: 120_000 },
      signal: options.signal,
      onProgress: options.onProgress,
    },
  )
}

const held = async () => (await store.has(blocks.map(({ cid }) => cid))).filter(Boolean).length

describe('fetching blocks', () => {
  test('from one provider gets all, reports bytes and credits it', async () => {
    await honest('a', blocks)
    const events: ServiceProgress[] = []
    const result = await fetchFrom(['a'], { onProgress: (event) => events.push(event) })
    expect(result.fetchedBytes).toBe(120_000)
    expect([...result.sources]).toEqual([['a', 120_000]])
    expect(events[0]).toEqual({ type: 'provider:found', peerId: 'a' })
    expect(events.at(-1)).toMatchObject({
      type: 'block:received',
      bytes: 120_000,
      totalBytes: 120_000,
      package: 'demo',
    })
    expect(await held()).toBe(60)
    expect(reputation.record('a').bytes).toBeCloseTo(120_000, 0)
    expect(reputation.score('a')).toBe(1)
  })

  test('asks only for what is not held', async () => {
    await store.putMany(blocks.slice(0, 50))
    await honest('a', blocks)
    expect((await fetchFrom(['a'])).fetchedBytes).toBe(20_000)
    expect((await fetchFrom([])).fetchedBytes).toBe(0)
  })

  test('from providers that hold parts gets the whole', async () => {
    await honest('a', blocks.slice(0, 25))
    await honest('b', blocks.slice(20, 45))
    await honest('c', blocks.slice(40))
    const { sources } = await fetchFrom(['a', 'b', 'c'])
    expect(await held()).toBe(60)
    expect([...sources.keys()].sort()).toEqual(['a', 'b', 'c'])
  })

  test('drops and charges who sends wrong bytes, and goes on with the next', async () => {
    await strange('liar', async (stream) => {
      await stream.send(encodeHave(3))
      await stream.send(Uint8Array.of(1, 2, 3))
    })
    await honest('a', blocks)
    const rejected: ServiceProgress[] = []
    const { sources } = await fetchFrom(['liar', 'a'], {
      parallel: 1,
      onProgress: (event) => event.type === 'block:rejected' && rejected.push(event),
    })
    expect([...sources.keys()]).toEqual(['a'])
    expect(rejected).toMatchObject([{ peerId: 'liar' }])
    expect(reputation.record('liar').faults).toBeGreaterThan(0.9)
    expect(reputation.record('a').faults).toBe(0)
  })

  test.each([
    ['an unknown status', async (stream: PeerStream) => stream.send(Uint8Array.of(77))],
    ['a block larger than any', async (stream: PeerStream) => stream.send(encodeHave(2 ** 31))],
  ])('charges %s as a broken protocol', async (_what, answer) => {
    await strange('rude', answer)
    await expect(fetchFrom(['rude'])).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
    expect(reputation.record('rude').faults).toBeGreaterThan(0.9)
  })

  test('replaces a provider that goes away in the middle, at no more cost than its score', async () => {
    await strange('mortal', async (stream, index) => {
      if (index >= 5) throw new Error('gone')
      const { bytes } = blocks[index]!
      await stream.send(encodeHave(bytes.length))
      await stream.send(bytes)
    })
    await honest('a', blocks)
    await fetchFrom(['mortal', 'a'], { parallel: 1 })
    expect(await held()).toBe(60)
    expect(reputation.record('mortal')).toMatchObject({ faults: 0 })
  })

  test('asks again who is busy', async () => {
    let busy = 3
    await strange('busy', async (stream, index) => {
      if (busy-- > 0) return stream.send(Uint8Array.of(blockStatus.busy))
      void index
      return stream.send(Uint8Array.of(blockStatus.missing))
    })
    await expect(fetchFrom(['busy'])).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
    expect(busy).toBeLessThan(0)
  })

  test('asks peers of low reputation only when no other is left', async () => {
    for (let time = 0; time < 5; time++) reputation.recordFailure('shady')
    await honest('shady', blocks)
    await honest('a', blocks)
    expect([...(await fetchFrom(['shady', 'a'])).sources.keys()]).toEqual(['a'])
    await store.clear()
    await hub.peers.get('a')!.network.stop()
    expect([...(await fetchFrom(['shady', 'a'])).sources.keys()]).toEqual(['shady'])
  })

  test('says what is missing when nobody has it, and keeps what arrived', async () => {
    await expect(fetchFrom([])).rejects.toMatchObject({ code: 'NO_PROVIDERS', hint: expect.stringContaining('peers') })
    await honest('a', blocks.slice(0, 30))
    await expect(fetchFrom(['a', 'nobody'])).rejects.toMatchObject({
      code: 'NO_PROVIDERS',
      message: expect.stringContaining('30 blocks'),
    })
    expect(await held()).toBe(30)
  })

  test('stops at an abort with its reason, and does not wait for a search that goes on', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    await strange('slow', async () => {
      controller.abort(reason)
      await new Promise(() => undefined)
    })
    await expect(fetchFrom(['slow'], { signal: controller.signal })).rejects.toBe(reason)
    await honest('a', blocks)
    async function* endless(): AsyncIterable<string> {
      yield 'a'
      await new Promise(() => undefined)
    }
    await fetchFrom(endless())
    expect(await held()).toBe(60)
  })

  test('ends with the error of a full disk, which costs no peer anything', async () => {
    await honest('a', blocks)
    const full: BlockStore = {
      ...newStore(),
      // Stands for a disk that cannot be had here.
      async putMany() {
        throw new RegistryError('STORAGE_FULL', 'The disk is full.')
      },
    }
    await expect(fetchFrom(['a'], { blocks: full })).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    expect(reputation.record('a')).toMatchObject({ failures: 0, faults: 0 })
  })
})

describe('serving blocks', () => {
  async function raw(peerId: string): Promise<PeerStream> {
    return own.openStream(peerId, blocksProtocol)
  }

  test('charges a want-list that is none', async () => {
    const theirs = newReputation()
    await honest('a', blocks, { reputation: theirs })
    for (const frame of [new Uint8Array(7), new Uint8Array(36)]) {
      const stream = await raw('a')
      await stream.send(encodeFrame(frame))
      const reader = createByteReader(stream.receive(), { idleTimeoutMs: 10_000 })
      await expect(reader.bytes(1)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    }
    expect(theirs.record('own').faults).toBeGreaterThan(1.9)
    await theirs.stop()
  })

  test('answers busy beyond the budget', async () => {
    await honest('a', blocks, { requestsPerMinute: 1 })
    const stream = await raw('a')
    const reader = createByteReader(stream.receive(), { idleTimeoutMs: 10_000 })
    const ask = () => stream.send(encodeFrame(blocks[0]!.cid.bytes))
    await ask()
    expect([...(await reader.bytes(1))]).toEqual([blockStatus.have])
    await reader.bytes((await reader.varint())!)
    await ask()
    expect([...(await reader.bytes(1))]).toEqual([blockStatus.busy])
  })
})
