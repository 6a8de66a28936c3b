import { join } from 'node:path'
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PublishResult } from '../../src/core/control/service.ts'
import { errorSchema, outputSchemas } from '../../src/node-cli/output-schemas.ts'
import type { Machine } from '../support/ggen.ts'
import { createMachines, eventually } from '../support/ggen.ts'
import { writePackage } from '../support/packages.ts'

let machines: Awaited<ReturnType<typeof createMachines>>
let alice: Machine
let bob: Machine
let address: string
const walked = new Set<string>()

beforeAll(async () => {
  machines = await createMachines()
  alice = await machines.add('alice')
  bob = await machines.add('bob')
})

afterAll(() => machines.dispose())

/** Runs a command with `--json` and holds its output to the schema of its words. */
async function walk(
  machine: Machine,
  words: string,
  args: string[] = [],
  options: { exitCode?: number; env?: Record<string, string> } = {},
): Promise<unknown> {
  const path =
    words.startsWith('p2p') || words === 'completion' ? words.split(' ') : ['marketplace', ...words.split(' ')]
  const outcome = await machine.run([...path, ...args, '--json'], { env: { EDITOR: 'true', ...options.env } })
  expect(outcome.exitCode, `${words}: ${outcome.stdout}${outcome.stderr}`).toBe(options.exitCode ?? 0)
  const document: unknown = JSON.parse(outcome.stdout)
  const schema = outputSchemas[words]
  if (schema === undefined) throw new Error(`There is no schema for "${words}".`)
  const parsed = v.safeParse(schema, document)
  expect(
    parsed.success ? [] : parsed.issues.map((issue) => `${words}: ${v.getDotPath(issue)}: ${issue.message}`),
  ).toEqual([])
  walked.add(words)
  return document
}

test('every command prints one JSON document of its published schema', async () => {
  const ready = (await walk(alice, 'p2p start', ['--daemon', '--listen', '/ip4/127.0.0.1/tcp/0'])) as {
    addresses: string[]
    publisher: string
    peerId: string
  }
  address = ready.addresses[0]!
  await walk(bob, 'p2p status')
  await bob.start()
  await walk(bob, 'p2p connect', [address, '--persistent'])
  await walk(bob, 'p2p bootstrap', ['--nodes', address, '--wait'])
  await walk(bob, 'p2p status')
  await walk(bob, 'p2p peers', ['--sort', 'latency'])
  await walk(bob, 'p2p explorer', ['--relay', 'https://relay.example', '--no-open'])

  for (const [command, args] of [
    ['p2p config show', []],
    ['p2p config get', ['network.mdns']],
    ['p2p config set', ['performance.max_peers', '20']],
    ['p2p config edit', []],
    ['p2p config reset', []],
    ['p2p config validate', []],
    ['p2p config path', []],
  ] as const) {
    await walk(alice, command, [...args])
  }

  const base = await writePackage(join(machines.dir, 'p', 'base'), { name: 'base' })
  await walk(alice, 'publish', [base, '--dry-run'])
  await walk(alice, 'p2p publish', [base])
  const { cid } = (await walk(alice, 'publish', [base])) as PublishResult
  await eventually('bob knows it', async () => (await bob.run(['marketplace', 'info', 'base'])).exitCode === 0)
  await walk(bob, 'search', ['base'])
  await walk(bob, 'p2p search', ['nothing', 'like', 'it'])
  await walk(bob, 'info', [cid])
  await walk(bob, 'install', ['base'])
  await walk(bob, 'update')
  await walk(bob, 'list')
  await walk(bob, 'outdated')
  await walk(bob, 'why', ['base'])
  await walk(bob, 'verify')
  await walk(bob, 'uninstall', ['base'])

  await walk(alice, 'yank', ['base@1.0.0', '--reason', 'why not'])
  await walk(alice, 'unyank', ['base@1.0.0'])
  await walk(alice, 'deprecate', ['base@*', 'old'])
  await walk(bob, 'trust list')
  await walk(bob, 'trust add', [ready.publisher, '--as', 'alice'])
  await walk(bob, 'trust block', ['alice'])
  await walk(bob, 'trust remove', ['alice'])
  await walk(bob, 'cache info')
  await walk(bob, 'cache gc')
  await walk(bob, 'cache clear')
  await walk(bob, 'doctor')
  await walk(bob, 'completion', ['bash'])

  await walk(alice, 'key show')
  const backup = join(machines.dir, 'key.json')
  await walk(alice, 'key export', [backup])
  await walk(bob, 'p2p disconnect', ['--peer', ready.peerId])
  await walk(bob, 'p2p stop')
  await walk(alice, 'p2p disconnect', ['--shutdown'])
  await walk(bob, 'key import', [backup])
  await walk(bob, 'key rotate')
})

test('no command is left out', async () => {
  const { stdout } = await alice.run(['--help'])
  const commands = [...stdout.matchAll(/^ {2}ggen ([a-z0-9 -]+?) {2}/gm)].map((match) =>
    match[1]!.trim().replace(/^marketplace /, ''),
  )
  const groups = new Set(['p2p config', 'trust', 'key', 'cache'])
  const missing = commands.filter((command) => !walked.has(command) && !groups.has(command))
  expect(missing).toEqual([])
  expect(Object.keys(outputSchemas).filter((command) => !walked.has(command))).toEqual([])
})

test('failures print the error schema, whatever the command', async () => {
  for (const args of [
    ['p2p', 'peers'],
    ['p2p', 'connect', 'x'],
    ['marketplace', 'install', '../x'],
    ['marketplace', 'info', 'nobody-has-this'],
    ['marketplace', 'why', 'nothing'],
    ['marketplace', 'search'],
    ['p2p', 'config', 'get', 'no.such'],
    ['completion', 'tcsh'],
  ]) {
    const outcome = await alice.run([...args, '--json'])
    expect(outcome.exitCode, args.join(' ')).toBeGreaterThan(0)
    expect(v.safeParse(errorSchema, JSON.parse(outcome.stdout)).success, outcome.stdout).toBe(true)
  }
})
