import { Command, Option } from 'clipanion'
import * as t from 'typanion'
import { inspectConfig } from '../config-file.ts'
import { createSocketClient, isAnswering, notRunning } from '../daemon/control-socket.ts'
import { openBrowser } from '../open-browser.ts'
import { UsageFault } from '../usage-fault.ts'
import { GgenCommand, p2pPaths } from './command.ts'

/** The same each time: for a browser, another port is another site, with another key and nothing kept. */
const usualPort = 8733

export class ExplorerCommand extends GgenCommand {
  static override paths = p2pPaths('explorer')
  static override usage = Command.Usage({
    category: 'Node',
    description: 'Open the package explorer in a browser',
    details:
      'Serves the explorer on this machine until Ctrl-C; its page is a peer of its own, which joins through the running node. With `--relay` it opens the explorer that a relay serves, and ends.',
    examples: [
      ['Open the explorer of the running node', 'ggen p2p explorer'],
      ['Only say where it is', 'ggen p2p explorer --no-open --port 8088'],
      ['Open a relay’s', 'ggen p2p explorer --relay https://relay.example'],
    ],
  })

  relay = Option.String('--relay', { description: 'URL of a relay that serves the explorer' })
  port = Option.String('--port', {
    description: `Port on this machine; by default ${usualPort} or, where that is in use, any free one, as with 0`,
    validator: t.isNumber(),
  })
  open = Option.Boolean('--open', true, { description: 'Open the browser (--no-open: only print the address)' })

  async execute(): Promise<number> {
    if (this.relay !== undefined) {
      if (!/^https?:\/\/\S+$/.test(this.relay))
        throw new UsageFault(`"${this.relay}" is no URL of a relay.`, 'Write https://relay.example.')
      this.show(this.relay)
      return 0
    }
    const { controlSocket } = this.context.paths
    if (!(await isAnswering(controlSocket))) throw notRunning()
    const node = createSocketClient(controlSocket)
    const { describeNode, serveExplorer } = await import('../explorer-server.ts')
    // With its faults, if it has any: the node runs already.
    const { config } = inspectConfig(this.context)
    const describe = async () => {
      const [status, { peers }] = await Promise.all([node.status({}), node.peers({})])
      return describeNode(status, peers, config.network.relay_addresses)
    }
    const { addresses, relays } = await describe()
    if (addresses.length === 0)
      this.note(
        relays.length === 0
          ? 'Note: the node listens neither on WebSocket nor on webrtc-direct, so no page can reach it.'
          : 'Note: the node listens neither on WebSocket nor on webrtc-direct: the page reaches it through its relay.',
      )
    const server = await serveExplorer(this.port ?? usualPort, describe).catch((error: unknown) => {
      if (this.port !== undefined) throw error
      this.note(
        `Note: port ${usualPort} is in use. At another address the browser publishes with another key, and has kept nothing yet.`,
      )
      return serveExplorer(0, describe)
    })
    try {
      this.show(server.url)
      this.note('Press Ctrl-C to stop.')
      const { signal } = this.context
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    } finally {
      await server.close()
    }
    return 0
  }

  private show(url: string): void {
    this.print({ url }, () => `Explorer: ${url}`)
    if (this.open) openBrowser(url)
  }
}

export const commands = [ExplorerCommand]
