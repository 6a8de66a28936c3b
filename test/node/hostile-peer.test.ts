import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { InstallResult, PeersResult, PublishResult } from '../../src/core/control/service.ts'
import type { PeerNetwork } from '../../src/core/ports.ts'
import type { Machine } from '../support/ggen.ts'
import { createMachines, eventually } from '../support/ggen.ts'
import { joinHostile, serveLies } from '../support/hostile-peer.ts'
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

async function comeIn(): Promise<PeerNetwork> {
  const network = await joinHostile(entrance)
  hostile.push(network)
  return network
}

test('a peer that serves wrong bytes is refused, charged, and the next one asked', async () => {
  const dir = await writePackage(join(machines.dir, 'honest'), { name: 'honest' }, manyFiles(100, 1_000))
  const { cid } = await alice.json<PublishResult>(['p2p', 'publish', dir])
  const mallory = await comeIn()
  const lies = await serveLies(mallory)
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
  if (lies.count() > 0) expect(row?.reputation).toBe(0)
})

test('a peer whose gossip is garbage is banned and stays out', async () => {
  const eve = await comeIn()
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
