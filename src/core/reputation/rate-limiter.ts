import type { Clock } from '../ports.ts'

/** Refusals in a row after which going on is called flooding. */
const patience = 20
const maxPeers = 10_000
const minuteMs = 60_000

export type RateVerdict = 'ok' | 'limited' | 'flooding'

export interface RateLimiter {
  take(peerId: string): RateVerdict
}

interface Bucket {
  tokens: number
  atMs: number
  refused: number
}

/** A token bucket per peer: `perMinute` requests in the long run, and as many in one burst. Bounded: the peer unseen longest is forgotten. */
export function createRateLimiter({ perMinute, clock }: { perMinute: number; clock: Clock }): RateLimiter {
  const buckets = new Map<string, Bucket>()
  return {
    take(peerId) {
      const nowMs = clock.now()
      const bucket = buckets.get(peerId) ?? { tokens: perMinute, atMs: nowMs, refused: 0 }
      const refill = (Math.max(0, nowMs - bucket.atMs) / minuteMs) * perMinute
      bucket.tokens = Math.min(perMinute, bucket.tokens + refill)
      bucket.atMs = nowMs
      buckets.delete(peerId)
      buckets.set(peerId, bucket)
      const oldest = buckets.keys().next().value
      if (buckets.size > maxPeers && oldest !== undefined) buckets.delete(oldest)
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1
        bucket.refused = 0
        return 'ok'
      }
      bucket.refused += 1
      return bucket.refused > patience ? 'flooding' : 'limited'
    },
  }
}
