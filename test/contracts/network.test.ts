import { createMemoryHub, createMemoryNetwork } from '../../src/transports/memory.ts'
import { createNodeNetwork, generateIdentity } from '../../src/transports/node.ts'
import { describePeerNetwork, numberRules } from './peer-network.ts'

const hub = createMemoryHub()
let count = 0

describePeerNetwork('memory', async (gate) =>
  createMemoryNetwork(hub, { peerId: `peer-${count++}`, gate, recordRules: [numberRules] }),
)

describePeerNetwork('libp2p over TCP', async (gate) =>
  createNodeNetwork({
    identity: await generateIdentity(),
    agent: 'test/1',
    listenAddresses: ['/ip4/127.0.0.1/tcp/0'],
    bootstrapNodes: [],
    relayAddresses: [],
    maxPeers: 20,
    minPeers: 0,
    dhtQueryTimeoutMs: 10_000,
    dhtMode: 'server',
    gossipHeartbeatMs: 200,
    mdns: false,
    enableTls: true,
    webrtc: false,
    gate,
    recordRules: [numberRules],
  }),
)
