import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { createControlClient } from '../../core/control/client.ts'
import { RegistryError } from '../../core/errors.ts'

export type ControlClient = ReturnType<typeof createControlClient>

const probeTimeoutMs = 2_000

/** True when somebody listens on the socket. A file alone may be left over from a process that was killed. */
export function isAnswering(path: string): Promise<boolean> {
  if (process.platform !== 'win32' && !existsSync(path)) return Promise.resolve(false)
  return new Promise((resolve) => {
    const socket = connect(path)
    const settle = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(probeTimeoutMs, () => settle(false))
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}

/** The control API over the Unix socket or named pipe. */
export function createSocketClient(path: string): ControlClient {
  return createControlClient((line, signal) => send(path, line, signal))
}

async function* send(path: string, line: string, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  const socket = connect({ path, ...(signal === undefined ? {} : { signal }) })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', (error: NodeJS.ErrnoException) => reject(isGone(error) ? notRunning(error) : error))
  })
  socket.write(line)
  try {
    yield* socket as AsyncIterable<Uint8Array>
  } catch (error) {
    // Cut off: the caller sees an answer without an end and says so.
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
  } finally {
    socket.destroy()
  }
}

function isGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET'
}

export function notRunning(cause?: unknown): RegistryError {
  return new RegistryError('NODE_NOT_RUNNING', 'No node is running.', {
    hint: 'Start one: ggen marketplace p2p start --daemon',
    cause,
  })
}
