import type { MessageStream } from '@libp2p/interface'

/**
 * Tells how many bytes pass through a connection or stream. A listener for `message` would make it deliver what its reader has not yet come for, so that would be lost: its dispatch
 * is watched instead.
 */
export function watchBytes(
  stream: MessageStream,
  tell: { received(bytes: number): void; sent(bytes: number): void },
): void {
  const dispatchEvent = stream.dispatchEvent.bind(stream)
  stream.dispatchEvent = (event) => {
    if (event.type === 'message') tell.received((event as unknown as { data: { byteLength: number } }).data.byteLength)
    return dispatchEvent(event)
  }
  const send = stream.send.bind(stream)
  stream.send = (data) => {
    tell.sent(data.byteLength)
    return send(data)
  }
}

export interface ByteCounts {
  bytesIn: number
  bytesOut: number
}

/** Bytes of all connections together, and of each connected peer. */
export interface Traffic {
  readonly total: ByteCounts
  of(peerId: string): ByteCounts
  /** Counts what passes through a connection; `direct`: in the total too, which has a relayed connection's bytes already from the one to its relay. */
  watch(peerId: string, connection: MessageStream, direct: boolean): void
  forget(peerId: string): void
}

export function createTraffic(): Traffic {
  const total: ByteCounts = { bytesIn: 0, bytesOut: 0 }
  const peers = new Map<string, ByteCounts>()
  return {
    total,
    of: (peerId) => peers.get(peerId) ?? { bytesIn: 0, bytesOut: 0 },
    watch(peerId, connection, direct) {
      const own = peers.get(peerId) ?? { bytesIn: 0, bytesOut: 0 }
      peers.set(peerId, own)
      const counts = direct ? [own, total] : [own]
      watchBytes(connection, {
        received(bytes) {
          for (const count of counts) count.bytesIn += bytes
        },
        sent(bytes) {
          for (const count of counts) count.bytesOut += bytes
        },
      })
    },
    forget: (peerId) => void peers.delete(peerId),
  }
}
