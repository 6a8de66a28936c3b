import type { CID } from 'multiformats/cid'
import { limits } from '../limits.ts'
import type { BlockStore, Clock, PeerNetwork, PeerStream } from '../ports.ts'
import type { Reputation } from '../reputation/reputation.ts'
import { createByteReader } from '../wire/byte-reader.ts'
import { concatBytes } from '../wire/frames.ts'
import { serveProtocol } from '../wire/serve.ts'
import { blockStatus, blocksProtocol, encodeHave, readWants } from './wire.ts'

/** Answers are gathered up to this size before they are sent: thousands of small blocks would otherwise be thousands of small writes. */
const sendBytes = 256 * 1024

/**
 * Serves `/ggen/blocks/1.0.0` from the block store. Each block is hashed again before it leaves, so that a corrupt disk never makes this node look
 * hostile. One answer's worth of memory per stream: the transport's back-pressure holds the reading back.
 */
export function serveBlocks(options: {
  network: PeerNetwork
  blocks: BlockStore
  reputation: Reputation
  clock: Clock
  requestsPerMinute: number
}): Promise<void> {
  const { blocks } = options
  return serveProtocol(options, blocksProtocol, async (stream, takeRequest) => {
    const reader = createByteReader(stream.receive(), { idleTimeoutMs: limits.streamIdleTimeoutMs })
    const outbox = createOutbox(stream)
    for (let wants = await readWants(reader); wants !== undefined; wants = await readWants(reader)) {
      if (takeRequest()) await answer(wants, blocks, outbox)
      else await outbox.add([new Uint8Array(wants.length).fill(blockStatus.busy)])
      await outbox.flush()
    }
  })
}

async function answer(wants: CID[], blocks: BlockStore, outbox: Outbox): Promise<void> {
  const read = (index: number) => (index < wants.length ? blocks.get(wants[index]!, { verify: true }) : undefined)
  let next = read(0)
  for (let index = 0; index < wants.length; index++) {
    const bytes = await next
    // The disk reads ahead while the network takes this one. A failure is met when its turn comes.
    next = read(index + 1)
    next?.catch(() => undefined)
    await outbox.add(bytes === undefined ? [Uint8Array.of(blockStatus.missing)] : [encodeHave(bytes.length), bytes])
  }
}

interface Outbox {
  add(parts: Uint8Array[]): Promise<void>
  flush(): Promise<void>
}

function createOutbox(stream: PeerStream): Outbox {
  let parts: Uint8Array[] = []
  let size = 0

  async function flush(): Promise<void> {
    if (size === 0) return
    const whole = parts.length === 1 ? parts[0]! : concatBytes(parts)
    parts = []
    size = 0
    await stream.send(whole, AbortSignal.timeout(limits.streamSendTimeoutMs))
  }

  return {
    flush,
    async add(added) {
      for (const part of added) {
        // A large block goes out as it is: copying it together with others would cost more than a write.
        if (part.length >= sendBytes / 4) {
          await flush()
          await stream.send(part, AbortSignal.timeout(limits.streamSendTimeoutMs))
          continue
        }
        parts.push(part)
        size += part.length
      }
      if (size >= sendBytes) await flush()
    },
  }
}
