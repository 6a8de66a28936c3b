import type { ErrorJson } from '../core/errors.ts'
import { RegistryError, toRegistryError } from '../core/errors.ts'
import { createEvents } from '../core/events.ts'
import type { OperationOptions } from '../core/ports.ts'
import type { BrowserService, ServiceEvents } from './service.ts'
import { browserServiceMethods } from './service.ts'

type Message =
  | { type: 'call'; id: string; method: string; request: unknown }
  | { type: 'abort'; id: string }
  | { type: 'progress'; id: string; progress: unknown }
  | { type: 'result'; id: string; result: unknown }
  | { type: 'error'; id: string; error: ErrorJson }
  /** The tab that runs the node has begun to answer. */
  | { type: 'here' }
  | { type: 'event'; event: keyof ServiceEvents; detail: never }

type Method = (request: unknown, options?: OperationOptions<unknown>) => Promise<unknown>

export interface TabServer {
  /** Begins to answer; what tabs have asked before is asked again. */
  open(service: BrowserService): void
  emit<E extends keyof ServiceEvents>(event: E, detail: ServiceEvents[E]): void
  close(): void
}

/** The side of the tab that runs the node. Messages come from tabs of the same origin, so from the same page's code. */
export function serveTabs(name: string): TabServer {
  const channel = new BroadcastChannel(name)
  const running = new Map<string, AbortController>()
  let isOpen = true
  /** A node that stops still has things to tell. */
  const post = (message: Message): void => {
    if (isOpen) channel.postMessage(message)
  }

  async function answer(service: BrowserService, { id, method, request }: Message & { type: 'call' }): Promise<void> {
    if (running.has(id)) return
    const controller = new AbortController()
    running.set(id, controller)
    try {
      const call = (service as unknown as Record<string, Method>)[method]
      if (call === undefined) throw new RegistryError('INTERNAL', `There is no method ${method}.`)
      const onProgress = (progress: unknown): void => post({ type: 'progress', id, progress })
      post({ type: 'result', id, result: await call(request, { signal: controller.signal, onProgress }) })
    } catch (error) {
      post({ type: 'error', id, error: toRegistryError(error).toJSON() })
    } finally {
      running.delete(id)
    }
  }

  return {
    open(service) {
      channel.onmessage = ({ data }: MessageEvent<Message>) => {
        if (data.type === 'call') void answer(service, data)
        if (data.type === 'abort') running.get(data.id)?.abort(new DOMException('Cancelled.', 'AbortError'))
      }
      post({ type: 'here' })
    },
    emit: (event, detail) => post({ type: 'event', event, detail: detail as never }),
    close() {
      for (const controller of running.values())
        controller.abort(new DOMException('The node has stopped.', 'AbortError'))
      isOpen = false
      channel.close()
    },
  }
}

interface Pending {
  message: Message & { type: 'call' }
  resolve(result: unknown): void
  reject(error: unknown): void
  onProgress: ((progress: never) => void) | undefined
}

/** The side of every tab, of the one that runs the node too: to whom it talks changes when another takes over, and what was not answered is asked again. */
export function createTabClient(name: string) {
  const channel = new BroadcastChannel(name)
  const events = createEvents<ServiceEvents>((error) => queueMicrotask(() => Promise.reject(error)))
  const pending = new Map<string, Pending>()
  let broken: RegistryError | undefined

  function settle(id: string): Pending | undefined {
    const call = pending.get(id)
    pending.delete(id)
    return call
  }

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.type === 'here') for (const { message } of pending.values()) channel.postMessage(message)
    if (data.type === 'progress') pending.get(data.id)?.onProgress?.(data.progress as never)
    if (data.type === 'result') settle(data.id)?.resolve(data.result)
    if (data.type === 'error') {
      const { code, message, hint } = data.error
      settle(data.id)?.reject(new RegistryError(code, message, { hint }))
    }
    if (data.type === 'event') events.emit(data.event, data.detail)
  }

  function call(method: string, request: unknown, { signal, onProgress }: OperationOptions<never> = {}) {
    return new Promise((resolve, reject) => {
      if (broken !== undefined) return reject(broken)
      signal?.throwIfAborted()
      const id = crypto.randomUUID()
      const message: Message & { type: 'call' } = { type: 'call', id, method, request }
      const onAbort = (): void => {
        channel.postMessage({ type: 'abort', id })
        settle(id)?.reject(signal?.reason)
      }
      const done = (): void => signal?.removeEventListener('abort', onAbort)
      pending.set(id, {
        message,
        onProgress,
        resolve(result) {
          done()
          resolve(result)
        },
        reject(error) {
          done()
          reject(error)
        },
      })
      signal?.addEventListener('abort', onAbort, { once: true })
      channel.postMessage(message)
    })
  }

  const methods = browserServiceMethods.map((method) => [
    method,
    (request: unknown, options?: OperationOptions<never>) => call(method, request, options),
  ])
  return {
    service: Object.fromEntries(methods) as BrowserService,
    on: events.on,
    /** No node can run here any more: every call fails with this. */
    fail(error: RegistryError): void {
      broken = error
      for (const id of [...pending.keys()]) settle(id)?.reject(error)
    },
    close(): void {
      this.fail(new RegistryError('NODE_NOT_RUNNING', 'The node has been stopped.', { hint: 'Load the page again.' }))
      channel.close()
    },
  }
}
