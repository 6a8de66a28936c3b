import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const bin = join(import.meta.dirname, '..', '..', 'bin', 'ggen.js')
const conditionTimeoutMs = 60_000

export interface Outcome {
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface Machine {
  readonly name: string
  readonly home: string
  readonly project: string
  /** Runs the built `ggen` on this machine's home, in its project folder. */
  run(args: string[], options?: { env?: Record<string, string>; cwd?: string }): Promise<Outcome>
  /** The same with `--json`: parsed stdout. Fails when the exit code is not `exitCode` (0). */
  json<T = Record<string, never>>(
    args: string[],
    options?: { exitCode?: number; env?: Record<string, string> },
  ): Promise<T>
  /** Starts a daemon on loopback and returns its ready line. */
  start(args?: string[]): Promise<Ready>
}

export interface Ready {
  peerId: string
  publisher: string
  addresses: string[]
  pid: number
  controlSocket: string
  startupMs: number
}

/** Several machines on this one: each with its own home and project, all daemons stopped and all folders removed by `dispose`. */
export async function createMachines(): Promise<{
  add(name: string): Promise<Machine>
  dispose(): Promise<void>
  dir: string
}> {
  const dir = await mkdtemp(join(tmpdir(), 'ggen-test-'))
  const machines: Machine[] = []
  const pids = new Set<number>()

  async function add(name: string): Promise<Machine> {
    const home = join(dir, name, 'home')
    const project = join(dir, name, 'project')
    await mkdir(project, { recursive: true })
    const machine: Machine = {
      name,
      home,
      project,
      run: (args, options = {}) => runGgen(args, { home, cwd: options.cwd ?? project, env: options.env ?? {} }),
      async json(args, options = {}) {
        const outcome = await machine.run([...args, '--json'], options.env ? { env: options.env } : {})
        if (outcome.exitCode !== (options.exitCode ?? 0)) {
          throw new Error(
            `ggen ${args.join(' ')} ended with ${outcome.exitCode}:\n${outcome.stdout}\n${outcome.stderr}`,
          )
        }
        return JSON.parse(outcome.stdout)
      },
      async start(args = []) {
        const listen = args.includes('--listen') ? [] : ['--listen', '/ip4/127.0.0.1/tcp/0']
        const ready = await machine.json<Ready>(['p2p', 'start', '--daemon', ...listen, ...args])
        pids.add(ready.pid)
        return ready
      },
    }
    machines.push(machine)
    return machine
  }

  return {
    dir,
    add,
    async dispose() {
      await Promise.all(machines.map((machine) => machine.run(['p2p', 'stop'])))
      for (const pid of pids) kill(pid)
      await rm(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** A daemon that survived `p2p stop` must not survive the test. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already, as it should be.
  }
}

function runGgen(
  args: string[],
  options: { home: string; cwd: string; env: Record<string, string> },
): Promise<Outcome> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: options.cwd,
    env: { ...process.env, GGEN_HOME: options.home, GGEN_P2P_NETWORK_MDNS: 'false', NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }))
  })
}

/** Polls until `probe` gives something other than undefined or false. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> {
  const deadlineMs = performance.now() + conditionTimeoutMs
  let failure: unknown
  while (performance.now() < deadlineMs) {
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      failure = error
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`Waited in vain for: ${what}`, { cause: failure })
}
