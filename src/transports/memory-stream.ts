import { RegistryError } from '../core/errors.ts'
import type { PeerStream } from '../core/ports.ts'

/** What may wait between the two ends before `send` blocks. */
const highWaterMarkBytes = 1024 * 1024

interface Direction {
  chunks: Uint8Array[]
  bytes: number
  ended: boolean
  error: Error | undefined
  wake: Set<() => void>
}

/** Both ends of a stream inside one process, with back-pressure, half-close and abort. */
export function createMemoryPipe(dialer: string, listener: string): [PeerStream, PeerStream] {
  const out = direction()
  const back = direction()
  return [end(listener, out, back), end(dialer, back, out)]
}

function direction(): Direction {
  return { chunks: [], bytes: 0, ended: false, error: undefined, wake: new Set() }
}

function notify(side: Direction): void {
  for (const wake of [...side.wake]) wake()
}

function changed(side: Direction, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      side.wake.delete(done)
      signal?.removeEventListener('abort', abort)
      resolve()
    }
    const abort = (): void => {
      side.wake.delete(done)
      reject(signal?.reason)
    }
    side.wake.add(done)
    signal?.addEventListener('abort', abort, { once: true })
  })
}

function end(peerId: string, outgoing: Direction, incoming: Direction): PeerStream {
  return {
    peerId,
    relayed: false,
    async send(bytes, signal) {
      signal?.throwIfAborted()
      while (outgoing.bytes >= highWaterMarkBytes && outgoing.error === undefined) await changed(outgoing, signal)
      if (outgoing.error !== undefined) throw outgoing.error
      if (outgoing.ended) throw new Error('The stream is closed for writing.')
      outgoing.chunks.push(bytes)
      outgoing.bytes += bytes.length
      notify(outgoing)
    },
    async *receive(signal) {
      for (;;) {
        signal?.throwIfAborted()
        if (incoming.error !== undefined) throw incoming.error
        const chunk = incoming.chunks.shift()
        if (chunk !== undefined) {
          incoming.bytes -= chunk.length
          notify(incoming)
          yield chunk
        } else if (incoming.ended) return
        else await changed(incoming, signal)
      }
    },
    async close() {
      outgoing.ended = true
      notify(outgoing)
    },
    abort(error) {
      for (const side of [outgoing, incoming]) {
        side.error ??= new RegistryError('CONNECTION_FAILED', `The stream is gone: ${error.message}`, { cause: error })
        notify(side)
      }
    },
  }
}
