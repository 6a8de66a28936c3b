import { parseCid } from '../blocks/block.ts'
import { sourceName } from '../central/central-registry.ts'
import type { RegistryChoice } from '../control/service.ts'
import { withTimeout } from '../deadline.ts'
import { RegistryError } from '../errors.ts'
import { fingerprint } from '../identity/fingerprint.ts'
import type { LockedPackage } from '../install/lock-file.ts'
import type { Release } from '../log/history.ts'
import type { OperationOptions } from '../ports.ts'
import type { Candidate } from '../resolve/candidate.ts'
import { centralCandidate, signedCandidate } from '../resolve/candidate.ts'
import type { Requirement } from '../resolve/graph.ts'
import type { PublisherAnswer } from '../resolve/publisher.ts'
import { resolvePublisher } from '../resolve/publisher.ts'
import type { Spec } from '../resolve/spec.ts'
import type { Discovery } from './discover.ts'
import type { ContentFetcher } from './fetch.ts'
import { isRelease, releasesByPublisher } from './packages.ts'
import type { RegistryParts } from './parts.ts'

export interface LookupOptions extends OperationOptions {
  offline?: boolean | undefined
  /** From the project's lock file. */
  locked?: LockedPackage | undefined
  /** Whom to ask: all (the default), peers alone, or central registries alone. */
  registry?: RegistryChoice | undefined
}

export interface Lookup {
  /**
   * Whose package a name means, and what that publisher released. Asks the network first, unless the locked content's release is known here already. Throws
   * `PACKAGE_NOT_FOUND` with similar names, and what `resolvePublisher` throws.
   */
  find(
    requirement: Requirement,
    options?: LookupOptions,
  ): Promise<{ decision: PublisherAnswer; candidates: readonly Candidate[] }>
  /** What a spec asks for. A content ID is looked up: its manifest names the package, its publisher must have signed it. Throws `PACKAGE_NOT_FOUND`. */
  requirementOf(spec: Spec, options?: LookupOptions): Promise<Requirement>
}

interface CentralAnswer {
  candidates: Candidate[]
  /** Publishers the registry vouches for. */
  attested: string[]
  /** Why a registry could not be asked, where nobody else had the package. */
  failure: unknown
}

const centralTimeoutMs = 15_000
const nothingCentral: CentralAnswer = { candidates: [], attested: [], failure: undefined }
const byCentral: PublisherAnswer = { publisher: null, by: 'central' }

/** What the lock file has, besides what its registry offers now: it may be gone there, or not be reachable. */
function lockedCandidates(
  { name, version, registry, cid, integrity, dependencies }: LockedPackage,
  offered: readonly Candidate[],
): Candidate[] {
  if (offered.some((candidate) => candidate.version === version)) return [...offered]
  const unknown = { publisher: null, bytes: 0, timeMs: 0, yanked: false, deprecated: '', afterFork: false } as const
  const ranges = Object.fromEntries(dependencies.map((dependency) => [dependency, '*']))
  return [
    ...offered,
    { ...unknown, name, version, registry, cid, integrity, dependencies: ranges, origin: { kind: 'locked' } },
  ]
}

/** A name that a central registry has, and somebody on the network too, may be a trap: nobody may slip in under a known name. */
function inBothWorlds(name: string, publishers: readonly string[], registry: string): RegistryError {
  const signed = publishers.map((did) => `${did} (fingerprint ${fingerprint(did)})`).join(', ')
  return new RegistryError(
    'NAME_AMBIGUOUS',
    `${name} is offered by ${registry}, and published on the network by ${signed}; nothing says that they are the same.`,
    {
      hint: `Say whose you mean: --registry central, or ${publishers[0]}/${name}`,
    },
  )
}

export function createLookup(
  parts: RegistryParts,
  collaborators: { discovery: Discovery; content: ContentFetcher },
): Lookup {
  const { discovery, content } = collaborators

  async function isKnown(cid: string): Promise<boolean> {
    return (await parts.entries.byManifest(parseCid(cid))).length > 0
  }

  /** The first registry, in the configured order, that has the package; one that fails hides no other. */
  async function askCentral(
    name: string,
    locked: LockedPackage | undefined,
    signal: AbortSignal | undefined,
  ): Promise<CentralAnswer> {
    const wanted = parts.central.filter((one) => locked === undefined || locked.registry === sourceName(one))
    const until = withTimeout(signal, centralTimeoutMs)
    const answers = await Promise.allSettled(wanted.map((one) => one.versions(name, { signal: until })))
    signal?.throwIfAborted()
    let failure: unknown
    for (const [index, answer] of answers.entries()) {
      if (answer.status === 'rejected') failure ??= answer.reason
      else if (answer.value.length > 0) {
        const candidates = answer.value.map((release) => centralCandidate(wanted[index]!, release))
        return { candidates, attested: answer.value.flatMap(({ attested }) => attested ?? []), failure: undefined }
      }
    }
    return { ...nothingCentral, failure }
  }

  async function notFound(name: string, offline: boolean): Promise<RegistryError> {
    const [similar] = await parts.search.similarNames(name, 1)
    const alone = offline || parts.network === undefined || parts.network.peers().length === 0
    const elsewhere = alone
      ? 'No peer was asked: start a node with bootstrap peers, or connect to one (ggen marketplace p2p connect).'
      : 'See what there is: ggen marketplace search'
    return new RegistryError('PACKAGE_NOT_FOUND', `No package is known as ${name}.`, {
      hint: similar === undefined || similar === name ? elsewhere : `Did you mean ${similar}? ${elsewhere}`,
    })
  }

  async function signedReleases(cid: string): Promise<Requirement[]> {
    const entries = (await parts.entries.byManifest(parseCid(cid))).filter(isRelease)
    return entries
      .filter(({ entry }) => !parts.trust.isBlocked(entry.publisher))
      .map(({ entry }) => ({ name: entry.body.name, range: entry.body.version, publisher: entry.publisher }))
      .sort((a, b) => (a.publisher < b.publisher ? -1 : 1))
  }

  return {
    async find(requirement, options = {}) {
      const { name, publisher } = requirement
      const { signal, offline = false, locked, registry = 'all' } = options
      const asksPeers = !offline && registry !== 'central' && !(locked !== undefined && (await isKnown(locked.cid)))
      const pinned = publisher ?? locked?.publisher ?? parts.trust.pinOf(name)
      const asksCentral = !offline && registry !== 'p2p' && pinned === undefined
      const [central] = await Promise.all([
        asksCentral ? askCentral(name, locked, signal) : nothingCentral,
        asksPeers ? discovery.learnPackage(name, { signal }) : undefined,
      ])
      const known = registry === 'central' ? new Map<string, Release[]>() : await releasesByPublisher(parts, name)
      if (locked !== undefined && locked.publisher === null)
        return { decision: byCentral, candidates: lockedCandidates(locked, central.candidates) }
      const attested = central.attested.filter((did) => known.has(did))
      if (pinned === undefined && attested.length !== 1 && central.candidates.length > 0) {
        if (known.size === 0) return { decision: byCentral, candidates: central.candidates }
        throw inBothWorlds(name, [...known.keys()], central.candidates[0]!.registry)
      }
      if (known.size === 0 && pinned === undefined) throw central.failure ?? (await notFound(name, offline))
      const decision = resolvePublisher({
        name,
        publisher,
        locked: locked?.publisher ?? undefined,
        known,
        attested: central.attested,
        trust: parts.trust,
      })
      const releases = known.get(decision.publisher) ?? []
      if (known.size === 0) throw await notFound(name, offline)
      if (releases.length === 0) {
        throw new RegistryError('PACKAGE_NOT_FOUND', `${decision.publisher} is not known to publish ${name}.`, {
          hint: `Others do: ${[...known.keys()].join(', ')}`,
        })
      }
      return { decision, candidates: releases.map(signedCandidate) }
    },

    async requirementOf(spec, { signal, offline = false } = {}) {
      if (spec.kind === 'package') {
        return {
          name: spec.name,
          range: spec.range,
          ...(spec.publisher === undefined ? {} : { publisher: spec.publisher }),
        }
      }
      let candidates = await signedReleases(spec.cid)
      if (candidates.length === 0) {
        const { name } = await content.manifest(parseCid(spec.cid), { signal, ...(offline ? { offline } : {}) })
        if (!offline) await discovery.learnPackage(name, { signal })
        candidates = await signedReleases(spec.cid)
      }
      const pinned = candidates.find(({ name, publisher }) => parts.trust.pinOf(name) === publisher)
      const chosen = pinned ?? candidates[0]
      if (chosen === undefined) {
        throw new RegistryError('PACKAGE_NOT_FOUND', `Nobody is known to have signed a release of ${spec.cid}.`, {
          hint: 'Content without a signature is not installed. Ask who gave you this ID for the name and publisher.',
        })
      }
      return chosen
    },
  }
}
