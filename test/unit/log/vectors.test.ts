import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { webcryptoSha256 as sha256 } from '../../../src/core/blocks/webcrypto-sha256.ts'
import { fingerprint } from '../../../src/core/identity/fingerprint.ts'
import { createSigner, importSecretKey } from '../../../src/core/identity/key-pair.ts'
import { createEntry, verifyEntry } from '../../../src/core/log/entry.ts'
import { buildManifest } from '../../../src/core/manifest/build.ts'
import { hexBytes, testSigner, toHex } from '../identity/test-signers.ts'
import { memorySource } from '../manifest/test-source.ts'

/** Fixed bytes that docs/PROTOCOL.md shows too. To make them anew after a wanted change of the format, delete the file and run this test. */
const vectorsFile = join(import.meta.dirname, '../../fixtures/vectors.json')
const protocolFile = join(import.meta.dirname, '../../../docs/PROTOCOL.md')

const files = [
  { path: 'package.toml', content: '[package]\nname = "hello"\nversion = "1.0.0"\n' },
  { path: 'README.md', content: '# Hello\n' },
  { path: 'bin/hello.sh', content: '#!/bin/sh\necho hello\n', exec: true },
  { path: 'docs/empty.txt', content: '' },
  { path: 'docs/über.md', content: 'Grüße\n' },
]
const seedHex = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'

async function makeVectors() {
  const signer = await createSigner(await importSecretKey(hexBytes(seedHex), { extractable: false }))
  const { manifest, block, bytes } = await buildManifest({
    name: 'hello',
    version: '1.0.0',
    source: memorySource(files),
    sha256,
    putBlocks: async () => {},
  })
  const release = await createEntry(
    signer,
    {
      publisher: signer.did,
      seq: 0,
      prev: null,
      time: 1_767_225_600_000,
      type: 'release',
      body: {
        name: 'hello',
        version: '1.0.0',
        manifest: block.cid,
        bytes,
        files: files.length,
        description: 'Says hello.',
        keywords: ['greeting'],
        category: 'examples',
        license: 'MIT',
        authors: ['Ada'],
        repository: '',
        dependencies: {},
      },
    },
    sha256,
  )
  const successor = await testSigner(7)
  const rotate = await createEntry(
    [signer, successor],
    {
      publisher: signer.did,
      seq: 1,
      prev: release.cid,
      time: 1_767_225_660_000,
      type: 'rotate',
      body: { to: successor.did },
    },
    sha256,
  )
  return {
    key: { seed: seedHex, did: signer.did, fingerprint: fingerprint(signer.did) },
    successor: { seed: '07'.repeat(32), did: successor.did },
    package: {
      name: 'hello',
      version: '1.0.0',
      files: manifest.files.map(({ path, exec, blocks }) => ({
        path,
        exec,
        content: files.find((file) => file.path === path)?.content,
        blocks: blocks.map(String),
      })),
    },
    manifest: { cid: block.cid.toString(), bytes: toHex(block.bytes) },
    release: { cid: release.cid.toString(), envelope: toHex(release.envelope) },
    rotate: { cid: rotate.cid.toString(), envelope: toHex(rotate.envelope) },
  }
}

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
