import semver from 'semver'
import { parse, TomlError } from 'smol-toml'
import * as v from 'valibot'
import { parseCid } from '../blocks/block.ts'
import { RegistryError } from '../errors.ts'
import { isDid } from '../identity/did-key.ts'
import { isPackageName } from '../manifest/package-name.ts'

const lockVersion = 1

export interface LockedPackage {
  name: string
  version: string
  /** null: from a central registry, signed by nobody. */
  publisher: string | null
  /** `central:<name>`; empty for signed releases. */
  registry: string
  /** What the registry's download was checked against. */
  integrity: string
  /** Manifest CID. */
  cid: string
  dependencies: string[]
}

export interface LockFile {
  /** What the user asked for: name → range. The rest is there because of these. */
  requested: Record<string, string>
  packages: LockedPackage[]
}

const nameSchema = v.pipe(
  v.string(),
  v.check((text: string) => isPackageName(text), 'is no package name'),
)
const versionSchema = v.pipe(
  v.string(),
  v.check((text: string) => semver.valid(text) !== null, 'is no version'),
)
const rangeSchema = v.pipe(
  v.string(),
  v.check((text: string) => semver.validRange(text) !== null, 'is no version range'),
)
const schema = v.object({
  version: v.literal(lockVersion),
  requested: v.optional(v.record(nameSchema, rangeSchema), {}),
  package: v.optional(
    v.array(
      v.object({
        name: nameSchema,
        version: versionSchema,
        publisher: v.optional(
          v.pipe(
            v.string(),
            v.check((text: string) => isDid(text), 'is no did:key'),
          ),
        ),
        registry: v.optional(v.string(), ''),
        integrity: v.optional(v.string(), ''),
        cid: v.pipe(v.string(), v.check(isContentId, 'is no content ID')),
        dependencies: v.optional(v.array(nameSchema), []),
      }),
    ),
    [],
  ),
})

function isContentId(text: string): boolean {
  try {
    return parseCid(text).toString() === text
  } catch {
    return false
  }
}

export const emptyLock: LockFile = { requested: {}, packages: [] }

/** Throws `INVALID_MANIFEST` with line and column, or with the field that is wrong. */
export function parseLock(text: string): LockFile {
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    const place = error instanceof TomlError ? `:${error.line}:${error.column}` : ''
    throw broken(`ggen.lock${place} is no valid TOML`, error)
  }
  const parsed = v.safeParse(schema, value)
  if (!parsed.success) {
    const [issue] = parsed.issues
    const path = issue.path?.map(({ key }) => String(key)).join('.') ?? 'version'
    throw broken(`ggen.lock: ${path}: ${issue.message}`, undefined)
  }
  const packages = parsed.output.package.map(({ publisher = null, ...rest }) => ({ publisher, ...rest }))
  const nameless = packages.find(({ publisher, registry }) => publisher === null && registry === '')
  if (nameless !== undefined) throw broken(`ggen.lock: ${nameless.name} has neither publisher nor registry`, undefined)
  return { requested: parsed.output.requested, packages }
}

/** TOML in a stable order, a package a table and a fact a line, so that a diff shows just what changed. */
export function formatLock(lock: LockFile): string {
  // Like JSON, but that TOML takes no DEL as it is, and no half of a surrogate pair at all.
  const text = (value: string): string => JSON.stringify(value.toWellFormed()).replaceAll('\x7f', '\\u007f')
  const byName = <T extends { name: string }>(a: T, b: T): number => (a.name < b.name ? -1 : 1)
  const requested = Object.entries(lock.requested).sort(([a], [b]) => (a < b ? -1 : 1))
  const lines = [
    '# Written by ggen. Commit it: it pins every package to its content and its publisher.',
    `version = ${lockVersion}`,
    '',
    '[requested]',
    ...requested.map(([name, range]) => `${text(name)} = ${text(range)}`),
  ]
  for (const locked of [...lock.packages].sort(byName)) {
    const { name, version, publisher, registry, integrity, cid, dependencies } = locked
    lines.push('', '[[package]]', `name = ${text(name)}`, `version = ${text(version)}`)
    if (publisher !== null) lines.push(`publisher = ${text(publisher)}`)
    if (registry !== '') lines.push(`registry = ${text(registry)}`)
    if (integrity !== '') lines.push(`integrity = ${text(integrity)}`)
    lines.push(`cid = ${text(cid)}`)
    if (dependencies.length > 0) lines.push(`dependencies = [${[...dependencies].sort().map(text).join(', ')}]`)
  }
  return `${lines.join('\n')}\n`
}

function broken(message: string, cause: unknown): RegistryError {
  return new RegistryError('INVALID_MANIFEST', `${message}.`, {
    hint: 'Restore it from version control, or delete it and install again.',
    cause,
  })
}

/** Names the requested packages reach; what is not among them is no longer needed. */
export function neededNames(lock: LockFile): Set<string> {
  const byName = new Map(lock.packages.map((locked) => [locked.name, locked]))
  const needed = new Set<string>()
  const visit = (name: string): void => {
    const locked = byName.get(name)
    if (locked === undefined || needed.has(name)) return
    needed.add(name)
    locked.dependencies.forEach(visit)
  }
  Object.keys(lock.requested).forEach(visit)
  return needed
}
