import { parse, stringify } from 'smol-toml'
import { RegistryError } from '../errors.ts'
import { nearest } from '../search/edit-distance.ts'
import { lineOf } from './config.ts'
import type { Config, Setting } from './settings.ts'
import { sections, settingNames, settingOf, settings } from './settings.ts'

/** A setting by its `section.key`. Throws `USAGE` with the nearest name. */
export function requireSetting(name: string): Setting {
  const setting = settingOf(name)
  if (setting !== undefined) return setting
  const meant = nearest(name, settingNames) ?? settingNames.find((known) => known.endsWith(`.${name}`))
  throw new RegistryError('USAGE', `There is no setting ${name}.`, {
    hint: meant === undefined ? 'See all: ggen marketplace p2p config show' : `Did you mean ${meant}?`,
  })
}

/** The file's text with one setting changed; comments, order and everything else stay. Throws `USAGE` for a value the setting refuses. */
export function setInText(text: string, name: string, value: string): string {
  const setting = requireSetting(name)
  const checked = setting.check(setting.fromText(value))
  if ('refused' in checked)
    throw new RegistryError('USAGE', `${name} ${checked.refused}.`, { hint: checked.hint ?? setting.help })
  const [section = '', key = ''] = name.split('.')
  const assignment = `${key} = ${toToml(checked.value)}`
  const edited = replaceLines(text, section, key, assignment)
  const written = (parse(edited) as Record<string, Record<string, unknown>>)[section]?.[key]
  if (JSON.stringify(written) !== JSON.stringify(checked.value)) {
    throw new RegistryError('INVALID_CONFIG', `${name} is written in a way that can't be edited here.`, {
      hint: 'Use: ggen marketplace p2p config edit',
    })
  }
  return edited
}

function replaceLines(text: string, section: string, key: string, assignment: string): string {
  const lines = text.split('\n')
  const at = lineOf(text, section, key)
  if (at === undefined) {
    const header = lineOf(text, section, undefined)
    if (header === undefined) return `${text.trimEnd()}${text.trim() === '' ? '' : '\n\n'}[${section}]\n${assignment}\n`
    return [...lines.slice(0, header), assignment, ...lines.slice(header)].join('\n')
  }
  const first = at - 1
  const last = lastLineOf(lines, first)
  const comment = trailingComment(lines[last]!, lines.slice(first, last).join('\n'))
  return [...lines.slice(0, first), `${assignment}${comment}`, ...lines.slice(last + 1)].join('\n')
}

/** A value may span lines: it ends where what was read so far is TOML. */
function lastLineOf(lines: readonly string[], first: number): number {
  for (let last = first; last < lines.length; last++) if (isToml(lines.slice(first, last + 1).join('\n'))) return last
  return first
}

function trailingComment(line: string, before: string): string {
  for (let at = line.indexOf('#'); at !== -1; at = line.indexOf('#', at + 1)) {
    // A # inside a text leaves an unfinished text before it.
    if (isToml(`${before}\n${line.slice(0, at)}`)) return ` ${line.slice(at)}`
  }
  return ''
}

function isToml(text: string): boolean {
  try {
    parse(text)
    return true
  } catch {
    return false
  }
}

function toToml(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${value.map(toToml).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `${key} = ${toToml(inner)}`)
      .join(', ')} }`
  }
  return stringify({ value })
    .trim()
    .replace(/^value = /, '')
}

/** A file that says nothing but shows everything: each setting with its default, commented out. */
export function defaultConfigText(): string {
  const parts = sections.map((section) => {
    const rows = Object.entries(settings[section] as Record<string, Setting>).map(
      ([key, setting]) => `# ${setting.help}\n# ${key} = ${toToml(setting.default)}`,
    )
    return `[${section}]\n${rows.join('\n')}\n`
  })
  return `# ggen P2P. Flags and environment variables (GGEN_P2P_<SECTION>_<KEY>) win over this file.\n\n${parts.join('\n')}`
}

/** One value of a configuration, by `section.key`. Throws `USAGE`. */
export function readSetting(config: Config, name: string): unknown {
  requireSetting(name)
  const [section = '', key = ''] = name.split('.')
  return (config as unknown as Record<string, Record<string, unknown>>)[section]?.[key]
}
