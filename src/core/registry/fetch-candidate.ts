import { parseCid } from '../blocks/block.ts'
import type { ServiceProgress } from '../control/service.ts'
import { RegistryError } from '../errors.ts'
import { buildManifest } from '../manifest/build.ts'
import { manifestBlocks } from '../manifest/manifest.ts'
import type { OperationOptions } from '../ports.ts'
import type { Candidate } from '../resolve/candidate.ts'
import type { ContentFetcher, FetchedPackage } from './fetch.ts'
import type { RegistryParts } from './parts.ts'

type FetchOptions = OperationOptions<ServiceProgress> & { offline?: boolean }

/**
 * Gets a candidate's content into the block store, wherever it comes from. What a central registry offers is taken from peers where its content ID is known (from the lock file), else downloaded,
 * checked against the registry's checksum, and from then on content-addressed blocks like any other, which this node serves.
 */
export function createCandidateFetcher(
  parts: RegistryParts,
  content: ContentFetcher,
): (candidate: Candidate, options: FetchOptions) => Promise<FetchedPackage> {
  async function download(candidate: Candidate, options: FetchOptions): Promise<FetchedPackage> {
    if (candidate.origin.kind !== 'central')
      throw new RegistryError(
        'NO_PROVIDERS',
        `No peer holds ${candidate.name}, and its registry is not configured here.`,
        { hint: `Add ${candidate.registry} to central.registries.` },
      )
    const { registry, release } = candidate.origin
    options.onProgress?.({ type: 'stage', stage: 'download', detail: candidate.registry })
    const source = await registry.open(release, { signal: options.signal })
    const { manifest, block, bytes } = await buildManifest({
      name: candidate.name,
      version: candidate.version,
      source,
      sha256: parts.sha256,
      putBlocks: (blocks) => parts.blocks.putMany(blocks),
      signal: options.signal,
    })
    if (candidate.cid !== null && candidate.cid !== block.cid.toString()) {
      throw new RegistryError(
        'VERIFICATION_FAILED',
        `${candidate.registry} now delivers other content as ${candidate.name}@${candidate.version} than ggen.lock has.`,
        {
          hint: `Nothing was installed. If the change is right: ggen marketplace update ${candidate.name}`,
        },
      )
    }
    await parts.blocks.putMany([block])
    await parts.blocks.putRoot(block.cid, [block.cid, ...manifestBlocks(manifest)], { pinned: false })
    content.announce(block.cid, candidate.name)
    return { cid: block.cid, manifest, fetchedBytes: bytes, sources: [candidate.registry] }
  }

  return async (candidate, options) => {
    if (candidate.origin.kind === 'signed') return content.fetch(candidate.origin.entry, options)
    if (candidate.cid === null) return download(candidate, options)
    const wanted = { cid: parseCid(candidate.cid), name: candidate.name, version: candidate.version }
    try {
      return await content.fetchContent(wanted, options)
    } catch (error) {
      const isMissing = error instanceof RegistryError && (error.code === 'NO_PROVIDERS' || error.code === 'TIMEOUT')
      if (!isMissing || options.offline || candidate.origin.kind !== 'central') throw error
      return download(candidate, options)
    }
  }
}
