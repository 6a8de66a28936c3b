import { isErrorCode, RegistryError } from '../errors.ts'
import type { RegistryService, ServiceOptions, ServiceProgress } from './service.ts'
import { serviceMethods } from './service.ts'

/** Sends one line to the control API and yields the answer's bytes; aborting the signal closes the connection, which cancels the operation. */
export type ControlTransport = (line: string, signal: AbortSignal | undefined) => AsyncIterable<Uint8Array>

type Message =
  | { progress: ServiceProgress }
  | { result: unknown }
  | { error: { code: unknown; message: string; hint?: string } }

/** A running node's service from outside its process. Throws what the node threw, and `CONNECTION_FAILED` when it goes away meanwhile. */
export function createControlClient(transport: ControlTransport): RegistryService & { stop(): Promise<void> } {
  async function call(method: string, request: unknown, { signal, onProgress }: ServiceOptions = {}): Promise<unknown> {
    signal?.throwIfAborted()
    try {
      for await (const text of lines(transport(`${JSON.stringify({ method, request })}\n`, signal))) {
        const message = parseMessage(text)
        if ('result' in message) return message.result
        if ('error' in message) throw asError(message.error)
        onProgress?.(message.progress)
      }
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
    signal?.throwIfAborted()
    throw new RegistryError('CONNECTION_FAILED', 'The node went away before it answered.', {
      hint: 'See its log (p2p/daemon.log) and start it again: ggen marketplace p2p start --daemon',
    })
  }
  const methods = serviceMethods.map((method) => [
    method,
    (request: unknown, options?: ServiceOptions) => call(method, request, options),
  ])
  return { ...(Object.fromEntries(methods) as RegistryService), stop: async () => void (await call('stop', {})) }
}

function parseMessage(text: string): Message {
  try {
    return JSON.parse(text) as Message
  } catch (cause) {
    throw new RegistryError('CONNECTION_FAILED', 'What answers on the control socket is no node of this version.', {
      hint: 'Stop it and start the node again: ggen marketplace p2p start --daemon',
      cause,
    })
  }
}

function asError({ code, message, hint }: { code: unknown; message: string; hint?: string }): RegistryError {
  return new RegistryError(isErrorCode(code) ? code : 'INTERNAL', message, { hint })
}

/** Splits bytes into lines, without their ends. */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    yield* parts.filter((part) => part !== '')
  }
}
