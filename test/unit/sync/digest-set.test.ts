import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDigestSet, differingBuckets, summariesBytes } from '../../../src/core/sync/digest-set.ts'

/** A digest in bucket `first`; the others of its bytes are `rest`. */
const digest = (first: number, rest: number) => new Uint8Array(32).fill(rest).fill(first, 0, 1)
const asCid = (of: Uint8Array) => Uint8Array.from([0x01, 0x71, 0x12, 0x20, ...of])

const digests = fc.uniqueArray(fc.uint8Array({ minLength: 32, maxLength: 32 }), {
  maxLength: 30,
  selector: (bytes) => bytes.join(),
})

test('a set knows its digests, each in the bucket of its first byte', () => {
  const [a, b, c] = [digest(0, 1), digest(0, 2), digest(255, 1)]
  const set = createDigestSet([a, b, c].map(asCid))
  expect(set.size).toBe(3)
  expect(set.bucket(0)).toEqual([a, b])
  expect(set.bucket(255)).toEqual([c])
  expect(set.bucket(7)).toEqual([])
  expect(set.has(b)).toBe(true)
  expect(set.has(digest(255, 2))).toBe(false)
})

test('summaries are 9 KiB of counts and XORs, whatever is in the set', () => {
  expect(summariesBytes).toBe(9_216)
  expect(createDigestSet([]).summaries()).toEqual(new Uint8Array(summariesBytes))
  const summaries = createDigestSet([digest(1, 0b0101), digest(1, 0b0110)].map(asCid)).summaries()
  expect([...summaries.subarray(36, 40)]).toEqual([0, 0, 0, 2])
  expect([...summaries.subarray(40, 72)]).toEqual([0, ...new Array(31).fill(0b0011)])
})

test('two entries whose digests cancel each other out are still told by their number', () => {
  const same = digest(3, 9)
  const twice = createDigestSet([same, same].map(asCid))
  expect(differingBuckets(twice.summaries(), createDigestSet([]).summaries())).toEqual([3])
})

test('the buckets that differ are those that hold what only one side has, in any order of the entries', () => {
  fc.assert(
    fc.property(digests, digests, digests, (shared, left, right) => {
      const a = createDigestSet([...shared, ...left].map(asCid))
      const b = createDigestSet([...right, ...shared.toReversed()].map(asCid))
      const alone = [...left.filter((one) => !b.has(one)), ...right.filter((one) => !a.has(one))]
      const expected = [...new Set(alone.map((one) => one[0]!))].sort((x, y) => x - y)
      expect(differingBuckets(a.summaries(), b.summaries())).toEqual(expected)
    }),
  )
})
