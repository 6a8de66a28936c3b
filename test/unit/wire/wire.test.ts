import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { RegistryError } from '../../../src/core/errors.ts'
import { limits } from '../../../src/core/limits.ts'
import { createByteReader } from '../../../src/core/wire/byte-reader.ts'
import { concatBytes, encodeFrame, encodeVarint } from '../../../src/core/wire/frames.ts'

async function* pieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function* silence(): AsyncIterable<Uint8Array> {
  await new Promise(() => undefined)
}

const readerOf = (bytes: Uint8Array, size = 1) => createByteReader(pieces(bytes, size), { idleTimeoutMs: 10_000 })

describe('frames', () => {
  test('come back as they were sent, however they are cut up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 400 }),
        async (payloads, size) => {
          const reader = readerOf(concatBytes(payloads.map(encodeFrame)), size)
          for (const payload of payloads) expect([...(await reader.frame(300))!]).toEqual([...payload])
          expect(await reader.frame(300)).toBeUndefined()
        },
      ),
    )
  })

  test('numbers come back, up to 32 bits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 32 - 1 }), async (value) => {
        expect(await readerOf(encodeVarint(value)).varint()).toBe(value)
      }),
    )
  })

  test('too long ones are refused by their length alone, endless numbers too', async () => {
    await expect(readerOf(encodeVarint(301)).frame(300)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    await expect(readerOf(new Uint8Array(6).fill(0x80)).varint()).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
  })

  test('that end too early are a lost connection, no fault', async () => {
    await expect(readerOf(encodeFrame(new Uint8Array(10)).subarray(0, 5)).frame(300)).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
    })
    await expect(readerOf(Uint8Array.of(0x80)).varint()).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
  })
})

test('silence times out, and an abort rethrows its reason', async () => {
  await expect(createByteReader(silence(), { idleTimeoutMs: 5 }).varint()).rejects.toMatchObject({ code: 'TIMEOUT' })
  const reason = new RegistryError('USAGE', 'enough')
  const controller = new AbortController()
  const reading = createByteReader(silence(), { idleTimeoutMs: 60_000, signal: controller.signal }).bytes(1)
  controller.abort(reason)
  await expect(reading).rejects.toBe(reason)
  const late = createByteReader(silence(), { idleTimeoutMs: 60_000, signal: AbortSignal.abort(reason) }).bytes(1)
  await expect(late).rejects.toBe(reason)
})

describe('a reader', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test('gives bytes that lie within one chunk without a copy, others whole', async () => {
    const reader = readerOf(Uint8Array.of(1, 2, 3, 4, 5, 6, 7), 4)
    expect(await reader.varint()).toBe(1)
    const within = await reader.bytes(2)
    expect([...within]).toEqual([2, 3])
    expect(within.buffer.byteLength).toBe(7)
    expect([...(await reader.bytes(3))]).toEqual([4, 5, 6])
    expect(await reader.varint()).toBe(7)
    expect(await reader.varint()).toBeUndefined()
    expect(await reader.bytes(0)).toHaveLength(0)
    await expect(reader.bytes(1)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
  })

  test('takes numbers of five bytes, the largest included, and empty chunks between', async () => {
    const bytes = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)
    expect(await readerOf(bytes).varint()).toBe(2 ** 32 - 1)
    async function* gaps(): AsyncIterable<Uint8Array> {
      for (const byte of bytes) {
        yield new Uint8Array(0)
        yield Uint8Array.of(byte)
      }
    }
    expect(await createByteReader(gaps(), { idleTimeoutMs: 10_000 }).varint()).toBe(2 ** 32 - 1)
  })

  test('passes on what the stream fails with', async () => {
    const failure = new Error('reset')
    async function* broken(): AsyncIterable<Uint8Array> {
      yield Uint8Array.of(1)
      throw failure
    }
    const reader = createByteReader(broken(), { idleTimeoutMs: 10_000 })
    expect(await reader.varint()).toBe(1)
    await expect(reader.varint()).rejects.toBe(failure)
  })

  test('stops at an abort in the middle of a frame', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    async function* stalling(): AsyncIterable<Uint8Array> {
      yield Uint8Array.of(10, 1, 2)
      controller.abort(reason)
      await new Promise(() => undefined)
    }
    const reader = createByteReader(stalling(), { idleTimeoutMs: 60_000, signal: controller.signal })
    await expect(reader.frame(100)).rejects.toBe(reason)
  })

  test('gives up a peer that sends a byte now and then, never silent for long', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    let sent = 0
    async function* dripping(): AsyncIterable<Uint8Array> {
      yield encodeVarint(1_000)
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 9_000))
        sent++
        yield Uint8Array.of(0)
      }
    }
    const reader = createByteReader(dripping(), { idleTimeoutMs: 10_000 })
    const outcome = reader.frame(1_000).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(limits.frameTimeoutMs + 1)
    expect(await outcome).toMatchObject({ code: 'TIMEOUT' })
    expect(sent).toBe(13)
  })
})
