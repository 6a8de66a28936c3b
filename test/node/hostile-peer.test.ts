import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { InstallResult, PeersResult, PublishResult } from '../../src/core/control/service.ts'
import { blocksProtocol, encodeHave } from '../../src/core/exchange/wire.ts'
import { limits } from '../../src/core/limits.ts'
import type { PeerNetwork } from '../../src/core/ports.ts'
import { createByteReader } from '../../src/core/wire/byte-reader.ts'
import { createNodeNetwork, generateIdentity } from '../../src/transports/node.ts'
import type { Machine } from '../support/ggen.ts'
import { createMachines, eventually } from '../support/ggen.ts'
import { hashTree, manyFiles, writePackage } from '../support/packages.ts'

let machines: Awaited<ReturnType<typeof createMachines>>
let alice: Machine
let entrance: string
const hostile: PeerNetwork[] = []

beforeAll(async () => {
  machines = await createMachines()
  alice = await machines.add('alice')
  entrance = (await alice.start()).addresses[0]!
})

afterAll(async () => {
  await Promise.all(hostile.map((network) => network.stop()))
  await machines.dispose()
})

/** A real libp2p node that speaks the protocols but follows its own rules. */
async function joinHostile(): Promise<PeerNetwork> {
  const network = createNodeNetwork({
    identity: await generateIdentity(),
    agent: 'hostile/1',
    listenAddresses: ['/ip4/127.0.0.1/tcp/0'],
    bootstrapNodes: [entrance],
    relayAddresses: [],
    maxPeers: 20,
    minPeers: 0,
    dhtQueryTimeoutMs: 10_000,
    dhtMode: 'server',
    gossipHeartbeatMs: 1000,
    mdns: false,
    enableTls: true,
    webrtc: false,
    gate: { isBanned: () => false, score: () => 1 },
    recordRules: [],
  })
  hostile.push(network)
  await network.start()
  await eventually('the hostile node is connected', async () => network.peers().length > 0)
  return network
}

test('a peer that serves wrong bytes is refused, charged, and the next one asked', async () => {
  const dir = await writePackage(join(machines.dir, 'honest'), { name: 'honest' }, manyFiles(100, 1_000))
  const { cid } = await alice.json<PublishResult>(['p2p', 'publish', dir])
  const mallory = await joinHostile()
  let lies = 0
  await mallory.handle(blocksProtocol, async (stream) => {
    const reader = createByteReader(stream.receive(), { idleTimeoutMs: 10_000 })
    for (
      let frame = await reader.frame(limits.maxWantedBlocks * 36);
      frame !== undefined;
      frame = await reader.frame(limits.maxWantedBlocks * 36)
    ) {
      for (let offset = 0; offset < frame.length; offset += 36) {
        lies++
        const bytes = randomBytes(500)
        await stream.send(encodeHave(bytes.length))
        await stream.send(bytes)
      }
    }
  })
  await mallory.provide(CID.parse(cid))

  const bob = await machines.add('bob')
  await bob.start(['--bootstrap', entrance])
  await bob.json(['p2p', 'connect', mallory.addresses()[0]!])
  await eventually('bob knows it', async () => (await bob.run(['marketplace', 'info', 'honest'])).exitCode === 0)
  const { installed } = await bob.json<InstallResult>(['marketplace', 'install', 'honest'])
  expect(installed[0]?.sources).not.toContain(mallory.peerId)
  expect(await hashTree(join(bob.project, '.ggen/packages/honest'))).toEqual(await hashTree(dir))
  const { peers } = await bob.json<PeersResult>(['p2p', 'peers'])
  const row = peers.find(({ peerId }) => peerId === mallory.peerId)
  // Whether it was asked before the honest one had delivered everything is chance; if it was, its lie has cost it.
  if (lies > 0) expect(row?.reputation).toBe(0)
})

test('a peer whose gossip is garbage is banned and stays out', async () => {
  const eve = await joinHostile()
  const carol = await machines.add('carol')
  // Gossipsub itself stops listening after a few: too few for the default of ten.
  await carol.json(['p2p', 'config', 'set', 'security.ban_threshold', '2'])
  await carol.start(['--bootstrap', entrance])
  await carol.json(['p2p', 'connect', eve.addresses()[0]!])
  await eve.subscribe('/ggen/packages/v1', async () => 'accept')
  const isBanned = await eventually('carol bans eve', async () => {
    await eve.publish('/ggen/packages/v1', randomBytes(200))
    const { peers } = await carol.json<PeersResult>(['p2p', 'peers'])
    return peers.find(({ peerId }) => peerId === eve.peerId)?.banned
  })
  expect(isBanned).toBe(true)
  const refused = await carol.run(['p2p', 'connect', eve.addresses()[0]!, '--json'])
  expect(refused.exitCode).toBe(4)
  expect(refused.stdout).toContain('PEER_BANNED')
})
