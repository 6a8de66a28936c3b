import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesCid } from '../../../src/core/blocks/block.ts'
import { webcryptoSha256 as sha256 } from '../../../src/core/blocks/webcrypto-sha256.ts'
import { limits } from '../../../src/core/limits.ts'
import type { BuildProgress } from '../../../src/core/manifest/build.ts'
import { buildManifest } from '../../../src/core/manifest/build.ts'
import { parseManifest } from '../../../src/core/manifest/manifest.ts'
import type { Block, PackageSource } from '../../../src/core/ports.ts'
import type { TestFile } from './test-source.ts'
import { memorySource } from './test-source.ts'

async function build(
  source: PackageSource,
  options: { signal?: AbortSignal; onProgress?: (event: BuildProgress) => void } = {},
) {
  const puts: Block[][] = []
  const putBlocks = async (blocks: Block[]): Promise<void> => void puts.push(blocks)
  const built = await buildManifest({ name: 'example', version: '1.0.0', source, sha256, putBlocks, ...options })
  const held = new Map(puts.flat().map((block) => [block.cid.toString(), block.bytes]))
  return { ...built, puts, held }
}

const invalid = (message: RegExp) =>
  expect.objectContaining({
    code: 'INVALID_PACKAGE',
    message: expect.stringMatching(message),
    hint: expect.any(String),
  })

describe('buildManifest', () => {
  it('keeps every byte, whatever chunks files are read in', async () => {
    const files = fc.uniqueArray(
      fc.record({
        path: fc.stringMatching(/^[a-z]{1,3}$/),
        content: fc.uint8Array({ maxLength: 3000 }),
        exec: fc.boolean(),
      }),
      { selector: ({ path }) => path, minLength: 1, maxLength: 6 },
    )
    await fc.assert(
      fc.asyncProperty(files, fc.integer({ min: 1, max: 700 }), async (input, chunkBytes) => {
        const { manifest, block, bytes, held } = await build(memorySource(input, chunkBytes))
        expect(parseManifest(block.bytes)).toEqual(manifest)
        expect(bytes).toBe(input.reduce((sum, { content }) => sum + content.byteLength, 0))
        for (const { path, content, exec } of input) {
          const file = manifest.files.find((one) => one.path === path)
          const stored = file?.blocks.flatMap((cid) => [...(held.get(cid.toString()) ?? [])])
          expect({ exec: file?.exec, stored }).toEqual({ exec, stored: [...content] })
        }
        const again = await build(memorySource([...input].reverse(), chunkBytes + 1))
        expect(again.block.cid.equals(block.cid)).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  it('cuts large files into blocks of 1 MiB', async () => {
    const content = new Uint8Array(2 * limits.maxBlockBytes + 5).map((_, index) => index % 251)
    const exact = content.subarray(0, 2 * limits.maxBlockBytes)
    const { manifest, held } = await build(
      memorySource(
        [
          { path: 'large', content },
          { path: 'exact', content: exact },
        ],
        700_001,
      ),
    )
    expect(manifest.files.map(({ path, blocks }) => [path, blocks.length])).toEqual([
      ['exact', 2],
      ['large', 3],
    ])
    const [first, second, third] = manifest.files[1]!.blocks.map((cid) => held.get(cid.toString())!)
    expect([first, second, third].map((bytes) => bytes?.byteLength)).toEqual([
      limits.maxBlockBytes,
      limits.maxBlockBytes,
      5,
    ])
    expect(third).toEqual(content.slice(-5))
    expect(held.size).toBe(3)
    for (const cid of manifest.files[1]!.blocks)
      expect(await matchesCid(cid, held.get(cid.toString())!, sha256)).toBe(true)
  })

  it('passes blocks on in batches, each block once', async () => {
    const small: TestFile[] = Array.from({ length: 600 }, (_, index) => ({
      path: `f${index}`,
      content: `content ${index % 500}`,
    }))
    const { puts } = await build(memorySource(small))
    expect(puts.map((blocks) => blocks.length)).toEqual([256, 244])
    const large = new Uint8Array(9 * limits.maxBlockBytes).map((_, index) => index >> 20)
    const batches = (await build(memorySource([{ path: 'large', content: large }], limits.maxBlockBytes))).puts
    expect(batches.map((blocks) => blocks.length)).toEqual([8, 1])
  })

  it('normalises paths from disk to NFC, and notices when that makes two the same', async () => {
    const { manifest } = await build(memorySource([{ path: 'u\u0308ber.md', content: 'x' }]))
    expect(manifest.files[0]?.path).toBe('\u00fcber.md')
    const both = memorySource([
      { path: 'u\u0308', content: 'x' },
      { path: '\u00fc', content: 'y' },
    ])
    await expect(build(both)).rejects.toThrow(invalid(/twice/))
  })

  it('reports progress up to the whole', async () => {
    const events: BuildProgress[] = []
    const files = [
      { path: 'a', content: 'aa' },
      { path: 'b', content: 'b' },
      { path: 'empty', content: '' },
    ]
    await build(memorySource(files), { onProgress: (event) => events.push(event) })
    expect(events.at(-1)).toEqual({ type: 'files', done: 3, total: 3, bytes: 3, totalBytes: 3 })
    expect(events.map(({ bytes }) => bytes)).toEqual([...events.map(({ bytes }) => bytes)].sort((a, b) => a - b))
  })

  it('refuses what cannot be a package before it reads anything', async () => {
    const unread = (path: string, size: number) => ({
      path,
      size,
      exec: false,
      read(): AsyncIterable<Uint8Array> {
        throw new Error('must not be read')
      },
    })
    const sourceOf = (files: PackageSource['files']): PackageSource => ({ label: '/somewhere', files, ignored: [] })
    const huge = build(sourceOf([unread('package.toml', 10), unread('movie.mkv', 3e9)]))
    await expect(huge).rejects.toThrow(invalid(/3000000010 bytes; at most 2147483648/))
    await expect(huge).rejects.toMatchObject({ hint: expect.stringContaining('movie.mkv') })
    const many = Array.from({ length: limits.maxFiles + 1 }, (_, index) => unread(`f${index}`, 1))
    await expect(build(sourceOf(many))).rejects.toThrow(invalid(/20001 files; at most 20000/))
    await expect(build(sourceOf([]))).rejects.toThrow(invalid(/no files/))
    await expect(build(sourceOf([unread('../x', 1)]))).rejects.toThrow(invalid(/"\.\.\/x"/))
    await expect(build(sourceOf([unread('README', 1), unread('readme', 1)]))).rejects.toThrow(
      invalid(/"readme".*clashes with "README"/),
    )
  })

  it.each([
    ['grew', 3],
    ['shrank', 9],
  ])('notices a file that %s', async (_, size) => {
    const source = memorySource([{ path: 'log.txt', content: '123456', size }], 2)
    await expect(build(source)).rejects.toThrow(invalid(/log\.txt changed while it was being read/))
    await expect(build(source)).rejects.toMatchObject({ hint: expect.stringContaining('publish again') })
  })

  it('stops when it is cancelled, with the reason given', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const source = memorySource([
      { path: 'a', content: 'x' },
      { path: 'b', content: 'y' },
    ])
    await expect(build(source, { signal: controller.signal, onProgress: () => controller.abort(reason) })).rejects.toBe(
      reason,
    )
  })

  it('passes on what the source and the store throw', async () => {
    const failing: PackageSource = {
      label: 'x',
      ignored: [],
      files: [
        {
          path: 'a',
          size: 1,
          exec: false,
          async *read(): AsyncIterable<Uint8Array> {
            yield* []
            throw new Error('unreadable')
          },
        },
      ],
    }
    await expect(build(failing)).rejects.toThrow('unreadable')
    const full = async (): Promise<void> => {
      throw new Error('disk full')
    }
    const source = memorySource([{ path: 'a', content: 'x' }])
    await expect(buildManifest({ name: 'a', version: '1.0.0', source, sha256, putBlocks: full })).rejects.toThrow(
      'disk full',
    )
  })
})
