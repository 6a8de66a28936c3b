import { stringify } from 'smol-toml'
import { RegistryError } from '../core/errors.ts'
import type { MetadataOverrides } from '../core/manifest/metadata.ts'
import { metadataFiles } from '../core/manifest/metadata.ts'
import type { PackageSource } from '../core/ports.ts'

/** A folder that no package file describes, with a `package.toml` made of what was given in its place; any other as it is. Throws `INVALID_MANIFEST` where name or version were not given. */
export function withPackageFile(source: PackageSource, given: MetadataOverrides): PackageSource {
  if (source.files.some(({ path }) => metadataFiles.includes(path))) return source
  const { name, version } = given
  if (name === undefined || version === undefined) {
    throw new RegistryError('INVALID_MANIFEST', `No package file was found: looked for ${metadataFiles.join(', ')}.`, {
      hint: 'Give a name and a version: a package.toml is then made of what you give. Or choose the folder that holds one.',
    })
  }
  const stated = Object.entries({ ...given, name, version }).filter(
    ([, value]) => value !== undefined && value.length > 0,
  )
  const bytes = new TextEncoder().encode(stringify({ package: Object.fromEntries(stated) }))
  const file = {
    path: 'package.toml',
    size: bytes.length,
    exec: false,
    async *read() {
      yield bytes
    },
  }
  return { ...source, files: [...source.files, file] }
}
