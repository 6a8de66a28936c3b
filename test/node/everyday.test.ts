import { spawnSync } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type {
  InstallResult,
  OutdatedResult,
  PublishResult,
  TrustResult,
  WhyResult,
} from '../../src/core/control/service.ts'
import type { Machine } from '../support/ggen.ts'
import { createMachines, eventually } from '../support/ggen.ts'
import { writePackage } from '../support/packages.ts'

let machines: Awaited<ReturnType<typeof createMachines>>
let alice: Machine
let bob: Machine
let publisher: string

const folder = (name: string) => join(machines.dir, 'packages', name)

beforeAll(async () => {
  machines = await createMachines()
  alice = await machines.add('alice')
  bob = await machines.add('bob')
  const ready = await alice.start()
  publisher = ready.publisher
  await bob.start(['--bootstrap', ready.addresses[0]!])
  for (const version of ['1.0.0', '1.1.0'])
    await alice.json(['p2p', 'publish', await writePackage(folder(`tool-${version}`), { name: 'tool', version })])
  await eventually(
    'bob knows both versions',
    async () => (await bob.json<{ versions: unknown[] }>(['marketplace', 'info', 'tool'])).versions.length === 2,
  )
})

afterAll(() => machines.dispose())

test('versions are withdrawn, offered again and deprecated, by their publisher alone', async () => {
  await bob.json(['marketplace', 'install', 'tool@1.1.0'])
  expect(await alice.json(['marketplace', 'yank', 'tool@1.1.0', '--reason', 'breaks'])).toMatchObject({
    name: 'tool',
    versions: ['1.1.0'],
    entry: expect.any(String),
  })
  expect(await alice.json(['marketplace', 'yank', 'tool@1.1.0'])).toMatchObject({ entry: null })
  const info = () => bob.json<{ version: string; yanked: boolean; deprecated: string }>(['marketplace', 'info', 'tool'])
  await eventually('bob is offered the one before', async () => (await info()).version === '1.0.0')
  const refused = await bob.run(['marketplace', 'install', 'tool@=1.1.0', '--dir', folder('elsewhere'), '--json'])
  expect(refused.exitCode).toBe(4)
  expect(refused.stdout).toContain('YANKED')
  const { packages } = await bob.json<OutdatedResult>(['marketplace', 'outdated'])
  expect(packages).toMatchObject([{ name: 'tool', current: '1.1.0', yanked: true }])
  await alice.json(['marketplace', 'unyank', 'tool@1.1.0'])
  await eventually('bob is offered it again', async () => (await info()).version === '1.1.0')
  await alice.json(['marketplace', 'deprecate', 'tool@<2', 'use other-tool'])
  await eventually('bob reads the advice', async () => (await info()).deprecated === 'use other-tool')
  expect((await bob.run(['marketplace', 'yank', 'tool@1.0.0'])).exitCode).toBe(3)
  expect((await alice.run(['marketplace', 'yank', 'tool'])).exitCode).toBe(2)
})

test('a project is kept up to date, and knows why each package is there', async () => {
  const project = folder('project')
  const inProject = (args: string[]) =>
    bob.json<InstallResult & OutdatedResult & WhyResult>([...args, '--dir', project])
  await inProject(['marketplace', 'install', 'tool@~1.0'])
  expect((await inProject(['marketplace', 'outdated'])).packages).toMatchObject([
    { name: 'tool', current: '1.0.0', wanted: '1.0.0', latest: '1.1.0' },
  ])
  await inProject(['marketplace', 'install', 'tool@^1.0'])
  const update = await inProject(['marketplace', 'update'])
  expect(update.installed[0]?.version).toBe('1.1.0')
  expect((await inProject(['marketplace', 'why', 'tool'])).paths).toEqual([['tool']])
  expect(await readFile(join(project, 'ggen.lock'), 'utf8')).toContain('"tool" = "^1.0"')
})

test('publishers get names, are blocked and forgotten', async () => {
  const trust = (args: string[]) => bob.json<TrustResult>(['marketplace', 'trust', ...args])
  expect((await trust(['list'])).publishers).toMatchObject([{ publisher, pins: ['tool'] }])
  expect((await trust(['add', publisher.slice('did:key:'.length, 24), '--as', 'alice'])).publishers).toMatchObject([
    { petname: 'alice', blocked: false },
  ])
  expect((await bob.json<{ petname: string }>(['marketplace', 'info', 'alice/tool'])).petname).toBe('alice')
  await trust(['block', 'alice'])
  const denied = await bob.run(['marketplace', 'install', 'alice/tool', '--json'])
  expect(denied.exitCode).toBe(4)
  expect(denied.stdout).toContain('DENIED')
  expect((await trust(['remove', 'alice'])).publishers).toEqual([])
  expect((await bob.run(['marketplace', 'trust', 'remove', publisher])).exitCode).toBe(3)
})

test('a key is exported under a passphrase and imported elsewhere, where it publishes as the same', async () => {
  const backup = folder('backup.json')
  const env = { GGEN_PASSPHRASE: 'correct horse' }
  await alice.json(['marketplace', 'key', 'export', backup], { env })
  expect((await alice.run(['marketplace', 'key', 'export', backup], { env })).exitCode).toBe(2)
  const carol = await machines.add('carol')
  const before = await carol.json<{ publisher: string }>(['marketplace', 'key', 'show'])
  expect(
    (await carol.run(['marketplace', 'key', 'import', backup], { env: { GGEN_PASSPHRASE: 'wrong' } })).exitCode,
  ).not.toBe(0)
  const imported = await carol.json<{ publisher: string; backup: string }>(['marketplace', 'key', 'import', backup], {
    env,
  })
  expect(imported.publisher).toBe(publisher)
  expect(await readFile(imported.backup, 'utf8')).toContain(before.publisher)
  expect(await carol.json(['marketplace', 'key', 'show'])).toMatchObject({ publisher })
  const running = await bob.run(['marketplace', 'key', 'import', backup, '--json'], { env })
  expect(running.exitCode).toBe(2)
  expect(running.stdout).toContain('p2p stop')
})

test('a rotated key publishes as the same publisher', async () => {
  const dora = await machines.add('dora')
  const { publisher: own } = await dora.start()
  await dora.json(['p2p', 'publish', await writePackage(folder('before'), { name: 'before-the-rotation' })])
  expect((await dora.run(['marketplace', 'key', 'rotate'])).exitCode).toBe(2)
  await dora.run(['p2p', 'stop'])
  const rotation = await dora.json<{ publisher: string; key: string; backup: string }>(['marketplace', 'key', 'rotate'])
  expect(rotation.publisher).toBe(own)
  expect(await readFile(rotation.backup, 'utf8')).toContain(own)
  expect((await dora.start()).publisher).toBe(own)
  expect(await dora.json(['marketplace', 'key', 'show'])).toMatchObject({ publisher: own, key: rotation.key })
  const published = await dora.json<PublishResult>([
    'p2p',
    'publish',
    await writePackage(folder('rotated'), { name: 'rotated' }),
  ])
  expect(published.publisher).toBe(own)

  // The exported key takes the rotation along: elsewhere it is the same publisher at once.
  const backup = join(dora.home, 'backup.json')
  await dora.json(['marketplace', 'key', 'export', backup])
  const emil = await machines.add('emil')
  expect(await emil.json(['marketplace', 'key', 'import', backup])).toMatchObject({ publisher: own })
  expect((await emil.start()).publisher).toBe(own)
})

describe('doctor', () => {
  interface Doctor {
    ok: boolean
    checks: { name: string; status: string; hint?: string }[]
  }
  const statusOf = ({ checks }: Doctor, name: string) => checks.find((check) => check.name === name)?.status

  test('finds a healthy node healthy', async () => {
    const report = await bob.json<Doctor>(['marketplace', 'doctor'])
    for (const name of ['configuration', 'storage', 'keys', 'clock', 'node', 'listening', 'DHT', 'gossip'])
      expect(statusOf(report, name), name).toBe('ok')
    expect(report.ok).toBe(true)
  })

  test('says what fails and what to do', async () => {
    const sick = await machines.add('sick')
    await sick.run(['marketplace', 'key', 'show'])
    await chmod(join(sick.home, 'p2p', 'publisher.key'), 0o644)
    await writeFile(join(sick.home, 'p2p-config.toml'), '[network]\nmdsn = true\n')
    const outcome = await sick.run(['marketplace', 'doctor', '--json'])
    expect(outcome.exitCode).toBe(1)
    const report = JSON.parse(outcome.stdout) as Doctor
    for (const name of ['configuration', 'keys', 'node']) {
      expect(statusOf(report, name), name).toBe('fail')
      expect(report.checks.find((check) => check.name === name)?.hint).toBeTruthy()
    }
    expect((await sick.run(['marketplace', 'doctor'])).stdout).toContain('FAIL keys')
  })
})

test('bash completes commands and options', async () => {
  const { stdout } = await alice.run(['completion', 'bash'])
  const complete = (...words: string[]) => {
    const script = `${stdout}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _ggen; echo "\${COMPREPLY[@]}"`
    return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.trim().split(' ')
  }
  expect(complete('ggen', 'p')).toEqual(['p2p'])
  expect(complete('ggen', 'marketplace', 'un')).toEqual(['uninstall', 'unyank'])
  expect(complete('ggen', 'p2p', 'start', '--dht')).toEqual(['--dht-server', '--dht-client'])
  expect(complete('ggen', 'marketplace', 'install', '--json', '--froz')).toEqual(['--frozen-lockfile'])
  for (const shell of ['zsh', 'fish'])
    expect((await alice.run(['completion', shell])).stdout).toContain('frozen-lockfile')
  expect((await alice.run(['completion', 'tcsh'])).exitCode).toBe(2)
})

test('every command has help with an example, and nothing but its own words', async () => {
  const { stdout } = await alice.run(['--help'])
  const paths = [...stdout.matchAll(/^ {2}ggen ([a-z0-9 -]+?) {2}/gm)].map((match) => match[1]!.trim().split(' '))
  expect(paths.length).toBeGreaterThan(35)
  for (const path of paths) {
    const help = await alice.run([...path, '-h'])
    expect(help.exitCode, path.join(' ')).toBe(0)
    expect(help.stdout, path.join(' ')).toMatch(/Examples[\s\S]*ggen /)
  }
})

test('publish waits for nobody when told to announce to nobody', async () => {
  const dir = await writePackage(folder('quiet'), { name: 'quiet' })
  expect(await alice.json<PublishResult>(['p2p', 'publish', dir, '--no-announce'])).toMatchObject({
    name: 'quiet',
    replicas: 0,
  })
})
