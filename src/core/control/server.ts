import { RegistryError, toRegistryError } from '../errors.ts'
import type { RegistryService, ServiceProgress } from './service.ts'
import { serviceMethods } from './service.ts'

type Handler = (
  request: unknown,
  options: { signal: AbortSignal; onProgress(event: ServiceProgress): void },
) => Promise<unknown>

/** Progress of the same kind is sent at most this often: a fast transfer reports thousands of blocks a second. */
const progressIntervalMs = 50

/** One line of an answer, as JSON: any number of `progress`, then one `result` or `error`. */
export type ControlMessage = { progress: ServiceProgress } | { result: unknown } | { error: unknown }

/** Answers one request of the control API, a line `{"method":…,"request":{…}}`. Never throws: what fails is the last message. */
export type ControlHandler = (
  line: string,
  options: { signal: AbortSignal; send(message: ControlMessage): void },
) => Promise<void>

/** The control API around a service. `stop` is one more method: it answers, then the host ends. Who may connect is the socket's business (its file mode). */
export function createControlHandler(
  service: RegistryService,
  options: { onStop(): void; onBug(error: Error): void },
): ControlHandler {
  const handlers = new Map<string, Handler>(serviceMethods.map((method) => [method, service[method] as Handler]))
  handlers.set('stop', async () => {
    options.onStop()
    return {}
  })
  return async (line, { signal, send }) => {
    try {
      const { handler, request } = parseRequest(line, handlers)
      send({ result: await handler(request, { signal, onProgress: throttled(send) }) })
    } catch (error) {
      const known = toRegistryError(error)
      if (known.code === 'INTERNAL' && !signal.aborted) options.onBug(known)
      send({ error: known })
    }
  }
}

function parseRequest(line: string, handlers: ReadonlyMap<string, Handler>): { handler: Handler; request: unknown } {
  let message: unknown
  try {
    message = JSON.parse(line)
  } catch {
    // Named below, like any other request that is none.
  }
  const { method, request } = (message ?? {}) as { method?: unknown; request?: unknown }
  const handler = handlers.get(String(method))
  if (handler !== undefined && typeof request === 'object' && request !== null) return { handler, request }
  throw new RegistryError('USAGE', 'The running node does not know this request.', {
    hint: 'Its version differs from this command: restart it with ggen marketplace p2p stop and start --daemon.',
  })
}

function throttled(send: (message: ControlMessage) => void): (progress: ServiceProgress) => void {
  const lastMs = new Map<string, number>()
  return (progress) => {
    const repeats = progress.type === 'block:received' || progress.type === 'files'
    const nowMs = performance.now()
    if (repeats && nowMs - (lastMs.get(progress.type) ?? Number.NEGATIVE_INFINITY) < progressIntervalMs) return
    lastMs.set(progress.type, nowMs)
    send({ progress })
  }
}
