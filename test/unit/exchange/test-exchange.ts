import type { CID } from 'multiformats/cid'
import { vi } from 'vitest'
import { createBlock } from '../../../src/core/blocks/block.ts'
import { serveBlocks } from '../../../src/core/exchange/serve-blocks.ts'
import { blocksProtocol, encodeHave, readWants } from '../../../src/core/exchange/wire.ts'
import type { Block, BlockStore, PeerStream } from '../../../src/core/ports.ts'
import type { Reputation } from '../../../src/core/reputation/reputation.ts'
import { createReputation } from '../../../src/core/reputation/reputation.ts'
import { createByteReader } from '../../../src/core/wire/byte-reader.ts'
import { createMemoryState } from '../../../src/storage/memory.ts'
import { createMemoryBlocks } from '../../../src/storage/memory-blocks.ts'
import { nodeSha256 as sha256 } from '../../../src/storage/node-sha256.ts'
import { createMemoryHub, createMemoryNetwork } from '../../../src/transports/memory.ts'

/** Blocks of `size` bytes, all different and the same in every run. */
export function testBlocks(count: number, size: number): Promise<Block[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const bytes = new Uint8Array(size)
      new DataView(bytes.buffer).setUint32(0, index)
      return createBlock('raw', bytes, sha256)
    }),
  )
}

/** One node that asks, and providers of every kind, over a memory network. */
export async function createTestExchange(clock = { now: () => Date.now() }) {
  const hub = createMemoryHub()
  const own = createMemoryNetwork(hub, { peerId: 'own' })
  await own.start()
  const reputations: Reputation[] = []

  function newReputation(): Reputation {
    const reputation = createReputation({
      state: createMemoryState(),
      clock,
      banThreshold: 10,
      onBan: () => undefined,
    })
    reputations.push(reputation)
    return reputation
  }

  const newStore = () => createMemoryBlocks({ maxBytes: 1e9, sha256, clock })

  return {
    hub,
    own,
    clock,
    sha256,
    newStore,
    store: newStore(),
    newReputation,
    reputation: newReputation(),
    stop: () => Promise.all(reputations.map((reputation) => reputation.stop())),

    /** A provider that serves some of the blocks by the rules. Returns what it thinks of others. */
    async honest(
      peerId: string,
      held: readonly Block[],
      options: { requestsPerMinute?: number; blocks?: BlockStore } = {},
    ): Promise<Reputation> {
      const network = createMemoryNetwork(hub, { peerId })
      await network.start()
      const { requestsPerMinute = 1000, blocks = newStore() } = options
      await blocks.putMany(held)
      const reputation = newReputation()
      await serveBlocks({ network, blocks, reputation, clock, requestsPerMinute })
      return reputation
    },

    /** A provider that answers each wanted block as it likes; `index` counts them, `request` their want-lists. */
    async strange(
      peerId: string,
      answer: (stream: PeerStream, want: { cid: CID; index: number; request: number }) => Promise<void>,
    ): Promise<void> {
      const network = createMemoryNetwork(hub, { peerId })
      await network.start()
      await network.handle(blocksProtocol, async (stream) => {
        const reader = createByteReader(stream.receive(), { idleTimeoutMs: 10_000 })
        let index = 0
        let request = 0
        for (let wants = await readWants(reader); wants !== undefined; wants = await readWants(reader)) {
          for (const cid of wants) await answer(stream, { cid, index: index++, request })
          request++
        }
      })
    },
  }
}

export type TestExchange = Awaited<ReturnType<typeof createTestExchange>>

export async function sendBlock(stream: PeerStream, { bytes }: Block): Promise<void> {
  await stream.send(encodeHave(bytes.length))
  await stream.send(bytes)
}

/** Lets faked time pass until `work` has settled: minutes of waiting take none. */
export async function whileTimePasses<T>(work: Promise<T>): Promise<T> {
  let settled = false
  const settle = () => {
    settled = true
  }
  work.then(settle, settle)
  while (!settled) await vi.advanceTimersByTimeAsync(100)
  return work
}
