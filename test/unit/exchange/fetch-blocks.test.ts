import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ServiceProgress } from '../../../src/core/control/service.ts'
import { RegistryError } from '../../../src/core/errors.ts'
import { fetchBlocks } from '../../../src/core/exchange/fetch-blocks.ts'
import { blockStatus, blocksProtocol, encodeHave, encodeWants } from '../../../src/core/exchange/wire.ts'
import type { Block, BlockStore, PeerStream } from '../../../src/core/ports.ts'
import type { TestExchange } from './test-exchange.ts'
import { createTestExchange, sendBlock, testBlocks, whileTimePasses } from './test-exchange.ts'

let exchange: TestExchange
let blocks: Block[]

beforeEach(async () => {
  exchange = await createTestExchange()
  blocks = await testBlocks(60, 2_000)
})
afterEach(async () => {
  await exchange.stop()
  vi.useRealTimers()
})

const fakeTime = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })

function fetchFrom(
  providers: string[] | AsyncIterable<string>,
  options: {
    signal?: AbortSignal
    onProgress?(event: ServiceProgress): void
    store?: BlockStore
    parallel?: number
  } = {},
) {
  const { own: network, sha256, reputation, clock } = exchange
  return fetchBlocks(
    { network, blocks: options.store ?? exchange.store, sha256, reputation, clock, minPeerReputation: 0.7 },
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

const held = async () => (await exchange.store.has(blocks.map(({ cid }) => cid))).filter(Boolean).length

/** A store whose disk has room for so many blocks: stands for a full disk, which cannot be had here. */
function fullAfter(room: number): BlockStore {
  const { store } = exchange
  let left = room
  return {
    ...store,
    async putMany(added) {
      left -= added.length
      if (left < 0) throw new RegistryError('STORAGE_FULL', 'The disk is full.')
      await store.putMany(added)
    },
  }
}

describe('fetching blocks', () => {
  test('from one provider gets all, reports bytes and credits it', async () => {
    await exchange.honest('a', blocks)
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
    expect(exchange.reputation.record('a').bytes).toBeCloseTo(120_000, 0)
    expect(exchange.reputation.score('a')).toBe(1)
  })

  test('asks only for what is not held', async () => {
    await exchange.store.putMany(blocks.slice(0, 50))
    await exchange.honest('a', blocks)
    expect((await fetchFrom(['a'])).fetchedBytes).toBe(20_000)
    expect((await fetchFrom([])).fetchedBytes).toBe(0)
  })

  test('asks two providers that hold all for different blocks at the same time', async () => {
    const asked = new Set<string>()
    let bothAsked: () => void = () => undefined
    const bothWereAsked = new Promise<void>((resolve) => {
      bothAsked = resolve
    })
    const store = exchange.newStore()
    for (const peerId of ['a', 'b']) {
      // Neither answers before both were asked: each must have got work of its own.
      const waiting: BlockStore = {
        ...store,
        async get(cid) {
          asked.add(peerId)
          if (asked.size === 2) bothAsked()
          await bothWereAsked
          return store.get(cid)
        },
      }
      await exchange.honest(peerId, blocks, { blocks: waiting })
    }
    const { sources, fetchedBytes } = await fetchFrom(['a', 'b'])
    expect([...sources.keys()].sort()).toEqual(['a', 'b'])
    expect(fetchedBytes).toBe(120_000)
    expect(sources.get('a')! + sources.get('b')!).toBe(120_000)
  })

  test('from providers that hold parts gets the whole', async () => {
    await exchange.honest('a', blocks.slice(0, 25))
    await exchange.honest('b', blocks.slice(20, 45))
    await exchange.honest('c', blocks.slice(40))
    const { sources } = await fetchFrom(['a', 'b', 'c'])
    expect(await held()).toBe(60)
    expect([...sources.keys()].sort()).toEqual(['a', 'b', 'c'])
  })

  test('asks no more peers at once than it may', async () => {
    const open = { now: 0, most: 0 }
    for (const peerId of ['a', 'b', 'c']) {
      await exchange.strange(peerId, async (stream) => {
        open.most = Math.max(open.most, ++open.now)
        await stream.send(Uint8Array.of(blockStatus.missing))
        open.now--
      })
    }
    const found: ServiceProgress[] = []
    const fetching = fetchFrom(['a', 'b', 'c'], { parallel: 1, onProgress: (event) => found.push(event) })
    await expect(fetching).rejects.toMatchObject({ code: 'NO_PROVIDERS', message: expect.stringContaining('3 peers') })
    expect(open.most).toBe(1)
    expect(found).toHaveLength(3)
  })

  test('stores each block by itself, whatever buffer the transport brought it in', async () => {
    await exchange.honest('a', blocks)
    const stored: Block[] = []
    const { store } = exchange
    const watched: BlockStore = {
      ...store,
      async putMany(added) {
        stored.push(...added)
        await store.putMany(added)
      },
    }
    await fetchFrom(['a'], { store: watched })
    expect(stored).toHaveLength(60)
    for (const { bytes } of stored) expect(bytes.buffer.byteLength).toBe(2_000)
  })

  test('drops and charges who sends wrong bytes, and goes on with the next', async () => {
    await exchange.strange('liar', async (stream) => {
      await stream.send(encodeHave(3))
      await stream.send(Uint8Array.of(1, 2, 3))
    })
    await exchange.honest('a', blocks)
    const rejected: ServiceProgress[] = []
    const { sources } = await fetchFrom(['liar', 'a'], {
      parallel: 1,
      onProgress: (event) => event.type === 'block:rejected' && rejected.push(event),
    })
    expect([...sources.keys()]).toEqual(['a'])
    expect(rejected).toMatchObject([{ peerId: 'liar' }])
    expect(exchange.reputation.record('liar').faults).toBeGreaterThan(0.9)
    expect(exchange.reputation.record('a').faults).toBe(0)
  })

  test.each([
    ['an unknown status', async (stream: PeerStream) => stream.send(Uint8Array.of(77))],
    ['a block larger than any', async (stream: PeerStream) => stream.send(encodeHave(2 ** 31))],
  ])('charges %s as a broken protocol', async (_what, answer) => {
    await exchange.strange('rude', answer)
    await expect(fetchFrom(['rude'])).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
    expect(exchange.reputation.record('rude').faults).toBeGreaterThan(0.9)
  })

  test('replaces a provider that goes away in the middle, at no more cost than its score', async () => {
    await exchange.strange('mortal', async (stream, { index }) => {
      if (index >= 5) throw new Error('gone')
      await sendBlock(stream, blocks[index]!)
    })
    await exchange.honest('a', blocks)
    await fetchFrom(['mortal', 'a'], { parallel: 1 })
    expect(await held()).toBe(60)
    const { faults, failures } = exchange.reputation.record('mortal')
    expect(faults).toBe(0)
    expect(failures).toBeGreaterThan(0.9)
  })

  test('says what is missing when nobody has it, and keeps what arrived', async () => {
    await expect(fetchFrom([])).rejects.toMatchObject({ code: 'NO_PROVIDERS', hint: expect.stringContaining('peers') })
    await exchange.honest('a', blocks.slice(0, 30))
    await expect(fetchFrom(['a', 'nobody'])).rejects.toMatchObject({
      code: 'NO_PROVIDERS',
      message: expect.stringContaining('30 blocks'),
    })
    expect(await held()).toBe(30)
    expect(exchange.reputation.record('nobody').faults).toBe(0)
  })

  test('asks peers of low reputation only when no other is left', async () => {
    for (let time = 0; time < 5; time++) exchange.reputation.recordFailure('shady')
    await exchange.honest('shady', blocks)
    await exchange.honest('a', blocks)
    expect([...(await fetchFrom(['shady', 'a'])).sources.keys()]).toEqual(['a'])
    await exchange.store.clear()
    await exchange.hub.peers.get('a')!.network.stop()
    expect([...(await fetchFrom(['shady', 'a'])).sources.keys()]).toEqual(['shady'])
  })
})

describe('a provider that keeps us waiting', () => {
  beforeEach(fakeTime)

  const silent = (peerId: string) => exchange.strange(peerId, () => new Promise(() => undefined))

  test('for a moment is asked again, also when it refuses a long want-list as a whole', async () => {
    let refusals = 0
    await exchange.strange('busy', async (stream, { cid, request }) => {
      if (request > 0) return sendBlock(stream, blocks.find((block) => block.cid.equals(cid))!)
      refusals++
      await stream.send(Uint8Array.of(blockStatus.busy))
    })
    await whileTimePasses(fetchFrom(['busy']))
    expect(refusals).toBeGreaterThan(20)
    expect(await held()).toBe(60)
    expect(exchange.reputation.score('busy')).toBe(1)
  })

  test('because it limits requests delivers in the end, and charges nothing', async () => {
    const theirs = await exchange.honest('strict', blocks, { requestsPerMinute: 60 })
    // Others of our fetches have used up the budget.
    const stream = await exchange.own.openStream('strict', blocksProtocol)
    for (let request = 0; request < 60; request++) await stream.send(encodeWants([]))
    await stream.close()
    await whileTimePasses(fetchFrom(['strict']))
    expect(await held()).toBe(60)
    expect(theirs.record('own').faults).toBe(0)
    expect(exchange.reputation.score('strict')).toBe(1)
  })

  test('with refusals alone is given up', async () => {
    await exchange.strange('busy', async (stream) => stream.send(Uint8Array.of(blockStatus.busy)))
    await expect(whileTimePasses(fetchFrom(['busy']))).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('busy'),
      hint: expect.stringContaining('try again'),
    })
    expect(exchange.reputation.record('busy').faults).toBe(0)
  })

  test('in silence is replaced by the next, and loses only of its score', async () => {
    await silent('mute')
    await exchange.honest('a', blocks)
    await whileTimePasses(fetchFrom(['mute', 'a'], { parallel: 1 }))
    expect(await held()).toBe(60)
    const { faults, failures } = exchange.reputation.record('mute')
    expect(faults).toBe(0)
    expect(failures).toBeGreaterThan(0.9)
  })

  test('in silence is overtaken by one that answers, long before it is given up', async () => {
    await silent('mute')
    await silent('dumb')
    await exchange.honest('a', blocks)
    const startedMs = Date.now()
    const { sources } = await whileTimePasses(fetchFrom(['mute', 'dumb', 'a']))
    expect([...sources.keys()]).toEqual(['a'])
    expect(Date.now() - startedMs).toBeLessThan(5_000)
    // It was slower than another, which is no failure.
    expect(exchange.reputation.record('mute').failures).toBe(0)
  })

  test('in silence is a timeout when nobody else is there', async () => {
    await silent('mute')
    await expect(whileTimePasses(fetchFrom(['mute']))).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('60 blocks'),
    })
  })
})

describe('a fetch ends', () => {
  test('at an abort with its reason, keeping what has arrived', async () => {
    await exchange.honest('a', blocks)
    const reason = new Error('enough')
    const controller = new AbortController()
    const fetching = fetchFrom(['a'], {
      signal: controller.signal,
      onProgress: (event) => event.type === 'block:received' && event.bytes === 10_000 && controller.abort(reason),
    })
    await expect(fetching).rejects.toBe(reason)
    expect(await held()).toBeGreaterThanOrEqual(5)
    expect(await held()).toBeLessThan(60)
    expect(exchange.reputation.record('a')).toMatchObject({ failures: 0, faults: 0 })
  })

  test('at an abort while a peer is silent, which costs the peer nothing', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    await exchange.strange('slow', async () => {
      controller.abort(reason)
      await new Promise(() => undefined)
    })
    await expect(fetchFrom(['slow'], { signal: controller.signal })).rejects.toBe(reason)
    expect(exchange.reputation.record('slow')).toMatchObject({ failures: 0, faults: 0 })
  })

  test('before it begins when it was aborted before', async () => {
    await exchange.honest('a', blocks)
    const reason = new Error('never mind')
    await expect(fetchFrom(['a'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(await held()).toBe(0)
  })

  test('with the last block, though the search for providers goes on', async () => {
    await exchange.honest('a', blocks)
    async function* endless(): AsyncIterable<string> {
      yield 'a'
      await new Promise(() => undefined)
    }
    await fetchFrom(endless())
    expect(await held()).toBe(60)
  })

  test('with the error of a full disk, which costs no peer anything', async () => {
    await exchange.honest('a', blocks)
    await expect(fetchFrom(['a'], { store: fullAfter(0) })).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    expect(exchange.reputation.record('a')).toMatchObject({ failures: 0, faults: 0 })
  })

  test('with the error of a disk that fills up on the way, and asks nobody else', async () => {
    blocks = await testBlocks(2_500, 8)
    await exchange.honest('a', blocks)
    await exchange.honest('b', blocks)
    const found: ServiceProgress[] = []
    const fetching = fetchFrom(['a', 'b'], {
      store: fullAfter(1_000),
      parallel: 1,
      onProgress: (event) => event.type === 'provider:found' && found.push(event),
    })
    await expect(fetching).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    expect(found).toEqual([{ type: 'provider:found', peerId: 'a' }])
    expect(await held()).toBe(512)
    expect(exchange.reputation.record('a')).toMatchObject({ failures: 0, faults: 0 })
  })
})
