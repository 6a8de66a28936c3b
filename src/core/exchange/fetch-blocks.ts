import type { CID } from 'multiformats/cid'
import type { ServiceProgress } from '../control/service.ts'
import { RegistryError } from '../errors.ts'
import type { BlockStore, Clock, OperationOptions, PeerNetwork, Sha256 } from '../ports.ts'
import type { Reputation } from '../reputation/reputation.ts'
import { createBlockWriter } from './block-writer.ts'
import type { ProviderOutcome } from './fetch-from-provider.ts'
import { fetchFromProvider } from './fetch-from-provider.ts'
import { createWorkQueue } from './work-queue.ts'

export interface FetchParts {
  network: PeerNetwork
  blocks: BlockStore
  sha256: Sha256
  reputation: Reputation
  clock: Clock
  minPeerReputation: number
}

export interface FetchRequest extends OperationOptions<ServiceProgress> {
  cids: readonly CID[]
  /** Peers to ask, best first, each once; may go on yielding while blocks arrive. */
  providers: AsyncIterable<string> | Iterable<string>
  /** Most peers asked at once. */
  parallel: number
  /** For progress: which package, and its whole size in bytes. */
  label: { package: string; totalBytes: number }
}

export interface FetchResult {
  fetchedBytes: number
  /** Bytes by peer. */
  sources: Map<string, number>
}

/** How often providers that fell behind are looked for when nothing else happens. */
const overtakeCheckMs = 500

/**
 * Gets blocks into the store from several peers at once. Only blocks not held are asked for; each is hashed on arrival; what a slow peer owes is asked
 * of another, and a peer that sends wrong bytes is dropped and charged. What has arrived stays stored, so a retry resumes.
 *
 * Throws `NO_PROVIDERS` when every peer was tried and blocks are still missing (`TIMEOUT` when all of them just went silent), the store's own error, or
 * `signal.reason`.
 */
export async function fetchBlocks(parts: FetchParts, request: FetchRequest): Promise<FetchResult> {
  const { network, blocks, sha256, reputation, clock } = parts
  const { label, onProgress } = request
  const held = await blocks.has(request.cids)
  const queue = createWorkQueue(
    request.cids.filter((_, index) => !held[index]),
    clock.now,
  )
  const result: FetchResult = { fetchedBytes: 0, sources: new Map() }
  if (queue.done) return result

  const ended = new AbortController()
  const signal = request.signal === undefined ? ended.signal : AbortSignal.any([request.signal, ended.signal])
  const writer = createBlockWriter(blocks)
  const outcomes: ProviderOutcome[] = []
  const active = new Set<Promise<void>>()
  const reserve: string[] = []
  let failure: { reason: unknown } | undefined

  const launch = (peerId: string): void => {
    onProgress?.({ type: 'provider:found', peerId })
    const run = fetchFromProvider({ network, sha256, reputation, clock }, queue, writer, peerId, {
      signal,
      onBlock(cid, bytes) {
        result.fetchedBytes += bytes
        result.sources.set(peerId, (result.sources.get(peerId) ?? 0) + bytes)
        onProgress?.({
          type: 'block:received',
          peerId,
          cid: cid.toString(),
          bytes: result.fetchedBytes,
          totalBytes: label.totalBytes,
          package: label.package,
        })
      },
      onRejected: (reason) => onProgress?.({ type: 'block:rejected', peerId, reason }),
    })
      .then((outcome) => void outcomes.push(outcome))
      // Only our own side's failures come here: a full disk, an abort. They end the whole fetch and cost no peer anything.
      .catch((reason: unknown) => {
        failure ??= { reason }
        ended.abort(reason)
      })
      .finally(() => active.delete(run))
    active.add(run)
  }

  /** Takes providers as they are found while there are free places; those of low reputation only when no other is left. */
  async function recruit(): Promise<void> {
    const room = async (): Promise<void> => {
      while (!queue.done && !signal.aborted && active.size >= request.parallel) await Promise.race([...active])
    }
    for await (const peerId of request.providers) {
      if (queue.done || signal.aborted) return
      if (reputation.score(peerId) < parts.minPeerReputation) {
        reserve.push(peerId)
        continue
      }
      await room()
      if (queue.done || signal.aborted) return
      launch(peerId)
    }
    for (const peerId of reserve) {
      await Promise.all(active)
      if (queue.done || signal.aborted) return
      launch(peerId)
    }
  }

  // The search for more providers is not waited for once everything has arrived.
  const recruited = recruit()
  recruited.catch(() => undefined)
  try {
    await Promise.race([recruited, untilDone(queue, signal)])
    while (!queue.done && !signal.aborted && active.size > 0) await Promise.race([...active, untilDone(queue, signal)])
  } finally {
    ended.abort(new Error('The fetch has ended.'))
    await Promise.all(active)
    await writer.finish().catch((reason: unknown) => {
      failure ??= { reason }
    })
  }
  request.signal?.throwIfAborted()
  if (failure !== undefined && !queue.done) throw failure.reason
  if (writer.failure !== undefined) throw writer.failure.reason
  if (!queue.done) throw unfinished(label.package, queue.open, outcomes)
  return result
}

async function untilDone(queue: { done: boolean; changed(): Promise<void> }, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  while (!queue.done && !signal.aborted) {
    let timer: ReturnType<typeof setTimeout> | undefined
    const tick = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, overtakeCheckMs)
    })
    await Promise.race([queue.changed(), tick, aborted])
    clearTimeout(timer)
  }
}

function unfinished(name: string, missing: number, outcomes: ProviderOutcome[]): RegistryError {
  const asked = outcomes.length
  const silent = outcomes.filter(({ reason }) => reason === 'silent').length
  const why = [...new Set(outcomes.map(({ message }) => message).filter((message) => message !== ''))]
    .slice(0, 3)
    .join('; ')
  if (asked > 0 && silent === asked) {
    return new RegistryError('TIMEOUT', `No peer that holds ${name} answers; ${missing} blocks are missing (${why}).`, {
      hint: 'What has arrived is kept: try again, and only the rest is fetched.',
    })
  }
  const message =
    asked === 0
      ? `No peer that holds ${name} can be found.`
      : `${asked} ${asked === 1 ? 'peer was' : 'peers were'} asked for ${name}, but ${missing} blocks are still missing${why ? ` (${why})` : ''}.`
  return new RegistryError('NO_PROVIDERS', message, {
    hint: 'Its holders may be offline: try again later. What has arrived is kept. See who is connected with: ggen marketplace p2p peers',
  })
}
