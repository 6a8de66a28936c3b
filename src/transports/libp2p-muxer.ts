import { yamux } from '@libp2p/yamux'
import type { Libp2pOptions } from 'libp2p'

const MiB = 1024 * 1024

/**
 * Yamux with windows that grow to 4 MiB: enough for some 80 MiB/s at 50 ms round trip, and what a peer can make us hold for one stream that nobody reads. The read
 * buffer is larger than the window, or a slow reader's stream would be reset for a peer's obeying it.
 */
export function streamMuxer(): NonNullable<Libp2pOptions['streamMuxers']>[number] {
  return yamux({
    maxInboundStreams: 256,
    streamOptions: { maxStreamWindowSize: 4 * MiB, maxReadBufferLength: 12 * MiB },
  })
}
