import * as v from 'valibot'
import { RegistryError } from '../errors.ts'
import { describeFault } from '../schema-fault.ts'
import { descriptionFields, externalSchema } from './field-schemas.ts'
import { readGgenToml } from './ggen-toml.ts'
import { readPackageJson } from './package-json.ts'
import { isPackageName, packageNameHint } from './package-name.ts'
import { readPackageToml } from './package-toml.ts'
import { isPackageVersion } from './package-version.ts'
import type { PackageMetadata } from './types.ts'

/** What a package file declares, in one shape, before names, versions and lengths are checked. */
export type DeclaredMetadata = Omit<PackageMetadata, 'name' | 'version' | 'file'> & {
  name: string | undefined
  version: string | undefined
}

/** What counts in place of what the package file says, or does not say. The file itself is published as it is. */
export interface MetadataOverrides {
  name?: string | undefined
  version?: string | undefined
  description?: string | undefined
  category?: string | undefined
  license?: string | undefined
  keywords?: string[] | undefined
}

const readers: Record<string, (file: string, text: string) => DeclaredMetadata | undefined> = {
  'package.toml': readPackageToml,
  'ggen.toml': readGgenToml,
  'package.json': readPackageJson,
}

/** Files at a package's root that can describe it; the first one that does counts. */
export const metadataFiles: readonly string[] = Object.keys(readers)

const limitsSchema = v.object({ ...descriptionFields, external: externalSchema })

/**
 * What the package file says, in one shape. Throws `INVALID_MANIFEST`, naming the file and the key or the place, when
 * there is none, it cannot be read, a field has the wrong type or is too long, or name or version are missing or
 * invalid; `USAGE` when an override is invalid.
 */
export function readMetadata(
  files: readonly { path: string; text: string }[],
  overrides: MetadataOverrides,
): PackageMetadata {
  const { file, declared } = findDeclared(files)
  const metadata = {
    ...declared,
    description: overrides.description ?? declared.description,
    category: overrides.category ?? declared.category,
    license: overrides.license ?? declared.license,
    name: checkedName(file, declared.name, overrides.name),
    version: checkedVersion(file, declared.version, overrides.version),
    keywords: uniqueTexts(overrides.keywords ?? declared.keywords),
    authors: uniqueTexts(declared.authors),
    file,
  }
  const checked = v.safeParse(limitsSchema, metadata)
  if (checked.success) return metadata
  throw new RegistryError('INVALID_MANIFEST', `${file}: ${describeFault(checked.issues)}.`, {
    hint: 'Every peer keeps these fields for search, so they are short; put more into the README.',
  })
}

function findDeclared(files: readonly { path: string; text: string }[]): { file: string; declared: DeclaredMetadata } {
  for (const [file, read] of Object.entries(readers)) {
    const text = files.find(({ path }) => path === file)?.text
    const declared = text === undefined ? undefined : read(file, text.replace(/^\uFEFF/, ''))
    if (declared !== undefined) return { file, declared }
  }
  const silent = files.some(({ path }) => path === 'ggen.toml')
    ? ' (ggen.toml is there, but without a [project] or [package] table)'
    : ''
  throw new RegistryError(
    'INVALID_MANIFEST',
    `No package file was found: looked for ${metadataFiles.join(', ')}${silent}.`,
    {
      hint: 'Publish the folder that holds it, or write a package.toml with [package], name = "my-package" and version = "1.0.0".',
    },
  )
}

function checkedName(file: string, declared: string | undefined, override: string | undefined): string {
  const name = override ?? declared
  if (isPackageName(name)) return name
  if (override !== undefined) {
    throw new RegistryError('USAGE', `"${override}" is not a package name.`, { hint: packageNameHint(override) })
  }
  if (name === undefined || name === '') {
    throw new RegistryError('INVALID_MANIFEST', `${file} gives no name.`, { hint: 'Add one to it, or pass --name.' })
  }
  throw new RegistryError('INVALID_MANIFEST', `${file}: "${name}" is not a package name.`, {
    hint: packageNameHint(name),
  })
}

function checkedVersion(file: string, declared: string | undefined, override: string | undefined): string {
  const version = override ?? declared
  if (isPackageVersion(version)) return version
  const hint =
    'Versions follow semver 2.0 (major.minor.patch): set it in the package file or pass, for example, --version 1.0.0'
  if (override !== undefined) throw new RegistryError('USAGE', `"${override}" is not a semantic version.`, { hint })
  if (version === undefined || version === '')
    throw new RegistryError('INVALID_MANIFEST', `${file} gives no version.`, { hint })
  throw new RegistryError('INVALID_MANIFEST', `${file}: "${version}" is not a semantic version.`, { hint })
}

function uniqueTexts(texts: readonly string[]): string[] {
  return [...new Set(texts.filter((text) => text !== ''))]
}
