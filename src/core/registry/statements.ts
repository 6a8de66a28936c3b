import semver from 'semver'
import { RegistryError } from '../errors.ts'
import type { VerifiedEntry } from '../log/types.ts'
import type { Announcer } from './announcer.ts'
import { releasesOf } from './packages.ts'
import type { RegistryParts } from './parts.ts'
import type { PublisherLog } from './publisher-log.ts'

export interface StatementCollaborators {
  log: PublisherLog
  announcer: Announcer
  inBackground: (task: string, work: Promise<unknown>) => void
}

/**
 * Withdraws an own version, or takes that back: it stays installable for whoever has it locked, and is offered to nobody else. Returns the log entry, undefined when nothing
 * had to be said. Throws `PACKAGE_NOT_FOUND`, `VERSION_NOT_FOUND` for what this key has not published.
 */
export async function yank(
  parts: RegistryParts,
  collaborators: StatementCollaborators,
  request: { name: string; version: string; reason?: string | undefined; undo?: boolean | undefined },
): Promise<VerifiedEntry | undefined> {
  const { name, version, reason, undo = false } = request
  const releases = await ownVersions(parts, collaborators, name)
  const release = releases.find(({ entry }) => entry.entry.body.version === version)
  if (release === undefined) {
    throw new RegistryError('VERSION_NOT_FOUND', `You have not published ${name}@${version}.`, {
      hint: `You have: ${releases.map(({ entry }) => entry.entry.body.version).join(', ')}`,
    })
  }
  if ((release.yanked !== false) !== undo) return undefined
  const body = { name, version, ...(reason === undefined || undo ? {} : { reason }) }
  return announce(collaborators, await collaborators.log.append({ type: undo ? 'unyank' : 'yank', body }))
}

/** Marks own versions as superseded, with advice; an empty message takes it back. Throws like `yank`, and `USAGE` for a bad range. */
export async function deprecate(
  parts: RegistryParts,
  collaborators: StatementCollaborators,
  { name, range, message }: { name: string; range: string; message: string },
): Promise<{ entry: VerifiedEntry; versions: string[] }> {
  if (semver.validRange(range) === null) {
    throw new RegistryError('USAGE', `"${range}" is no version range.`, {
      hint: 'Write name@1.2.3, name@^1 or name@"<2".',
    })
  }
  const versions = (await ownVersions(parts, collaborators, name))
    .map(({ entry }) => entry.entry.body.version)
    .filter((version) => semver.satisfies(version, range, { includePrerelease: true }))
  if (versions.length === 0) {
    throw new RegistryError('VERSION_NOT_FOUND', `None of your versions of ${name} is in ${range}.`, {
      hint: `See them: ggen marketplace info ${name}`,
    })
  }
  return {
    entry: await announce(
      collaborators,
      await collaborators.log.append({ type: 'deprecate', body: { name, range, message } }),
    ),
    versions,
  }
}

async function ownVersions(parts: RegistryParts, { log }: StatementCollaborators, name: string) {
  const own = await log.publisher()
  const releases = await releasesOf(parts, own, name)
  if (releases.length > 0) return releases
  throw new RegistryError('PACKAGE_NOT_FOUND', `You have published nothing called ${name}.`, {
    hint: `Only its publisher can say this. You are ${own}.`,
  })
}

async function announce(
  { announcer, inBackground }: StatementCollaborators,
  entry: VerifiedEntry,
): Promise<VerifiedEntry> {
  await announcer.gossip(entry)
  inBackground('store the log head in the DHT', announcer.putHead(entry))
  return entry
}
