import { parseCid } from '../blocks/block.ts'
import { RegistryError } from '../errors.ts'
import type { Release } from '../log/history.ts'
import type { OperationOptions } from '../ports.ts'
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
  /** Publisher and content from the project's lock file. */
  locked?: { publisher: string; cid: string } | undefined
}

export interface Lookup {
  /**
   * Whose package a name means, and what that publisher released. Asks the network first, unless the locked content's release is known here already. Throws
   * `PACKAGE_NOT_FOUND` with similar names, and what `resolvePublisher` throws.
   */
  find(
    requirement: Requirement,
    options?: LookupOptions,
  ): Promise<{ decision: PublisherAnswer; releases: readonly Release[] }>
  /** What a spec asks for. A content ID is looked up: its manifest names the package, its publisher must have signed it. Throws `PACKAGE_NOT_FOUND`. */
  requirementOf(spec: Spec, options?: LookupOptions): Promise<Requirement>
}

export function createLookup(
  parts: RegistryParts,
  collaborators: { discovery: Discovery; content: ContentFetcher },
): Lookup {
  const { discovery, content } = collaborators

  async function isKnown(cid: string): Promise<boolean> {
    return (await parts.entries.byManifest(parseCid(cid))).length > 0
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
    async find(requirement, { signal, offline = false, locked } = {}) {
      const { name, publisher } = requirement
      if (!offline && !(locked !== undefined && (await isKnown(locked.cid))))
        await discovery.learnPackage(name, { signal })
      const known = await releasesByPublisher(parts, name)
      const isDecided = publisher !== undefined || locked !== undefined || parts.trust.pinOf(name) !== undefined
      if (known.size === 0 && !isDecided) throw await notFound(name, offline)
      const decision = resolvePublisher({
        name,
        publisher,
        locked: locked?.publisher,
        known,
        attested: [],
        trust: parts.trust,
      })
      const releases = known.get(decision.publisher) ?? []
      if (known.size === 0) throw await notFound(name, offline)
      if (releases.length === 0) {
        throw new RegistryError('PACKAGE_NOT_FOUND', `${decision.publisher} is not known to publish ${name}.`, {
          hint: `Others do: ${[...known.keys()].join(', ')}`,
        })
      }
      return { decision, releases }
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
