import { parse, TomlError } from 'smol-toml'
import { RegistryError } from '../errors.ts'
import { nearest } from '../search/edit-distance.ts'
import type { Config } from './settings.ts'
import { sections, settingNames, settingOf, settings } from './settings.ts'

export type Origin = 'default' | 'file' | 'environment' | 'flag'

export interface ConfigFault {
  /** In the file, from 1; absent for what the environment says. */
  line?: number
  /** `section.key` */
  key: string
  message: string
  hint?: string
}

export interface ResolvedConfig {
  config: Config
  origins: Record<string, Origin>
  faults: ConfigFault[]
}

const environmentPrefix = 'GGEN_P2P_'

/**
 * The settings in force: flags over environment (`GGEN_P2P_<SECTION>_<KEY>`) over the file's text over defaults. Every fault is listed, not only the first; a faulty value
 * leaves its default.
 */
export function resolveConfig(sources: {
  text?: string | undefined
  env?: Readonly<Record<string, string | undefined>>
  flags?: Readonly<Record<string, unknown>>
}): ResolvedConfig {
  const { text = '', env = {}, flags = {} } = sources
  const { values, faults } = readFile(text)
  const config: Record<string, Record<string, unknown>> = {}
  const origins: Record<string, Origin> = {}
  for (const name of settingNames) {
    const [section = '', key = ''] = name.split('.')
    const setting = settingOf(name)!
    const fromEnvironment = env[`${environmentPrefix}${section}_${key}`.toUpperCase()]
    let value = setting.default
    origins[name] = 'default'
    if (values.has(name)) {
      value = values.get(name)
      origins[name] = 'file'
    }
    if (fromEnvironment !== undefined) {
      const checked = setting.check(setting.fromText(fromEnvironment))
      if ('refused' in checked)
        faults.push(faultOf(name, checked, undefined, `${environmentPrefix}${section}_${key}`.toUpperCase()))
      else {
        value = checked.value
        origins[name] = 'environment'
      }
    }
    if (flags[name] !== undefined) {
      value = flags[name]
      origins[name] = 'flag'
    }
    config[section] = { ...config[section], [key]: value }
  }
  return { config: config as unknown as Config, origins, faults }
}

/** Throws `INVALID_CONFIG` with every fault, each on its line of the message, when there is any. */
export function refuseFaults(file: string, faults: readonly ConfigFault[]): void {
  if (faults.length === 0) return
  const rows = faults.map(formatFault)
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`
  throw new RegistryError('INVALID_CONFIG', `The configuration (${file}) has ${count}:\n  ${rows.join('\n  ')}`, {
    hint: faults.find(({ hint }) => hint !== undefined)?.hint ?? 'Edit it with: ggen marketplace p2p config edit',
  })
}

export function formatFault({ line, key, message, hint }: ConfigFault): string {
  return `${line === undefined ? '' : `line ${line}: `}${key}: ${message}${hint === undefined ? '' : ` (${hint})`}`
}

function faultOf(
  name: string,
  refusal: { refused: string; hint?: string },
  line: number | undefined,
  label = name,
): ConfigFault {
  return {
    ...(line === undefined ? {} : { line }),
    key: label,
    message: refusal.refused,
    ...(refusal.hint === undefined ? {} : { hint: refusal.hint }),
  }
}

function readFile(text: string): { values: Map<string, unknown>; faults: ConfigFault[] } {
  const values = new Map<string, unknown>()
  let tables: Record<string, unknown>
  try {
    tables = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '')
    return { values, faults: [{ line: error.line, key: `column ${error.column}`, message: `not TOML: ${reason}` }] }
  }
  const faults: ConfigFault[] = []
  for (const [section, table] of Object.entries(tables)) {
    if (!Object.hasOwn(settings, section) || typeof table !== 'object' || table === null) {
      faults.push(unknownSection(text, section))
      continue
    }
    for (const [key, value] of Object.entries(table)) {
      const name = `${section}.${key}`
      const setting = settingOf(name)
      const line = lineOf(text, section, key)
      if (setting === undefined) {
        faults.push(unknownKey(section, key, line))
        continue
      }
      const checked = setting.check(value)
      if ('refused' in checked) faults.push(faultOf(name, checked, line))
      else values.set(name, checked.value)
    }
  }
  return { values, faults: faults.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
}

function unknownSection(text: string, section: string): ConfigFault {
  const meant = nearest(section, sections)
  return {
    ...lineFact(lineOf(text, section, undefined)),
    key: section,
    message: 'is no section',
    hint:
      meant === undefined
        ? `The sections are ${sections.map((name) => `[${name}]`).join(', ')}`
        : `did you mean [${meant}]?`,
  }
}

function unknownKey(section: string, key: string, line: number | undefined): ConfigFault {
  const keys = settingNames
    .filter((name) => name.startsWith(`${section}.`))
    .map((name) => name.slice(section.length + 1))
  // A key may also stand in the wrong section.
  const elsewhere = settingNames.find((name) => name.endsWith(`.${key}`))
  const meant = elsewhere ?? prefixed(section, nearest(key, keys)) ?? prefixed(section, keys[0])
  return { ...lineFact(line), key: `${section}.${key}`, message: 'is no known key', hint: `did you mean ${meant}?` }
}

const prefixed = (section: string, key: string | undefined): string | undefined =>
  key === undefined ? undefined : `${section}.${key}`
const lineFact = (line: number | undefined): { line?: number } => (line === undefined ? {} : { line })

/** Line of a key, or of a section's header; undefined where the file writes it in a way this does not see. */
export function lineOf(text: string, section: string, key: string | undefined): number | undefined {
  const lines = text.split(/\r?\n/)
  let current = ''
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    const header = /^\[+\s*"?([\w-]+)"?\s*(?:\.\s*"?([\w-]+)"?)?\s*\]/.exec(line)
    if (header !== null) {
      current = header[1]!
      if (current === section && (key === undefined || header[2] === key)) return index + 1
      continue
    }
    const assigned = /^"?([\w-]+)"?\s*(?:\.\s*"?([\w-]+)"?\s*)?=/.exec(line)
    if (assigned === null) continue
    const path = [current, assigned[1], assigned[2]].filter((part) => part !== undefined && part !== '')
    if (path[0] === section && (key === undefined || path[1] === key)) return index + 1
  }
  return undefined
}
