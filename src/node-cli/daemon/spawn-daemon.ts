import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { ErrorJson } from '../../core/errors.ts'
import { isErrorCode, RegistryError } from '../../core/errors.ts'
import type { HomePaths } from '../../storage/node.ts'
import type { Ready } from './run-daemon.ts'

export type DaemonMessage = { ready: Ready } | { error: ErrorJson }

/** Marks the process that is to become the daemon. */
export const daemonMark = 'GGEN_DAEMON_CHILD'

/** Starts the same command again as a process of its own, which outlives this one, and waits until it is ready. Throws what kept it from starting. */
export async function spawnDaemon(
  paths: HomePaths,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Ready> {
  mkdirSync(dirname(paths.daemonLog), { recursive: true, mode: 0o700 })
  const log = openSync(paths.daemonLog, 'a', 0o600)
  // A small young generation keeps an idle node below 100 MB; its work is not bound by garbage collection.
  const child = spawn(process.execPath, ['--max-semi-space-size=1', process.argv[1]!, ...argv], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    // glibc's one arena per core holds several megabytes that nobody uses (measured: see docs/BENCHMARKS.md).
    env: { MALLOC_ARENA_MAX: '1', ...env, [daemonMark]: '1' },
    windowsHide: true,
  })
  closeSync(log)
  try {
    return await new Promise<Ready>((resolve, reject) => {
      const onAbort = (): void => {
        child.kill('SIGTERM')
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      child.once('error', reject)
      child.once('message', (message) => {
        const answer = message as DaemonMessage
        if ('ready' in answer) resolve(answer.ready)
        else reject(asError(answer.error))
      })
      child.once('exit', (code) => {
        reject(
          new RegistryError('INTERNAL', `The node ended while it started (exit ${code}).`, {
            hint: `See its log: ${paths.daemonLog}`,
          }),
        )
      })
    })
  } finally {
    child.removeAllListeners()
    if (child.connected) child.disconnect()
    child.unref()
  }
}

function asError({ code, message, hint }: ErrorJson): RegistryError {
  return new RegistryError(isErrorCode(code) ? code : 'INTERNAL', message, { hint })
}
