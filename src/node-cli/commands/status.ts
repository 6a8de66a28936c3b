import { Command, Option } from 'clipanion'
import type { StatusResult } from '../../core/control/service.ts'
import { RegistryError } from '../../core/errors.ts'
import { createSocketClient } from '../daemon/control-socket.ts'
import { renderFacts } from '../render/facts.ts'
import type { Colours } from '../render/text.ts'
import { clean, count, formatBytes, formatDuration } from '../render/text.ts'
import { GgenCommand, p2pPaths } from './command.ts'

export class StatusCommand extends GgenCommand {
  static override paths = p2pPaths('status')
  static override usage = Command.Usage({
    category: 'Node',
    description: 'Show whether a node runs and how it is doing',
    examples: [
      ['At a glance', 'ggen p2p status'],
      ['Everything, for a script', 'ggen p2p status --json'],
    ],
  })
  detailed = Option.Boolean('--detailed', false, { description: 'Show traffic, topics and memory too' })

  async execute(): Promise<number> {
    let status: StatusResult | { running: false }
    try {
      status = await createSocketClient(this.context.paths.controlSocket).status({}, { signal: this.context.signal })
    } catch (error) {
      if (!(error instanceof RegistryError && error.code === 'NODE_NOT_RUNNING')) throw error
      status = { running: false }
    }
    this.print(status, (result, colours) =>
      result.running
        ? statusText(result, this.detailed, colours)
        : 'No node is running. Start one: ggen marketplace p2p start --daemon',
    )
    return 0
  }
}

function statusText(status: StatusResult, detailed: boolean, colours: Colours): string {
  const { dht, peers, packages, cache, bandwidth, memory } = status
  const facts: [string, string][] = [
    [
      'Running',
      `${colours.green('yes')}, for ${formatDuration(status.uptimeMs)} (pid ${status.pid}, version ${status.version})`,
    ],
    ['Peer ID', status.peerId],
    ['Publisher', status.publisher],
    ...status.addresses.map((address, index): [string, string] => [index === 0 ? 'Addresses' : '', clean(address)]),
    ['Peers', `${peers.connected} of at most ${peers.max}${peers.banned > 0 ? `, ${peers.banned} banned` : ''}`],
    ['DHT', `${dht.mode}, ${count(dht.routingTable, 'peer')} in the routing table`],
    ['Packages', `${packages.published} published, ${packages.known} known, ${packages.cached} cached`],
    ['Cache', `${formatBytes(cache.bytes)} of ${formatBytes(cache.maxBytes)}`],
  ]
  if (detailed) {
    facts.push(
      ...status.topics.map(({ topic, subscribers }): [string, string] => [
        'Topic',
        `${clean(topic)}, ${count(subscribers, 'subscriber')}`,
      ]),
    )
    facts.push(
      ['Traffic', `${formatBytes(bandwidth.in)} in, ${formatBytes(bandwidth.out)} out`],
      ['Memory', formatBytes(memory.rss)],
    )
  }
  const warnings = status.warnings.map((warning) => `\n${colours.yellow('Warning:')} ${clean(warning)}`)
  return renderFacts(facts, colours) + warnings.join('')
}

export const commands = [StatusCommand]
