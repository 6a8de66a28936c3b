import { parseCid } from '../blocks/block.ts'
import type { InstalledPackage, InstallResult, RegistryChoice, ServiceProgress } from '../control/service.ts'
import { RegistryError } from '../errors.ts'
import { fingerprint } from '../identity/fingerprint.ts'
import { manifestBytes } from '../manifest/manifest.ts'
import type { Clock, InstallTarget, OperationOptions } from '../ports.ts'
import type { FetchedPackage } from '../registry/fetch.ts'
import type { Candidate } from '../resolve/candidate.ts'
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
  minReleaseAgeMs: number
  store: InstallStore
  lookup(
    requirement: Requirement,
    options: {
      locked: LockedPackage | undefined
      registry: RegistryChoice
      offline: boolean
      signal?: AbortSignal | undefined
    },
  ): Promise<{ decision: PublisherAnswer; candidates: readonly Candidate[] }>
  fetch(
    candidate: Candidate,
    options: OperationOptions<ServiceProgress> & { offline?: boolean },
  ): Promise<FetchedPackage>
}

export interface InstallOptions extends OperationOptions<ServiceProgress> {
  registry?: RegistryChoice
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
        registry: options.registry ?? 'all',
        offline: options.offline ?? false,
        signal: options.signal,
      }),
    notAfterMs: startedMs - deps.minReleaseAgeMs,
    locked: (name) => (isUpdated(name, options) ? undefined : lockedBy(before, name)),
  })
  if (options.frozenLockfile) refuseOtherLock(before, lockOf(roots, resolved))
  const removed = before.packages.map(({ name }) => name).filter((name) => !resolved.has(name))

  const installed: InstalledPackage[] = []
  const notices: string[] = []
  const toWrite: { candidate: Candidate; fetched: FetchedPackage }[] = []
  for (const [name, one] of resolved) {
    notices.push(...noticesOf(name, one))
    const intact = !options.force && (await isIntact(deps, target, name, one))
    const fetched = intact || options.dryRun ? undefined : await deps.fetch(one.candidate, options)
    const candidate = { ...one.candidate, cid: fetched?.cid.toString() ?? one.candidate.cid }
    resolved.set(name, { ...one, candidate })
    if (fetched !== undefined) toWrite.push({ candidate, fetched })
    installed.push(describe(target, candidate, fetched))
  }
  options.signal?.throwIfAborted()
  if (!options.dryRun) {
    const files = createInstalledFiles(deps.store, (candidate: Candidate) => deps.fetch(candidate, options))
    for (const { candidate, fetched } of toWrite) {
      await target.writePackage(candidate.name, files(candidate, fetched.manifest))
    }
    for (const [name, { decision }] of resolved) {
      const { publisher } = decision
      if (publisher !== null && deps.trust.pinOf(name) === undefined) await deps.trust.pin(name, publisher)
    }
    for (const name of removed) await target.removePackage(name)
    const after = formatLock(lockOf(roots, resolved))
    if (after !== formatLock(before)) await target.writeLock(after)
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
    packages: [...resolved].map(([name, { candidate, dependencies }]) => {
      const { version, publisher, registry, integrity, cid } = candidate
      return { name, version, publisher, registry, integrity, cid: cid ?? '', dependencies }
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

function noticesOf(name: string, { decision, candidate }: ResolvedPackage): string[] {
  const { version } = candidate
  const notices: string[] = []
  if (decision.by === 'first-use') {
    notices.push(
      `${name} is pinned to its publisher from now on: ${decision.publisher}, fingerprint ${fingerprint(decision.publisher)}.`,
    )
  }
  if (decision.by === 'central')
    notices.push(
      `${name}@${version} comes from ${candidate.registry}: nobody signed it, the registry's checksum is all that vouches for it.`,
    )
  if (candidate.origin.kind === 'central' && candidate.origin.registry.kind === 'npm') {
    notices.push(`What ${name} depends on is left to npm: it is not installed here.`)
  }
  if (candidate.deprecated !== '') notices.push(`${name}@${version} is deprecated: ${candidate.deprecated}`)
  if (candidate.yanked !== false)
    notices.push(`${name}@${version} was withdrawn, but is locked: ${candidate.yanked.reason}`)
  return notices
}

async function isIntact(
  deps: InstallDeps,
  target: InstallTarget,
  name: string,
  { candidate }: ResolvedPackage,
): Promise<boolean> {
  const { version, cid } = candidate
  if (cid === null) return false
  const check = await checkInstalled(deps.store, target, { name, version, cid: parseCid(cid) })
  return check !== undefined && check.faults.length === 0
}

function describe(target: InstallTarget, candidate: Candidate, fetched: FetchedPackage | undefined): InstalledPackage {
  const { name, version, publisher, cid, bytes } = candidate
  return {
    name,
    version,
    publisher,
    cid,
    path: target.packagePath(name),
    bytes: fetched === undefined ? bytes : manifestBytes(fetched.manifest),
    fetchedBytes: fetched?.fetchedBytes ?? 0,
    sources: fetched === undefined || fetched.sources.length === 0 ? ['cache'] : fetched.sources,
  }
}
