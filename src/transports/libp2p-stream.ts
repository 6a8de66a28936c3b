import type { Connection, Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { RegistryError } from '../core/errors.ts'
import type { PeerStream } from '../core/ports.ts'

/** What may wait here for a slow reader before the peer is told to stop sending. */
const highWaterMarkBytes = 512 * 1024
/** How long closing waits for the peer to take what was sent. */
const closeTimeoutMs = 30_000

/**
 * A libp2p stream as the core sees it, with back-pressure both ways: `send` waits while the muxer's window is full, and a reader that lags makes the window
 * close. libp2p's own helpers do neither: its async iterator takes all that comes into an unbounded queue, and `onDrain` waits only once in a stream's life.
 */
export function createPeerStream(stream: Stream, connection: Connection): PeerStream {
  const peerId = connection.remotePeer.toString()
  const inbox = createInbox(stream, peerId)

  return {
    peerId,
    relayed: !connection.direct,
    async send(bytes, signal) {
      signal?.throwIfAborted()
      try {
        if (stream.send(bytes)) return
      } catch (cause) {
        throw inbox.failure() ?? gone(peerId, cause)
      }
      while (stream.writableNeedsDrain) {
        if (stream.writeStatus !== 'writable') throw inbox.failure() ?? gone(peerId)
        await nextOf(stream, ['drain', 'close'], signal)
      }
      if (stream.writeStatus !== 'writable') throw inbox.failure() ?? gone(peerId)
    },
    async *receive(signal) {
      for (;;) {
        signal?.throwIfAborted()
        const chunk = inbox.take()
        if (chunk !== undefined) yield chunk
        else if (inbox.ended()) return
        else await inbox.changed(signal)
      }
    },
    async close() {
      try {
        await stream.close({ signal: AbortSignal.timeout(closeTimeoutMs) })
      } catch (error) {
        stream.abort(error instanceof Error ? error : new Error('The stream could not be closed.'))
      }
    },
    abort: (error) => stream.abort(error),
  }
}

interface Inbox {
  /** The next chunk; throws when the stream failed and all that came before was taken. */
  take(): Uint8Array | undefined
  ended(): boolean
  changed(signal: AbortSignal | undefined): Promise<void>
  failure(): Error | undefined
}

/** Chunks as they came from the muxer, none copied. The peer controls their number and size, the window how many bytes are under way. */
function createInbox(stream: Stream, peerId: string): Inbox {
  const chunks: Uint8Array[] = []
  let bytes = 0
  let failure: Error | undefined
  let resuming = false
  /** The peer closed its side: without that, the end of the stream is the loss of the connection. */
  let finished = stream.remoteWriteStatus === 'closed'
  const waiting = new Set<() => void>()

  const notify = (): void => {
    for (const wake of waiting) wake()
  }
  /** Not while resuming: libp2p would then open the window again although we are paused. */
  const pauseWhenFull = (): void => {
    if (bytes >= highWaterMarkBytes && !resuming && stream.readStatus === 'readable') stream.pause()
  }
  const resumeWhenLow = (): void => {
    if (bytes > highWaterMarkBytes / 2 || stream.readStatus !== 'paused') return
    resuming = true
    try {
      stream.resume()
    } catch {
      // The window update could not be sent, since the connection is gone; what had arrived was delivered before.
    } finally {
      resuming = false
    }
    pauseWhenFull()
  }

  stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
    if (data instanceof Uint8Array) chunks.push(data)
    else for (const chunk of data) chunks.push(chunk)
    bytes += data.byteLength
    pauseWhenFull()
    notify()
  })
  stream.addEventListener('remoteCloseWrite', () => {
    finished = true
    notify()
  })
  stream.addEventListener('close', ({ error }: StreamCloseEvent) => {
    if (error !== undefined || !finished) failure = gone(peerId, error)
    notify()
  })
  if (stream.status === 'reset' || stream.status === 'aborted') failure = gone(peerId)

  return {
    take() {
      resumeWhenLow()
      const chunk = chunks.shift()
      if (chunk === undefined && failure !== undefined) throw failure
      bytes -= chunk?.byteLength ?? 0
      return chunk
    },
    ended: () => finished && chunks.length === 0 && stream.readBufferLength === 0,
    changed(signal) {
      return new Promise((resolve, reject) => {
        const settle = (): void => {
          waiting.delete(settle)
          signal?.removeEventListener('abort', settle)
          if (signal?.aborted) reject(signal.reason)
          else resolve()
        }
        waiting.add(settle)
        signal?.addEventListener('abort', settle)
      })
    },
    failure: () => failure,
  }
}

function nextOf(stream: Stream, events: ('drain' | 'close')[], signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      for (const event of events) stream.removeEventListener(event, settle)
      signal?.removeEventListener('abort', settle)
      if (signal?.aborted) reject(signal.reason)
      else resolve()
    }
    for (const event of events) stream.addEventListener(event, settle)
    signal?.addEventListener('abort', settle)
  })
}

function gone(peerId: string, cause?: unknown): RegistryError {
  const why = cause instanceof Error && cause.message !== '' ? `: ${cause.message.replace(/\.$/, '')}` : ''
  return new RegistryError('CONNECTION_FAILED', `The stream to ${peerId} is gone${why}.`, {
    hint: 'The peer closed it or the connection was lost; another peer may serve the same.',
    cause,
  })
}
