import { Command, Option } from 'clipanion'
import * as t from 'typanion'
import type { RegistryChoice, SearchResult } from '../../core/control/service.ts'
import { renderTable } from '../render/table.ts'
import type { Colours } from '../render/text.ts'
import { clean, count, formatDuration, shortId } from '../render/text.ts'
import { UsageFault } from '../usage-fault.ts'
import { useService } from '../use-service.ts'
import { GgenCommand, p2pPaths } from './command.ts'
import { seconds, wholeNumber } from './options.ts'

const interruptedExitCode = 130

abstract class SearchBase extends GgenCommand {
  query = Option.Rest({ name: 'query', required: 1 })
  category = Option.String('-c,--category', { description: 'Only this category' })
  limit = Option.String('-l,--limit', '10', { validator: wholeNumber(1, 100), description: 'Most results (10)' })
  interactive = Option.Boolean('-i,--interactive', false, {
    description: 'Browse with the arrow keys and install with Enter',
  })
  timeout = Option.String('--timeout', { validator: seconds, description: 'Seconds to wait for slow sources (3)' })

  protected async search(registry: RegistryChoice): Promise<number> {
    const result = await useService(this.context, 'client', (service, options) =>
      service.search(
        {
          query: this.query.join(' '),
          limit: Number(this.limit),
          registry,
          ...(this.category === undefined ? {} : { category: this.category }),
          ...(this.timeout === undefined ? {} : { timeoutMs: this.timeout * 1000 }),
        },
        options,
      ),
    )
    if (!this.interactive) {
      this.print(result, searchText)
      return 0
    }
    return this.browse(result)
  }

  /** Shows one result after the other and installs what is chosen into the present folder. */
  private async browse(result: SearchResult): Promise<number> {
    const { stdin, stdout } = process
    if (this.json || !stdin.isTTY || !stdout.isTTY) {
      throw new UsageFault(
        '--interactive needs a terminal.',
        'Leave it out, and install with: ggen marketplace install <name>',
      )
    }
    if (result.results.length === 0) {
      this.print(result, searchText)
      return 0
    }
    const { chooseResult } = await import('../render/browse.ts')
    const chosen = await chooseResult(result.results, this.context.signal).catch((error: unknown) => {
      // Ctrl-C comes to the prompt as a key, not as a signal.
      if (error instanceof Error && error.name === 'ExitPromptError') return 'interrupted' as const
      throw error
    })
    if (chosen === 'interrupted') return interruptedExitCode
    if (chosen === undefined) return 0
    const { name, version, publisher } = chosen
    const spec = `${publisher === null ? '' : `${publisher}/`}${name}@${version}`
    const done = await useService(this.context, 'client', (service, options) =>
      service.install(
        { specs: [spec], dir: this.context.cwd, registry: publisher === null ? 'central' : 'p2p' },
        options,
      ),
    )
    for (const notice of done.notices) this.note(`Note: ${clean(notice)}`)
    this.print(
      done,
      ({ installed, tookMs }) =>
        `Installed ${installed.map((one) => `${one.name}@${one.version}`).join(', ')} in ${formatDuration(tookMs)}.`,
    )
    return 0
  }
}

export class P2pSearchCommand extends SearchBase {
  static override paths = p2pPaths('search')
  static override usage = Command.Usage({
    category: 'Packages',
    description: 'Search what this node and its peers know',
    examples: [
      ['By words', 'ggen p2p search rest api'],
      ['In one category', 'ggen p2p search invoice -c ontology -l 5'],
    ],
  })

  execute(): Promise<number> {
    return this.search('p2p')
  }
}

export class SearchCommand extends SearchBase {
  static override paths = [['marketplace', 'search']]
  static override usage = Command.Usage({
    category: 'Packages',
    description: 'Search peers and central registries at once',
    examples: [
      ['By words', 'ggen marketplace search rest api'],
      ['Among peers only', 'ggen marketplace search invoice --registry p2p'],
      ['Browse, and install with Enter', 'ggen marketplace search template -i'],
    ],
  })
  registry = Option.String('--registry', 'all', {
    validator: t.isEnum(['all', 'p2p', 'central'] as const),
    description: 'all, p2p or central',
  })

  execute(): Promise<number> {
    return this.search(this.registry as RegistryChoice)
  }
}

function searchText({ query, results, sources, tookMs }: SearchResult, colours: Colours): string {
  const failed = sources.filter(({ status }) => status === 'timeout' || status === 'error')
  const notes = failed.map(({ source, status, error }) =>
    colours.yellow(`${clean(source)}: ${status === 'timeout' ? 'did not answer in time' : clean(error ?? 'failed')}`),
  )
  if (results.length === 0) return [`Nothing found for "${clean(query)}".`, ...notes].join('\n')
  const rows = results.map((result) => [
    `${result.name}${result.yanked ? ' (withdrawn)' : ''}`,
    result.version,
    clip(result.description, 60),
    result.publisher === null ? '-' : shortId(result.publisher),
    String(result.providers),
    [...result.sources, ...result.disagreements.map(({ source, version }) => `${source} has ${version}`)].join(', '),
  ])
  const summary = colours.dim(
    `${count(results.length, 'package')} in ${formatDuration(tookMs)}. Install one: ggen marketplace install <name>`,
  )
  return [
    renderTable(['NAME', 'VERSION', 'DESCRIPTION', 'PUBLISHER', 'HELD BY', 'FROM'], rows, colours),
    summary,
    ...notes,
  ].join('\n')
}

function clip(text: string, length: number): string {
  const cleaned = clean(text)
  return cleaned.length <= length ? cleaned : `${cleaned.slice(0, length - 1)}…`
}

export const commands = [SearchCommand, P2pSearchCommand]
