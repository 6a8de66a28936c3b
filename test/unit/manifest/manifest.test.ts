import fc from 'fast-check'
import type { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { createBlock, encodeNode } from '../../../src/core/blocks/block.ts'
import { webcryptoSha256 as sha256 } from '../../../src/core/blocks/webcrypto-sha256.ts'
import { RegistryError } from '../../../src/core/errors.ts'
import { limits } from '../../../src/core/limits.ts'
import { encodeManifest, manifestBlocks, manifestBytes, parseManifest } from '../../../src/core/manifest/manifest.ts'
import { checkPackagePaths, comparePaths } from '../../../src/core/manifest/package-path.ts'
import type { Manifest } from '../../../src/core/manifest/types.ts'

const refused = expect.objectContaining({ code: 'VERIFICATION_FAILED', hint: expect.any(String) })
const rawCid = async (text: string) => (await createBlock('raw', new TextEncoder().encode(text), sha256)).cid
const [one, two, three] = (await Promise.all(['1', '2', '3'].map(rawCid))) as [CID, CID, CID]
const node = (await createBlock('dag-cbor', encodeNode('x'), sha256)).cid

const manifest: Manifest = {
  v: 1,
  name: 'example',
  version: '1.2.3',
  files: [
    { path: 'a', size: 0, exec: false, blocks: [] },
    { path: 'b/c', size: limits.maxBlockBytes + 1, exec: true, blocks: [one, two] },
    { path: 'd', size: 1, exec: false, blocks: [one] },
  ],
}

const file = fc.record({
  path: fc
    .array(fc.stringMatching(/^[a-zé日]{1,4}$/), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('/').normalize('NFC')),
  exec: fc.boolean(),
  size: fc.oneof(fc.nat(10), fc.nat(3 * limits.maxBlockBytes)),
})
const manifests = fc
  .record({
    name: fc.constantFrom('a', '@scope/b', 'c.d_e'),
    version: fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)).map((parts) => parts.join('.')),
    files: fc.array(file, { maxLength: 12 }),
  })
  .map(
    ({ name, version, files }): Manifest => ({
      v: 1,
      name,
      version,
      files: files
        .sort((a, b) => comparePaths(a.path, b.path))
        .map(({ path, exec, size }) => ({
          path,
          exec,
          size,
          blocks: [one, two, three].slice(0, Math.ceil(size / limits.maxBlockBytes)),
        })),
    }),
  )
  .filter(({ files }) => checkPackagePaths(files.map(({ path }) => path)) === undefined)

describe('manifests', () => {
  it('round-trip', async () => {
    await fc.assert(
      fc.asyncProperty(manifests, async (value) => {
        const { bytes } = await encodeManifest(value, sha256)
        expect(parseManifest(bytes)).toEqual(value)
      }),
    )
  })

  it('tell their size and their blocks, each once, in order of first use', () => {
    expect(manifestBytes(manifest)).toBe(limits.maxBlockBytes + 2)
    expect(manifestBlocks(manifest).map(String)).toEqual([one, two].map(String))
  })

  it.each<[string, unknown]>([
    ['no map', [manifest]],
    ['another version of the format', { ...manifest, v: 2 }],
    ['an unknown field', { ...manifest, time: 1 }],
    ['a missing field', { v: 1, name: 'a', version: '1.0.0' }],
    ['a bad name', { ...manifest, name: '../x' }],
    ['a bad version', { ...manifest, version: '1' }],
    ['an unknown field of a file', { ...manifest, files: [{ ...manifest.files[0], mode: 0o777 }] }],
    ['a climbing path', { ...manifest, files: [{ ...manifest.files[0], path: '../../.bashrc' }] }],
    ['unsorted files', { ...manifest, files: [...manifest.files].reverse() }],
    ['a file twice', { ...manifest, files: [manifest.files[0], manifest.files[0]] }],
    ['paths that differ by case', { ...manifest, files: [{ ...manifest.files[0], path: 'A' }, manifest.files[0]] }],
    ['a negative size', { ...manifest, files: [{ ...manifest.files[0], size: -1 }] }],
    ['a fractional size', { ...manifest, files: [{ ...manifest.files[0], size: 0.5 }] }],
    ['too few blocks', { ...manifest, files: [{ ...manifest.files[1], blocks: [one] }] }],
    ['too many blocks', { ...manifest, files: [{ ...manifest.files[0], blocks: [one] }] }],
    ['blocks of another codec', { ...manifest, files: [{ ...manifest.files[2], blocks: [node] }] }],
    ['blocks that are no CIDs', { ...manifest, files: [{ ...manifest.files[2], blocks: [one.bytes] }] }],
    [
      'a file beyond the package limit',
      { ...manifest, files: [{ ...manifest.files[0], size: limits.maxPackageBytes + 1 }] },
    ],
    [
      'files that together exceed the package limit',
      {
        ...manifest,
        files: ['a', 'b', 'c'].map((path) => ({
          path,
          exec: false,
          size: 1000 * limits.maxBlockBytes,
          blocks: Array(1000).fill(one),
        })),
      },
    ],
  ])('are refused with %s', async (_, value) => {
    expect(() => parseManifest(encodeNode(value))).toThrow(refused)
    await expect(encodeManifest(value as Manifest, sha256)).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_PACKAGE' }),
    )
  })

  it('are refused when too large, before they are decoded', async () => {
    expect(() => parseManifest(new Uint8Array(limits.maxManifestBytes + 1))).toThrow(/2097153 bytes/)
    const files = Array.from({ length: 12_000 }, (_, index) => ({
      path: `${'x'.repeat(150)}${String(index).padStart(6, '0')}`,
      size: 0,
      exec: false,
      blocks: [],
    }))
    await expect(encodeManifest({ ...manifest, files }, sha256)).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_PACKAGE', hint: expect.stringContaining('.ggenignore') }),
    )
    const tooMany = Array.from({ length: limits.maxFiles + 1 }, (_, index) => ({
      path: String(index).padStart(6, '0'),
      size: 0,
      exec: false,
      blocks: [],
    }))
    expect(() => parseManifest(encodeNode({ ...manifest, files: tooMany }))).toThrow(refused)
  })

  it('are never half read: mutated bytes parse to something valid or are refused', async () => {
    const { bytes } = await encodeManifest(manifest, sha256)
    fc.assert(
      fc.property(fc.nat(bytes.byteLength - 1), fc.integer({ min: 1, max: 255 }), (index, flip) => {
        const mutated = bytes.slice()
        mutated[index]! ^= flip
        try {
          expect(encodeNode(parseManifest(mutated))).toEqual(mutated)
        } catch (error) {
          expect(error).toBeInstanceOf(RegistryError)
          expect(error).toEqual(refused)
        }
      }),
      { numRuns: 500 },
    )
  })
})
