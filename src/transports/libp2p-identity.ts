import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { RegistryError } from '../core/errors.ts'

/** A new peer identity: an Ed25519 key in libp2p's protobuf form, to be kept in a file. Whoever reads it can impersonate the machine. */
export async function generateIdentity(): Promise<Uint8Array> {
  return privateKeyToProtobuf(await generateKeyPair('Ed25519'))
}

/** The key of an identity. Throws `STORAGE_CORRUPT` when the bytes are none. */
export function identityKey(identity: Uint8Array): PrivateKey {
  try {
    return privateKeyFromProtobuf(identity)
  } catch (cause) {
    throw new RegistryError('STORAGE_CORRUPT', "This machine's identity key cannot be read.", {
      hint: 'Remove the file identity.key: a new identity is made at the next start. Packages and publisher keys are not affected.',
      cause,
    })
  }
}
