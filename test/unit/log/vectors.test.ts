import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { webcryptoSha256 as sha256 } from '../../../src/core/blocks/webcrypto-sha256.ts'
import { verifyEntry } from '../../../src/core/log/entry.ts'
import { hexBytes } from '../identity/test-signers.ts'
import { makeVectors } from './make-vectors.ts'

/** Fixed bytes that docs/PROTOCOL.md shows too. To make them anew after a wanted change of the format, delete the file and run this test. */
const vectorsFile = join(import.meta.dirname, '../../fixtures/vectors.json')
const protocolFile = join(import.meta.dirname, '../../../docs/PROTOCOL.md')

it('the bytes of keys, manifests and entries stay what they were', async () => {
  const made = await makeVectors()
  if (!existsSync(vectorsFile)) writeFileSync(vectorsFile, `${JSON.stringify(made, null, 2)}\n`)
  const held = JSON.parse(readFileSync(vectorsFile, 'utf8')) as typeof made
  expect(made).toEqual(held)
  for (const { cid, envelope } of [held.release, held.rotate]) {
    expect((await verifyEntry(hexBytes(envelope), { sha256 })).cid.toString()).toBe(cid)
  }
})

it('the protocol document shows the same vectors', () => {
  const { key, successor, manifest, release, rotate } = JSON.parse(readFileSync(vectorsFile, 'utf8'))
  const text = readFileSync(protocolFile, 'utf8').replace(/\s+/g, '')
  const shown = [
    key.seed,
    key.did,
    key.fingerprint,
    successor.did,
    manifest.cid,
    manifest.bytes,
    release.cid,
    release.envelope,
    rotate.cid,
  ]
  for (const value of shown) expect(text).toContain(value)
})
