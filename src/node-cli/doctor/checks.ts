import { randomBytes } from 'node:crypto'
import { existsSync, statfsSync, statSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { formatFault } from '../../core/config/config.ts'
import type { Config } from '../../core/config/settings.ts'
import type { PeersResult, StatusResult } from '../../core/control/service.ts'
import type { HomePaths } from '../../storage/node.ts'
import type { inspectConfig } from '../config-file.ts'
import { count, formatBytes } from '../render/text.ts'

export interface Check {
  name: string
  /** `warn`: works, but not for everybody; `skipped`: could not be tried. */
  status: 'ok' | 'warn' | 'fail' | 'skipped'
  message: string
  hint?: string
}

const MiB = 1024 * 1024
const lowSpaceBytes = 500 * MiB
/** Before this the clock can't be right: the program is younger. */
const programDateMs = Date.UTC(2026, 0, 1)
const dialTimeoutMs = 3_000

export function checkConfig({ faults, file }: ReturnType<typeof inspectConfig>): Check {
  const name = 'configuration'
  if (faults.length === 0)
    return { name, status: 'ok', message: existsSync(file) ? `${file} is valid.` : 'Defaults; no file is written.' }
  return {
    name,
    status: 'fail',
    message: faults.map(formatFault).join('; '),
    hint: 'Edit it with: ggen marketplace p2p config edit',
  }
}

export async function checkStorage(paths: HomePaths, config: Config): Promise<Check> {
  const name = 'storage'
  const dir = config.storage.cache_dir === '' ? paths.cacheDir : config.storage.cache_dir
  const folder = nearestFolder(dir)
  const probe = join(folder, `.ggen-doctor-${randomBytes(4).toString('hex')}`)
  try {
    await writeFile(probe, 'x')
  } catch (error) {
    return {
      name,
      status: 'fail',
      message: `${folder} cannot be written: ${(error as Error).message}.`,
      hint: 'Check who owns it, or set GGEN_HOME to another folder.',
    }
  } finally {
    await rm(probe, { force: true })
  }
  const { bavail, bsize } = statfsSync(folder)
  const freeBytes = bavail * bsize
  if (freeBytes < lowSpaceBytes) {
    return {
      name,
      status: 'warn',
      message: `Only ${formatBytes(freeBytes)} are free at ${folder}.`,
      hint: 'Free some, or drop cached packages: ggen marketplace cache clear',
    }
  }
  return { name, status: 'ok', message: `${folder} can be written, ${formatBytes(freeBytes)} free.` }
}

function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path))
}

export function checkKeys(paths: HomePaths): Check {
  const name = 'keys'
  const keys = [paths.publisherKey, paths.identityKey].filter((path) => existsSync(path))
  if (keys.length === 0) return { name, status: 'ok', message: 'None yet; they are made when they are needed.' }
  const open = keys.find((path) => process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
  if (open === undefined) return { name, status: 'ok', message: "They are their owner's alone." }
  return { name, status: 'fail', message: `${open} can be read by others.`, hint: `chmod 600 ${open}` }
}

export function checkClock(nowMs: number): Check {
  const name = 'clock'
  const text = new Date(nowMs).toISOString()
  if (nowMs >= programDateMs) return { name, status: 'ok', message: `${text}.` }
  return {
    name,
    status: 'fail',
    message: `It says ${text}, which is in the past: your releases would be dated wrong.`,
    hint: 'Set it, or turn time synchronisation on.',
  }
}

export function checkNode(status: StatusResult | undefined): Check {
  const name = 'node'
  if (status === undefined)
    return {
      name,
      status: 'fail',
      message: 'No node is running.',
      hint: 'Start one: ggen marketplace p2p start --daemon',
    }
  return { name, status: 'ok', message: `Running as ${status.peerId}, version ${status.version}.` }
}

/** Dials the node's own TCP addresses on this machine, as a peer would. */
export async function checkListen(status: StatusResult): Promise<Check> {
  const name = 'listening'
  const ports = status.addresses.flatMap(
    (address) => /^\/ip4\/([^/]+)\/tcp\/(\d+)/.exec(address)?.slice(1, 3).join(' ') ?? [],
  )
  if (status.addresses.length === 0) {
    return {
      name,
      status: 'warn',
      message: 'It listens nowhere: it reaches others, but nobody reaches it.',
      hint: 'Set network.listen_addresses, or a relay.',
    }
  }
  for (const address of new Set(ports)) {
    const [host = '', port = ''] = address.split(' ')
    if (!(await answers(host, Number(port)))) {
      return {
        name,
        status: 'fail',
        message: `Nobody answers at ${host}:${port}, although the node listens there.`,
        hint: 'A firewall on this machine may be in the way.',
      }
    }
  }
  return {
    name,
    status: 'ok',
    message: `${count(status.addresses.length, 'address', 'addresses')}: ${status.addresses.map((address) => address.replace(/\/p2p\/[^/]+$/, '')).join(', ')}.`,
  }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: dialTimeoutMs })
    const settle = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => settle(true))
    socket.once('timeout', () => settle(false))
    socket.once('error', () => settle(false))
  })
}

export function checkBootstrap(config: Config, { peers }: PeersResult): Check {
  const name = 'bootstrap'
  const nodes = config.network.bootstrap_nodes
  const connected = peers.filter(({ banned }) => !banned)
  if (nodes.length === 0) {
    const status = connected.length > 0 ? 'ok' : 'warn'
    return {
      name,
      status,
      message: `No bootstrap nodes are configured; ${count(connected.length, 'peer')} connected.`,
      ...(status === 'ok'
        ? {}
        : { hint: 'Set network.bootstrap_nodes, or connect to a peer: ggen marketplace p2p connect' }),
    }
  }
  const reached = nodes.filter((node) => connected.some(({ peerId }) => node.includes(peerId)))
  if (reached.length > 0) return { name, status: 'ok', message: `${reached.length} of ${nodes.length} connected.` }
  return {
    name,
    status: 'fail',
    message: `None of ${count(nodes.length, 'node')} is connected.`,
    hint: 'Check their addresses and whether they run: ggen marketplace p2p bootstrap',
  }
}

export function checkDht({ dht, peers }: StatusResult): Check {
  const name = 'DHT'
  if (dht.routingTable > 0)
    return { name, status: 'ok', message: `${dht.mode}, ${count(dht.routingTable, 'peer')} in the routing table.` }
  if (peers.connected === 0) return { name, status: 'skipped', message: 'Nobody is connected.' }
  return {
    name,
    status: 'warn',
    message: 'The routing table is empty: no connected peer answers DHT queries.',
    hint: 'Connect to a node that runs as a DHT server.',
  }
}

export function checkGossip({ topics, peers }: StatusResult): Check {
  const name = 'gossip'
  const heard = topics.filter(({ subscribers }) => subscribers > 0)
  if (heard.length > 0)
    return {
      name,
      status: 'ok',
      message: topics.map(({ topic, subscribers }) => `${topic}: ${count(subscribers, 'subscriber')}`).join(', '),
    }
  if (peers.connected === 0) return { name, status: 'skipped', message: 'Nobody is connected.' }
  return {
    name,
    status: 'warn',
    message: `No connected peer follows ${topics.map(({ topic }) => topic).join(', ')}.`,
    hint: 'Compare network.packages_topic with theirs.',
  }
}

export function checkRelay(config: Config, { addresses }: StatusResult): Check {
  const name = 'relay reservation'
  const relays = config.network.relay_addresses
  if (relays.length === 0)
    return { name, status: 'skipped', message: 'No relays are configured; behind a NAT one makes this node reachable.' }
  const reserved = addresses.filter((address) => address.includes('/p2p-circuit'))
  if (reserved.length > 0)
    return { name, status: 'ok', message: `Reachable through ${count(reserved.length, 'relay')}.` }
  return {
    name,
    status: 'fail',
    message: 'No relay keeps a reservation for this node.',
    hint: 'Check their addresses and whether they run; the node goes on trying.',
  }
}

export function checkBrowsers({ addresses }: StatusResult): Check {
  const name = 'browser reachability'
  const dialable = addresses.filter((address) => /\/(webrtc-direct|wss?|webtransport|webrtc)(\/|$)/.test(address))
  if (dialable.length > 0)
    return {
      name,
      status: 'ok',
      message: `${count(dialable.length, 'address', 'addresses')} that a web page can dial.`,
    }
  return {
    name,
    status: 'warn',
    message: 'No address that a web page can dial.',
    hint: 'Listen on /ip4/0.0.0.0/udp/0/webrtc-direct or on a WebSocket, or set a relay.',
  }
}
