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
