import type { Multiaddr } from '@multiformats/multiaddr'
import { setRecent } from '../core/set-recent.ts'

const firstPauseMs = 5_000
const longestPauseMs = 10 * 60_000
/** Failures may be bad luck: so many tries are not held back. */
const freeTries = 3
const maxRemembered = 1_000

/**
 * Chromium makes some 500 RTCPeerConnections in a page's life and then no more (js-libp2p #2591): a peer that cannot be reached by WebRTC is tried ever more rarely, whoever in
 * libp2p wants to dial it.
 */
export function createRtcBackoff(nowMs: () => number = () => Date.now()) {
  const tries = new Map<string, { count: number; lastMs: number }>()
  const pauseMs = (count: number): number =>
    count < freeTries ? 0 : Math.min(firstPauseMs * 2 ** (count - freeTries), longestPauseMs)

  return {
    /** Asked before each dial of an address; a yes counts as a try. */
    mayDial(address: Multiaddr): boolean {
      const parts = address.getComponents()
      if (!parts.some(({ name }) => name === 'webrtc' || name === 'webrtc-direct')) return true
      const peerId = parts.findLast(({ name }) => name === 'p2p')?.value ?? address.toString()
      const before = tries.get(peerId) ?? { count: 0, lastMs: 0 }
      // Several addresses of one peer are asked about for one dial.
      if (before.count > 0 && nowMs() - before.lastMs < 100) return true
      if (nowMs() - before.lastMs < pauseMs(before.count)) return false
      setRecent(tries, peerId, { count: before.count + 1, lastMs: nowMs() }, maxRemembered)
      return true
    },
    /** A connection stands: the peer starts afresh. */
    succeeded: (peerId: string): void => void tries.delete(peerId),
  }
}
