import type { Connection, Stream, StreamHandler } from '@libp2p/interface'
import { limits } from '../core/limits.ts'
import type { PeerStream } from '../core/ports.ts'
import { createPeerStream } from './libp2p-stream.ts'

/** How long a peer may keep its side of a stream open after our handler is done with it. */
const lingerMs = 10_000

/**
 * Makes protocol handlers for libp2p. A peer holds at most `limits.maxStreamsPerPeer` streams of one protocol open, over all its connections; more are
 * reset. A handler that fails resets its stream; after one that succeeds both sides are closed, so that no peer can pile up finished streams.
 */
export function createHandlers(): (protocol: string, handler: (stream: PeerStream) => Promise<void>) => StreamHandler {
  const open = new Map<string, number>()

  async function serve(
    stream: Stream,
    connection: Connection,
    handler: (stream: PeerStream) => Promise<void>,
  ): Promise<void> {
    const peerStream = createPeerStream(stream, connection)
    try {
      await handler(peerStream)
      await peerStream.close()
      if (stream.remoteWriteStatus !== 'closed') abortAfterLinger(stream)
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }

  return (protocol, handler) => (stream, connection) => {
    const key = `${connection.remotePeer} ${protocol}`
    const count = open.get(key) ?? 0
    if (count >= limits.maxStreamsPerPeer) {
      stream.abort(new Error(`More than ${limits.maxStreamsPerPeer} streams of ${protocol} at once.`))
      return
    }
    open.set(key, count + 1)
    const release = (): void => {
      const rest = (open.get(key) ?? 1) - 1
      if (rest > 0) open.set(key, rest)
      else open.delete(key)
    }
    stream.addEventListener('close', release, { once: true })
    void serve(stream, connection, handler)
  }
}

function abortAfterLinger(stream: Stream): void {
  const timer = setTimeout(() => stream.abort(new Error('The peer did not close its side of the stream.')), lingerMs)
  stream.addEventListener('close', () => clearTimeout(timer), { once: true })
}
