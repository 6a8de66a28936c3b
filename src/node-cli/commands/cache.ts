import { Command } from 'clipanion'
import type { CacheInfoResult, CacheRemoval } from '../../core/control/service.ts'
import { renderFacts } from '../render/facts.ts'
import { renderTable } from '../render/table.ts'
import type { Colours } from '../render/text.ts'
import { count, formatBytes } from '../render/text.ts'
import { useService } from '../use-service.ts'
import { GgenCommand } from './command.ts'

const category = 'Cache'

export class CacheInfoCommand extends GgenCommand {
  static override paths = [
    ['marketplace', 'cache', 'info'],
    ['marketplace', 'cache'],
  ]
  static override usage = Command.Usage({
    category,
    description: 'Show what the cache holds',
    examples: [['Its packages', 'ggen marketplace cache info']],
  })

  async execute(): Promise<number> {
    const result = await useService(this.context, 'offline', (service, options) => service.cacheInfo({}, options))
    this.print(result, cacheText)
    return 0
  }
}

function cacheText(cache: CacheInfoResult, colours: Colours): string {
  const facts = renderFacts(
    [
      ['Folder', cache.dir],
      ['Used', `${formatBytes(cache.bytes)} of ${formatBytes(cache.maxBytes)} in ${count(cache.blocks, 'block')}`],
      ['Kept for good', formatBytes(cache.pinnedBytes)],
    ],
    colours,
  )
  if (cache.packages.length === 0) return facts
  const rows = cache.packages.map((one) => [
    one.name || one.cid,
    one.version,
    formatBytes(one.bytes),
    one.pinned ? 'yes' : '',
    one.lastUsed.slice(0, 16).replace('T', ' '),
  ])
  return `${facts}\n\n${renderTable(['NAME', 'VERSION', 'SIZE', 'KEPT', 'LAST USED'], rows, colours)}`
}

const removalText = ({ removedBlocks, removedBytes }: CacheRemoval): string =>
  `Removed ${count(removedBlocks, 'block')}, ${formatBytes(removedBytes)}.`

export class CacheCollectCommand extends GgenCommand {
  static override paths = [['marketplace', 'cache', 'gc']]
  static override usage = Command.Usage({
    category,
    description: 'Remove leftovers and, above the limit, what was used longest ago',
    examples: [['Clean up', 'ggen marketplace cache gc']],
  })

  async execute(): Promise<number> {
    this.print(
      await useService(this.context, 'offline', (service, options) => service.cacheCollect({}, options)),
      removalText,
    )
    return 0
  }
}

export class CacheClearCommand extends GgenCommand {
  static override paths = [['marketplace', 'cache', 'clear']]
  static override usage = Command.Usage({
    category,
    description: 'Remove everything but what you published',
    examples: [['Empty it', 'ggen marketplace cache clear']],
  })

  async execute(): Promise<number> {
    this.print(
      await useService(this.context, 'offline', (service, options) => service.cacheClear({}, options)),
      removalText,
    )
    return 0
  }
}

export const commands = [CacheInfoCommand, CacheCollectCommand, CacheClearCommand]
