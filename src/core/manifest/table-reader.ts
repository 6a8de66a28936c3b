import * as v from 'valibot'
import { RegistryError } from '../errors.ts'

export type Table = Record<string, unknown>

/** Takes known fields out of one table of a package file; what nobody took stays for `other`. */
export interface TableReader {
  /**
   * The field's value in its one shape, undefined when absent. Throws `INVALID_MANIFEST` naming file and key when it
   * has another type.
   */
  take<T>(key: string, shape: Shape<T>): T | undefined
  /** The fields that were not taken. */
  rest(): Table
}

export interface Shape<T> {
  schema: v.GenericSchema<unknown, T>
  /** Completes "… must be". */
  wanted: string
  example: string
}

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** `label` precedes the keys in messages: `package.` for the table `[package]`. */
export function createTableReader(file: string, label: string, table: Table): TableReader {
  const rest = { ...table }
  return {
    rest: () => rest,
    take(key, { schema, wanted, example }) {
      const value = table[key]
      if (value === undefined) return undefined
      const parsed = v.safeParse(schema, value)
      if (!parsed.success) {
        throw new RegistryError('INVALID_MANIFEST', `${file}: ${label}${key} must be ${wanted}.`, {
          hint: `For example: ${key}${file.endsWith('.json') ? ': ' : ' = '}${example}`,
        })
      }
      delete rest[key]
      return parsed.output
    },
  }
}

const text = v.pipe(v.string(), v.trim())
const texts = v.array(text)

export const textShape: Shape<string> = { schema: text, wanted: 'a text', example: '"…"' }

/** A list, or a table that holds lists: `[package.tags] tags = [...]`. */
export const textsShape: Shape<string[]> = {
  schema: v.union([
    texts,
    v.pipe(
      v.record(v.string(), texts),
      v.transform((table) => Object.values(table).flat()),
    ),
  ]),
  wanted: 'a list of texts',
  example: '["rest", "api"]',
}

const person = v.union([
  text,
  v.pipe(
    v.looseObject({ name: text, email: v.optional(text) }),
    v.transform(({ name, email }) => (email ? `${name} <${email}>` : name)),
  ),
])

export const peopleShape: Shape<string[]> = {
  schema: v.union([
    v.pipe(
      person,
      v.transform((one) => [one]),
    ),
    v.array(person),
  ]),
  wanted: 'a name, or a list of names',
  example: '"Ada Lovelace"',
}

/** npm also writes `{ "type": "git", "url": … }` and, formerly, `{ "type": "MIT", … }`. */
export const repositoryShape: Shape<string> = {
  schema: v.union([
    text,
    v.pipe(
      v.looseObject({ url: text }),
      v.transform(({ url }) => url),
    ),
  ]),
  wanted: 'an address',
  example: '"https://example.org/ada/engine"',
}

export const licenseShape: Shape<string> = {
  schema: v.union([
    text,
    v.pipe(
      v.looseObject({ type: text }),
      v.transform(({ type }) => type),
    ),
  ]),
  wanted: 'a license identifier',
  example: '"MIT"',
}

export const tableShape: Shape<Table> = {
  schema: v.custom<Table>(isTable),
  wanted: 'a table',
  example: '{ other-package = "^1.0" }',
}
