import { RegistryError } from '../errors.ts'
import { fingerprint } from '../identity/fingerprint.ts'
import type { Release } from '../log/history.ts'
import { newestRelease } from '../log/history.ts'
import type { Trust } from '../trust/trust.ts'
import { matchPublisher } from './spec.ts'

export interface PublisherQuestion {
  name: string
  /** As the user wrote it in the spec. */
  publisher?: string | undefined
  /** From the project's lock file. */
  locked?: string | undefined
  /** Publishers of the name, with what they released. Blocked ones are left out already. */
  known: ReadonlyMap<string, readonly Release[]>
  /** Publishers that a central registry vouches for under this name. */
  attested: readonly string[]
  trust: Trust
}

/** How the publisher was decided: `first-use` means that the caller must pin it and show the fingerprint. */
export type PublisherAnswer =
  | { publisher: string; by: 'spec' | 'lock' | 'pin' | 'attestation' | 'first-use' }
  /** Nobody signed it: a central registry's word. */
  | { publisher: null; by: 'central' }

/**
 * Whose package a name means, in this order: what the spec says, the lock file, the user's pin, a central attestation, the only known publisher. Never a guess: with
 * several it throws `NAME_AMBIGUOUS` with the candidates; a pinned name that is only found under another key throws `PUBLISHER_CHANGED`; nobody at all, `PACKAGE_NOT_FOUND`.
 */
export function resolvePublisher(question: PublisherQuestion): Extract<PublisherAnswer, { publisher: string }> {
  const { name, known, trust } = question
  const candidates = [...known.keys()].sort()
  if (question.publisher !== undefined) {
    const publisher = matchPublisher(question.publisher, candidates, trust.publisherOf)
    if (trust.isBlocked(publisher)) throw blocked(name, publisher)
    return { publisher, by: 'spec' }
  }
  const decided = question.locked ?? trust.pinOf(name)
  if (decided !== undefined) {
    if (trust.isBlocked(decided)) throw blocked(name, decided)
    if (!known.has(decided) && candidates.length > 0) throw changed(name, decided, candidates)
    return { publisher: decided, by: question.locked === undefined ? 'pin' : 'lock' }
  }
  const attested = candidates.filter((did) => question.attested.includes(did))
  if (attested.length === 1) return { publisher: attested[0]!, by: 'attestation' }
  if (candidates.length === 1) return { publisher: candidates[0]!, by: 'first-use' }
  if (candidates.length === 0) throw new RegistryError('PACKAGE_NOT_FOUND', `No package is known as ${name}.`)
  throw ambiguous(name, known, trust)
}

function describe(publisher: string, trust?: Trust): string {
  const petname = trust?.petnameOf(publisher)
  return `${petname === undefined ? '' : `${petname}, `}${publisher} (fingerprint ${fingerprint(publisher)})`
}

function blocked(name: string, publisher: string): RegistryError {
  return new RegistryError('DENIED', `You have blocked the publisher of ${name}: ${describe(publisher)}.`, {
    hint: `To lift the block: ggen marketplace trust remove ${publisher}`,
  })
}

function changed(name: string, decided: string, candidates: readonly string[]): RegistryError {
  return new RegistryError(
    'PUBLISHER_CHANGED',
    `${name} is pinned to ${describe(decided)}, but is only found under ${candidates.map((did) => describe(did)).join(', ')}.`,
    {
      hint: `Ask its publisher whether the key has changed, and compare fingerprints. If it is right: ggen marketplace trust remove ${decided}, then install ${candidates[0]}/${name}`,
    },
  )
}

function ambiguous(name: string, known: PublisherQuestion['known'], trust: Trust): RegistryError {
  const rows = [...known].map(([publisher, releases]) => {
    const newest = newestRelease(releases)
    return `${describe(publisher, trust)}, newest ${newest?.entry.entry.body.version ?? 'none'}`
  })
  return new RegistryError('NAME_AMBIGUOUS', `${name} is published by ${rows.length}: ${rows.join('; ')}.`, {
    hint: `Say whose you mean: ggen marketplace install <publisher>/${name}`,
  })
}
