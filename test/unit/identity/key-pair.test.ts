import { describe, expect, it } from 'vitest'
import { encodeDid } from '../../../src/core/identity/did-key.ts'
import {
  createSigner,
  exportSecretKey,
  generateKeyPair,
  importSecretKey,
  verifySignature,
} from '../../../src/core/identity/key-pair.ts'
import { hexBytes, toHex } from './test-signers.ts'

describe('key pairs', () => {
  it('agree with RFC 8032, test 3', async () => {
    const seed = hexBytes('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7')
    const signer = await createSigner(await importSecretKey(seed, { extractable: false }))
    expect(signer.did).toBe(encodeDid(hexBytes('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025')))
    expect(toHex(await signer.sign(hexBytes('af82')))).toBe(
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    )
  })

  it('survive export and import', async () => {
    const original = await generateKeyPair({ extractable: true })
    const seed = await exportSecretKey(original)
    expect(seed).toHaveLength(32)
    const copy = await importSecretKey(seed, { extractable: true })
    expect(await exportSecretKey(copy)).toEqual(seed)
    expect((await createSigner(copy)).did).toBe((await createSigner(original)).did)
  })

  it('keep their secret when they are not extractable, and sign all the same', async () => {
    const seed = new Uint8Array(32).fill(9)
    const keys = [await generateKeyPair({ extractable: false }), await importSecretKey(seed, { extractable: false })]
    for (const keyPair of keys) {
      await expect(exportSecretKey(keyPair)).rejects.toMatchObject({ code: 'DENIED', hint: expect.any(String) })
      const signer = await createSigner(keyPair)
      const bytes = Uint8Array.of(1, 2, 3)
      expect(await verifySignature(signer.did, bytes, await signer.sign(bytes))).toBe(true)
    }
  })

  it('refuse seeds of another length', async () => {
    await expect(importSecretKey(new Uint8Array(33), { extractable: true })).rejects.toMatchObject({ code: 'USAGE' })
  })
})

describe('verifySignature', () => {
  it('is false for other bytes, other keys and malformed signatures', async () => {
    const [signer, other] = await Promise.all(
      [1, 2].map(async () => createSigner(await generateKeyPair({ extractable: false }))),
    )
    const bytes = Uint8Array.of(1, 2, 3)
    const signature = await signer!.sign(bytes)
    expect(await verifySignature(signer!.did, Uint8Array.of(1, 2, 4), signature)).toBe(false)
    expect(await verifySignature(other!.did, bytes, signature)).toBe(false)
    expect(await verifySignature(signer!.did, bytes, signature.subarray(1))).toBe(false)
    expect(await verifySignature(signer!.did, bytes, new Uint8Array(0))).toBe(false)
    const noPoint = encodeDid(hexBytes(`02${'00'.repeat(31)}`))
    expect(await verifySignature(noPoint, bytes, signature)).toBe(false)
  })

  it('does not take the same signature in another spelling: S plus the group order', async () => {
    const signer = await createSigner(await importSecretKey(new Uint8Array(32).fill(3), { extractable: false }))
    const bytes = Uint8Array.of(7)
    const signature = await signer.sign(bytes)
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    let s = signature.subarray(32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) + order
    const malleated = signature.slice()
    for (let index = 32; index < 64; index++, s >>= 8n) malleated[index] = Number(s & 0xffn)
    expect(await verifySignature(signer.did, bytes, malleated)).toBe(false)
  })

  it('throws for a malformed did', async () => {
    await expect(verifySignature('did:key:x', new Uint8Array(), new Uint8Array(64))).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
    })
  })
})
