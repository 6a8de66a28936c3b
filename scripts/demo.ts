/**
 * `npm start`: a whole small network on this machine, loopback only. A relay and two users, each a process with a home of its own; one publishes, the
 * other searches, installs and verifies. Every step is the `ggen` command a person would type.
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openBrowser } from '../src/node-cli/open-browser.ts'

const root = join(import.meta.dirname, '..')
const bin = join(root, 'bin', 'ggen.js')
const relayBin = join(root, 'bin', 'ggen-relay.js')
const { values: flags } = parseArgs({ options: { once: { type: 'boolean', default: false } } })

interface User {
  name: string
  home: string
  project: string
}

interface Outcome {
  exitCode: number
  stdout: string
}

const colour = process.stdout.isTTY && !process.env.NO_COLOR
const bold = (text: string): string => (colour ? `\u001b[1m${text}\u001b[22m` : text)
const dim = (text: string): string => (colour ? `\u001b[2m${text}\u001b[22m` : text)

function say(text = ''): void {
  process.stdout.write(`${text}\n`)
}

/** Runs one `ggen` command as `user`, shows it with what it printed and how long it took. */
async function ggen(user: User, args: string[], options: { quiet?: boolean; expect?: number } = {}): Promise<Outcome> {
  const startedMs = performance.now()
  if (!options.quiet) say(`${bold(`${user.name} $`)} ggen ${args.join(' ')}`)
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: user.project,
    env: { ...process.env, GGEN_HOME: user.home, GGEN_P2P_NETWORK_MDNS: 'false' },
    stdio: ['ignore', 'pipe', options.quiet ? 'ignore' : 'inherit'],
  })
  let stdout = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
  if (!options.quiet) {
    process.stdout.write(stdout)
    say(dim(`  ${Math.round(performance.now() - startedMs)} ms`))
    say()
  }
  const expected = options.expect ?? 0
  if (exitCode !== expected) throw new Error(`ggen ${args.join(' ')} ended with ${exitCode} instead of ${expected}`)
  return { exitCode, stdout }
}

async function startNode(user: User, bootstrap: string[]): Promise<string[]> {
  const args = [
    'p2p',
    'start',
    '--daemon',
    '--json',
    '--listen',
    '/ip4/127.0.0.1/tcp/0',
    '--listen',
    '/ip4/127.0.0.1/tcp/0/ws',
    '--listen',
    '/ip4/127.0.0.1/udp/0/webrtc-direct',
  ]
  const { stdout } = await ggen(user, [...args, ...bootstrap.flatMap((address) => ['--bootstrap', address])], {
    quiet: true,
  })
  const ready = JSON.parse(stdout) as { peerId: string; addresses: string[]; startupMs: number }
  say(`  ${user.name.padEnd(9)} ${ready.peerId}  ready in ${Math.round(ready.startupMs)} ms`)
  return ready.addresses
}

interface Relay {
  url: string
  peerId: string
  addresses: string[]
  startupMs: number
  stop(): Promise<void>
}

/** The real relay, on any free ports; it ends with this process. */
async function startRelay(home: string): Promise<Relay> {
  const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/udp/0/webrtc-direct']
  const args = ['--json', '--home', home, '--http-host', '127.0.0.1', '--http-port', '0', '--set', 'log_level=warn']
  const child = spawn(process.execPath, [relayBin, ...args, ...listen.flatMap((address) => ['--listen', address])], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, GGEN_RELAY_PARENT: '1' },
  })
  const ready = JSON.parse(await firstLine(child)) as Omit<Relay, 'stop'>
  say(`  ${'relay'.padEnd(9)} ${ready.peerId}  ready in ${ready.startupMs} ms`)
  return {
    ...ready,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve()
        child.once('close', () => resolve())
        child.kill('SIGTERM')
      }),
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`The relay ended with ${code} before it was ready.`)))
  })
}

/** A command's JSON answer, asked again until it satisfies `accept`: news travels in milliseconds, but no step relies on how many. */
async function until<T>(user: User, args: string[], accept: (answer: T) => boolean): Promise<void> {
  const deadlineMs = performance.now() + 60_000
  for (;;) {
    const { stdout } = await ggen(user, [...args, '--json'], { quiet: true })
    if (accept(JSON.parse(stdout) as T)) return
    if (performance.now() > deadlineMs) throw new Error(`No such answer within a minute: ggen ${args.join(' ')}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function main(): Promise<void> {
  const base = await mkdtemp(join(tmpdir(), 'ggen-demo-'))
  const users: User[] = []
  for (const name of ['alice', 'bob']) {
    const user = { name, home: join(base, name, 'home'), project: join(base, name, 'project') }
    await mkdir(user.project, { recursive: true })
    users.push(user)
  }
  const [alice, bob] = users as [User, User]
  let relay: Relay | undefined

  let stopping: Promise<void> | undefined
  const stopAll = (): Promise<void> => {
    stopping ??= (async () => {
      await Promise.allSettled(users.map((user) => ggen(user, ['p2p', 'stop'], { quiet: true })))
      await relay?.stop()
      await rm(base, { recursive: true, force: true })
    })()
    return stopping
  }
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve('interrupted'))
  })

  try {
    const work = async (): Promise<void> => {
      say(bold('A relay and two nodes on this machine, nothing central:'))
      relay = await startRelay(join(base, 'relay'))
      await tour(relay, alice, bob)
    }
    const finished = await Promise.race([work(), interrupted])
    if (finished === 'interrupted') {
      process.exitCode = 130
      return
    }
    if (flags.once) return
    say(bold('The network stays up until you press Ctrl-C. Try, in another terminal:'))
    say(`  export GGEN_HOME=${bob.home}`)
    say(`  node ${bin} p2p status`)
    say(`  node ${bin} marketplace search ontology`)
    say(`  node ${bin} marketplace info invoice-ontology`)
    say(`  node ${bin} p2p peers`)
    say(bold(`And the explorer, in a browser: ${relay?.url}`))
    if (process.stdout.isTTY) openBrowser(relay?.url ?? '')
    // Waiting for a signal alone does not keep a process alive.
    const alive = setInterval(() => undefined, 60_000)
    await interrupted
    clearInterval(alive)
    say()
  } finally {
    say(dim('Stopping the relay and the nodes, and removing their homes.'))
    await stopAll()
  }
}

async function tour(relay: Relay, alice: User, bob: User): Promise<void> {
  const startedMs = performance.now()
  const entrance = relay.addresses.slice(0, 1)
  await startNode(alice, entrance)
  await startNode(bob, entrance)
  say()

  say(bold('Alice publishes three packages from her disk.'))
  const examples = (await readdir(join(root, 'examples'), { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  )
  for (const { name } of examples) await ggen(alice, ['p2p', 'publish', join(root, 'examples', name)])

  say(bold('Bob, who has only ever met the relay, finds and installs them.'))
  type Found = { results: { name: string }[] }
  await until<Found>(bob, ['marketplace', 'search', 'ontology'], ({ results }) => results.length > 0)
  await until<Found>(bob, ['marketplace', 'search', 'rest'], ({ results }) => results.length > 0)
  await ggen(bob, ['marketplace', 'search', 'ontology'])
  await ggen(bob, ['marketplace', 'install', 'rest-handlers'])
  await ggen(bob, ['marketplace', 'list'])
  await ggen(bob, ['marketplace', 'verify'])

  say(bold('Somebody changes one byte of an installed file.'))
  const tampered = join(bob.project, '.ggen', 'packages', 'rest-handlers', 'README.md')
  await appendFile(tampered, '!')
  await ggen(bob, ['marketplace', 'verify'], { expect: 4 })
  say(bold('Installing again puts it right.'))
  await ggen(bob, ['marketplace', 'install', 'rest-handlers', '--force'])
  await ggen(bob, ['marketplace', 'verify'])
  say(bold(`Published, found, installed and verified in ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`))
  say()
}

await main()
