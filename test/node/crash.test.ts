import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { InstallResult, ListResult, PublishResult, StatusResult } from '../../src/core/control/service.ts'
import type { Machine, Ready } from '../support/ggen.ts'
import { createMachines, eventually } from '../support/ggen.ts'
import { hashTree, manyFiles, writePackage } from '../support/packages.ts'

let machines: Awaited<ReturnType<typeof createMachines>>
let alice: Machine
let bob: Machine
let entrance: string

beforeAll(async () => {
  machines = await createMachines()
  alice = await machines.add('alice')
  bob = await machines.add('bob')
  entrance = (await (await machines.add('bootstrap')).start()).addresses[0]!
})

afterAll(() => machines.dispose())

/** Kills at moments spread over the work and somewhat beyond; what is asserted holds at each of them. */
const moments = [0.02, 0.1, 0.25, 0.45, 0.7, 0.95]

async function killDuring(ready: Ready, work: Promise<unknown>, afterMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  process.kill(ready.pid, 'SIGKILL')
  await work
}

const restart = (machine: Machine) =>
  eventually(`${machine.name} starts again`, () => machine.start(['--bootstrap', entrance]))

test('a publisher killed at any moment of a publish loses nothing and completes on retry', async () => {
  let ready = await restart(alice)
  const kept = await alice.json<PublishResult>([
    'p2p',
    'publish',
    await writePackage(join(machines.dir, 'kept'), { name: 'kept' }),
  ])
  const first = performance.now()
  await alice.json([
    'p2p',
    'publish',
    await writePackage(join(machines.dir, 'measure'), { name: 'measure' }, manyFiles(400, 3_000)),
  ])
  const tookMs = performance.now() - first
  for (const [index, moment] of moments.entries()) {
    const name = `crash-${index}`
    const dir = await writePackage(join(machines.dir, name), { name }, manyFiles(400, 3_000))
    await killDuring(ready, alice.run(['p2p', 'publish', dir]), tookMs * moment)
    ready = await restart(alice)
    const done = await alice.json<PublishResult>(['p2p', 'publish', dir])
    expect(done.name).toBe(name)
    const { packages } = await alice.json<StatusResult>(['p2p', 'status'])
    expect(packages.published).toBe(3 + index)
  }
  // The log of all this has no gap and no fork: another node takes every entry of it.
  await restart(bob)
  await eventually(
    'bob knows all packages',
    async () => (await bob.json<StatusResult>(['p2p', 'status'])).packages.known === 2 + moments.length,
  )
  const { installed } = await bob.json<InstallResult>(['marketplace', 'install', 'kept', 'crash-0', 'crash-5'])
  expect(installed.find(({ name }) => name === 'kept')?.cid).toBe(kept.cid)
  expect(await hashTree(join(bob.project, '.ggen/packages/crash-5'))).toEqual(
    await hashTree(join(machines.dir, 'crash-5')),
  )
  const status = await bob.json<StatusResult>(['p2p', 'status'])
  expect(status.warnings).toEqual([])
})

test('a node killed at any moment of an install leaves whole packages only and completes on retry', async () => {
  const dir = await writePackage(join(machines.dir, 'wanted'), { name: 'wanted' }, manyFiles(600, 4_000))
  await alice.json(['p2p', 'publish', dir])
  const source = await hashTree(dir)
  for (const [index, moment] of moments.entries()) {
    const machine = await machines.add(`victim-${index}`)
    const ready = await restart(machine)
    await eventually('it is found', async () => (await machine.run(['marketplace', 'info', 'wanted'])).exitCode === 0)
    await killDuring(ready, machine.run(['marketplace', 'install', 'wanted']), moment * 600)
    // Whatever stands there stands whole: the folder is swapped in, the lock comes last.
    const present = await readdir(join(machine.project, '.ggen/packages')).catch(() => [])
    for (const name of present) expect(await hashTree(join(machine.project, '.ggen/packages', name))).toEqual(source)
    await restart(machine)
    await machine.json<InstallResult>(['marketplace', 'install', 'wanted'])
    expect(await hashTree(join(machine.project, '.ggen/packages/wanted'))).toEqual(source)
    expect((await machine.json<ListResult>(['marketplace', 'list'])).packages).toMatchObject([
      { name: 'wanted', present: true },
    ])
    expect((await readdir(join(machine.project, '.ggen'))).filter((name) => name.startsWith('.tmp-'))).toEqual([])
    await machine.run(['p2p', 'stop'])
  }
})
