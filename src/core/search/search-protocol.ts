import * as v from 'valibot'
import { decodeNode, encodeNode } from '../blocks/block.ts'
import { limits } from '../limits.ts'
import type { Clock, OperationOptions, PeerNetwork } from '../ports.ts'
import type { Reputation } from '../reputation/reputation.ts'
import { createByteReader, protocolViolation } from '../wire/byte-reader.ts'
import { encodeFrame } from '../wire/frames.ts'
import { serveProtocol } from '../wire/serve.ts'
import type { SearchQuery } from './types.ts'

export const searchProtocol = '/ggen/search/1.0.0'

/** `search`: the best packages for a query. `package`: every entry about one name, which the asker needs to choose a version. */
export type PeerQuestion = { kind: 'search'; query: SearchQuery; limit: number } | { kind: 'package'; name: string }

export interface PeerAnswer {
  /** Signed entries, as envelopes. The asker verifies and ranks them itself. */
  envelopes: Uint8Array[]
  /** Manifest CIDs among them whose content the answering peer holds. */
  held: string[]
}

const maxQuestionBytes = 4 * 1024
const maxAnswerHeaderBytes = 256 * 1024

const questionSchema = v.variant('kind', [
  v.strictObject({
    kind: v.literal('search'),
    query: v.strictObject({
      text: v.pipe(v.string(), v.maxLength(limits.maxQueryLength)),
      category: v.optional(v.pipe(v.string(), v.maxLength(limits.maxKeywordLength))),
    }),
    limit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(limits.maxSearchResults)),
  }),
  v.strictObject({ kind: v.literal('package'), name: v.pipe(v.string(), v.maxLength(limits.maxNameLength)) }),
])

const headerSchema = v.strictObject({
  entries: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(limits.maxPackageEntries)),
  held: v.pipe(v.array(v.pipe(v.string(), v.maxLength(128))), v.maxLength(limits.maxPackageEntries)),
})

function parse<Schema extends v.GenericSchema>(schema: Schema, bytes: Uint8Array, what: string): v.InferOutput<Schema> {
  let value: unknown
  try {
    value = decodeNode(bytes)
  } catch {
    throw protocolViolation(`${what} that is not canonical DAG-CBOR`)
  }
  const parsed = v.safeParse(schema, value)
  if (!parsed.success) throw protocolViolation(`a malformed ${what}`)
  return parsed.output
}

/** Asks one peer. Throws `CONNECTION_FAILED`, `TIMEOUT`, `VERIFICATION_FAILED` for a broken answer, or `signal.reason`. */
export async function askPeer(
  network: PeerNetwork,
  peerId: string,
  question: PeerQuestion,
  { signal }: OperationOptions = {},
): Promise<PeerAnswer> {
  const stream = await network.openStream(peerId, searchProtocol, { signal })
  try {
    await stream.send(encodeFrame(encodeNode(withoutUndefined(question))), signal)
    await stream.close()
    const reader = createByteReader(stream.receive(signal), { idleTimeoutMs: limits.searchTimeoutMs, signal })
    const header = await reader.frame(maxAnswerHeaderBytes)
    // Over its budget for us, the peer closes without an answer.
    if (header === undefined) return { envelopes: [], held: [] }
    const { entries, held } = parse(headerSchema, header, 'answer')
    const envelopes: Uint8Array[] = []
    let bytes = 0
    for (let index = 0; index < entries; index++) {
      const envelope = await reader.frame(limits.maxEntryBytes)
      if (envelope === undefined) throw protocolViolation('fewer entries than announced')
      bytes += envelope.length
      if (bytes > limits.maxAnswerBytes) throw protocolViolation('an answer that is too long')
      envelopes.push(envelope.slice())
    }
    return { envelopes, held }
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}

/** DAG-CBOR has no `undefined`. */
function withoutUndefined(question: PeerQuestion): PeerQuestion {
  if (question.kind === 'package') return question
  const { text, category } = question.query
  return { ...question, query: category === undefined ? { text } : { text, category } }
}

/** Answers other peers' questions: one question a stream. */
export function serveSearch(options: {
  network: PeerNetwork
  reputation: Reputation
  clock: Clock
  requestsPerMinute: number
  answer(question: PeerQuestion): Promise<PeerAnswer>
}): Promise<void> {
  return serveProtocol(options, searchProtocol, async (stream, takeRequest) => {
    const reader = createByteReader(stream.receive(), { idleTimeoutMs: limits.searchTimeoutMs })
    const frame = await reader.frame(maxQuestionBytes)
    if (frame === undefined || !takeRequest()) return
    const { envelopes, held } = await options.answer(parse(questionSchema, frame, 'question'))
    const timeout = AbortSignal.timeout(limits.streamSendTimeoutMs)
    await stream.send(encodeFrame(encodeNode({ entries: envelopes.length, held })), timeout)
    for (const envelope of envelopes) await stream.send(encodeFrame(envelope), timeout)
  })
}
