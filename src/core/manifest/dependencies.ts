import { RegistryError } from '../errors.ts'
import { isPackageName, packageNameHint } from './package-name.ts'
import { isVersionRange } from './package-version.ts'
import type { Table } from './table-reader.ts'
import { isTable } from './table-reader.ts'

/**
 * Registry dependencies: the table `[ggen-dependencies]` (name = range) and names without a range, which mean any
 * version. Throws `INVALID_MANIFEST` naming file and key.
 */
export function registryDependencies(
  file: string,
  ranges: Table = {},
  names: readonly string[] = [],
): Record<string, string> {
  const dependencies: [string, string][] = []
  for (const name of names) {
    if (!isPackageName(name)) throw invalid(file, `dependencies: "${name}" is not a package name`, rangesHint)
    dependencies.push([name, '*'])
  }
  for (const [name, range] of Object.entries(ranges)) {
    if (!isPackageName(name))
      throw invalid(file, `ggen-dependencies: "${name}" is not a package name`, packageNameHint(name))
    if (!isVersionRange(range)) {
      throw invalid(file, `ggen-dependencies.${name}: ${JSON.stringify(range)} is not a version range`, rangesHint)
    }
    dependencies.push([name, range])
  }
  return Object.fromEntries(dependencies)
}

const rangesHint = 'Write ranges in [ggen-dependencies], for example: other-package = "^1.0"'

/**
 * Fields of which a dependency written as a table has at least one; a table without them groups dependencies, by
 * language for instance.
 */
const dependencyFields = ['version', 'path', 'git', 'url', 'workspace']

/**
 * Dependencies of other package managers, and file globs, flat: `tokio` → `1.35`, `rust:sqlx` → `{"version":"0.7",…}`
 * as JSON.
 */
export function externalDependencies(table: Table, group = ''): Record<string, string> {
  const found: [string, string][] = []
  for (const [name, value] of Object.entries(table)) {
    const key = group + name
    if (isTable(value) && !dependencyFields.some((field) => field in value)) {
      found.push(...Object.entries(externalDependencies(value, `${key}:`)))
    } else {
      found.push([key, typeof value === 'string' ? value : JSON.stringify(value)])
    }
  }
  return Object.fromEntries(found)
}

function invalid(file: string, fact: string, hint: string): RegistryError {
  return new RegistryError('INVALID_MANIFEST', `${file}: ${fact}.`, { hint })
}
