import { Command, Option } from 'clipanion'
import { toRegistryError } from '../../core/errors.ts'
import { loadConfig } from '../config-file.ts'
import type { Ready } from '../daemon/run-daemon.ts'
import type { DaemonMessage } from '../daemon/spawn-daemon.ts'
import { daemonMark, spawnDaemon } from '../daemon/spawn-daemon.ts'
import { renderFacts } from '../render/facts.ts'
import type { Colours } from '../render/text.ts'
import { formatDuration } from '../render/text.ts'
import { UsageFault } from '../usage-fault.ts'
import { GgenCommand, p2pPaths } from './command.ts'

export class StartCommand extends GgenCommand {
  static override paths = p2pPaths('start')
  static override usage = Command.Usage({
    category: 'Node',
    description: 'Run a node of the network',
    details:
      'Runs in the foreground until Ctrl-C; with `--daemon` it returns when the node is ready and leaves it running. Settings come from p2p-config.toml; flags win over it.',
    examples: [
      ['Run in the background', 'ggen p2p start --daemon'],
      ['Join through a node you know', 'ggen p2p start --daemon --bootstrap /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW…'],
      ['Listen on one port only', 'ggen p2p start --listen /ip4/0.0.0.0/tcp/4001'],
    ],
  })

  listen = Option.Array('--listen', { description: 'Address to listen on (may be repeated)' })
  bootstrap = Option.Array('--bootstrap', { description: 'Node to join through (may be repeated)' })
  relay = Option.Array('--relay', { description: 'Relay to be reachable through (may be repeated)' })
  dhtServer = Option.Boolean('--dht-server', false, { description: 'Answer DHT queries of others' })
  dhtClient = Option.Boolean('--dht-client', false, { description: 'Only ask the DHT' })
  topic = Option.String('--topic', { description: 'Gossip topic for releases' })
  config = Option.String('--config', { description: 'Configuration file' })
  daemon = Option.Boolean('--daemon', false, { description: 'Leave the node running in the background' })

  async execute(): Promise<number> {
    if (this.dhtServer && this.dhtClient)
      throw new UsageFault('--dht-server and --dht-client exclude each other.', 'Give one of them, or neither.')
    const { context } = this
    const isDaemon = context.env[daemonMark] === '1' && process.send !== undefined
    const config = loadConfig(context, { file: this.config, flags: this.flags() })
    if (this.daemon && !isDaemon) {
      this.print(await spawnDaemon(context.paths, context.argv, context.env, context.signal), readyText)
      return 0
    }
    const [{ runDaemon }, { createFileLog, createStderrLog }] = await Promise.all([
      import('../daemon/run-daemon.ts'),
      import('../daemon/daemon-log.ts'),
    ])
    const log = isDaemon
      ? createFileLog(context.paths.daemonLog)
      : createStderrLog(context.stderr as NodeJS.WriteStream)
    const send = (message: DaemonMessage): void => {
      process.send?.(message, () => process.disconnect?.())
    }
    // A library's stray failure in the background is no reason to take the node down; a broken state would show elsewhere.
    process.on('unhandledRejection', (reason) =>
      log.warn('unhandled failure', { error: toRegistryError(reason).message }),
    )
    if (isDaemon) process.chdir('/')
    try {
      await runDaemon({
        paths: context.paths,
        config,
        log,
        stop: context.signal,
        onReady: (ready) => (isDaemon ? send({ ready }) : this.print(ready, readyText)),
      })
    } catch (error) {
      if (!isDaemon) throw error
      log.warn('could not start', { error: toRegistryError(error).message })
      await new Promise<void>((resolve) => {
        const message: DaemonMessage = { error: toRegistryError(error).toJSON() }
        process.send?.(message, () => resolve())
      })
      return 1
    }
    return 0
  }

  private flags(): Record<string, unknown> {
    const dhtServer = this.dhtServer ? true : this.dhtClient ? false : undefined
    return {
      'network.listen_addresses': this.listen,
      'network.bootstrap_nodes': this.bootstrap,
      'network.relay_addresses': this.relay,
      'network.dht_server_mode': dhtServer,
      'network.packages_topic': this.topic,
    }
  }
}

function readyText(ready: Ready, colours: Colours): string {
  const facts: [string, string][] = [
    ['Peer ID', ready.peerId],
    ['Publisher', ready.publisher],
    ...ready.addresses.map((address, index): [string, string] => [index === 0 ? 'Addresses' : '', address]),
    ['Process', `${ready.pid}, ready in ${formatDuration(ready.startupMs)}`],
  ]
  return `${colours.green('The node is running.')}\n${renderFacts(facts, colours)}`
}

export const commands = [StartCommand]
