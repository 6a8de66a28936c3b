import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { pino } from 'pino'

export interface DaemonLog {
  info(message: string, facts?: Record<string, unknown>): void
  warn(message: string, facts?: Record<string, unknown>): void
}

const maxLogBytes = 10 * 1024 * 1024

/** One JSON object a line into the daemon's log file; a file that has grown large is set aside at the start, one back. */
export function createFileLog(path: string): DaemonLog {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (existsSync(path) && statSync(path).size > maxLogBytes) renameSync(path, `${path}.1`)
  const logger = pino(
    { base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: path, sync: true, mode: 0o600 }),
  )
  return {
    info: (message, facts = {}) => logger.info(facts, message),
    warn: (message, facts = {}) => logger.warn(facts, message),
  }
}

/** For a node in the foreground: sentences for whoever watches it. */
export function createStderrLog(stderr: NodeJS.WritableStream): DaemonLog {
  const write = (message: string, facts: Record<string, unknown> = {}): void => {
    const rest = Object.entries(facts).map(
      ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
    const line = `${new Date().toISOString().slice(11, 19)} ${message}${rest.join('')}`
    // What came from the network must not steer the terminal.
    stderr.write(`${line.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')}\n`)
  }
  return { info: write, warn: write }
}
