import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RegistryError } from '../../../src/core/errors.ts'
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
