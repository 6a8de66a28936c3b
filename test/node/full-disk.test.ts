import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CacheInfoResult, PublishResult } from '../../src/core/control/service.ts'
import type { Machine } from '../support/ggen.ts'
import { createMachines } from '../support/ggen.ts'
import { manyFiles, writePackage } from '../support/packages.ts'

let machines: Awaited<ReturnType<typeof createMachines>>
let alice: Machine
let disk: string
let isMounted = false

beforeAll(async () => {
  machines = await createMachines()
  alice = await machines.add('alice')
  disk = join(machines.dir, 'disk')
  mkdirSync(disk)
  // A real, small disk; only root may make one.
  isMounted =
    process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]).status === 0
  if (!isMounted) process.stderr.write('No file system can be mounted here: the full disk is not tested.\n')
})

afterAll(async () => {
  await alice.run(['p2p', 'stop'])
  if (isMounted) spawnSync('umount', ['-l', disk])
  await machines.dispose()
})

test('a full disk is said to be full, nothing half-published remains, and with space all works again', async (context) => {
  if (!isMounted) context.skip()
  mkdirSync(alice.home, { recursive: true })
  writeFileSync(join(alice.home, 'p2p-config.toml'), `[storage]\ncache_dir = "${join(disk, 'cache')}"\n`)
  await alice.start()
  const first = await alice.json<PublishResult>([
    'p2p',
    'publish',
    await writePackage(join(machines.dir, 'first'), { name: 'first' }),
  ])
  const large = await writePackage(
    join(machines.dir, 'large'),
    { name: 'large' },
    { 'x.bin': Buffer.alloc(20_000_000, 1) },
  )
  const many = await writePackage(join(machines.dir, 'many'), { name: 'many' }, manyFiles(3_000, 8_000))
  // Content of one byte value is one block: it must be different everywhere to fill the disk.
  writeFileSync(join(large, 'x.bin'), Buffer.concat(Object.values(manyFiles(20, 1_000_000))))
  for (const dir of [large, many]) {
    const outcome = await alice.run(['p2p', 'publish', dir, '--json'])
    expect(outcome.exitCode, outcome.stdout).toBe(1)
    expect(JSON.parse(outcome.stdout).error).toMatchObject({
      code: 'STORAGE_FULL',
      hint: expect.stringContaining('space'),
    })
  }
  await alice.json(['marketplace', 'cache', 'clear'])
  const cache = await alice.json<CacheInfoResult>(['marketplace', 'cache', 'info'])
  expect(cache.packages.map(({ cid }) => cid)).toEqual([first.cid])
  rmSync(large, { recursive: true })
  const small = await alice.json<PublishResult>([
    'p2p',
    'publish',
    await writePackage(join(machines.dir, 'small'), { name: 'small' }),
  ])
  expect(small.entry).not.toBeNull()
})
