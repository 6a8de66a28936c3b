import { describe, expect, it } from 'vitest'
import { encodeNode } from '../../../src/core/blocks/block.ts'
import { decodeEnvelope, preAuthEncode, signEnvelope, verifyEnvelope } from '../../../src/core/identity/dsse.ts'
import { testSigner } from './test-signers.ts'

const type = 'application/example'
const payload = new TextEncoder().encode('hello world')
const refused = expect.objectContaining({ code: 'VERIFICATION_FAILED', hint: expect.any(String) })

describe('preAuthEncode', () => {
  it('gives the example of the DSSE specification', () => {
    expect(new TextDecoder().decode(preAuthEncode('http://example.com/HelloWorld', payload))).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    )
  })

  it('counts bytes, not characters', () => {
    expect(new TextDecoder().decode(preAuthEncode('é', new TextEncoder().encode('ß')))).toBe('DSSEv1 2 é 2 ß')
  })
})

describe('envelopes', () => {
  it('verify for exactly the signers, through their encoding', async () => {
    const [a, b] = [await testSigner(1), await testSigner(2)]
    const envelope = decodeEnvelope(encodeNode(await signEnvelope(type, payload, [a, b])))
    expect(await verifyEnvelope(envelope, type, [a.did, b.did])).toEqual(payload)
    await expect(verifyEnvelope(envelope, type, [a.did])).rejects.toThrow(refused)
    await expect(verifyEnvelope(envelope, type, [b.did, a.did])).rejects.toThrow(refused)
    await expect(verifyEnvelope(envelope, 'application/other', [a.did, b.did])).rejects.toThrow(refused)
  })

  it('are refused when anything in them changed', async () => {
    const [a, b] = [await testSigner(1), await testSigner(2)]
    const envelope = await signEnvelope(type, payload, [a])
    const [signature] = envelope.signatures
    const changed = [
      { ...envelope, payload: new TextEncoder().encode('hello World') },
      { ...envelope, payloadType: 'application/Example' },
      { ...envelope, signatures: [] },
      { ...envelope, signatures: [{ keyid: b.did, sig: signature!.sig }] },
      { ...envelope, signatures: [{ keyid: a.did, sig: await b.sign(preAuthEncode(type, payload)) }] },
      { ...envelope, signatures: [signature!, signature!] },
    ]
    for (const other of changed) await expect(verifyEnvelope(other, type, [a.did])).rejects.toThrow(refused)
  })

  it('are refused in any other shape', async () => {
    const envelope = await signEnvelope(type, payload, [await testSigner(1)])
    const [signature] = envelope.signatures
    const wrong = [
      null,
      [],
      { ...envelope, extra: 1 },
      { ...envelope, payload: 'text' },
      { ...envelope, payloadType: 'x'.repeat(200) },
      { ...envelope, signatures: [] },
      { ...envelope, signatures: [signature, signature, signature] },
      { ...envelope, signatures: [{ ...signature, sig: new Uint8Array(63) }] },
      { ...envelope, signatures: [{ ...signature, keyid: 'me' }] },
    ]
    for (const value of wrong) expect(() => decodeEnvelope(encodeNode(value))).toThrow(refused)
  })
})
