import { Command, Option } from 'clipanion'
import * as t from 'typanion'
import type { PublishResult } from '../../core/control/service.ts'
import { renderFacts } from '../render/facts.ts'
import { renderTable } from '../render/table.ts'
import type { Colours } from '../render/text.ts'
import { clean, count, formatBytes, formatDuration } from '../render/text.ts'
import { UsageFault } from '../usage-fault.ts'
import { useService } from '../use-service.ts'
import { GgenCommand, p2pPaths } from './command.ts'
import { seconds } from './options.ts'

export class PublishCommand extends GgenCommand {
  static override paths = [...p2pPaths('publish'), ['marketplace', 'publish']]
  static override usage = Command.Usage({
    category: 'Packages',
    description: 'Publish a folder with a package.toml, signed with your key',
    details:
      'What .ggenignore (else .gitignore) names is left out, and `.git`, `node_modules` and key files always. A published version never changes.',
    examples: [
      ['Publish', 'ggen p2p publish ./my-package'],
      ['See first what would be published', 'ggen p2p publish ./my-package --dry-run'],
      ['Return when two other peers hold a copy', 'ggen p2p publish ./my-package --wait=2'],
    ],
  })
  dir = Option.String({ name: 'folder' })
  dryRun = Option.Boolean('--dry-run', false, { description: 'List what would be published, write nothing' })
  wait = Option.String('--wait', {
    tolerateBoolean: true,
    description: 'Return when this many other peers (1) hold a verified copy',
  })
  timeout = Option.String('--timeout', { validator: seconds, description: 'Seconds to wait for them (60)' })
  noAnnounce = Option.Boolean('--no-announce', false, {
    description: 'Tell nobody now; peers learn of it when they reconcile',
  })
  name = Option.String('--name', { description: 'Instead of the name in the package file' })
  packageVersion = Option.String('--version', { description: 'Instead of the version in the package file' })

  async execute(): Promise<number> {
    const wait = this.replicas()
    const result = await useService(this.context, this.dryRun ? 'offline' : 'nothing', (service, options) =>
      service.publish(
        {
          dir: this.absolute(this.dir),
          ...(this.dryRun ? { dryRun: true } : {}),
          ...(this.noAnnounce ? { announce: false } : {}),
          ...(wait === undefined ? {} : { wait }),
          ...(this.timeout === undefined ? {} : { waitTimeoutMs: this.timeout * 1000 }),
          ...(this.name === undefined ? {} : { name: this.name }),
          ...(this.packageVersion === undefined ? {} : { version: this.packageVersion }),
        },
        options,
      ),
    )
    for (const warning of result.warnings ?? []) this.note(`Note: ${clean(warning)}`)
    this.print(result, this.dryRun ? dryRunText : publishedText)
    return 0
  }

  private replicas(): number | undefined {
    if (this.wait === undefined || this.wait === false) return undefined
    if (this.wait === true) return 1
    const wanted = Number(this.wait)
    if (!t.isInteger()(wanted) || wanted < 1 || wanted > 1000)
      throw new UsageFault(`--wait=${this.wait} is no number of peers.`, 'Write --wait or --wait=2.')
    return wanted
  }
}

function publishedText(result: PublishResult, colours: Colours): string {
  const facts: [string, string][] = [
    ['Content', result.cid],
    ['Publisher', result.publisher],
    ['Size', `${count(result.files, 'file')}, ${formatBytes(result.bytes)}`],
  ]
  if (result.replicas > 0) facts.push(['Held by', count(result.replicas, 'other peer')])
  const done = result.unchanged ? 'was published before, unchanged' : `published in ${formatDuration(result.tookMs)}`
  return `${colours.green(`${result.name}@${result.version}`)} ${done}.\n${renderFacts(facts, colours)}`
}

function dryRunText(result: PublishResult, colours: Colours): string {
  const { files = [], ignored = [] } = result.dryRun ?? {}
  const parts = [
    `${colours.bold(`${result.name}@${result.version}`)} would be published with ${count(files.length, 'file')}, ${formatBytes(result.bytes)}, as ${result.cid}.`,
    renderTable(
      ['FILE', 'SIZE'],
      files.map(({ path, size }) => [path, formatBytes(size)]),
      colours,
    ),
  ]
  if (ignored.length > 0)
    parts.push(
      renderTable(
        ['LEFT OUT', 'WHY'],
        ignored.map(({ path, reason }) => [path, reason]),
        colours,
      ),
    )
  return parts.join('\n\n')
}

export const commands = [PublishCommand]
