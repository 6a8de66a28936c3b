import type { PeerNetwork } from '../ports.ts'
import type { Reputation } from '../reputation/reputation.ts'
import type { PeerSort, PeersResult } from './service.ts'

/** Connected peers, and banned ones that are not connected, as they are shown. */
export function peerRows(
  network: PeerNetwork,
  reputation: Reputation,
  packagesAt: (peerId: string) => number,
  sort: PeerSort = 'reputation',
): PeersResult['peers'] {
  const rows: PeersResult['peers'] = network
    .peers()
    .map(({ peerId, address, transport, direction, latencyMs, agent }) => ({
      peerId,
      address,
      transport,
      direction,
      reputation: round(reputation.score(peerId)),
      latencyMs: latencyMs === undefined ? null : round(latencyMs),
      packages: packagesAt(peerId),
      banned: reputation.isBanned(peerId),
      agent: agent ?? '',
    }))
  const present = new Set(rows.map(({ peerId }) => peerId))
  for (const { peerId } of reputation.bans()) {
    if (present.has(peerId)) continue
    rows.push({
      peerId,
      address: '',
      transport: 'none',
      direction: 'inbound',
      reputation: round(reputation.score(peerId)),
      latencyMs: null,
      packages: 0,
      banned: true,
      agent: '',
    })
  }
  const order = {
    reputation: (peer: PeersResult['peers'][number]) => -peer.reputation,
    latency: (peer: PeersResult['peers'][number]) => peer.latencyMs ?? Number.MAX_VALUE,
    packages: (peer: PeersResult['peers'][number]) => -peer.packages,
  }[sort]
  return rows.sort((a, b) => order(a) - order(b) || (a.peerId < b.peerId ? -1 : 1))
}

const round = (value: number): number => Math.round(value * 1000) / 1000
