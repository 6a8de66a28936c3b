import type { ServiceProgress } from '../control/service.ts'
import { manifestBytes } from '../manifest/manifest.ts'
import type { OperationOptions } from '../ports.ts'
import type { Candidate } from '../resolve/candidate.ts'
import { parseSpec } from '../resolve/spec.ts'
import type { FetchedPackage } from './fetch.ts'
import type { PackageInfo } from './info.ts'
import { chosen, describe } from './info.ts'
import type { Lookup } from './lookup.ts'
import type { RegistryParts } from './parts.ts'

export interface DownloadedPackage extends FetchedPackage {
  /** As its registry describes it, with the content ID that it has only since the download; of its versions, this one. */
  info: PackageInfo
  /** `none`: the registry gives no checksum, so that nothing says the bytes are what it means. */
  checksum: 'matched' | 'none'
}

/**
 * The content of a package that a central registry offers, checked against the registry's checksum and kept as blocks, as an install does it, but into no project. Peers are not asked. Throws what `Lookup`
 * throws, `VERSION_NOT_FOUND`, `CENTRAL_UNAVAILABLE`, `VERIFICATION_FAILED`.
 */
export async function downloadPackage(
  parts: RegistryParts,
  collaborators: {
    lookup: Lookup
    fetchCandidate(candidate: Candidate, options: OperationOptions<ServiceProgress>): Promise<FetchedPackage>
  },
  spec: string,
  options: OperationOptions<ServiceProgress> = {},
): Promise<DownloadedPackage> {
  const { lookup, fetchCandidate } = collaborators
  const asked = { signal: options.signal, registry: 'central' } as const
  const requirement = await lookup.requirementOf(parseSpec(spec), asked)
  const candidate = chosen(requirement, (await lookup.find(requirement, asked)).candidates)
  const fetched = await fetchCandidate(candidate, options)
  const { cid, manifest } = fetched
  const known = { ...candidate, cid: cid.toString(), bytes: manifestBytes(manifest) }
  return {
    ...fetched,
    info: {
      ...describe(parts, known, [known]),
      files: manifest.files.length,
      providers: 1,
      cached: true,
      forked: false,
    },
    checksum: candidate.integrity === '' ? 'none' : 'matched',
  }
}
