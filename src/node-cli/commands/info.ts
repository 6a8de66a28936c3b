import { Command, Option } from 'clipanion'
import type { InfoResult } from '../../core/control/service.ts'
import { fingerprint } from '../../core/identity/fingerprint.ts'
import { renderFacts } from '../render/facts.ts'
import type { Colours } from '../render/text.ts'
import { clean, count, formatBytes } from '../render/text.ts'
import { useService } from '../use-service.ts'
import { GgenCommand } from './command.ts'

const maxVersionsShown = 10

export class InfoCommand extends GgenCommand {
  static override paths = [['marketplace', 'info']]
  static override usage = Command.Usage({
    category: 'Packages',
    description: 'Show what is known about a package and who signed it',
    examples: [
      ['The newest version', 'ggen marketplace info rest-handlers'],
      ['One version', 'ggen marketplace info rest-handlers@1.0.0'],
    ],
  })
  spec = Option.String({ name: 'spec' })
  dir = Option.String('--dir', '.', { description: 'Project folder (the current one)' })
  offline = Option.Boolean('--offline', false, { description: 'Ask nobody' })

  async execute(): Promise<number> {
    const result = await useService(this.context, this.offline ? 'offline' : 'client', (service, options) =>
      service.info(
        { spec: this.spec, dir: this.absolute(this.dir), ...(this.offline ? { offline: true } : {}) },
        options,
      ),
    )
    this.print(result, infoText)
    return 0
  }
}

function infoText(info: InfoResult, colours: Colours): string {
  const list = (entries: Record<string, string>): string =>
    Object.entries(entries)
      .map(([name, range]) => `${name} ${range}`.trim())
      .join(', ')
  const versions = info.versions.map(({ version, yanked }) => (yanked ? `${version} (withdrawn)` : version))
  const more = versions.length > maxVersionsShown ? `, and ${versions.length - maxVersionsShown} older` : ''
  const facts: [string, string][] = [
    [
      'Version',
      `${info.version}${info.yanked ? ' (withdrawn)' : ''}${info.published === '' ? '' : `, published ${info.published.slice(0, 10)}`}`,
    ],
    [
      'Publisher',
      info.publisher === null
        ? 'nobody signed it'
        : `${info.petname === null ? '' : `${info.petname}, `}${info.publisher}`,
    ],
    ['Fingerprint', info.publisher === null ? '' : fingerprint(info.publisher)],
    ['Content', info.cid ?? 'known after the download'],
    ['Known from', info.source === 'p2p' ? '' : info.source],
    ['Size', `${count(info.files, 'file')}, ${formatBytes(info.bytes)}`],
    ['Held by', `${count(info.providers, 'peer')}${info.cached ? ', this one included' : ''}`],
    ['Category', info.category],
    ['Keywords', info.keywords.join(', ')],
    ['Licence', info.license],
    ['Authors', info.authors.join(', ')],
    ['Repository', info.repository],
    ['Needs', list(info.dependencies)],
    ['External', list(info.external)],
    ['Versions', `${versions.slice(0, maxVersionsShown).join(', ')}${more}`],
    ['Installed', info.installed ?? ''],
  ]
  const shown = facts.map(([name, value]): [string, string] => [name, clean(value)]).filter(([, value]) => value !== '')
  const warnings = [
    ...(info.forked ? [colours.red('The log of this publisher has forked: two different histories were signed.')] : []),
    ...(info.deprecated === '' ? [] : [colours.yellow(`Deprecated: ${clean(info.deprecated)}`)]),
  ]
  return [colours.bold(info.name), clean(info.description), ...warnings, renderFacts(shown, colours)]
    .filter((part) => part !== '')
    .join('\n')
}

export const commands = [InfoCommand]
