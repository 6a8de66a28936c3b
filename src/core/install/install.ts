import type { InstalledPackage, InstallResult, ServiceProgress } from '../control/service.ts'
import { RegistryError } from '../errors.ts'
import { fingerprint } from '../identity/fingerprint.ts'
import type { Release } from '../log/history.ts'
import { manifestBytes } from '../manifest/manifest.ts'
import type { Clock, InstallTarget, OperationOptions } from '../ports.ts'
import type { FetchedPackage } from '../registry/fetch.ts'
import type { Requirement, ResolvedPackage } from '../resolve/graph.ts'
import { resolveGraph } from '../resolve/graph.ts'
import type { PublisherAnswer } from '../resolve/publisher.ts'
import type { Trust } from '../trust/trust.ts'
import type { InstallStore } from './installed-files.ts'
import { createInstalledFiles } from './installed-files.ts'
import type { LockedPackage, LockFile } from './lock-file.ts'
import { emptyLock, formatLock, neededNames, parseLock } from './lock-file.ts'
import { checkInstalled } from './verify.ts'

export interface InstallDeps {
  clock: Clock
  trust: Trust
  store: InstallStore
  lookup(
    requirement: Requirement,
    options: { locked: LockedPackage | undefined; offline: boolean; signal?: AbortSignal | undefined },
  ): Promise<{ decision: PublisherAnswer; releases: readonly Release[] }>
  fetch(
    release: Release['entry'],
    options: OperationOptions<ServiceProgress> & { offline?: boolean },
  ): Promise<FetchedPackage>
}

export interface InstallOptions extends OperationOptions<ServiceProgress> {
  frozenLockfile?: boolean
  offline?: boolean
  dryRun?: boolean
  /** Write again what is already there and intact. */
  force?: boolean
  /** Ignore what the lock says about these names (all, when empty): `update`. */
  update?: readonly string[]
}

/**
 * Installs into a project: resolves what is asked for and what that needs, fetches everything, and only then writes. A failure before the writing leaves the project as it was;
 * one in the middle of it leaves whole packages and the old lock, and the same command completes it. With nothing asked for, installs what the lock file requests.
 */
export async function installPackages(
  deps: InstallDeps,
  target: InstallTarget,
  wanted: readonly Requirement[],
  options: InstallOptions = {},
): Promise<InstallResult> {
  const startedMs = deps.clock.now()
  const before = await readLock(target)
  const strange = options.update?.find((name) => lockedBy(before, name) === undefined)
  if (strange !== undefined) {
    throw new RegistryError('PACKAGE_NOT_FOUND', `${strange} is not in ggen.lock.`, {
      hint: 'See what is: ggen marketplace list',
    })
  }
  const roots = rootsOf(before, wanted)
  const resolved = await resolveGraph(roots, {
    lookup: (requirement) =>
      deps.lookup(requirement, {
        locked: isUpdated(requirement.name, options) ? undefined : lockedBy(before, requirement.name),
        offline: options.offline ?? false,
        signal: options.signal,
      }),
    lockedCid: (name) => (isUpdated(name, options) ? undefined : lockedBy(before, name)?.cid),
  })
  const after = lockOf(roots, resolved)
  if (options.frozenLockfile) refuseOtherLock(before, after)
  const removed = before.packages.map(({ name }) => name).filter((name) => !resolved.has(name))

  const installed: InstalledPackage[] = []
  const notices: string[] = []
  const toWrite: { resolved: ResolvedPackage; fetched: FetchedPackage }[] = []
  for (const [name, one] of resolved) {
    notices.push(...noticesOf(name, one))
    const intact = !options.force && (await isIntact(deps, target, name, one))
    const fetched = intact || options.dryRun ? undefined : await deps.fetch(one.release.entry, options)
    if (fetched !== undefined) toWrite.push({ resolved: one, fetched })
    installed.push(describe(target, one, fetched))
  }
  options.signal?.throwIfAborted()
  if (!options.dryRun) {
    const files = createInstalledFiles(deps.store, (release) => deps.fetch(release, options))
    for (const { resolved: one, fetched } of toWrite) {
      await target.writePackage(one.release.entry.entry.body.name, files(one.release.entry, fetched.manifest))
    }
    for (const [name, { decision }] of resolved) {
      if (deps.trust.pinOf(name) === undefined) await deps.trust.pin(name, decision.publisher)
    }
    for (const name of removed) await target.removePackage(name)
    if (formatLock(after) !== formatLock(before)) await target.writeLock(formatLock(after))
  }
  return { installed, removed, tookMs: deps.clock.now() - startedMs, notices }
}

/** Removes packages, and those that nothing needs any more. Throws `PACKAGE_NOT_FOUND` for a name that is not installed. */
export async function uninstallPackages(
  target: InstallTarget,
  names: readonly string[],
): Promise<{ removed: string[] }> {
  const before = await readLock(target)
  const present = await target.listPackages()
  for (const name of names) {
    if (before.packages.every((locked) => locked.name !== name) && !present.includes(name)) {
      throw new RegistryError('PACKAGE_NOT_FOUND', `${name} is not installed here.`, {
        hint: 'See what is: ggen marketplace list',
      })
    }
  }
  const requested = Object.fromEntries(Object.entries(before.requested).filter(([name]) => !names.includes(name)))
  const needed = neededNames({ ...before, requested })
  for (const name of names) {
    const neededBy = before.packages.find((locked) => needed.has(locked.name) && locked.dependencies.includes(name))
    if (neededBy !== undefined) {
      throw new RegistryError('USAGE', `${name} is needed by ${neededBy.name}.`, {
        hint: `Uninstall ${neededBy.name} first.`,
      })
    }
  }
  const after: LockFile = { requested, packages: before.packages.filter(({ name }) => needed.has(name)) }
  const removed = [
    ...new Set([...names, ...before.packages.map(({ name }) => name).filter((name) => !needed.has(name))]),
  ].sort()
  await target.writeLock(formatLock(after))
  for (const name of removed) await target.removePackage(name)
  return { removed }
}

export async function readLock(target: InstallTarget): Promise<LockFile> {
  const text = await target.readLock()
  return text === undefined ? emptyLock : parseLock(text)
}

/** What was requested before stays requested; what is asked for now replaces its old range. */
function rootsOf(before: LockFile, wanted: readonly Requirement[]): Requirement[] {
  const kept = Object.entries(before.requested)
    .filter(([name]) => wanted.every((requirement) => requirement.name !== name))
    .map(([name, range]): Requirement => ({ name, range }))
  return [...kept, ...wanted].sort((a, b) => (a.name < b.name ? -1 : 1))
}

const lockedBy = (lock: LockFile, name: string) => lock.packages.find((locked) => locked.name === name)

function isUpdated(name: string, { update }: InstallOptions): boolean {
  return update !== undefined && (update.length === 0 || update.includes(name))
}

function lockOf(roots: readonly Requirement[], resolved: ReadonlyMap<string, ResolvedPackage>): LockFile {
  return {
    requested: Object.fromEntries(roots.map(({ name, range }) => [name, range])),
    packages: [...resolved].map(([name, { release, dependencies }]) => {
      const { publisher, body } = release.entry.entry
      return { name, version: body.version, publisher, cid: body.manifest.toString(), dependencies }
    }),
  }
}

function refuseOtherLock(before: LockFile, after: LockFile): void {
  if (formatLock(before) === formatLock(after)) return
  throw new RegistryError(
    'USAGE',
    'ggen.lock does not fit what is asked for, and --frozen-lockfile forbids changing it.',
    {
      hint: 'Run the install without --frozen-lockfile and commit the new ggen.lock.',
    },
  )
}

function noticesOf(name: string, { decision, release }: ResolvedPackage): string[] {
  const { version } = release.entry.entry.body
  const notices: string[] = []
  if (decision.by === 'first-use') {
    notices.push(
      `${name} is pinned to its publisher from now on: ${decision.publisher}, fingerprint ${fingerprint(decision.publisher)}.`,
    )
  }
  if (release.deprecated !== '') notices.push(`${name}@${version} is deprecated: ${release.deprecated}`)
  if (release.yanked !== false)
    notices.push(`${name}@${version} was withdrawn, but is locked: ${release.yanked.reason}`)
  return notices
}

async function isIntact(
  deps: InstallDeps,
  target: InstallTarget,
  name: string,
  { release }: ResolvedPackage,
): Promise<boolean> {
  const { manifest, version } = release.entry.entry.body
  const check = await checkInstalled(deps.store, target, { name, version, cid: manifest })
  return check !== undefined && check.faults.length === 0
}

function describe(
  target: InstallTarget,
  { release }: ResolvedPackage,
  fetched: FetchedPackage | undefined,
): InstalledPackage {
  const { publisher, body } = release.entry.entry
  return {
    name: body.name,
    version: body.version,
    publisher,
    cid: body.manifest.toString(),
    path: target.packagePath(body.name),
    bytes: fetched === undefined ? body.bytes : manifestBytes(fetched.manifest),
    fetchedBytes: fetched?.fetchedBytes ?? 0,
    sources: fetched === undefined || fetched.sources.length === 0 ? ['cache'] : fetched.sources,
  }
}
