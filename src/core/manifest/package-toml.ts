import { RegistryError } from '../errors.ts'
import { externalDependencies, registryDependencies } from './dependencies.ts'
import type { DeclaredMetadata } from './metadata.ts'
import { isPackageName } from './package-name.ts'
import type { Table } from './table-reader.ts'
import {
  createTableReader,
  isTable,
  licenseShape,
  peopleShape,
  repositoryShape,
  tableShape,
  textShape,
  textsShape,
} from './table-reader.ts'
import { parseToml } from './toml.ts'

/** `package.toml`, which must have a table `[package]`. */
export function readPackageToml(file: string, text: string): DeclaredMetadata {
  const document = parseToml(file, text)
  if (document.package === undefined) {
    throw new RegistryError('INVALID_MANIFEST', `${file} has no [package] table.`, {
      hint: 'It begins like this: [package], then name = "my-package" and version = "1.0.0", each on a line of its own.',
    })
  }
  return readTomlTables(file, document, 'package')
}

/** The shapes that TOML package files share; `main` is the table that names the package. */
export function readTomlTables(file: string, document: Table, main: string): DeclaredMetadata {
  const outer = createTableReader(file, '', document)
  const inner = createTableReader(file, `${main}.`, outer.take(main, tableShape) ?? {})
  const { name, version } = readIdentity(inner)
  const categories = inner.take('categories', textsShape) ?? []
  const category = inner.take('category', textShape) ?? categories[0] ?? ''
  const names = inner.take('dependencies', {
    ...textsShape,
    wanted: 'a list of package names',
    example: '["other-package"]',
  })
  const declared = {
    name,
    version,
    description: inner.take('description', textShape) ?? '',
    category,
    keywords: [...(inner.take('tags', textsShape) ?? []), ...(inner.take('keywords', textsShape) ?? [])],
    license: inner.take('license', licenseShape) ?? '',
    authors: [...(inner.take('author', peopleShape) ?? []), ...(inner.take('authors', peopleShape) ?? [])],
    repository: inner.take('repository', repositoryShape) ?? repositoryBeside(document),
    dependencies: registryDependencies(file, outer.take('ggen-dependencies', tableShape), names),
    external: externalDependencies(
      isTable(document.dependencies) ? (outer.take('dependencies', tableShape) ?? {}) : {},
    ),
  }
  const unread = { ...inner.rest(), ...(categories.some((one) => one !== category) ? { categories } : {}) }
  return { ...declared, other: { ...outer.rest(), ...(Object.keys(unread).length > 0 ? { [main]: unread } : {}) } }
}

/** Some files give a title as `name` and the name as `id`; whichever is not taken stays among the other fields. */
function readIdentity(inner: ReturnType<typeof createTableReader>): Pick<DeclaredMetadata, 'name' | 'version'> {
  const version = inner.take('version', textShape)
  const { name, id } = inner.rest()
  return { name: inner.take(!isPackageName(name) && isPackageName(id) ? 'id' : 'name', textShape), version }
}

/** Some files have it in the table `[metadata]`, where it also stays. */
function repositoryBeside(document: Table): string {
  const { metadata } = document
  return isTable(metadata) && typeof metadata.repository === 'string' ? metadata.repository : ''
}
