import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Machine } from '../support/ggen.ts'
import { createMachines } from '../support/ggen.ts'
import { writePackage } from '../support/packages.ts'

/** util-linux's `script` gives a command a terminal of its own. */
const hasTerminal = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0
if (!hasTerminal) process.stderr.write('There is no `script` command: what needs a terminal is not tested.\n')

const bin = join(import.meta.dirname, '..', '..', 'bin', 'ggen.js')
let machines: Awaited<ReturnType<typeof createMachines>>
let alice: Machine

beforeAll(async () => {
  machines = await createMachines()
  alice = await machines.add('alice')
  await alice.start()
  for (const name of ['term-one', 'term-two'])
    await alice.json([
      'p2p',
      'publish',
      await writePackage(join(machines.dir, 'p', name), { name, keywords: ['terminal'] }),
    ])
})

afterAll(() => machines.dispose())

/** Runs a command in a terminal; each key is typed when the screen shows what it waits for. */
function inTerminal(
  args: string[],
  keys: { when: string; type: string }[],
): Promise<{ exitCode: number | null; screen: string }> {
  const command = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: alice.project,
    env: { ...process.env, GGEN_HOME: alice.home, TERM: 'xterm', GGEN_P2P_NETWORK_MDNS: 'false' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let screen = ''
  let seen = 0
  child.stdout.on('data', (chunk) => {
    screen += chunk
    const next = keys[0]
    if (next === undefined || !screen.slice(seen).includes(next.when)) return
    keys.shift()
    seen = screen.length
    child.stdin.write(next.type)
  })
  return new Promise((resolve) => child.on('close', (exitCode) => resolve({ exitCode, screen })))
}

test.skipIf(!hasTerminal)('search is browsed with the arrow keys, and Enter installs', async () => {
  const down = '\u001b[B'
  const { exitCode, screen } = await inTerminal(
    ['marketplace', 'search', 'terminal', '-i'],
    [
      { when: 'None', type: down },
      { when: 'term-two', type: '\r' },
    ],
  )
  expect(exitCode, screen).toBe(0)
  expect(screen).toContain('Installed term-two@1.0.0')
  expect(existsSync(join(alice.project, '.ggen/packages/term-two/package.toml'))).toBe(true)
})

test.skipIf(!hasTerminal)('Ctrl-C leaves without installing, with 130', async () => {
  const { exitCode } = await inTerminal(['marketplace', 'search', 'terminal', '-i'], [{ when: 'None', type: '\u0003' }])
  expect(exitCode).toBe(130)
  expect(existsSync(join(alice.project, '.ggen/packages/term-one'))).toBe(false)
})

test.skipIf(!hasTerminal)('colours are for terminals, and never under NO_COLOR', async () => {
  const coloured = await inTerminal(['p2p', 'status'], [])
  expect(coloured.screen).toContain('\u001b[')
  const plain = await inTerminal(['p2p', 'peers'], [])
  expect(plain.exitCode).toBe(0)
  expect((await alice.run(['p2p', 'status'], { env: { NO_COLOR: '' } })).stdout).not.toContain('\u001b[')
})

test('without a terminal it says so', async () => {
  const outcome = await alice.run(['marketplace', 'search', 'terminal', '-i', '--json'])
  expect(outcome.exitCode).toBe(2)
})
