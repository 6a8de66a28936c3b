import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { RegistryError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { VerifiedEntry } from '../log/types.ts'
import type { Clock, EntryStore, OperationOptions, PeerNetwork, PeerStream } from '../ports.ts'
import type { Reputation } from '../reputation/reputation.ts'
import type { ByteReader } from '../wire/byte-reader.ts'
import { createByteReader, endedEarly, protocolViolation } from '../wire/byte-reader.ts'
import { concatBytes, encodeFrame } from '../wire/frames.ts'
import { serveProtocol } from '../wire/serve.ts'
import type { DigestSet } from './digest-set.ts'
import { createDigestSet, differingBuckets, summariesBytes } from './digest-set.ts'

export const syncProtocol = '/ggen/sync/1.0.0'

const digestBytes = 32
const dagCborCodec = 0x71
const sha256Code = 0x12
/** Digests of one frame, and entries that are loaded, or handed on, at once. */
const digestsPerFrame = 4096
const entriesPerBatch = 256
const endOfList = encodeFrame(new Uint8Array(0))

export interface Sync {
  /** Makes both sides hold the union of their entries, or only the other side with `pull: false`. Returns how many went each way. */
  syncWith(peerId: string, options?: OperationOptions & { pull?: boolean }): Promise<{ received: number; sent: number }>
  serve(): Promise<void>
}

/**
 * Reconciles log entries with one peer, in three steps on one stream: the asker's bucket summaries; the other's digests in the buckets that differ; then what
 * either lacks. Equal sets cost one 9 KiB message. Received envelopes are handed to `accept`, which believes nothing.
 */
export function createSync(options: {
  network: PeerNetwork
  entries: EntryStore
  reputation: Reputation
  clock: Clock
  accept(envelopes: readonly Uint8Array[], from: string): Promise<readonly VerifiedEntry[]>
}): Sync {
  const { network, entries, reputation, accept } = options
  let cached: { count: number; set: DigestSet } | undefined

  /** Entries are never deleted, so the same count is the same set. */
  async function digests(): Promise<DigestSet> {
    const { entries: count } = await entries.count()
    if (cached?.count !== count) cached = { count, set: createDigestSet(await entries.cids()) }
    return cached.set
  }

  async function sendEntries(stream: PeerStream, wanted: readonly Uint8Array[], signal?: AbortSignal): Promise<number> {
    let sent = 0
    for (let start = 0; start < wanted.length; start += entriesPerBatch) {
      const batch = wanted.slice(start, start + entriesPerBatch)
      const found = await Promise.all(batch.map((digest) => entries.get(entryCid(digest))))
      const held = found.filter((entry) => entry !== undefined).sort(byLogOrder)
      sent += held.length
      if (held.length > 0) await stream.send(concatBytes(held.map(({ envelope }) => encodeFrame(envelope))), signal)
    }
    await stream.send(endOfList, signal)
    return sent
  }

  async function receiveEntries(reader: ByteReader, from: string): Promise<number> {
    let received = 0
    let batch: Uint8Array[] = []
    for (;;) {
      const envelope = await reader.frame(limits.maxEntryBytes)
      if (envelope === undefined || envelope.length === 0) break
      if (++received > limits.maxSyncEntries) throw protocolViolation('more entries than one sync may bring')
      batch.push(envelope.slice())
      if (batch.length < entriesPerBatch) continue
      await accept(batch, from)
      batch = []
    }
    await accept(batch, from)
    return received
  }

  async function answer(stream: PeerStream): Promise<void> {
    const reader = createByteReader(stream.receive(), { idleTimeoutMs: limits.syncIdleTimeoutMs })
    const theirs = await reader.frame(summariesBytes)
    if (theirs === undefined) throw endedEarly()
    if (theirs.length !== summariesBytes) throw protocolViolation('malformed summaries')
    const own = await digests()
    for (const index of differingBuckets(theirs, own.summaries())) {
      await stream.send(encodeFrame(concatBytes([Uint8Array.of(index), ...own.bucket(index)])))
    }
    await stream.send(endOfList)
    const wanted: Uint8Array[] = []
    for (let frame = await readDigests(reader); frame.length > 0; frame = await readDigests(reader)) {
      wanted.push(...frame)
      if (wanted.length > limits.maxSyncEntries) throw protocolViolation('more entries wanted than one sync may bring')
    }
    await sendEntries(stream, wanted)
    await receiveEntries(reader, stream.peerId)
  }

  return {
    serve: () =>
      serveProtocol(
        { ...options, requestsPerMinute: limits.syncsPerMinute },
        syncProtocol,
        async (stream, takeRequest) => {
          if (takeRequest()) await answer(stream)
        },
      ),
    async syncWith(peerId, { signal, pull = true } = {}) {
      const stream = await network.openStream(peerId, syncProtocol, { signal })
      try {
        const own = await digests()
        const reader = createByteReader(stream.receive(signal), { idleTimeoutMs: limits.syncIdleTimeoutMs, signal })
        await stream.send(encodeFrame(own.summaries()), signal)
        const lacking: Uint8Array[] = []
        const offering: Uint8Array[] = []
        const seen = new Set<number>()
        for (let bucket = await readBucket(reader); bucket !== undefined; bucket = await readBucket(reader)) {
          if (seen.has(bucket.index)) throw protocolViolation('a bucket sent twice')
          seen.add(bucket.index)
          if (pull && lacking.length < limits.maxSyncEntries)
            lacking.push(...bucket.digests.filter((digest) => !own.has(digest)))
          const theirs = createDigestSet(bucket.digests)
          offering.push(...own.bucket(bucket.index).filter((digest) => !theirs.has(digest)))
        }
        const wanted = lacking.slice(0, limits.maxSyncEntries)
        for (let start = 0; start < wanted.length; start += digestsPerFrame) {
          await stream.send(encodeFrame(concatBytes(wanted.slice(start, start + digestsPerFrame))), signal)
        }
        await stream.send(endOfList, signal)
        const received = await receiveEntries(reader, peerId)
        const sent = await sendEntries(stream, offering.slice(0, limits.maxSyncEntries), signal)
        await stream.close()
        return { received, sent }
      } catch (error) {
        if (error instanceof RegistryError && error.code === 'VERIFICATION_FAILED') {
          reputation.recordFault(peerId, 'protocol-violation')
        }
        stream.abort(error instanceof Error ? error : new Error(String(error)))
        throw error
      }
    },
  }
}

function entryCid(digest: Uint8Array): CID {
  return CID.createV1(dagCborCodec, createDigest(sha256Code, digest))
}

function byLogOrder(a: VerifiedEntry, b: VerifiedEntry): number {
  if (a.entry.author !== b.entry.author) return a.entry.author < b.entry.author ? -1 : 1
  return a.entry.seq - b.entry.seq
}

async function readDigests(reader: ByteReader): Promise<Uint8Array[]> {
  const frame = await reader.frame(digestsPerFrame * digestBytes)
  if (frame === undefined) throw endedEarly()
  return splitDigests(frame)
}

async function readBucket(reader: ByteReader): Promise<{ index: number; digests: Uint8Array[] } | undefined> {
  const frame = await reader.frame(1 + limits.maxBucketDigests * digestBytes)
  // Over its budget for us, the peer closes without an answer.
  if (frame === undefined) throw endedEarly()
  if (frame.length === 0) return undefined
  const digests = splitDigests(frame.subarray(1))
  if (digests.some((digest) => digest[0] !== frame[0])) throw protocolViolation('a digest in the wrong bucket')
  return { index: frame[0]!, digests }
}

function splitDigests(frame: Uint8Array): Uint8Array[] {
  if (frame.length % digestBytes !== 0) throw protocolViolation('a list that is not a list of digests')
  const copy = frame.slice()
  return Array.from({ length: copy.length / digestBytes }, (_, at) =>
    copy.subarray(at * digestBytes, (at + 1) * digestBytes),
  )
}
