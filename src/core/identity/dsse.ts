import * as v from 'valibot'
import { decodeNode } from '../blocks/node-codec.ts'
import { RegistryError } from '../errors.ts'
import type { Signer } from '../ports.ts'
import { describeFault } from '../schema-fault.ts'
import { isDid } from './did-key.ts'
import { verifySignature } from './key-pair.ts'

/**
 * Bytes and who signed them (https://github.com/secure-systems-lab/dsse), stored as DAG-CBOR instead of JSON with
 * base64.
 */
export interface Envelope {
  payload: Uint8Array
  payloadType: string
  /** `keyid` is the signer's did:key. */
  signatures: { keyid: string; sig: Uint8Array }[]
}

const signatureBytes = 64
const maxSignatures = 2

const envelopeSchema = v.strictObject({
  payload: v.instance(Uint8Array),
  payloadType: v.pipe(v.string(), v.maxLength(128)),
  signatures: v.pipe(
    v.array(
      v.strictObject({
        keyid: v.custom<string>(isDid, 'not a did:key'),
        sig: v.pipe(
          v.instance(Uint8Array),
          v.check((sig) => sig.byteLength === signatureBytes, 'not 64 bytes long'),
        ),
      }),
    ),
    v.minLength(1),
    v.maxLength(maxSignatures),
  ),
})

/**
 * What is actually signed: type and payload with their lengths, so that neither can be read as part of the other
 * (DSSE's PAE).
 */
export function preAuthEncode(payloadType: string, payload: Uint8Array): Uint8Array {
  const encoder = new TextEncoder()
  const typeLength = encoder.encode(payloadType).byteLength
  const head = encoder.encode(`DSSEv1 ${typeLength} ${payloadType} ${payload.byteLength} `)
  const bytes = new Uint8Array(head.byteLength + payload.byteLength)
  bytes.set(head)
  bytes.set(payload, head.byteLength)
  return bytes
}

/** Signs with every signer, in their order. */
export async function signEnvelope(
  payloadType: string,
  payload: Uint8Array,
  signers: readonly Signer[],
): Promise<Envelope> {
  const bytes = preAuthEncode(payloadType, payload)
  const signatures = await Promise.all(
    signers.map(async (signer) => ({ keyid: signer.did, sig: await signer.sign(bytes) })),
  )
  return { payload, payloadType, signatures }
}

/**
 * Hostile bytes as an envelope of the right shape, nothing verified yet. The caller checks the size first. Throws
 * `VERIFICATION_FAILED`.
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const parsed = v.safeParse(envelopeSchema, decodeNode(bytes))
  if (!parsed.success) throw refused(`it is no envelope (${describeFault(parsed.issues)})`)
  return parsed.output
}

/**
 * The payload, when exactly these dids signed it, in this order. DSSE would let further signatures pass; here they
 * would let anyone give a signed entry a second CID, which looks like the signer's fork. Throws `VERIFICATION_FAILED`.
 */
export async function verifyEnvelope(
  envelope: Envelope,
  expectedPayloadType: string,
  dids: readonly string[],
): Promise<Uint8Array> {
  const { payload, payloadType, signatures } = envelope
  if (payloadType !== expectedPayloadType) throw refused(`it holds "${payloadType}", not "${expectedPayloadType}"`)
  if (signatures.length !== dids.length || signatures.some(({ keyid }, index) => keyid !== dids[index])) {
    throw refused(`it must be signed by exactly ${dids.join(' and ')}`)
  }
  const bytes = preAuthEncode(payloadType, payload)
  for (const { keyid, sig } of signatures) {
    if (!(await verifySignature(keyid, bytes, sig))) throw refused(`the signature of ${keyid} is wrong`)
  }
  return payload
}

function refused(reason: string): RegistryError {
  return new RegistryError('VERIFICATION_FAILED', `A signed envelope was refused: ${reason}.`, {
    hint: 'It was changed after it was signed, or signed by someone else. Nothing of it was used.',
  })
}
