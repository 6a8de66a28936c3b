import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { RegistryError } from '../../core/errors.ts'
import { writeFileAtomic } from '../../storage/node.ts'

/** Who runs the node of this home: written when it starts, removed when it ends, and a lock in between. */
export interface DaemonFile {
  pid: number
  startedAt: string
  peerId?: string
  controlSocket?: string
  addresses?: string[]
  version?: string
}

export function readDaemonFile(path: string): DaemonFile | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as DaemonFile
    return Number.isInteger(value.pid) && value.pid > 0 ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Claims the home for this process. `isAnswering` tells whether somebody serves its control socket: a pid alone proves little, since the number may belong to another
 * program by now. Throws `ALREADY_RUNNING` with the pid.
 */
export async function claimHome(path: string, isAnswering: () => Promise<boolean>): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  for (let attempt = 0; attempt < 3; attempt++) {
    if (createExclusive(path)) return
    const other = readDaemonFile(path)
    if (await isAnswering()) throw alreadyRunning(other?.pid)
    if (other !== undefined && isAlive(other.pid) && isStarting(other)) throw alreadyRunning(other.pid)
    // Left behind by a process that was killed.
    rmSync(path, { force: true })
  }
  throw alreadyRunning(readDaemonFile(path)?.pid)
}

export function updateDaemonFile(path: string, facts: DaemonFile): void {
  writeFileAtomic(path, `${JSON.stringify(facts, null, 1)}\n`, { mode: 0o600 })
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A node that has claimed the home serves its socket within this time, or hangs. */
const startingMs = 30_000

function isStarting({ startedAt, controlSocket }: DaemonFile): boolean {
  return controlSocket === undefined && Date.now() - Date.parse(startedAt) < startingMs
}

function createExclusive(path: string): boolean {
  let descriptor: number
  try {
    descriptor = openSync(path, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  try {
    writeSync(
      descriptor,
      JSON.stringify({ pid: process.pid, startedAt: new Date().toISOString() } satisfies DaemonFile),
    )
  } finally {
    closeSync(descriptor)
  }
  return true
}

function alreadyRunning(pid: number | undefined): RegistryError {
  return new RegistryError(
    'ALREADY_RUNNING',
    `A node is running already for this home${pid === undefined ? '' : ` (pid ${pid})`}.`,
    {
      hint: 'Stop it with: ggen marketplace p2p stop. For a second node set GGEN_HOME to another folder.',
    },
  )
}
