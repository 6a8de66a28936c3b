import semver from 'semver'
import { RegistryError } from '../errors.ts'
import type { Candidate } from '../resolve/candidate.ts'
import type { LockedPackage, LockFile } from './lock-file.ts'

export interface OutdatedPackage {
  name: string
  current: string
  /** Newest that the requested ranges allow; the current one when nothing newer fits. */
  wanted: string
  latest: string
  requested: boolean
  /** The present version was withdrawn. */
  yanked: boolean
}

/** What could be newer than the lock has it, by name. `candidates` gives what is known of one package. */
export async function findOutdated(
  lock: LockFile,
  candidates: (locked: LockedPackage) => Promise<readonly Candidate[]>,
): Promise<OutdatedPackage[]> {
  const outdated: OutdatedPackage[] = []
  for (const locked of lock.packages) {
    const { name, version } = locked
    const known = await candidates(locked)
    const offered = known.filter((candidate) => !candidate.yanked && !candidate.afterFork)
    const range = lock.requested[name] ?? '*'
    const stable = offered.filter((candidate) => semver.prerelease(candidate.version) === null)
    const newest = newestOf(stable.length > 0 ? stable : offered) ?? version
    const wanted =
      range === '*'
        ? newest
        : (newestOf(offered.filter((candidate) => semver.satisfies(candidate.version, range))) ?? version)
    const current = known.find((candidate) => candidate.version === version)
    const yanked = current !== undefined && current.yanked !== false
    if (!yanked && !semver.gt(wanted, version) && !semver.gt(newest, version)) continue
    const best = semver.gt(wanted, version) || yanked ? wanted : version
    outdated.push({
      name,
      current: version,
      wanted: best,
      latest: newest,
      requested: Object.hasOwn(lock.requested, name),
      yanked,
    })
  }
  return outdated.sort((a, b) => (a.name < b.name ? -1 : 1))
}

const newestOf = (candidates: readonly Candidate[]): string | undefined =>
  semver.rsort(candidates.map(({ version }) => version))[0]

/** Every way in which a package came into the project, from what was requested to it, shortest first. Throws `PACKAGE_NOT_FOUND`. */
export function whyInstalled(lock: LockFile, name: string): string[][] {
  const byName = new Map(lock.packages.map((locked) => [locked.name, locked]))
  if (!byName.has(name)) {
    throw new RegistryError('PACKAGE_NOT_FOUND', `${name} is not in ggen.lock.`, {
      hint: 'See what is: ggen marketplace list',
    })
  }
  // Elsewhere is no way to it, but perhaps more paths than can be walked.
  const leading = new Set([name])
  for (const one of leading)
    for (const locked of lock.packages) if (locked.dependencies.includes(one)) leading.add(locked.name)
  const paths: string[][] = []
  const walk = (path: string[]): void => {
    const last = path.at(-1)!
    if (last === name) {
      paths.push(path)
      return
    }
    if (paths.length >= maxPaths) return
    for (const dependency of byName.get(last)?.dependencies ?? [])
      if (leading.has(dependency) && !path.includes(dependency)) walk([...path, dependency])
  }
  for (const root of Object.keys(lock.requested).sort()) if (leading.has(root)) walk([root])
  return paths.sort((a, b) => a.length - b.length)
}

/** A dense graph has more paths than anybody reads. */
const maxPaths = 100
