import type { CID } from 'multiformats/cid'
import { RegistryError } from '../errors.ts'
import type { Manifest, ManifestFile } from '../manifest/types.ts'
import type { BlockStore, InstallFile, Sha256 } from '../ports.ts'
import type { Candidate } from '../resolve/candidate.ts'

export interface InstallStore {
  blocks: BlockStore
  sha256: Sha256
}

type Refetch = (candidate: Candidate) => Promise<unknown>

/**
 * A package's files out of the block store, each block hashed again as it is read: what lies on the disk may have rotted since. A corrupt block is thrown away by the store,
 * fetched anew once, and only then given up.
 */
export function createInstalledFiles(store: InstallStore, refetch: Refetch) {
  async function read(candidate: Candidate, cid: CID): Promise<Uint8Array> {
    const bytes = await store.blocks.get(cid, { verify: true })
    if (bytes !== undefined) return bytes
    await refetch(candidate)
    const again = await store.blocks.get(cid, { verify: true })
    if (again !== undefined) return again
    throw new RegistryError('STORAGE_CORRUPT', `A block of ${candidate.name} keeps being corrupt in the cache.`, {
      hint: 'Check the disk; set storage.cache_dir to another one.',
    })
  }

  async function* chunksOf(candidate: Candidate, file: ManifestFile): AsyncIterable<Uint8Array> {
    for (const cid of file.blocks) yield await read(candidate, cid)
  }

  return async function* files(candidate: Candidate, manifest: Manifest): AsyncIterable<InstallFile> {
    for (const file of manifest.files) {
      const { path, exec, size } = file
      yield { path, exec, size, chunks: chunksOf(candidate, file) }
    }
  }
}
