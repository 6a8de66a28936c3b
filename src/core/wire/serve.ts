import { RegistryError } from '../errors.ts'
import type { Clock, PeerNetwork, PeerStream } from '../ports.ts'
import { createRateLimiter } from '../reputation/rate-limiter.ts'
import type { Reputation } from '../reputation/reputation.ts'

/** A protocol's handler may ask whether one more request of this peer is within its budget. */
export type TakeRequest = () => boolean

/**
 * Serves one protocol: a request budget per peer, refusals charged as flooding when a peer ignores them, and a broken wire format as a fault.
 * What fails on our side resets the stream and costs the peer nothing.
 */
export async function serveProtocol(
  options: { network: PeerNetwork; reputation: Reputation; clock: Clock; requestsPerMinute: number },
  protocol: string,
  handler: (stream: PeerStream, takeRequest: TakeRequest) => Promise<void>,
): Promise<void> {
  const { network, reputation, clock, requestsPerMinute } = options
  const limiter = createRateLimiter({ perMinute: requestsPerMinute, clock })
  await network.handle(protocol, async (stream) => {
    const takeRequest = (): boolean => {
      const verdict = limiter.take(stream.peerId)
      if (verdict === 'flooding') reputation.recordFault(stream.peerId, 'flooding')
      return verdict === 'ok'
    }
    try {
      await handler(stream, takeRequest)
      await stream.close()
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'VERIFICATION_FAILED') {
        reputation.recordFault(stream.peerId, 'protocol-violation')
      }
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
  })
}
