import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { createRtcBackoff } from '../../../src/transports/libp2p-rtc-backoff.ts'

const peer = '12D3KooWBhD6McaB9zF9zrUosGrA6VCWPeoYLVeWKfNRDarih6Jh'
const relayed = multiaddr(`/ip4/192.0.2.1/tcp/1/ws/p2p/${peer}/p2p-circuit/webrtc/p2p/${peer}`)
const tcp = multiaddr(`/ip4/192.0.2.1/tcp/1/p2p/${peer}`)

test('a peer that cannot be reached by WebRTC is tried ever more rarely: in a day less than a third of what Chromium allows', () => {
  let nowMs = 0
  const backoff = createRtcBackoff(() => nowMs)
  let dials = 0
  for (; nowMs < 24 * 3600_000; nowMs += 1_000) if (backoff.mayDial(relayed)) dials++
  expect(dials).toBeGreaterThan(10)
  expect(dials).toBeLessThan(160)
})

test('other transports are never held back, and a peer that was reached starts afresh', () => {
  let nowMs = 1_000_000
  const backoff = createRtcBackoff(() => nowMs)
  for (let attempt = 0; attempt < 5; attempt++) {
    backoff.mayDial(relayed)
    nowMs += 1_000
  }
  expect(backoff.mayDial(relayed)).toBe(false)
  expect(backoff.mayDial(tcp)).toBe(true)
  backoff.succeeded(peer)
  expect(backoff.mayDial(relayed)).toBe(true)
})
