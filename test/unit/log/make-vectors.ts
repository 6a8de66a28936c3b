import { webcryptoSha256 as sha256 } from '../../../src/core/blocks/webcrypto-sha256.ts'
import { fingerprint } from '../../../src/core/identity/fingerprint.ts'
import { createSigner, importSecretKey } from '../../../src/core/identity/key-pair.ts'
import { createEntry } from '../../../src/core/log/entry.ts'
import { buildManifest } from '../../../src/core/manifest/build.ts'
import { hexBytes, testSigner, toHex } from '../identity/test-signers.ts'
import { memorySource } from '../manifest/test-source.ts'

const files = [
  { path: 'package.toml', content: '[package]\nname = "hello"\nversion = "1.0.0"\n' },
  { path: 'README.md', content: '# Hello\n' },
  { path: 'bin/hello.sh', content: '#!/bin/sh\necho hello\n', exec: true },
  { path: 'docs/empty.txt', content: '' },
  { path: 'docs/über.md', content: 'Grüße\n' },
]
const seedHex = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'

/** The same bytes on every platform. */
export async function makeVectors() {
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
