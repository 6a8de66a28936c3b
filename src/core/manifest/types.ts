import type { CID } from 'multiformats/cid'

export interface ManifestFile {
  /** Relative, `/`-separated, NFC. */
  path: string
  size: number
  exec: boolean
  /** Its content in order, in raw blocks of `maxBlockBytes`, the last one shorter; none for an empty file. */
  blocks: CID[]
}

/** The whole content of one version. Its CID is the package's content ID. */
export interface Manifest {
  v: 1
  name: string
  version: string
  /** Sorted by path, by UTF-8 bytes. */
  files: ManifestFile[]
}

/** What `package.toml` (or `package.json`, `ggen.toml`) says, in one shape. */
export interface PackageMetadata {
  name: string
  version: string
  description: string
  category: string
  keywords: string[]
  license: string
  authors: string[]
  repository: string
  /** Registry dependencies: name → semver range. */
  dependencies: Record<string, string>
  /** Dependencies that other package managers resolve, and file globs: kept and shown, never acted on. */
  external: Record<string, string>
  /** Everything else the file says, as it says it: shown by `publish --dry-run` and `info`, never dropped silently. */
  other: Record<string, unknown>
  /** Which file it was read from. */
  file: string
}
