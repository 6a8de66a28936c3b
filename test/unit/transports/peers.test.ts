import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { toPeerInfo } from '../../../src/transports/libp2p-peers.ts'

const relay = '12D3KooWEgc1sBQWEF74drhsrh9JcGzXiaxqg6n2ARqx5i9BBdMT'
const peer = '12D3KooWAid9uMEjjisRefhM51UVF8PoEdxztncmK1naNg4x2ac3'

/** A stand-in for a relayed connection of a given age: what libp2p says of one, without a relay that waits minutes. */
function relayed(limits: { seconds?: number; bytes?: bigint } | undefined, ageMs: number): Connection {
  return {
    remotePeer: { toString: () => peer },
    remoteAddr: multiaddr(`/ip4/127.0.0.1/tcp/1/ws/p2p/${relay}/p2p-circuit/p2p/${peer}`),
    direction: 'outbound',
    direct: limits === undefined,
    limits,
    timeline: { open: Date.now() - ageMs },
  } as unknown as Connection
}
const traffic = { of: () => ({ bytesIn: 0, bytesOut: 0 }) } as unknown as Parameters<typeof toPeerInfo>[2]
const leftOf = (connection: Connection) => toPeerInfo(connection, undefined, traffic).relayLimit

test('what a relay still carries is told in milliseconds and bytes', () => {
  expect(leftOf(relayed(undefined, 0))).toBeUndefined()
  const left = leftOf(relayed({ seconds: 90, bytes: 1_000n }, 30_000))
  expect(left?.bytesLeft).toBe(1_000)
  expect((left?.msLeft ?? 0) / 1000).toBeCloseTo(90, 0)
})

test('a relay that counts in milliseconds is understood as well', () => {
  // js-libp2p's relay says 600,000 for ten minutes; after one of them its client has 599,940 "seconds" left.
  const left = leftOf(relayed({ seconds: 599_940 }, 60_000))
  expect((left?.msLeft ?? 0) / 1000).toBeCloseTo(540, 0)
  expect(leftOf(relayed({ seconds: 599_000 }, 1_000_000))?.msLeft).toBe(0)
})
