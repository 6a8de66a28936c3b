import { limits } from '../limits.ts'
import type { Block, BlockStore } from '../ports.ts'

/** Most blocks of one transaction. */
const maxBatch = 512

export interface BlockWriter {
  /** Takes a block that was checked. Waits while too much is on its way to the disk. */
  add(block: Block): Promise<void>
  /** Writes the rest. */
  finish(): Promise<void>
  readonly failure: { reason: unknown } | undefined
}

/** Gathers blocks into large transactions while the network goes on: one batch is written while the next one fills. */
export function createBlockWriter(blocks: BlockStore): BlockWriter {
  let batch: Block[] = []
  let batchBytes = 0
  let writing: Promise<void> = Promise.resolve()
  let failure: { reason: unknown } | undefined

  async function flush(): Promise<void> {
    const full = batch
    batch = []
    batchBytes = 0
    await writing
    if (failure !== undefined) throw failure.reason
    if (full.length === 0) return
    writing = blocks.putMany(full).catch((reason: unknown) => {
      failure = { reason }
    })
  }

  return {
    get failure() {
      return failure
    },
    async add(block) {
      batch.push(block)
      batchBytes += block.bytes.length
      if (batch.length >= maxBatch || batchBytes >= limits.fetchBufferBytes / 2) await flush()
    },
    async finish() {
      await flush()
      await writing
      if (failure !== undefined) throw failure.reason
    },
  }
}
