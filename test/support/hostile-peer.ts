import { randomBytes } from 'node:crypto'
import { blocksProtocol, encodeHave } from '../../src/core/exchange/wire.ts'
import { limits } from '../../src/core/limits.ts'
import type { PeerNetwork } from '../../src/core/ports.ts'
import { createByteReader } from '../../src/core/wire/byte-reader.ts'
import { createNodeNetwork, generateIdentity } from '../../src/transports/node.ts'
import { eventually } from './ggen.ts'

const wantBytes = 36

/** A real libp2p node that speaks the protocols but follows its own rules. To be stopped. */
export async function joinHostile(entrance: string, listen = '/ip4/127.0.0.1/tcp/0'): Promise<PeerNetwork> {
  const network = createNodeNetwork({
    identity: await generateIdentity(),
    agent: 'hostile/1',
    listenAddresses: [listen],
    bootstrapNodes: [entrance],
    relayAddresses: [],
    maxPeers: 20,
    minPeers: 0,
    dhtQueryTimeoutMs: 10_000,
    dhtMode: 'server',
    gossipHeartbeatMs: 1000,
    mdns: false,
    enableTls: true,
    webrtc: false,
    gate: { isBanned: () => false, score: () => 1 },
    recordRules: [],
  })
  await network.start()
  await eventually('the hostile node is connected', async () => network.peers().length > 0)
  return network
}

/** Answers every want with other bytes; `count` says how often it has. */
export async function serveLies(network: PeerNetwork): Promise<{ count(): number }> {
  let lies = 0
  const frameBytes = limits.maxWantedBlocks * wantBytes
  await network.handle(blocksProtocol, async (stream) => {
    const reader = createByteReader(stream.receive(), { idleTimeoutMs: 10_000 })
    for (let frame = await reader.frame(frameBytes); frame !== undefined; frame = await reader.frame(frameBytes)) {
      for (let offset = 0; offset < frame.length; offset += wantBytes) {
        lies++
        const bytes = randomBytes(500)
        await stream.send(encodeHave(bytes.length))
        await stream.send(bytes)
      }
    }
  })
  return { count: () => lies }
}
