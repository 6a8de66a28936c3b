import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeDid, encodeDid, isDid } from '../../../src/core/identity/did-key.ts'
import { fingerprint } from '../../../src/core/identity/fingerprint.ts'
import { createSigner, importSecretKey } from '../../../src/core/identity/key-pair.ts'
import { hexBytes, testSigner } from './test-signers.ts'

const refused = expect.objectContaining({ code: 'VERIFICATION_FAILED', hint: expect.any(String) })

describe('did:key', () => {
  it('gives the dids of the did:key specification for its seeds', async () => {
    const didOf = async (seed: Uint8Array) =>
      (await createSigner(await importSecretKey(seed, { extractable: false }))).did
    expect(await didOf(new Uint8Array(32))).toBe('did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp')
    const one = hexBytes(`${'00'.repeat(31)}01`)
    expect(await didOf(one)).toBe('did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG')
  })

  it('round-trips every 32 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const did = encodeDid(key)
        expect(did).toHaveLength(56)
        expect(decodeDid(did)).toEqual(key)
        expect(isDid(did)).toBe(true)
      }),
    )
  })

  it('refuses every other text', async () => {
    const { did } = await testSigner(1)
    const wrong = [
      '',
      'did:key:',
      'did:web:example.org',
      ` ${did}`,
      `${did}\n`,
      did.slice(0, -1),
      `${did}1`,
      did.toLowerCase(),
      did.replace('z6Mk', 'z6Ls'),
      `did:key:z6Mk${'z'.repeat(44)}`,
      `did:key:z${'1'.repeat(100_000)}`,
    ]
    for (const text of wrong) {
      expect(isDid(text), text).toBe(false)
      expect(() => decodeDid(text)).toThrow(refused)
    }
    expect(isDid(undefined)).toBe(false)
  })

  it('refuses keys of another length', () => {
    expect(() => encodeDid(new Uint8Array(31))).toThrow(refused)
  })
})

describe('fingerprint', () => {
  it('is five groups of four characters, different for different keys', async () => {
    const [a, b] = await Promise.all([testSigner(1), testSigner(2)])
    expect(fingerprint(a.did)).toMatch(/^([a-z2-7]{4}-){4}[a-z2-7]{4}$/)
    expect(fingerprint(a.did)).not.toBe(fingerprint(b.did))
    expect(fingerprint(encodeDid(new Uint8Array(32)))).toBe('aaaa-aaaa-aaaa-aaaa-aaaa')
  })

  it('changes with each of the first 100 bits', () => {
    for (let bit = 0; bit < 100; bit++) {
      const key = new Uint8Array(32)
      key[bit >> 3] = 0x80 >> (bit & 7)
      expect(fingerprint(encodeDid(key))).not.toBe('aaaa-aaaa-aaaa-aaaa-aaaa')
    }
  })

  it('refuses what is no did', () => {
    expect(() => fingerprint('left-pad')).toThrow(refused)
  })
})
