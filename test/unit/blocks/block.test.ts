import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { describe, expect, it } from 'vitest'
import { createBlock, decodeNode, encodeNode, isOurCid, matchesCid, parseCid } from '../../../src/core/blocks/block.ts'
import { webcryptoSha256 as sha256 } from '../../../src/core/blocks/webcrypto-sha256.ts'
import { RegistryError } from '../../../src/core/errors.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

describe('webcryptoSha256', () => {
  it('agrees with another implementation', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const expected = new Uint8Array(createHash('sha256').update(bytes).digest())
        expect(await sha256(bytes)).toEqual(expected)
      }),
      { numRuns: 30 },
    )
  })
})

describe('createBlock and matchesCid', () => {
  it('give the CIDs that IPFS gives', async () => {
    const { cid } = await createBlock('raw', utf8('hello world'), sha256)
    expect(cid.toString()).toBe('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
    const empty = await createBlock('dag-cbor', encodeNode({}), sha256)
    expect(empty.cid.toString()).toBe('bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua')
  })

  it('refuse other bytes, and CIDs of other kinds even where the digest fits', async () => {
    const { cid, bytes } = await createBlock('raw', utf8('hello'), sha256)
    expect(await matchesCid(cid, bytes, sha256)).toBe(true)
    expect(await matchesCid(cid, utf8('hellp'), sha256)).toBe(false)
    expect(await matchesCid(CID.createV1(0x70, cid.multihash), bytes, sha256)).toBe(false)
    expect(await matchesCid(CID.createV1(0x55, Digest.create(0x00, bytes)), bytes, sha256)).toBe(false)
    expect(await matchesCid(CID.createV0(cid.multihash as never), bytes, sha256)).toBe(false)
    const short = Digest.create(0x12, cid.multihash.digest.subarray(0, 16))
    expect(await matchesCid(CID.createV1(0x55, short), bytes, sha256)).toBe(false)
  })

  it('tell the two codecs apart', async () => {
    const { cid } = await createBlock('raw', utf8('x'), sha256)
    expect(isOurCid(cid)).toBe(true)
    expect(isOurCid(cid, 'raw')).toBe(true)
    expect(isOurCid(cid, 'dag-cbor')).toBe(false)
    expect(isOurCid('bafy')).toBe(false)
  })
})

describe('parseCid', () => {
  it('reads what a CID prints', async () => {
    const { cid } = await createBlock('dag-cbor', encodeNode([1]), sha256)
    expect(parseCid(cid.toString()).equals(cid)).toBe(true)
  })

  it.each([
    ['a word', 'left-pad'],
    ['nothing', ''],
    ['a CIDv0', 'QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n'],
    ['a dag-pb CID', 'bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'],
    ['something huge', 'z'.repeat(100_000)],
  ])('refuses %s with a hint', (_, text) => {
    expect(() => parseCid(text)).toThrow(expect.objectContaining({ code: 'INVALID_SPEC', hint: expect.any(String) }))
  })
})

describe('decodeNode', () => {
  it('reads back what encodeNode wrote', () => {
    const node = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        fc.string({ unit: 'binary' }),
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        fc.uint8Array({ maxLength: 20 }),
        fc.array(tie('node'), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: 'grapheme' }), tie('node'), { maxKeys: 4 }),
      ),
    })).node
    fc.assert(
      fc.property(node, (value) => {
        expect(decodeNode(encodeNode(value))).toEqual(value)
      }),
    )
  })

  it.each<[string, number[]]>([
    ['a padded integer', [0x18, 0x01]],
    ['a padded length', [0x78, 0x01, 0x61]],
    ['an integer written as a float', [0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]],
    ['a half float', [0xf9, 0x3e, 0x00]],
    ['unsorted keys', [0xa2, 0x61, 0x62, 0x01, 0x61, 0x61, 0x02]],
    ['a key twice', [0xa2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x02]],
    ['invalid UTF-8', [0x61, 0xff]],
    ['undefined', [0xf7]],
    ['NaN', [0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]],
    ['an indefinite array', [0x9f, 0x01, 0xff]],
    ['an unknown tag', [0xc1, 0x01]],
    ['bytes after the end', [0x01, 0x01]],
    ['nothing', []],
    ['an array that claims 2^32 items', [0x9a, 0xff, 0xff, 0xff, 0xff]],
    ['bytes that claim 2^32', [0x5a, 0xff, 0xff, 0xff, 0xff]],
    ['nesting that exhausts the stack', Array<number>(60_000).fill(0x81)],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeNode(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: 'VERIFICATION_FAILED' }))
  })

  it('does not let a key become a prototype', () => {
    const bytes = Uint8Array.from([0xa1, 0x69, ...utf8('__proto__'), 0xa1, 0x61, 0x78, 0x01])
    const value = decodeNode(bytes) as { x?: unknown }
    expect(value.x).toBeUndefined()
    expect(Object.keys(value)).toEqual(['__proto__'])
  })

  it('throws nothing but RegistryError on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          expect(encodeNode(decodeNode(bytes))).toEqual(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(RegistryError)
        }
      }),
      { numRuns: 500 },
    )
  })
})
