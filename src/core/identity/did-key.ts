import { base58btc } from 'multiformats/bases/base58'
import { equalBytes } from '../blocks/node-codec.ts'
import { RegistryError } from '../errors.ts'

/** An Ed25519 public key's bytes. */
const publicKeyBytes = 32
/** Multicodec `ed25519-pub` (0xed) as a varint. */
const ed25519Prefix = Uint8Array.of(0xed, 0x01)
/**
 * The prefix, a multibase `z` and 34 bytes in base58, which for this multicodec always are 47 characters beginning with
 * `6Mk`.
 */
const didPattern = /^did:key:(z6Mk[1-9A-HJ-NP-Za-km-z]{44})$/

/** `did:key:z6Mk…` of an Ed25519 public key (https://w3c-ccg.github.io/did-key-spec/). */
export function encodeDid(publicKey: Uint8Array): string {
  if (publicKey.byteLength !== publicKeyBytes) {
    throw new RegistryError(
      'VERIFICATION_FAILED',
      `An Ed25519 public key has ${publicKeyBytes} bytes, not ${publicKey.byteLength}.`,
      {
        hint: 'Only Ed25519 keys can publish.',
      },
    )
  }
  const bytes = new Uint8Array(ed25519Prefix.length + publicKeyBytes)
  bytes.set(ed25519Prefix)
  bytes.set(publicKey, ed25519Prefix.length)
  return `did:key:${base58btc.encode(bytes)}`
}

/** The 32-byte public key. Throws `VERIFICATION_FAILED` for anything but the one valid spelling of an Ed25519 key. */
export function decodeDid(did: string): Uint8Array {
  const publicKey = tryDecode(did)
  if (publicKey === undefined) {
    throw new RegistryError('VERIFICATION_FAILED', `"${did.slice(0, 80)}" is not the did:key of an Ed25519 key.`, {
      hint: 'A publisher looks like did:key:z6Mk… (56 characters).',
    })
  }
  return publicKey
}

export function isDid(value: unknown): value is string {
  return typeof value === 'string' && tryDecode(value) !== undefined
}

function tryDecode(did: string): Uint8Array | undefined {
  const encoded = didPattern.exec(did)?.[1]
  if (encoded === undefined) return undefined
  const bytes = base58btc.decode(encoded)
  const right =
    bytes.byteLength === ed25519Prefix.length + publicKeyBytes && equalBytes(bytes.subarray(0, 2), ed25519Prefix)
  return right ? bytes.slice(ed25519Prefix.length) : undefined
}
