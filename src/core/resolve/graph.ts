import { RegistryError } from '../errors.ts'
import type { LockedPackage } from '../install/lock-file.ts'
import type { Candidate } from './candidate.ts'
import { isSameCandidate } from './candidate.ts'
import type { PublisherAnswer } from './publisher.ts'
import { fits, pickRelease } from './versions.ts'

export interface Requirement {
  name: string
  range: string
  publisher?: string | undefined
}

export interface ResolvedPackage {
  candidate: Candidate
  decision: PublisherAnswer
  /** Names of its registry dependencies. */
  dependencies: string[]
}

export interface GraphCallbacks {
  /** Whose package a name means and what that publisher released; asks the network where needed. */
  lookup(requirement: Requirement): Promise<{ decision: PublisherAnswer; candidates: readonly Candidate[] }>
  locked(name: string): LockedPackage | undefined
  /** Versions that came out later are not chosen, but for locked ones. */
  notAfterMs?: number | undefined
}

interface Demand {
  range: string
  /** Who demands it, for messages: `a → b`. */
  path: string
}

const maxPackages = 500

/**
 * Everything the requirements need, one version per name (a name is one folder), the newest that satisfies all who ask for it. When a later demand narrows a choice,
 * it is made again and what the old one needed is dropped. Cycles are fine. Deterministic: names in order, no clock. Throws `VERSION_NOT_FOUND` naming both
 * paths of a conflict.
 */
export async function resolveGraph(
  roots: readonly Requirement[],
  callbacks: GraphCallbacks,
): Promise<Map<string, ResolvedPackage>> {
  let chosen = new Map<string, ResolvedPackage>()
  // Each round walks the whole graph under the demands of the last one; it is settled when a round changes nothing.
  for (let round = 0; round < maxPackages; round++) {
    const demands = demandsOf(roots, chosen)
    const next = new Map<string, ResolvedPackage>()
    for (const name of [...demands.keys()].sort()) {
      next.set(name, await choose(name, demands.get(name) ?? [], roots, callbacks))
      if (next.size > maxPackages) throw tooMany(roots)
    }
    if (same(chosen, next)) return next
    chosen = next
  }
  throw tooMany(roots)
}

function demandsOf(roots: readonly Requirement[], chosen: ReadonlyMap<string, ResolvedPackage>): Map<string, Demand[]> {
  const demands = new Map<string, Demand[]>()
  const walked = new Set<string>()
  const add = (name: string, demand: Demand): void => {
    demands.set(name, [...(demands.get(name) ?? []), demand])
    const found = chosen.get(name)
    if (found === undefined || walked.has(name)) return
    walked.add(name)
    const { dependencies } = found.candidate
    for (const [dependency, range] of Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1))) {
      add(dependency, { range, path: `${demand.path} → ${dependency}` })
    }
  }
  for (const root of roots) add(root.name, { range: root.range, path: root.name })
  return demands
}

async function choose(
  name: string,
  demands: readonly Demand[],
  roots: readonly Requirement[],
  { lookup, locked, notAfterMs }: GraphCallbacks,
): Promise<ResolvedPackage> {
  const root = roots.find((requirement) => requirement.name === name)
  const ranges = [...new Set(demands.map(({ range }) => range))]
  try {
    const { decision, candidates } = await lookup(root ?? { name, range: '*' })
    if (ranges.length < 2 || candidates.some(({ version }) => fits(version, ranges))) {
      const candidate = pickRelease(name, candidates, ranges, { locked: locked(name), notAfterMs })
      return { candidate, decision, dependencies: Object.keys(candidate.dependencies).sort() }
    }
  } catch (error) {
    throw root === undefined ? neededBy(error, demands) : error
  }
  throw conflict(name, demands)
}

function conflict(name: string, demands: readonly Demand[]): RegistryError {
  const wishes = demands.map(({ path, range }) => `${path} wants ${range}`)
  return new RegistryError('VERSION_NOT_FOUND', `No version of ${name} suits everybody: ${wishes.join('; ')}.`, {
    hint: 'Choose other versions of those that ask for it, or ask their publishers to widen the range.',
  })
}

/** A dependency's failure, with who needs it. */
function neededBy(error: unknown, demands: readonly Demand[]): unknown {
  if (!(error instanceof RegistryError)) return error
  return new RegistryError(error.code, `${error.message} It is needed by ${demands[0]?.path}.`, {
    hint: error.hint,
    cause: error,
  })
}

function same(a: ReadonlyMap<string, ResolvedPackage>, b: ReadonlyMap<string, ResolvedPackage>): boolean {
  return (
    a.size === b.size && [...a].every(([name, resolved]) => isSameCandidate(resolved.candidate, b.get(name)?.candidate))
  )
}

function tooMany(roots: readonly Requirement[]): RegistryError {
  return new RegistryError(
    'INVALID_PACKAGE',
    `The dependencies of ${roots.map(({ name }) => name).join(', ')} have no end, or are more than ${maxPackages}.`,
    {
      hint: 'Install them one by one to see which it is.',
    },
  )
}
