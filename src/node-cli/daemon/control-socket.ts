import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { createControlClient } from '../../core/control/client.ts'
import { RegistryError } from '../../core/errors.ts'

export type ControlClient = ReturnType<typeof createControlClient>

const probeTimeoutMs = 2_000

/** True when somebody listens on the socket. A file alone may be left over from a process that was killed. */
export function isAnswering(socket: string): Promise<boolean> {
  if (process.platform !== 'win32' && !existsSync(socket)) return Promise.resolve(false)
  return new Promise((resolve) => {
    const connection = connect(socket)
    const settle = (answer: boolean): void => {
      connection.destroy()
      resolve(answer)
    }
    connection.setTimeout(probeTimeoutMs, () => settle(false))
    connection.once('connect', () => settle(true))
    connection.once('error', () => settle(false))
  })
}

/** The control API over the Unix socket or named pipe. */
export function createSocketClient(socket: string): ControlClient {
  return createControlClient((path, body, signal) => send(socket, path, body, signal))
}

async function* send(socketPath: string, path: string, body: string, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const outgoing = request({ socketPath, path, method: 'POST', headers, ...(signal === undefined ? {} : { signal }) })
  const incoming = await new Promise<AsyncIterable<Uint8Array>>((resolve, reject) => {
    outgoing.once('response', resolve)
    outgoing.once('error', (error: NodeJS.ErrnoException) => reject(isGone(error) ? notRunning(error) : error))
    outgoing.end(body)
  })
  try {
    yield* incoming
  } catch (error) {
    // Cut off: the caller sees an answer without an end and says so.
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
  }
}

function isGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET'
}

export function notRunning(cause?: unknown): RegistryError {
  return new RegistryError('NODE_NOT_RUNNING', 'No node is running.', { hint: 'Start one: ggen marketplace p2p start --daemon', cause })
}
