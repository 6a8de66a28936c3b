import { appendFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type {
  InstallResult,
  PeersResult,
  PublishResult,
  SearchResult,
  VerifyResult,
} from '../../src/core/control/service.ts'
import type { Machine } from '../support/ggen.ts'
import { createMachines, eventually } from '../support/ggen.ts'
import { hashTree, manyFiles, writePackage } from '../support/packages.ts'

let machines: Awaited<ReturnType<typeof createMachines>>
let bootstrap: Machine
let alice: Machine
let bob: Machine
let entrance: string

beforeAll(async () => {
  machines = await createMachines()
  bootstrap = await machines.add('bootstrap')
  alice = await machines.add('alice')
  bob = await machines.add('bob')
  entrance = (await bootstrap.start()).addresses[0]!
  await alice.start(['--bootstrap', entrance])
  await bob.start(['--bootstrap', entrance])
})

afterAll(() => machines.dispose())

const found = (machine: Machine, query: string) =>
  eventually(`${machine.name} finds ${query}`, async () => {
    const { results } = await machine.json<SearchResult>(['marketplace', 'search', query])
    return results.length > 0 && results
  })

test('a package goes from one machine to another through nobody in particular', async () => {
  const dir = await writePackage(join(machines.dir, 'zebra-templates'), {
    name: 'zebra-templates',
    keywords: ['stripes'],
  })
  const published = await alice.json<PublishResult>(['p2p', 'publish', dir])
  expect(published).toMatchObject({ name: 'zebra-templates', version: '1.0.0', files: 2, replicas: 0 })

  const byName = await found(bob, 'zebra-templates')
  expect(byName[0]).toMatchObject({ name: 'zebra-templates', publisher: published.publisher, cid: published.cid })
  expect((await found(bob, 'stripes'))[0]?.name).toBe('zebra-templates')

  const { installed } = await bob.json<InstallResult>(['marketplace', 'install', 'zebra-templates'])
  expect(installed).toMatchObject([{ name: 'zebra-templates', version: '1.0.0', cid: published.cid }])
  expect(installed[0]!.fetchedBytes).toBeGreaterThan(0)
  expect(await hashTree(join(bob.project, '.ggen/packages/zebra-templates'))).toEqual(await hashTree(dir))
  const verified = await bob.json<VerifyResult>(['marketplace', 'verify'])
  expect(verified.packages).toMatchObject([{ name: 'zebra-templates', ok: true, signature: 'valid', faults: [] }])
})

test('verify names the file that was tampered with, and installing again mends it', async () => {
  const file = join(bob.project, '.ggen/packages/zebra-templates/README.md')
  await appendFile(file, 'x')
  const verified = await bob.run(['marketplace', 'verify', '--json'])
  expect(verified.exitCode).toBe(4)
  expect(verified.stdout).toContain('README.md')
  await bob.json(['marketplace', 'install', 'zebra-templates', '--force'])
  expect((await bob.json<VerifyResult>(['marketplace', 'verify'])).ok).toBe(true)
})

test('the same folder published on two machines has the same CID', async () => {
  const dir = await writePackage(join(machines.dir, 'twin'), { name: 'twin' })
  const [first, second] = await Promise.all(
    [alice, bob].map((machine) => machine.json<PublishResult>(['p2p', 'publish', dir])),
  )
  expect(first!.cid).toBe(second!.cid)
  expect(first!.publisher).not.toBe(second!.publisher)
})

test('publishing the same version again changes nothing; other content is refused', async () => {
  const dir = await writePackage(join(machines.dir, 'once'), { name: 'once' })
  const first = await alice.json<PublishResult>(['p2p', 'publish', dir])
  const again = await alice.json<PublishResult>(['p2p', 'publish', dir])
  expect(again).toMatchObject({ cid: first.cid, entry: first.entry, unchanged: true })
  await appendFile(join(dir, 'README.md'), 'more')
  const refused = await alice.run(['p2p', 'publish', dir, '--json'])
  expect(refused.exitCode).toBe(2)
  expect(JSON.parse(refused.stdout).error).toMatchObject({
    code: 'VERSION_EXISTS',
    hint: expect.stringContaining('version'),
  })
})

test('--wait returns when a peer holds a copy; who joins after the publisher left installs from the peer', async () => {
  const dir = await writePackage(join(machines.dir, 'relay-race'), { name: 'relay-race' }, manyFiles(300))
  const waiting = alice.json<PublishResult>(['p2p', 'publish', dir, '--wait=1'])
  await found(bob, 'relay-race')
  await bob.json(['marketplace', 'install', 'relay-race'])
  expect((await waiting).replicas).toBe(1)

  expect((await alice.run(['p2p', 'stop'])).exitCode).toBe(0)
  const carol = await machines.add('carol')
  await carol.start(['--bootstrap', entrance])
  await found(carol, 'relay-race')
  await carol.json(['marketplace', 'install', 'relay-race'])
  expect(await hashTree(join(carol.project, '.ggen/packages/relay-race'))).toEqual(await hashTree(dir))
  await alice.start(['--bootstrap', entrance])
})

test('an update fetches only the files that changed', async () => {
  const files = manyFiles(200, 2_000)
  const dir = await writePackage(join(machines.dir, 'growing'), { name: 'growing' }, files)
  const first = await alice.json<PublishResult>(['p2p', 'publish', dir])
  await found(bob, 'growing')
  await bob.json(['marketplace', 'install', 'growing'])
  await writePackage(dir, { name: 'growing', version: '1.1.0' }, { 'templates/part-0/file-0.tmpl': 'changed' })
  await alice.json(['p2p', 'publish', dir])
  const updated = await eventually('bob gets 1.1.0', async () => {
    const { installed } = await bob
      .json<InstallResult>(['marketplace', 'install', 'growing@1.1.0'])
      .catch(() => ({ installed: [] }))
    return installed[0]
  })
  expect(updated.version).toBe('1.1.0')
  expect(updated.fetchedBytes).toBeLessThan(first.bytes / 4)
})

test('with no node running a short-lived client finds and installs, and says so', async () => {
  const guest = await machines.add('guest')
  await guest.json(['p2p', 'config', 'set', 'network.bootstrap_nodes', entrance])
  const outcome = await guest.run(['marketplace', 'search', 'zebra', '--json'])
  expect(outcome.exitCode).toBe(0)
  expect(outcome.stderr).toContain('short-lived client')
  expect((JSON.parse(outcome.stdout) as SearchResult).results[0]?.name).toBe('zebra-templates')
  await guest.json(['marketplace', 'install', 'zebra-templates'])
  expect((await guest.json<VerifyResult>(['marketplace', 'verify'])).ok).toBe(true)
  expect(await guest.json(['p2p', 'status'])).toEqual({ running: false })
})

test('a kept peer comes back after a restart, and goes when it is disconnected', async () => {
  const eve = await machines.add('eve')
  const frank = await machines.add('frank')
  const { peerId, addresses } = await frank.start()
  await eve.start()
  const connected = async () => (await eve.json<PeersResult>(['p2p', 'peers'])).peers.map((peer) => peer.peerId)
  await eve.json(['p2p', 'connect', addresses[0]!, '--persistent'])
  expect(await connected()).toEqual([peerId])
  await eve.run(['p2p', 'stop'])
  await eve.start()
  await eventually('eve is back with frank', async () => (await connected()).includes(peerId))
  await eve.json(['p2p', 'disconnect', '--peer', peerId])
  await eventually('frank is gone', async () => (await connected()).length === 0)
})

test('what is cached installs with no node running, and what is not says so', async () => {
  const dave = await machines.add('dave')
  await dave.start(['--bootstrap', entrance])
  await found(dave, 'zebra-templates')
  await dave.json(['marketplace', 'install', 'zebra-templates'])
  await dave.run(['p2p', 'stop'])
  await rm(join(dave.project, '.ggen'), { recursive: true })
  const { installed } = await dave.json<InstallResult>(['marketplace', 'install', 'zebra-templates', '--offline'])
  expect(installed[0]?.fetchedBytes).toBe(0)
  const missing = await dave.run(['marketplace', 'install', 'relay-race', '--offline', '--json'])
  expect([3, 5]).toContain(missing.exitCode)
})
