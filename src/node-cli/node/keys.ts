import { rmSync } from 'node:fs'
import { RegistryError } from '../../core/errors.ts'
import { decodeKeyFile, encodeKeyFile, rotationsIn } from '../../core/identity/key-file.ts'
import { createSigner, exportSecretKey, generateKeyPair, importSecretKey } from '../../core/identity/key-pair.ts'
import { keepRotations, rotationsTo } from '../../core/log/rotations.ts'
import type { Signer } from '../../core/ports.ts'
import type { HomePaths } from '../../storage/node.ts'
import { createFileJournal, nodeSha256, readSecret, writeSecret } from '../../storage/node.ts'

/** Where a home keeps its key and its log. */
type KeyPaths = Pick<HomePaths, 'publisherKey' | 'log'>

/** The publisher's key of a home, made at the first need. Throws `PERMISSION` when others can read its file. */
export async function loadPublisher(path: string): Promise<Signer> {
  const stored = readSecret(path)
  if (stored !== undefined)
    return createSigner(await importSecretKey(await seedOf(path, stored), { extractable: false }))
  const keyPair = await generateKeyPair({ extractable: true })
  writeSecret(path, await encodeKeyFile(await exportSecretKey(keyPair)))
  return createSigner(keyPair)
}

/** The text of a key file with the home's publisher key, under a passphrase when one is given, and with the rotations that led to it. */
export async function exportPublisher(
  { publisherKey: path, log }: KeyPaths,
  passphrase: string | undefined,
): Promise<string> {
  const { did } = await loadPublisher(path)
  const seed = await seedOf(path, readSecret(path)!)
  return encodeKeyFile(seed, { passphrase, rotations: await rotationsTo(did, createFileJournal(log), nodeSha256) })
}

/** Makes the key of an exported file the home's publisher key. The old one is kept beside it. */
export async function importPublisher(
  { publisherKey: path, log }: KeyPaths,
  text: string,
  passphrase: string | undefined,
): Promise<{ publisher: string; backup: string | null }> {
  const seed = await decodeKeyFile(text, { passphrase })
  const { did } = await createSigner(await importSecretKey(seed, { extractable: false }))
  const publisher = await keepRotations(did, rotationsIn(text), createFileJournal(log), nodeSha256)
  const current = readSecret(path)
  if (current !== undefined && equal(await seedOf(path, current), seed)) return { publisher, backup: null }
  const backup = writeSecret(path, await encodeKeyFile(seed))
  return { publisher, backup: backup ?? null }
}

/**
 * Makes a new key and lets `handOn` have the old one say so before the new one takes its place. The new key is on the disk first: a crash in between leaves both,
 * and the next try goes on with them. Returns where the old one is kept.
 */
export async function replacePublisher(
  path: string,
  handOn: (successor: Signer) => Promise<unknown>,
): Promise<{ key: string; backup: string }> {
  const next = `${path}.next`
  const successor = await loadPublisher(next)
  await handOn(successor)
  const seed = await seedOf(next, readSecret(next)!)
  const backup = writeSecret(path, await encodeKeyFile(seed))
  rmSync(next)
  return { key: successor.did, backup: backup ?? '' }
}

async function seedOf(path: string, stored: Uint8Array): Promise<Uint8Array> {
  try {
    return await decodeKeyFile(new TextDecoder().decode(stored), {})
  } catch (cause) {
    throw new RegistryError('STORAGE_CORRUPT', `The publisher key in ${path} cannot be read.`, {
      hint: 'Restore it from a backup (ggen marketplace key import). Without it you can publish only under a new key.',
      cause,
    })
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
