import { Command, Option } from 'clipanion'
import * as t from 'typanion'
import type { PeerSort, PeersResult } from '../../core/control/service.ts'
import { RegistryError } from '../../core/errors.ts'
import { createSocketClient, isAnswering, notRunning } from '../daemon/control-socket.ts'
import { isAlive, readDaemonFile } from '../daemon/daemon-file.ts'
import { renderTable } from '../render/table.ts'
import type { Colours } from '../render/text.ts'
import { count, formatDuration } from '../render/text.ts'
import { UsageFault } from '../usage-fault.ts'
import { useService } from '../use-service.ts'
import { GgenCommand, p2pPaths } from './command.ts'

export class ConnectCommand extends GgenCommand {
  static override paths = p2pPaths('connect')
  static override usage = Command.Usage({
    category: 'Node',
    description: 'Connect the running node to a peer',
    examples: [
      ['By address', 'ggen p2p connect /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW…'],
      ['By peer ID, and stay connected', 'ggen p2p connect 12D3KooW… --persistent'],
    ],
  })
  target = Option.String({ name: 'address or peer ID' })
  persistent = Option.Boolean('--persistent', false, { description: 'Keep the connection, also over restarts' })

  async execute(): Promise<number> {
    const result = await useService(this.context, 'nothing', (service, options) =>
      service.connect({ target: this.target, ...(this.persistent ? { persistent: true } : {}) }, options),
    )
    this.print(result, ({ peerId }) => `Connected to ${peerId}.`)
    return 0
  }
}

export class DisconnectCommand extends GgenCommand {
  static override paths = p2pPaths('disconnect')
  static override usage = Command.Usage({
    category: 'Node',
    description: 'Disconnect a peer, or shut the node down',
    examples: [
      ['From one peer', 'ggen p2p disconnect --peer 12D3KooW…'],
      ['Shut down', 'ggen p2p disconnect --shutdown'],
    ],
  })
  peer = Option.String('--peer', { description: 'Peer ID' })
  shutdown = Option.Boolean('--shutdown', false, { description: 'Stop the node' })

  async execute(): Promise<number> {
    const { peer } = this
    if (this.shutdown) return stopNode(this)
    if (peer === undefined)
      throw new UsageFault('Say what to disconnect.', 'Give --peer <peer ID>, or --shutdown to stop the node.')
    const result = await useService(this.context, 'nothing', (service, options) =>
      service.disconnect({ peerId: peer }, options),
    )
    this.print(result, ({ peerId }) => `Disconnected from ${peerId}.`)
    return 0
  }

  printStopped(stopped: { stopped: true }): void {
    this.print(stopped, () => 'The node has stopped.')
  }
}

export class StopCommand extends DisconnectCommand {
  static override paths = p2pPaths('stop')
  static override usage = Command.Usage({
    category: 'Node',
    description: 'Stop the running node',
    examples: [['Stop it', 'ggen p2p stop']],
  })
  override shutdown = true
}

/** Returns when the process is gone, so that the next start meets a free home. */
async function stopNode(command: DisconnectCommand): Promise<number> {
  const { paths, signal } = command.context
  if (!(await isAnswering(paths.controlSocket))) throw notRunning()
  const pid = readDaemonFile(paths.daemonJson)?.pid
  await createSocketClient(paths.controlSocket).stop()
  const deadlineMs = performance.now() + 15_000
  while ((pid !== undefined && isAlive(pid)) || (await isAnswering(paths.controlSocket))) {
    signal.throwIfAborted()
    if (performance.now() > deadlineMs) {
      throw new RegistryError('TIMEOUT', `The node (pid ${pid}) has been told to stop but still runs.`, {
        hint: `See its log: ${paths.daemonLog}`,
      })
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  command.printStopped({ stopped: true })
  return 0
}

export class PeersCommand extends GgenCommand {
  static override paths = p2pPaths('peers')
  static override usage = Command.Usage({
    category: 'Node',
    description: 'List connected and banned peers',
    examples: [
      ['The best first', 'ggen p2p peers'],
      ['The nearest first', 'ggen p2p peers --sort latency'],
    ],
  })
  sort = Option.String('--sort', 'reputation', {
    description: 'reputation, latency or packages',
    validator: t.isEnum(['reputation', 'latency', 'packages'] as const),
  })

  async execute(): Promise<number> {
    const result = await useService(this.context, 'nothing', (service, options) =>
      service.peers({ sort: this.sort as PeerSort }, options),
    )
    this.print(result, peersText)
    return 0
  }
}

function peersText({ peers }: PeersResult, colours: Colours): string {
  if (peers.length === 0) return 'No peer is connected. Connect to one: ggen marketplace p2p connect <address>'
  const rows = peers.map((peer) => [
    peer.peerId,
    peer.banned ? 'banned' : peer.transport,
    peer.direction === 'inbound' ? 'in' : 'out',
    peer.reputation.toFixed(2),
    peer.latencyMs === null ? '-' : `${Math.round(peer.latencyMs)} ms`,
    String(peer.packages),
    peer.agent,
    peer.address.replace(/\/p2p\/[^/]+$/, ''),
  ])
  return renderTable(
    ['PEER', 'TRANSPORT', 'DIR', 'REPUTATION', 'LATENCY', 'PACKAGES', 'AGENT', 'ADDRESS'],
    rows,
    colours,
  )
}

export class BootstrapCommand extends GgenCommand {
  static override paths = p2pPaths('bootstrap')
  static override usage = Command.Usage({
    category: 'Node',
    description: 'Join the network through bootstrap nodes now',
    examples: [
      ['Through the configured ones', 'ggen p2p bootstrap'],
      ['Through another, until the DHT is filled', 'ggen p2p bootstrap --nodes /ip4/…/p2p/12D3KooW… --wait'],
    ],
  })
  nodes = Option.Array('--nodes', [], { description: 'Address of a bootstrap node (may be repeated)' })
  wait = Option.Boolean('--wait', false, { description: 'Return when the routing table is filled' })

  async execute(): Promise<number> {
    const result = await useService(this.context, 'nothing', (service, options) =>
      service.bootstrap({ nodes: this.nodes, wait: this.wait }, options),
    )
    this.print(
      result,
      ({ connected, contacted, routingTable, tookMs }) =>
        `Connected to ${connected} of ${contacted} nodes in ${formatDuration(tookMs)}; ${count(routingTable, 'peer')} in the routing table.`,
    )
    return 0
  }
}

export const commands = [ConnectCommand, DisconnectCommand, StopCommand, PeersCommand, BootstrapCommand]
