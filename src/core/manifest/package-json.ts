import { RegistryError } from '../errors.ts'
import { externalDependencies, registryDependencies } from './dependencies.ts'
import type { DeclaredMetadata } from './metadata.ts'
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

/**
 * `package.json` as npm writes it. Its `dependencies` are npm's; those of the registry stand in `"ggen-dependencies"`.
 */
export function readPackageJson(file: string, text: string): DeclaredMetadata {
  const reader = createTableReader(file, '', parseJson(file, text))
  const declared = {
    name: reader.take('name', textShape),
    version: reader.take('version', textShape),
    description: reader.take('description', textShape) ?? '',
    category: reader.take('category', textShape) ?? '',
    keywords: reader.take('keywords', textsShape) ?? [],
    license: reader.take('license', licenseShape) ?? '',
    authors: reader.take('author', peopleShape) ?? [],
    repository: reader.take('repository', repositoryShape) ?? '',
    dependencies: registryDependencies(file, reader.take('ggen-dependencies', tableShape)),
    external: externalDependencies(reader.take('dependencies', tableShape) ?? {}),
  }
  return { ...declared, other: reader.rest() }
}

function parseJson(file: string, text: string): Table {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    const message = (cause as Error).message
    throw new RegistryError('INVALID_MANIFEST', `${file}${placeOf(message, text)}: ${message}`, {
      hint: 'Correct the file at that place, then try again.',
      cause,
    })
  }
  if (isTable(document)) return document
  throw new RegistryError('INVALID_MANIFEST', `${file} holds no JSON object.`, {
    hint: 'It begins like this: { "name": "my-package", "version": "1.0.0" }',
  })
}

/** `:line:column` where the engine tells the position (V8 does), at the end of a text that ends too early. */
function placeOf(message: string, text: string): string {
  const position = /position (\d+)/.exec(message)?.[1]
  if (position === undefined && !/end of/i.test(message)) return ''
  const before = text.slice(0, position === undefined ? text.length : Number(position)).split('\n')
  return `:${before.length}:${(before.at(-1) ?? '').length + 1}`
}
