import type { CID } from 'multiformats/cid'
import { createBlock } from '../blocks/block.ts'
import { RegistryError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Block, PackageSource, Sha256, SourceFile } from '../ports.ts'
import { encodeManifest } from './manifest.ts'
import { checkPackagePaths, comparePaths } from './package-path.ts'
import type { Manifest, ManifestFile } from './types.ts'

/**
 * What one call of `putBlocks` gets at most: enough small files for one transaction, few enough bytes to hold in
 * memory.
 */
const maxBatchBlocks = 256
const maxBatchBytes = 8 * 1024 * 1024

export interface BuildProgress {
  type: 'files'
  done: number
  total: number
  bytes: number
  totalBytes: number
}

export interface BuildRequest {
  name: string
  version: string
  source: PackageSource
  sha256: Sha256
  /**
   * Takes the files' blocks, each once, in batches. The manifest's own block is returned, for the caller to store last.
   */
  putBlocks: (blocks: Block[]) => Promise<void>
  signal?: AbortSignal | undefined
  onProgress?: ((event: BuildProgress) => void) | undefined
}

export interface BuiltManifest {
  manifest: Manifest
  block: Block
  /** Sum of the files' sizes. */
  bytes: number
}

/**
 * Reads every file once, in blocks of `maxBlockBytes`, and makes the manifest: the same files give the same CID on
 * every platform. Paths are normalised to NFC, since some file systems store them decomposed. Throws `INVALID_PACKAGE`
 * for a path that not every platform can hold, too many or too large files (before anything is read), and for a file
 * that changes meanwhile; otherwise what the source or `putBlocks` throw.
 */
export async function buildManifest(request: BuildRequest): Promise<BuiltManifest> {
  const { name, version, source, sha256, signal, onProgress } = request
  const sources = source.files
    .map((file) => ({ ...file, path: file.path.normalize('NFC'), read: () => file.read() }))
    .sort((a, b) => comparePaths(a.path, b.path))
  const totalBytes = checkSources(source.label, sources)
  const batch = createBatch(request.putBlocks)
  const files: ManifestFile[] = []
  let bytes = 0
  const report = (): void =>
    onProgress?.({ type: 'files', done: files.length, total: sources.length, bytes, totalBytes })
  for (const file of sources) {
    signal?.throwIfAborted()
    const blocks: CID[] = []
    for await (const chunk of fileBlocks(file)) {
      signal?.throwIfAborted()
      const block = await createBlock('raw', chunk, sha256)
      blocks.push(block.cid)
      await batch.add(block)
      bytes += chunk.byteLength
      if (bytes < totalBytes) report()
    }
    files.push({ path: file.path, size: file.size, exec: file.exec, blocks })
  }
  await batch.flush()
  signal?.throwIfAborted()
  report()
  const manifest: Manifest = { v: 1, name, version, files }
  return { manifest, block: await encodeManifest(manifest, sha256), bytes }
}

function checkSources(label: string, files: readonly SourceFile[]): number {
  const totalBytes = files.reduce((sum, file) => sum + file.size, 0)
  if (files.length === 0)
    throw invalid(
      `${label} holds no files to publish`,
      'Check the folder, and what its .ggenignore or .gitignore leaves out.',
    )
  if (files.length > limits.maxFiles) {
    throw invalid(
      `${label} holds ${files.length} files; at most ${limits.maxFiles} are allowed`,
      'Leave files out with .ggenignore, or split the package.',
    )
  }
  const largest = files.reduce((a, b) => (b.size > a.size ? b : a))
  if (totalBytes > limits.maxPackageBytes) {
    throw invalid(
      `${label} holds ${totalBytes} bytes; at most ${limits.maxPackageBytes} are allowed`,
      `The largest file is ${largest.path} with ${largest.size} bytes. Leave it out with .ggenignore, or split the package.`,
    )
  }
  const fault = checkPackagePaths(files.map((file) => file.path))
  if (fault !== undefined) {
    throw invalid(
      `the path "${fault.path}" in ${label} ${fault.fault}`,
      'Rename it: packages install on Linux, macOS and Windows alike.',
    )
  }
  return totalBytes
}

/** The file's bytes in blocks of exactly `maxBlockBytes`, the last one shorter, whatever chunks they are read in. */
async function* fileBlocks(file: SourceFile): AsyncIterable<Uint8Array> {
  const nextBlock = (): Uint8Array => new Uint8Array(Math.min(limits.maxBlockBytes, file.size - read))
  let read = 0
  let block = nextBlock()
  let filled = 0
  for await (const chunk of file.read()) {
    if (read + filled + chunk.byteLength > file.size) throw changed(file.path)
    let taken = 0
    while (taken < chunk.byteLength) {
      const part = chunk.subarray(taken, taken + block.byteLength - filled)
      block.set(part, filled)
      taken += part.byteLength
      filled += part.byteLength
      if (filled < block.byteLength) continue
      yield block
      read += filled
      filled = 0
      block = nextBlock()
    }
  }
  if (read !== file.size) throw changed(file.path)
}

/** Collects blocks not seen before and passes them on in batches. */
function createBatch(putBlocks: (blocks: Block[]) => Promise<void>) {
  const seen = new Set<string>()
  let blocks: Block[] = []
  let bytes = 0
  async function flush(): Promise<void> {
    const full = blocks
    blocks = []
    bytes = 0
    if (full.length > 0) await putBlocks(full)
  }
  return {
    flush,
    async add(block: Block): Promise<void> {
      const key = block.cid.toString()
      if (seen.has(key)) return
      seen.add(key)
      blocks.push(block)
      bytes += block.bytes.byteLength
      if (blocks.length >= maxBatchBlocks || bytes >= maxBatchBytes) await flush()
    },
  }
}

function changed(path: string): RegistryError {
  return invalid(
    `${path} changed while it was being read`,
    'Wait until nothing writes to the folder any more, then publish again.',
  )
}

function invalid(fact: string, hint: string): RegistryError {
  return new RegistryError('INVALID_PACKAGE', `${fact}.`, { hint })
}
