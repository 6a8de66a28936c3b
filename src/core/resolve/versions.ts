import semver from 'semver'
import { RegistryError } from '../errors.ts'
import { fingerprint } from '../identity/fingerprint.ts'
import type { LockedPackage } from '../install/lock-file.ts'
import type { Candidate } from './candidate.ts'

/**
 * The newest release that satisfies all ranges. Yanked ones count only when locked; prereleases only when a range asks for them. Throws `VERSION_NOT_FOUND` listing
 * what there is, `YANKED` when all that fits was yanked, `LOG_FORKED` when all that fits stands after a fork of its publisher's log.
 */
export function pickRelease(
  name: string,
  releases: readonly Candidate[],
  ranges: readonly string[],
  options: PickOptions = {},
): Candidate {
  const fitting = releases
    .filter(({ version }) => fits(version, ranges))
    // A bare name means a stable version, unless there is none.
    .sort((a, b) => prereleaseRank(a, ranges) - prereleaseRank(b, ranges) || semver.compareBuild(b.version, a.version))
  const locked = fitting.find((release) => isLocked(release, options.locked))
  if (locked !== undefined && !locked.afterFork) return { ...locked, cid: locked.cid ?? options.locked?.cid ?? null }
  const offered = fitting.filter((release) => !release.yanked && !release.afterFork)
  const chosen = offered.find(({ timeMs }) => timeMs <= (options.notAfterMs ?? Number.POSITIVE_INFINITY))
  if (chosen !== undefined) return chosen
  if (offered.length > 0) throw tooYoung(name, offered[0]!)
  if (fitting.some((release) => release.afterFork)) throw forked(name, fitting[0]!)
  if (fitting.length > 0) throw yanked(name, fitting[0]!)
  const versions = releases.map(({ version }) => version)
  throw new RegistryError('VERSION_NOT_FOUND', `No version of ${name} fits ${ranges.join(' and ')}.`, {
    hint:
      versions.length === 0
        ? 'It has no release yet.'
        : `There is: ${versions.slice(0, 10).join(', ')}${versions.length > 10 ? ', …' : ''}`,
  })
}

export const fits = (version: string, ranges: readonly string[]): boolean =>
  ranges.every((range) => range === '*' || semver.satisfies(version, range))

export interface PickOptions {
  locked?: LockedPackage | undefined
  /** Versions that came out later are not chosen, but for a locked one. Those of unknown age are. */
  notAfterMs?: number | undefined
}

function tooYoung(name: string, { version, timeMs }: Candidate): RegistryError {
  return new RegistryError(
    'VERSION_NOT_FOUND',
    `${name}@${version} is the only version that fits, and it came out only on ${new Date(timeMs).toISOString()}.`,
    {
      hint: 'security.min_release_age asks for older ones. Wait, or lower it for this command: GGEN_P2P_SECURITY_MIN_RELEASE_AGE=0',
    },
  )
}

/** By content where it is known, else by version and origin. */
function isLocked(candidate: Candidate, locked: LockedPackage | undefined): boolean {
  if (locked === undefined) return false
  if (candidate.cid !== null) return candidate.cid === locked.cid
  return candidate.version === locked.version && candidate.registry === locked.registry
}

function prereleaseRank(release: Candidate, ranges: readonly string[]): number {
  const isPrerelease = semver.prerelease(release.version) !== null
  return isPrerelease && ranges.every((range) => range === '*') ? 1 : 0
}

function yanked(name: string, release: Candidate): RegistryError {
  const reason = release.yanked === false ? '' : release.yanked.reason
  return new RegistryError(
    'YANKED',
    `${name}@${release.version} was withdrawn by its publisher${reason ? `: ${reason}` : ''}.`,
    {
      hint: 'Choose another version. A project that has it locked still installs it.',
    },
  )
}

function forked(name: string, release: Candidate): RegistryError {
  return new RegistryError(
    'LOG_FORKED',
    `The log of ${release.publisher}${release.publisher === null ? '' : ` (fingerprint ${fingerprint(release.publisher)})`} has forked before ${name}@${release.version}: two contradicting statements were signed.`,
    {
      hint: 'The key may be stolen, or used on two machines. Ask the publisher. What was released before the fork can be installed.',
    },
  )
}
