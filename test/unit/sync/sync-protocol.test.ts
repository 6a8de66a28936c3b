import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RegistryError } from '../../../src/core/errors.ts'
import { limits } from '../../../src/core/limits.ts'
import { verifyEntry } from '../../../src/core/log/entry.ts'
import type { VerifiedEntry } from '../../../src/core/log/types.ts'
import type { EntryStore, PeerNetwork, PeerStream } from '../../../src/core/ports.ts'
import type { Reputation } from '../../../src/core/reputation/reputation.ts'
import { createReputation } from '../../../src/core/reputation/reputation.ts'
import { createDigestSet, summariesBytes } from '../../../src/core/sync/digest-set.ts'
import type { Sync } from '../../../src/core/sync/sync-protocol.ts'
import { createSync, syncProtocol } from '../../../src/core/sync/sync-protocol.ts'
import type { ByteReader } from '../../../src/core/wire/byte-reader.ts'
import { createByteReader } from '../../../src/core/wire/byte-reader.ts'
import { concatBytes, encodeFrame, encodeVarint } from '../../../src/core/wire/frames.ts'
import { createEntryTable } from '../../../src/storage/entry-table.ts'
import { createMemoryState } from '../../../src/storage/memory.ts'
import { nodeSha256 as sha256 } from '../../../src/storage/node-sha256.ts'
import { createMemoryHub, createMemoryNetwork } from '../../../src/transports/memory.ts'
import { testSigner } from '../identity/test-signers.ts'
import { createTestLog } from '../log/test-entries.ts'
import { createPlainStore, plainEntry } from './test-sync.ts'

const clock = { now: () => 1_700_000_000_000 }
let hub: ReturnType<typeof createMemoryHub>
let reputations: Reputation[]

beforeEach(() => {
  hub = createMemoryHub()
  reputations = []
})
afterEach(() => Promise.all(reputations.map((reputation) => reputation.stop())))

interface Node {
  network: PeerNetwork
  sync: Sync
  reputation: Reputation
}

/** A node that reconciles what is in `entries`. */
async function node(
  peerId: string,
  { entries, accept }: { entries: EntryStore; accept: Parameters<typeof createSync>[0]['accept'] },
): Promise<Node> {
  const network = createMemoryNetwork(hub, { peerId })
  await network.start()
  const reputation = createReputation({
    state: createMemoryState(),
    clock,
    banThreshold: 10,
    onBan: () => undefined,
  })
  reputations.push(reputation)
  const sync = createSync({ network, entries, reputation, clock, accept })
  await sync.serve()
  return { network, sync, reputation }
}

/** A peer that answers reconciliations as it likes, after it has read the asker's summaries. */
async function strange(
  peerId: string,
  answer: (stream: PeerStream, reader: ByteReader) => Promise<void>,
): Promise<void> {
  const network = createMemoryNetwork(hub, { peerId })
  await network.start()
  await network.handle(syncProtocol, async (stream) => {
    const reader = createByteReader(stream.receive(), { idleTimeoutMs: 10_000 })
    await reader.frame(summariesBytes)
    await answer(stream, reader)
  })
}

const endOfList = encodeFrame(new Uint8Array(0))
const numbers = (from: number, to: number) =>
  Promise.all(Array.from({ length: to - from }, (_, at) => plainEntry(from + at)))

describe('reconciliation', () => {
  test('makes both sides hold the union, whatever they held', async () => {
    const some = fc.uniqueArray(fc.nat(60), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(some, some, async (left, right) => {
        hub = createMemoryHub()
        const a = createPlainStore(await Promise.all(left.map((number) => plainEntry(number))))
        const b = createPlainStore(await Promise.all(right.map((number) => plainEntry(number))))
        const asker = await node('a', a)
        await node('b', b)
        const moved = await asker.sync.syncWith('b')
        expect(moved).toEqual({
          received: right.filter((number) => !left.includes(number)).length,
          sent: left.filter((number) => !right.includes(number)).length,
        })
        const union = await Promise.all([...new Set([...left, ...right])].map((number) => plainEntry(number)))
        const expected = createPlainStore(union).digests()
        expect(a.digests()).toEqual(expected)
        await settled(() => b.digests().length === expected.length)
        expect(b.digests()).toEqual(expected)
        expect(a.accepted).toHaveLength(moved.received)
        expect(b.accepted).toHaveLength(moved.sent)
      }),
      { numRuns: 30 },
    )
  })

  test('carries signed entries both ways, in the order of their logs', async () => {
    const [ada, bob] = [createTestLog(await testSigner(1)), createTestLog(await testSigner(2))]
    const versions = Array.from({ length: 20 }, (_, at) => `1.0.${at}`)
    const [a, b] = await Promise.all([verifyingStore(), verifyingStore()])
    for (const version of versions) {
      await a.entries.putMany([await ada.release(version)])
      await b.entries.putMany([await bob.release(version)])
    }
    const asker = await node('a', a)
    await node('b', b)
    expect(await asker.sync.syncWith('b')).toEqual({ received: 20, sent: 20 })
    await settled(async () => (await b.entries.count()).entries === 40)
    expect(await a.entries.cids()).toEqual(await b.entries.cids())
    for (const { came } of [a, b]) expect(came.map(({ entry }) => entry.seq)).toEqual(versions.map((_, at) => at))
  })

  test('costs equal sets one message of 9 KiB', async () => {
    const entries = await numbers(0, 50)
    const a = createPlainStore(entries)
    const asker = await node('a', a)
    await node('b', createPlainStore(entries.toReversed()))
    const traffic = countTraffic(asker.network)
    const sync = createSync({ ...asker, network: traffic.network, entries: a.entries, clock, accept: a.accept })
    expect(await sync.syncWith('b')).toEqual({ received: 0, sent: 0 })
    // The summaries and two empty lists; back come two empty lists.
    expect(traffic.sent).toBe(2 + summariesBytes + 2)
    expect(traffic.received).toBe(2)
  })

  test('notices entries that came since the last one', async () => {
    const a = createPlainStore(await numbers(0, 10))
    const b = createPlainStore(await numbers(5, 15))
    const asker = await node('a', a)
    await node('b', b)
    expect(await asker.sync.syncWith('b')).toEqual({ received: 5, sent: 5 })
    await settled(() => b.digests().length === 15)
    expect(await asker.sync.syncWith('b')).toEqual({ received: 0, sent: 0 })
    await a.accept([(await plainEntry(100)).envelope])
    await b.accept([(await plainEntry(200)).envelope])
    expect(await asker.sync.syncWith('b')).toEqual({ received: 1, sent: 1 })
  })

  test('takes many entries in lists and batches of bounded size', async () => {
    const many = await numbers(0, 5_000)
    const a = createPlainStore()
    const batches: number[] = []
    const asker = await node('a', {
      entries: a.entries,
      accept: (envelopes) => {
        batches.push(envelopes.length)
        return a.accept(envelopes)
      },
    })
    await node('b', createPlainStore(many))
    expect(await asker.sync.syncWith('b')).toEqual({ received: 5_000, sent: 0 })
    expect(a.digests()).toHaveLength(5_000)
    expect(Math.max(...batches)).toBe(256)
  })

  test('hands an entry on as bytes of its own, not a view of the transport’s buffer', async () => {
    const a = createPlainStore()
    const asker = await node('a', a)
    await node('b', createPlainStore(await numbers(0, 5)))
    await asker.sync.syncWith('b')
    for (const envelope of a.accepted) expect(envelope.buffer.byteLength).toBe(envelope.length)
  })

  test('sends nothing for an entry that was wanted but is not held', async () => {
    const entries = await numbers(0, 3)
    const b = createPlainStore(entries)
    const forgetful = { ...b.entries, get: async () => undefined }
    const asker = await node('a', createPlainStore())
    await node('b', { ...b, entries: forgetful })
    expect(await asker.sync.syncWith('b')).toEqual({ received: 0, sent: 0 })
  })
})

describe('who begins a reconciliation', () => {
  let asker: Node
  beforeEach(async () => {
    asker = await node('a', createPlainStore(await numbers(0, 3)))
  })

  const emptyBucket = (index: number) => encodeFrame(Uint8Array.of(index))

  test.each([
    ['half a digest', encodeFrame(new Uint8Array(1 + 16))],
    ['a digest in the wrong bucket', encodeFrame(Uint8Array.of(7, ...new Uint8Array(32).fill(8)))],
    ['a bucket twice', concatBytes([emptyBucket(7), emptyBucket(8), emptyBucket(7)])],
    ['a bucket that is too large', encodeVarint(1 + 32 * (limits.maxBucketDigests + 1))],
    ['an entry that is too large', concatBytes([endOfList, encodeVarint(limits.maxEntryBytes + 1)])],
  ])('refuses %s, and charges who sent it', async (_what, bytes) => {
    await strange('rude', async (stream) => stream.send(bytes))
    await expect(asker.sync.syncWith('rude')).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    expect(asker.reputation.record('rude').faults).toBe(1)
  })

  test('takes no more entries than one reconciliation may bring', async () => {
    const entry = encodeFrame(Uint8Array.of(0xa0))
    const most = new Array<Uint8Array>(limits.maxSyncEntries).fill(entry)
    await strange('chatty', async (stream) => stream.send(concatBytes([endOfList, ...most, endOfList])))
    await strange('endless', async (stream) => stream.send(concatBytes([endOfList, ...most, entry, endOfList])))
    let taken = 0
    const { sync, reputation } = await node('b', {
      entries: createPlainStore().entries,
      async accept(envelopes) {
        taken += envelopes.length
        return []
      },
    })
    expect(await sync.syncWith('chatty')).toEqual({ received: limits.maxSyncEntries, sent: 0 })
    expect(taken).toBe(limits.maxSyncEntries)
    await expect(sync.syncWith('endless')).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    expect(reputation.record('endless').faults).toBe(1)
    expect(reputation.record('chatty').faults).toBe(0)
  })

  test.each([
    ['before an answer', new Uint8Array(0)],
    ['within the buckets', emptyBucket(1)],
    ['within a digest', encodeFrame(new Uint8Array(33)).subarray(0, 9)],
  ])('charges nobody who goes away %s', async (_what, bytes) => {
    await strange('mortal', async (stream) => stream.send(bytes))
    await expect(asker.sync.syncWith('mortal')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(asker.reputation.record('mortal').faults).toBe(0)
  })

  test('can end it with a reason, which ends the stream too', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    let ended: (error: unknown) => void = () => undefined
    const streamEnded = new Promise<unknown>((resolve) => {
      ended = resolve
    })
    await strange('silent', async (_stream, reader) => {
      controller.abort(reason)
      await reader.bytes(1).catch(ended)
    })
    await expect(asker.sync.syncWith('silent', { signal: controller.signal })).rejects.toBe(reason)
    expect(await streamEnded).toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(asker.reputation.record('silent')).toMatchObject({ failures: 0, faults: 0 })
  })

  test('cannot begin with who is not there', async () => {
    await expect(asker.sync.syncWith('nobody')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
  })

  test('charges nobody when its own disk is full', async () => {
    const full = new RegistryError('STORAGE_FULL', 'The disk is full.')
    const { sync, reputation } = await node('b', {
      entries: createPlainStore().entries,
      async accept() {
        throw full
      },
    })
    await expect(sync.syncWith('a')).rejects.toBe(full)
    expect(reputation.record('a')).toMatchObject({ failures: 0, faults: 0 })
    // And the other side saw a connection break, no more.
    expect(asker.reputation.record('b').faults).toBe(0)
  })
})

describe('who answers a reconciliation', () => {
  let server: Node
  let raw: PeerNetwork
  const emptySummaries = encodeFrame(createDigestSet([]).summaries())

  beforeEach(async () => {
    server = await node('server', createPlainStore(await numbers(0, 3)))
    raw = createMemoryNetwork(hub, { peerId: 'raw' })
    await raw.start()
  })

  /** Sends bytes and closes; resolves when the server has ended the stream too, with the error it ended with. */
  async function say(...parts: Uint8Array[]): Promise<unknown> {
    const stream = await raw.openStream('server', syncProtocol)
    try {
      for (const part of parts) await stream.send(part)
      await stream.close()
      for await (const _chunk of stream.receive());
      return undefined
    } catch (error) {
      return error
    }
  }

  test.each([
    ['summaries that are too short', [encodeFrame(new Uint8Array(summariesBytes - 1))]],
    ['summaries that are too long', [encodeVarint(summariesBytes + 1)]],
    ['half a digest', [emptySummaries, encodeFrame(new Uint8Array(48))]],
    ['too long a list of digests', [emptySummaries, encodeVarint(4096 * 32 + 1)]],
    ['an entry that is too large', [emptySummaries, endOfList, encodeVarint(limits.maxEntryBytes + 1)]],
  ])('charges %s, and resets the stream', async (_what, parts) => {
    expect(await say(...parts)).toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(server.reputation.record('raw').faults).toBe(1)
  })

  test('charges who wants more entries than one reconciliation may bring', async () => {
    const list = encodeFrame(new Uint8Array(4096 * 32))
    const lists = new Array<Uint8Array>(Math.ceil((limits.maxSyncEntries + 1) / 4096)).fill(list)
    expect(await say(emptySummaries, ...lists, endOfList)).toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(server.reputation.record('raw').faults).toBe(1)
  })

  test.each([
    ['before its summaries', []],
    ['within its summaries', [emptySummaries.subarray(0, 100)]],
    ['within what it wants', [emptySummaries]],
    ['within a digest', [emptySummaries, encodeFrame(new Uint8Array(32)).subarray(0, 9)]],
  ])('charges nobody who goes away %s', async (_what, parts) => {
    expect(await say(...parts)).toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(server.reputation.record('raw').faults).toBe(0)
  })

  test('sends what was wanted and ignores digests of nothing', async () => {
    const [entry] = await numbers(0, 1)
    const wants = concatBytes([entry!.cid.multihash.digest, new Uint8Array(32).fill(9)])
    const stream = await raw.openStream('server', syncProtocol)
    await stream.send(concatBytes([emptySummaries, encodeFrame(wants), endOfList, endOfList]))
    await stream.close()
    const reader = createByteReader(stream.receive(), { idleTimeoutMs: 10_000 })
    let buckets = 0
    for (let frame = await reader.frame(100); frame!.length > 0; frame = await reader.frame(100)) buckets++
    expect(buckets).toBe(3)
    expect(await reader.frame(limits.maxEntryBytes)).toEqual(entry!.envelope)
    expect(await reader.frame(limits.maxEntryBytes)).toHaveLength(0)
    expect(await reader.varint()).toBeUndefined()
  })

  test('stops answering who begins too often, which is no fault of either until it insists', async () => {
    const asker = await node('asker', createPlainStore(await numbers(0, 3)))
    for (let time = 0; time < limits.syncsPerMinute; time++) await asker.sync.syncWith('server')
    for (let time = 0; time < 20; time++) {
      await expect(asker.sync.syncWith('server')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    }
    expect(server.reputation.record('asker').faults).toBe(0)
    await expect(asker.sync.syncWith('server')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(server.reputation.record('asker').faults).toBe(1)
    expect(asker.reputation.record('server').faults).toBe(0)
  })
})

/** A store that believes only what verifies, and remembers the order in which entries came. */
async function verifyingStore() {
  const entries = createEntryTable()
  const came: VerifiedEntry[] = []
  return {
    entries,
    came,
    async accept(envelopes: readonly Uint8Array[]) {
      const verified = await Promise.all(
        envelopes.map((envelope) => verifyEntry(envelope, { sha256, nowMs: clock.now() })),
      )
      came.push(...verified)
      await entries.putMany(verified)
      return verified
    },
  }
}

/** The same network, with its streams' bytes counted. */
function countTraffic(network: PeerNetwork) {
  const traffic = {
    sent: 0,
    received: 0,
    network: {
      ...network,
      async openStream(...target: Parameters<PeerNetwork['openStream']>): Promise<PeerStream> {
        const stream = await network.openStream(...target)
        return {
          ...stream,
          async send(bytes, signal) {
            traffic.sent += bytes.length
            await stream.send(bytes, signal)
          },
          async *receive(signal) {
            for await (const chunk of stream.receive(signal)) {
              traffic.received += chunk.length
              yield chunk
            }
          },
        }
      },
    },
  }
  return traffic
}

/** The asker is done when it has sent the last entry: the other side may still be storing it. */
async function settled(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 20_000
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error('The other side never got what was sent.')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
