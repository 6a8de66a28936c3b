import { webcryptoSha256 } from '../core/blocks/webcrypto-sha256.ts'
import { decodeKeyFile, encodeKeyFile, rotationsIn } from '../core/identity/key-file.ts'
import { createSigner, exportSecretKey, generateKeyPair, importSecretKey } from '../core/identity/key-pair.ts'
import type { CryptoKeyPair } from '../core/identity/types.ts'
import { keepRotations } from '../core/log/rotations.ts'
import type { LogJournal, Signer } from '../core/ports.ts'
import type { KeyStore } from '../storage/browser.ts'

const keyName = 'publisher'

/** The publisher's key of this origin, made at the first need. Its secret can be used but not read, not even by a script that got into the page. */
export async function loadPublisher(keys: KeyStore): Promise<Signer> {
  const stored = await keys.read<CryptoKeyPair>(keyName)
  if (stored !== undefined) return createSigner(stored)
  const keyPair = await generateKeyPair({ extractable: false })
  await keys.write(keyName, keyPair)
  return createSigner(keyPair)
}

/**
 * A key file under `passphrase` for a publisher whose own key cannot be read: a new, readable key is made, `handOn` has the old one say that it follows, and it then takes the
 * old one's place, unreadable again. The publisher's did:key stays. The node must be started again to sign with it.
 */
export async function exportPublisher(
  keys: KeyStore,
  passphrase: string,
  handOn: (successor: Signer) => Promise<readonly Uint8Array[]>,
): Promise<string> {
  const successor = await generateKeyPair({ extractable: true })
  const seed = await exportSecretKey(successor)
  const rotations = await handOn(await createSigner(successor))
  await keys.write(keyName, await importSecretKey(seed, { extractable: false }))
  return encodeKeyFile(seed, { passphrase, rotations })
}

/** Makes the key of a key file this origin's, with what earlier keys of its publisher have said. Returns the publisher's did:key. Throws `USAGE` for another file, `DENIED` for a wrong passphrase. */
export async function importPublisher(
  { keys, journal }: { keys: KeyStore; journal: LogJournal },
  text: string,
  passphrase?: string,
): Promise<string> {
  const keyPair = await importSecretKey(await decodeKeyFile(text, { passphrase }), { extractable: false })
  const { did } = await createSigner(keyPair)
  const publisher = await keepRotations(did, rotationsIn(text), journal, webcryptoSha256)
  const previous = await keys.read<CryptoKeyPair>(keyName)
  // Whoever imports by mistake has not lost the key that was here.
  if (previous !== undefined) await keys.write(`${keyName}-backup-${new Date().toISOString()}`, previous)
  await keys.write(keyName, keyPair)
  return publisher
}
