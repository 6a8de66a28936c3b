import { base64url } from 'multiformats/bases/base64'
import { RegistryError } from '../errors.ts'
import type { Signer } from '../ports.ts'
import { decodeDid, encodeDid } from './did-key.ts'
import type { CryptoKey, CryptoKeyPair } from './types.ts'

/** An Ed25519 secret as 32 bytes, from which everything else about the key follows (RFC 8032). */
export const seedBytes = 32
/** PKCS #8 around a raw Ed25519 seed (RFC 8410): the only way WebCrypto takes one in. */
const pkcs8Prefix = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x04,
  0x22,
  0x04,
  0x20,
)

/**
 * A fresh Ed25519 key. Not extractable, its secret can be used but never read, also not by a script injected into the
 * page.
 */
export async function generateKeyPair({ extractable }: { extractable: boolean }): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey('Ed25519', extractable, ['sign', 'verify'])) as CryptoKeyPair
}

export async function createSigner(keyPair: CryptoKeyPair): Promise<Signer> {
  const publicKey = await crypto.subtle.exportKey('raw', keyPair.publicKey)
  return {
    did: encodeDid(new Uint8Array(publicKey)),
    async sign(bytes) {
      return new Uint8Array(await crypto.subtle.sign('Ed25519', keyPair.privateKey, bytes as Uint8Array<ArrayBuffer>))
    },
  }
}

/**
 * Whether `did` signed exactly these bytes. Throws `VERIFICATION_FAILED` when `did` is malformed; any signature bytes
 * are safe to pass.
 */
export async function verifySignature(did: string, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const publicKey = decodeDid(did) as Uint8Array<ArrayBuffer>
  try {
    const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify'])
    return await crypto.subtle.verify(
      'Ed25519',
      key,
      signature as Uint8Array<ArrayBuffer>,
      bytes as Uint8Array<ArrayBuffer>,
    )
  } catch {
    // 32 bytes that are no point on the curve: some platforms refuse to import them.
    return false
  }
}

/** The 32-byte seed. Throws `DENIED` when the key was made not to be extractable. */
export async function exportSecretKey(keyPair: CryptoKeyPair): Promise<Uint8Array> {
  if (!keyPair.privateKey.extractable) {
    throw new RegistryError(
      'DENIED',
      'This key cannot be exported: it was created so that its secret stays where it is.',
      {
        hint: 'Hand over to a key that can be backed up: ggen marketplace key rotate',
      },
    )
  }
  return jwkBytes(await crypto.subtle.exportKey('jwk', keyPair.privateKey), 'd')
}

/** The key pair of a 32-byte seed. Throws `USAGE` for any other length. */
export async function importSecretKey(
  seed: Uint8Array,
  { extractable }: { extractable: boolean },
): Promise<CryptoKeyPair> {
  if (seed.byteLength !== seedBytes) {
    throw new RegistryError('USAGE', `A secret key has ${seedBytes} bytes, not ${seed.byteLength}.`, {
      hint: 'Import the file that `ggen marketplace key export` wrote.',
    })
  }
  const pkcs8 = new Uint8Array(pkcs8Prefix.length + seedBytes)
  pkcs8.set(pkcs8Prefix)
  pkcs8.set(seed, pkcs8Prefix.length)
  const importPrivate = (readable: boolean): Promise<CryptoKey> =>
    crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', readable, ['sign'])
  // The public half is only told for a readable key, so an unreadable one is imported a second time.
  const readable = await importPrivate(true)
  const publicBytes = jwkBytes(await crypto.subtle.exportKey('jwk', readable), 'x')
  const publicKey = await crypto.subtle.importKey('raw', publicBytes, 'Ed25519', true, ['verify'])
  return { publicKey, privateKey: extractable ? readable : await importPrivate(false) }
}

function jwkBytes(jwk: { d?: string | undefined; x?: string | undefined }, member: 'd' | 'x'): Uint8Array<ArrayBuffer> {
  return base64url.baseDecode(jwk[member] ?? '') as Uint8Array<ArrayBuffer>
}
