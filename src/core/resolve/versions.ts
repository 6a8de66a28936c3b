import semver from 'semver'
import { RegistryError } from '../errors.ts'
import type { Release } from '../log/history.ts'

const versionOf = (release: Release): string => release.entry.entry.body.version

/**
 * The newest release that satisfies all ranges. Yanked ones count only when locked; prereleases only when a range asks for them. Throws `VERSION_NOT_FOUND` listing
 * what there is, `YANKED` when all that fits was yanked, `LOG_FORKED` when all that fits stands after a fork of its publisher's log.
 */
export function pickRelease(
  name: string,
  releases: readonly Release[],
  ranges: readonly string[],
  options: { lockedCid?: string | undefined } = {},
): Release {
  const fitting = releases
    .filter((release) => ranges.every((range) => range === '*' || semver.satisfies(versionOf(release), range)))
    // A bare name means a stable version, unless there is none.
    .sort(
      (a, b) =>
        prereleaseRank(a, ranges) - prereleaseRank(b, ranges) || semver.compareBuild(versionOf(b), versionOf(a)),
    )
  const locked = fitting.find((release) => release.entry.entry.body.manifest.toString() === options.lockedCid)
  if (locked !== undefined && !locked.afterFork) return locked
  const chosen = fitting.find((release) => !release.yanked && !release.afterFork)
  if (chosen !== undefined) return chosen
  if (fitting.some((release) => release.afterFork)) throw forked(name, fitting[0]!)
  if (fitting.length > 0) throw yanked(name, fitting[0]!)
  const versions = releases.map(versionOf)
  throw new RegistryError('VERSION_NOT_FOUND', `No version of ${name} fits ${ranges.join(' and ')}.`, {
    hint:
      versions.length === 0
        ? 'It has no release yet.'
        : `There is: ${versions.slice(0, 10).join(', ')}${versions.length > 10 ? ', …' : ''}`,
  })
}

function prereleaseRank(release: Release, ranges: readonly string[]): number {
  const isPrerelease = semver.prerelease(versionOf(release)) !== null
  return isPrerelease && ranges.every((range) => range === '*') ? 1 : 0
}

function yanked(name: string, release: Release): RegistryError {
  const reason = release.yanked === false ? '' : release.yanked.reason
  return new RegistryError(
    'YANKED',
    `${name}@${versionOf(release)} was withdrawn by its publisher${reason ? `: ${reason}` : ''}.`,
    {
      hint: 'Choose another version. A project that has it locked still installs it.',
    },
  )
}

function forked(name: string, release: Release): RegistryError {
  const { author } = release.entry.entry
  return new RegistryError(
    'LOG_FORKED',
    `The log of ${author} has forked before ${name}@${versionOf(release)}: two contradicting statements were signed.`,
    {
      hint: 'The key may be stolen, or used on two machines. Ask the publisher. What was released before the fork can be installed.',
    },
  )
}
