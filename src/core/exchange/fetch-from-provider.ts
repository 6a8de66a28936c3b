import type { CID } from 'multiformats/cid'
import { matchesCid } from '../blocks/block.ts'
import { RegistryError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Clock, PeerNetwork, PeerStream, Sha256 } from '../ports.ts'
import type { Reputation } from '../reputation/reputation.ts'
import type { ByteReader } from '../wire/byte-reader.ts'
import { createByteReader } from '../wire/byte-reader.ts'
import type { BlockWriter } from './block-writer.ts'
import { blocksProtocol, encodeWants, readAnswer } from './wire.ts'
import type { Want, WorkLane, WorkQueue } from './work-queue.ts'

export interface ProviderOutcome {
  /** `served`: nothing more was to be had from it. */
  reason: 'served' | 'unreachable' | 'silent' | 'hostile' | 'lost'
  message: string
}

/** Requests on their way at once: the peer reads its disk for the next while this one is on the wire. */
const pipelineDepth = 2
const busyRetryMs = 1_000
const maxBusyAnswers = 20

/**
 * Works through the queue with one peer over one stream until nothing is left for it. Resolves with how it ended; throws only what is our own side's
 * failure (an abort, a full disk).
 */
export async function fetchFromProvider(
  parts: { network: PeerNetwork; sha256: Sha256; reputation: Reputation; clock: Clock },
  queue: WorkQueue,
  writer: BlockWriter,
  peerId: string,
  options: { signal: AbortSignal; onBlock(cid: CID, bytes: number): void; onRejected(reason: string): void },
): Promise<ProviderOutcome> {
  const { network, sha256, reputation, clock } = parts
  const { signal } = options
  const lane = queue.join()
  const startedMs = clock.now()
  let received = 0
  let stream: PeerStream | undefined
  try {
    stream = await network.openStream(peerId, blocksProtocol, { signal })
    const reader = createByteReader(stream.receive(signal), { idleTimeoutMs: limits.blockIdleTimeoutMs, signal })
    await work(stream, reader)
    await stream.close()
    if (received > 0) reputation.recordSuccess(peerId, { bytes: received, latencyMs: clock.now() - startedMs })
    return { reason: 'served', message: received > 0 ? '' : 'a peer no longer has it' }
  } catch (error) {
    stream?.abort(error instanceof Error ? error : new Error(String(error)))
    if (queue.done) return { reason: 'served', message: '' }
    if (signal.aborted || writer.failure !== undefined) throw writer.failure?.reason ?? signal.reason
    return charge(error)
  } finally {
    lane.leave()
  }

  async function work(open: PeerStream, reader: ByteReader): Promise<void> {
    const asked: Want[][] = []
    let busy = 0
    while (!queue.done && !signal.aborted) {
      while (asked.length < pipelineDepth) {
        const wants = lane.take()
        if (wants.length === 0) break
        asked.push(wants)
        await open.send(encodeWants(wants.map(({ cid }) => cid)), signal)
      }
      const wants = asked.shift()
      if (wants === undefined) {
        if (!(await moreWork(queue, lane))) return
        continue
      }
      let refused = 0
      for (const want of wants) refused += await receive(reader, lane, want)
      if (refused === 0) continue
      // One refusal answers a whole want-list, however long.
      if (++busy > maxBusyAnswers) throw new RegistryError('TIMEOUT', 'a peer stays busy')
      await pause(busyRetryMs, signal)
    }
  }

  /** Takes the answer for one block; 1 when the peer is busy. */
  async function receive(reader: ByteReader, from: WorkLane, want: Want): Promise<0 | 1> {
    const answer = await readAnswer(reader)
    if (answer === 'missing') from.lack(want)
    if (answer === 'busy') from.putBack(want)
    if (typeof answer === 'string') return answer === 'busy' ? 1 : 0
    if (!(await matchesCid(want.cid, answer, sha256))) {
      throw new RegistryError('VERIFICATION_FAILED', `a peer sent other bytes than those of ${want.cid}`)
    }
    received += answer.length
    if (from.deliver(want)) {
      options.onBlock(want.cid, answer.length)
      // Copied: the reader's chunk may be the transport's own buffer, and a small block would hold all of it in memory.
      await writer.add({ cid: want.cid, bytes: answer.length < answer.buffer.byteLength ? answer.slice() : answer })
    }
    return 0
  }

  /** What the failure costs the peer: lies are faults, silence only lowers its score, an unreachable peer is nobody's fault. */
  function charge(error: unknown): ProviderOutcome {
    const message = error instanceof Error ? error.message : String(error)
    const code = error instanceof RegistryError ? error.code : undefined
    if (code === 'VERIFICATION_FAILED') {
      reputation.recordFault(peerId, 'bad-block')
      options.onRejected(message)
      return { reason: 'hostile', message }
    }
    reputation.recordFailure(peerId)
    if (code === 'TIMEOUT') return { reason: 'silent', message }
    return { reason: stream === undefined ? 'unreachable' : 'lost', message }
  }
}

/** Waits until there may be something for this provider; false when there never will be: it lacks all that is left and nobody else owes any. */
async function moreWork(queue: WorkQueue, lane: WorkLane): Promise<boolean> {
  if (queue.done || !lane.mayGetWork()) return false
  await Promise.race([queue.changed(), pause(250)])
  return !queue.done
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
