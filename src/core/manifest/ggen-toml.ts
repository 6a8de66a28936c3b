import type { DeclaredMetadata } from './metadata.ts'
import { readTomlTables } from './package-toml.ts'
import { parseToml } from './toml.ts'

/** `ggen.toml`, which describes a package in `[project]` or `[package]`; undefined when it only configures the tool. */
export function readGgenToml(file: string, text: string): DeclaredMetadata | undefined {
  const document = parseToml(file, text)
  const main = ['project', 'package'].find((table) => document[table] !== undefined)
  return main === undefined ? undefined : readTomlTables(file, document, main)
}
