import * as v from 'valibot'
import { RegistryError } from '../core/errors.ts'
import { relayDocumentPath } from '../core/relay-document.ts'

const maxAddresses = 64
const text = v.pipe(v.string(), v.maxLength(1024))
const schema = v.object({
  peerId: text,
  addresses: v.pipe(v.array(text), v.maxLength(maxAddresses)),
  relays: v.optional(v.pipe(v.array(text), v.maxLength(maxAddresses)), []),
  limits: v.optional(v.object({ maxReservations: v.number(), maxRelayedBytes: v.number(), maxRelayedMs: v.number() })),
  iceServers: v.optional(v.pipe(v.array(text), v.maxLength(8)), []),
})

export type RelayDocument = v.InferOutput<typeof schema>

/** Who the relay behind a URL is and where it is dialled. Throws `CONNECTION_FAILED`; an abort rethrows `signal.reason`. */
export async function fetchRelayDocument(url: string, signal: AbortSignal): Promise<RelayDocument> {
  const fail = (why: string, cause?: unknown): RegistryError =>
    new RegistryError('CONNECTION_FAILED', `The relay ${url} cannot be asked who it is: ${why}.`, {
      hint: 'Check its address, and that this device is online.',
      cause,
    })
  let json: unknown
  try {
    const response = await fetch(new URL(relayDocumentPath, url), { signal, cache: 'no-store', credentials: 'omit' })
    if (!response.ok) throw fail(`it answered ${response.status}`)
    json = await response.json()
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof RegistryError ? error : fail('no answer', error)
  }
  const parsed = v.safeParse(schema, json)
  if (!parsed.success) throw fail('its answer is not that of a ggen relay')
  return parsed.output
}
