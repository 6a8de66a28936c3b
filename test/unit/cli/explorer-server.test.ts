import { expect, test } from 'vitest'
import { describeNode } from '../../../src/node-cli/explorer-server.ts'

const own = '12D3KooWBhD6McaB9zF9zrUosGrA6VCWPeoYLVeWKfNRDarih6Jh'
const relay = '12D3KooWRelayRelayRelay'
const through = (address: string): string => `${address}/p2p/${relay}/p2p-circuit/p2p/${own}`

test('a page is told the node’s own addresses that it can dial, and not those through a relay', () => {
  const direct = `/ip4/127.0.0.1/tcp/4002/ws/p2p/${own}`
  const addresses = [`/ip4/127.0.0.1/tcp/4001/p2p/${own}`, direct, through('/ip4/192.0.2.7/tcp/4002/ws')]
  expect(describeNode({ peerId: own, addresses }, [], [])).toEqual({
    peerId: own,
    addresses: [direct],
    relays: [`/ip4/192.0.2.7/tcp/4002/ws/p2p/${relay}`],
  })
})

test('of a relay’s addresses it is told the one that works from this machine, for each relay one', () => {
  const addresses = [
    through('/ip4/127.0.0.1/tcp/4002/ws'),
    through('/ip4/10.0.0.5/tcp/4002/ws'),
    through('/ip4/192.0.2.7/tcp/4001'),
    through('/ip4/192.0.2.7/udp/4003/webrtc-direct/certhash/uEiA'),
  ]
  const relaysOf = (peers: { peerId: string; address: string }[], configured: string[] = []) =>
    describeNode({ peerId: own, addresses }, peers, configured).relays
  const connected = { peerId: relay, address: `/ip4/192.0.2.7/tcp/4001/p2p/${relay}` }
  expect(relaysOf([connected])).toEqual([`/ip4/192.0.2.7/udp/4003/webrtc-direct/certhash/uEiA/p2p/${relay}`])
  // Nothing known: anything but this machine itself, WebSocket first.
  expect(relaysOf([])).toEqual([`/ip4/10.0.0.5/tcp/4002/ws/p2p/${relay}`])
  const other = '/dns4/relay.example/tcp/443/wss/p2p/12D3KooWOther'
  expect(relaysOf([connected], [other, `/ip4/192.0.2.9/tcp/4001/p2p/12D3KooWTcpOnly`])).toEqual([
    `/ip4/192.0.2.7/udp/4003/webrtc-direct/certhash/uEiA/p2p/${relay}`,
    other,
  ])
})
