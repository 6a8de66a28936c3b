import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { createLibp2p } from 'libp2p'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Machine } from '../support/ggen.ts'
import { createMachines, eventually } from '../support/ggen.ts'
import { writePackage } from '../support/packages.ts'
import type { RunningRelay } from '../support/relay.ts'
import { startRelay } from '../support/relay.ts'

const MiB = 1024 * 1024
/** What the relay's memory may grow by under all that follows. */
const maxGrowthBytes = 300 * MiB

let dir: string
let machines: Awaited<ReturnType<typeof createMachines>>
let relay: RunningRelay
let honest: Machine
let other: Machine
let idleRss: number
const attackers: Libp2p[] = []
let published = 0

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ggen-relay-'))
  machines = await createMachines()
  relay = await startRelay({
    home: join(dir, 'relay'),
    args: ['--set', 'limits.max_reservations=20', '--set', 'limits.relay_requests_per_minute=30'],
  })
  honest = await machines.add('honest')
  other = await machines.add('other')
  for (const machine of [honest, other]) {
    await machine.start(['--bootstrap', relay.address('tcp'), '--relay', relay.address('tcp')])
  }
  await eventually('both hold a reservation', async () => (await relay.metric('ggen_relay_reservations')) === 2)
  idleRss = await rss()
})
afterAll(async () => {
  await Promise.allSettled(attackers.map((node) => node.stop()))
  await machines?.dispose()
  await relay?.kill()
  await rm(dir, { recursive: true, force: true })
})

async function rss(): Promise<number> {
  const status = await readFile(`/proc/${relay.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024
}

async function attacker(): Promise<Libp2p> {
  const node = await createLibp2p({
    addresses: { listen: [] },
    transports: [tcp(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  })
  attackers.push(node)
  return node
}

/** The relay lives within its bounds, and two honest clients still do their work through it. */
async function stillWorks(): Promise<void> {
  expect((await fetch(`${relay.url}/healthz`)).status).toBe(200)
  const name = `after-attack-${published++}`
  const folder = await writePackage(join(dir, name), { name })
  await honest.json(['p2p', 'publish', folder])
  await eventually(`${name} is found`, async () => {
    const found = await other.json<{ results: { name: string }[] }>(['marketplace', 'search', name])
    return found.results.some((result) => result.name === name)
  })
  await other.json(['marketplace', 'install', name])
  expect((await rss()) - idleRss).toBeLessThan(maxGrowthBytes)
}

function portOf(transport: 'tcp' | 'ws' | 'webrtc-direct'): number {
  return Number(/\/(?:tcp|udp)\/(\d+)/.exec(relay.address(transport))![1])
}

async function send(port: number, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes))
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
    socket.setTimeout(2_000, () => socket.destroy())
  })
}

test('garbage on every listener', async () => {
  const ports = [portOf('tcp'), portOf('ws'), Number(new URL(relay.url).port)]
  for (const port of ports)
    for (const size of [1, 100, 70_000, 1_000_000]) await send(port, new Uint8Array(randomBytes(size)))
  const udp = createSocket('udp4')
  for (let count = 0; count < 500; count++) {
    const size = 1 + ((count * 37) % 1400)
    await new Promise((resolve) => udp.send(randomBytes(size), portOf('webrtc-direct'), '127.0.0.1', resolve))
  }
  udp.close()
  await stillWorks()
})

test('a flood of connections that say nothing', async () => {
  const sockets: Socket[] = []
  for (let count = 0; count < 1_500; count++) {
    const socket = connect([portOf('tcp'), portOf('ws'), Number(new URL(relay.url).port)][count % 3]!, '127.0.0.1')
    socket.on('error', () => undefined)
    sockets.push(socket)
  }
  await stillWorks()
  for (const socket of sockets) socket.destroy()
})

test('a flood of reservations ends at the limit, and of relay requests at the rate', async () => {
  const hop = '/libp2p/circuit/relay/0.2.0/hop'
  const address = multiaddr(relay.address('tcp'))
  // HopMessage { type: RESERVE }, with its length before it.
  const reserve = Uint8Array.of(2, 8, 0)
  let asked = 0
  await eventually('the relay has taken what it takes', async () => {
    const node = await attacker()
    // Refused while the flood before is still counted against this address.
    const stream = await node.dialProtocol(address, hop, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
    stream?.send(reserve)
    if (stream !== undefined) asked++
    return asked >= 30 && (await relay.metric('ggen_relay_reservations')) === 20
  })
  const node = await attacker()
  const refusedBefore = await relay.metric('ggen_relay_refused_total')
  for (let count = 0; count < 60; count++) {
    const stream = await node.dialProtocol(address, hop, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
    try {
      stream?.send(reserve)
    } catch {
      // Reset already.
    }
  }
  await eventually('requests over the rate are refused', async () => {
    return (await relay.metric('ggen_relay_refused_total')) - refusedBefore >= 20
  })
  expect(await relay.metric('ggen_relay_reservations')).toBe(20)
  await stillWorks()
})

test('a flood of streams, oversized messages, and readers that do not read', async () => {
  const address = multiaddr(relay.address('tcp'))
  const protocols = [
    '/ggen/search/1.0.0',
    '/ggen/sync/1.0.0',
    '/ggen/blocks/1.0.0',
    '/ggen/kad/1.0.0',
    '/meshsub/1.2.0',
    '/libp2p/circuit/relay/0.2.0/hop',
  ]
  // A frame that says it has four gigabytes, and then more bytes than anything may have.
  const oversized = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)
  for (const protocol of protocols) {
    const node = await attacker()
    const streams = await Promise.allSettled(
      Array.from({ length: 300 }, () =>
        node.dialProtocol(address, protocol, { signal: AbortSignal.timeout(5_000), maxOutboundStreams: 1_000 }),
      ),
    )
    for (const stream of streams) {
      if (stream.status !== 'fulfilled') continue
      try {
        stream.value.pause()
        stream.value.send(oversized)
        stream.value.send(new Uint8Array(256 * 1024))
      } catch {
        // Reset by the relay, as it should be.
      }
    }
  }
  await stillWorks()
})

test('HTTP: what does not exist, other methods, slow headers, too many requests', async () => {
  expect((await fetch(`${relay.url}/nothing/here`)).status).toBe(404)
  expect((await fetch(`${relay.url}/..%2f..%2fetc/passwd`)).status).toBe(404)
  expect((await fetch(`${relay.url}/healthz`, { method: 'POST', body: 'x'.repeat(1_000_000) })).status).toBe(404)
  const limited = await startRelay({ home: join(dir, 'limited'), args: ['--set', 'http.requests_per_minute=5'] })
  const statuses: number[] = []
  for (let count = 0; count < 8; count++) statuses.push((await fetch(`${limited.url}/healthz`)).status)
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429])
  await limited.kill()
  await stillWorks()
})

test('says who it is, and is ready; stops on SIGTERM; keeps its identity, addresses and certificate', async () => {
  const home = join(dir, 'lasting')
  const first = await startRelay({ home })
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200)
  const response = await fetch(`${first.url}/.well-known/ggen-p2p.json`)
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  const document = (await response.json()) as { peerId: string; addresses: string[]; limits: object }
  expect(document).toMatchObject({ peerId: first.peerId, limits: { maxReservations: 1000 } })
  expect(document.addresses.some((address) => address.includes('/ws/'))).toBe(true)
  expect(document.addresses.some((address) => address.includes('/webrtc-direct/certhash/'))).toBe(true)
  expect(await first.metric('process_resident_memory_bytes')).toBeGreaterThan(0)
  expect(await first.stop()).toBe(0)
  const again = await startRelay({ home })
  expect([...again.addresses].sort()).toEqual([...first.addresses].sort())
  await again.kill()
})

test('peers that are not on the allow list get no reservation; denied ones no connection', async () => {
  const guest = await machines.add('guest')
  const { peerId } = await guest.start([])
  await guest.run(['p2p', 'stop'])
  const closed = await startRelay({
    home: join(dir, 'closed'),
    args: ['--set', 'access.allow_peers=12D3KooWBhD6McaB9zF9zrUosGrA6VCWPeoYLVeWKfNRDarih6Jh'],
  })
  await guest.start(['--bootstrap', closed.address('tcp'), '--relay', closed.address('tcp')])
  await eventually('it is refused', async () => (await closed.metric('ggen_relay_refused_total')) > 0)
  expect(await closed.metric('ggen_relay_reservations')).toBe(0)
  await guest.run(['p2p', 'stop'])
  await closed.kill()
  const denying = await startRelay({ home: join(dir, 'denying'), args: ['--set', `access.deny_peers=${peerId}`] })
  await guest.start([])
  const refused = await guest.run(['p2p', 'connect', denying.address('tcp')])
  await eventually('it is not connected', async () => (await denying.metric('ggen_peers')) === 0)
  expect(refused.exitCode === 0 || refused.exitCode === 5).toBe(true)
  await denying.kill()
})

test('an address in a denied range cannot connect', async () => {
  const guest = await machines.add('out-of-range')
  await guest.start([])
  const denying = await startRelay({
    home: join(dir, 'denying-range'),
    args: ['--set', 'access.deny_ranges=127.0.0.0/8'],
  })
  const refused = await guest.run(['p2p', 'connect', denying.address('tcp')])
  expect(refused.exitCode, refused.stderr).toBe(5)
  expect(await denying.metric('ggen_peers')).toBe(0)
  await denying.kill()
})
