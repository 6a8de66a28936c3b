import type { CentralRegistry, CentralRelease } from '../central/central-registry.ts'
import { sourceName } from '../central/central-registry.ts'
import type { Release } from '../log/history.ts'
import type { ReleaseEntry, VerifiedEntry } from '../log/types.ts'

/** One version that could be installed, whoever offers it. */
export interface Candidate {
  name: string
  version: string
  /** did:key; null for what only a central registry vouches for. */
  publisher: string | null
  /** `central:<name>`; empty for signed releases. */
  registry: string
  /** Manifest CID; null where it is known only after the download. */
  cid: string | null
  /** What a central registry says the download is checked against. */
  integrity: string
  /** Size as its publisher states it; 0 when unknown. */
  bytes: number
  dependencies: Record<string, string>
  /** 0 when unknown. */
  timeMs: number
  yanked: false | { reason: string }
  deprecated: string
  afterFork: boolean
  origin:
    | { kind: 'signed'; entry: VerifiedEntry<ReleaseEntry> }
    | { kind: 'central'; registry: CentralRegistry; release: CentralRelease }
    /** Known from the lock file alone. */
    | { kind: 'locked' }
}

export function signedCandidate({ entry, yanked, deprecated, afterFork }: Release): Candidate {
  const { publisher, time, body } = entry.entry
  return {
    name: body.name,
    version: body.version,
    publisher,
    registry: '',
    cid: body.manifest.toString(),
    integrity: '',
    bytes: body.bytes,
    dependencies: body.dependencies,
    timeMs: time,
    yanked,
    deprecated,
    afterFork,
    origin: { kind: 'signed', entry },
  }
}

export function centralCandidate(registry: CentralRegistry, release: CentralRelease): Candidate {
  const { name, version, integrity, dependencies, timeMs, deprecated } = release
  return {
    name,
    version,
    publisher: null,
    registry: sourceName(registry),
    cid: null,
    integrity,
    bytes: 0,
    dependencies,
    timeMs,
    yanked: false,
    deprecated,
    afterFork: false,
    origin: { kind: 'central', registry, release },
  }
}

/** The same version of the same origin. */
export function isSameCandidate(a: Candidate | undefined, b: Candidate | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.version === b.version &&
    a.publisher === b.publisher &&
    a.registry === b.registry &&
    (a.cid ?? b.cid) === (b.cid ?? a.cid)
  )
}
