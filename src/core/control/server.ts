import { Hono } from 'hono'
import { RegistryError, toRegistryError } from '../errors.ts'
import type { RegistryService, ServiceProgress } from './service.ts'
import { serviceMethods } from './service.ts'

type Handler = (request: Record<string, unknown>, options: { signal: AbortSignal; onProgress(event: ServiceProgress): void }) => Promise<unknown>

/** Progress of the same kind is sent at most this often: a fast transfer reports thousands of blocks a second. */
const progressIntervalMs = 50

/**
 * The control API: `POST /v1/<method>` with the request as JSON. The answer is newline-delimited JSON: any number of `{"progress":…}` and one last
 * `{"result":…}` or `{"error":…}`. Closing the connection cancels the operation. Who may connect is the socket's business (its file mode).
 */
export function createControlApp(service: RegistryService, options: { onStop(): void }): Hono {
  const handlers = new Map<string, Handler>(serviceMethods.map((method) => [method, service[method] as unknown as Handler]))
  handlers.set('stop', async () => {
    options.onStop()
    return {}
  })
  const app = new Hono()
  app.post('/v1/:method', async (context) => {
    const handler = handlers.get(context.req.param('method'))
    const request = await context.req.json().catch(() => undefined)
    if (handler === undefined || typeof request !== 'object' || request === null) {
      const error = new RegistryError('USAGE', 'The running node does not know this request.', {
        hint: 'Its version differs from this command: restart it with ggen marketplace p2p stop and start --daemon.',
      })
      return context.body(line({ error }))
    }
    return new Response(answer(handler, request), { headers: { 'content-type': 'application/x-ndjson' } })
  })
  return app
}

function line(message: unknown): string {
  return `${JSON.stringify(message)}\n`
}

function answer(handler: Handler, request: Record<string, unknown>): ReadableStream<Uint8Array> {
  const cancelled = new AbortController()
  const encoder = new TextEncoder()
  return new ReadableStream({
    async start(controller) {
      const lastMs = new Map<string, number>()
      const send = (message: unknown): void => {
        if (!cancelled.signal.aborted) controller.enqueue(encoder.encode(line(message)))
      }
      const onProgress = (progress: ServiceProgress): void => {
        const repeats = progress.type === 'block:received' || progress.type === 'files'
        const nowMs = performance.now()
        if (repeats && nowMs - (lastMs.get(progress.type) ?? Number.NEGATIVE_INFINITY) < progressIntervalMs) return
        lastMs.set(progress.type, nowMs)
        send({ progress })
      }
      try {
        send({ result: await handler(request, { signal: cancelled.signal, onProgress }) })
      } catch (error) {
        send({ error: toRegistryError(error) })
      }
      if (!cancelled.signal.aborted) controller.close()
    },
    cancel() {
      cancelled.abort(new Error('The command was cancelled.'))
    },
  })
}
