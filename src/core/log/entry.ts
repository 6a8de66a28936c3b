import type { CID } from 'multiformats/cid'
import { createBlock, decodeNode, encodeNode } from '../blocks/block.ts'
import { decodeStoredNode } from '../blocks/node-codec.ts'
import { RegistryError } from '../errors.ts'
import type { Envelope } from '../identity/dsse.ts'
import { decodeEnvelope, signEnvelope, verifyEnvelope } from '../identity/dsse.ts'
import { limits } from '../limits.ts'
import type { Sha256, Signer } from '../ports.ts'
import { parseEntry } from './entry-schema.ts'
import type { LogEntry, VerifiedEntry } from './types.ts'

/**
 * DSSE payload type of log entries: part of what is signed, so that no signature made for something else passes as an
 * entry.
 */
export const entryPayloadType = 'application/vnd.ggen.log-entry.v1+dag-cbor'

/** What an author states; `v` and `author` are added when it is signed. */
export type EntryFields = {
  [T in LogEntry['type']]: Omit<Extract<LogEntry, { type: T }>, 'v' | 'author'>
}[LogEntry['type']]

/**
 * Signs one entry. The first signer is its author; `rotate` takes a second one, the key it hands on to. Throws
 * `INVALID_MANIFEST` for a release that readers would refuse (its texts come from the package file), `USAGE` for any
 * other such entry.
 */
export async function createEntry<Fields extends EntryFields>(
  signers: Signer | readonly [Signer, Signer],
  fields: Fields,
  sha256: Sha256,
): Promise<VerifiedEntry<Extract<LogEntry, { type: Fields['type'] }>>> {
  const all = 'did' in signers ? [signers] : signers
  const author = all[0]?.did ?? ''
  const payload = encodeStatement({ v: 1, author, ...fields })
  const parsed = parseEntry(decodeNode(payload))
  if ('fault' in parsed) throw unpublishable(fields.type, parsed.fault)
  const dids = signersOf(parsed.entry)
  if (dids.join() !== all.map(({ did }) => did).join()) {
    throw unpublishable(fields.type, `it must be signed by exactly ${dids.join(' and ')}`)
  }
  const envelope = encodeNode(await signEnvelope(entryPayloadType, payload, all))
  if (envelope.byteLength > limits.maxEntryBytes) {
    throw unpublishable(
      fields.type,
      `it takes ${envelope.byteLength} bytes; at most ${limits.maxEntryBytes} are allowed`,
    )
  }
  const { cid } = await createBlock('dag-cbor', envelope, sha256)
  return asVerified(cid, parsed.entry, envelope) as VerifiedEntry<Extract<LogEntry, { type: Fields['type'] }>>

  function encodeStatement(statement: unknown): Uint8Array {
    try {
      return encodeNode(statement)
    } catch (cause) {
      throw unpublishable(fields.type, (cause as Error).message)
    }
  }
}

/**
 * The one way from hostile bytes to an entry: size, deterministic encoding, shape and limits of every field, the
 * author's signature (and the new key's for `rotate`) and, with `nowMs`, that it is not dated in the future are
 * checked, in this order, cheapest first. Whether the author may speak for the publisher needs the whole log: see
 * `authorizedAuthors`. The bytes are copied. Throws `VERIFICATION_FAILED`, saying what was wrong.
 */
export async function verifyEntry(
  bytes: Uint8Array,
  { sha256, nowMs }: { sha256: Sha256; nowMs?: number | undefined },
): Promise<VerifiedEntry> {
  if (bytes.byteLength > limits.maxEntryBytes)
    throw refused(`it has ${bytes.byteLength} bytes; at most ${limits.maxEntryBytes} are allowed`)
  const copy = bytes.slice()
  const envelope: Envelope = decodeEnvelope(copy)
  const parsed = parseEntry(decodeNode(envelope.payload))
  if ('fault' in parsed) throw refused(parsed.fault)
  const { entry } = parsed
  if (nowMs !== undefined && entry.time > nowMs + limits.maxClockSkewMs) {
    throw refused(`it is dated ${Math.round((entry.time - nowMs) / 3600_000)} hours in the future`)
  }
  await verifyEnvelope(envelope, entryPayloadType, signersOf(entry))
  const { cid } = await createBlock('dag-cbor', copy, sha256)
  return asVerified(cid, entry, copy)
}

/**
 * An entry as a store reads it back: nothing is verified again, so only bytes that `verifyEntry` or `createEntry`
 * returned may be passed, under their own CID. Throws `STORAGE_CORRUPT` when they cannot even be decoded.
 */
export function restoreEntry(cid: CID, envelope: Uint8Array): VerifiedEntry {
  try {
    const { payload } = decodeStoredNode(envelope) as Envelope
    return asVerified(cid, decodeStoredNode(payload) as LogEntry, envelope)
  } catch (cause) {
    throw new RegistryError('STORAGE_CORRUPT', `The stored log entry ${cid} cannot be read.`, {
      hint: 'Restart the node: it rebuilds its index from its own log and from peers.',
      cause,
    })
  }
}

/** Whose signatures an entry needs: a log is handed on only to a key whose holder agrees. */
function signersOf(entry: LogEntry): string[] {
  return entry.type === 'rotate' ? [entry.author, entry.body.to] : [entry.author]
}

function asVerified(cid: CID, entry: LogEntry, envelope: Uint8Array): VerifiedEntry {
  return { cid, entry, envelope } as unknown as VerifiedEntry
}

function unpublishable(type: LogEntry['type'], reason: string): RegistryError {
  return new RegistryError(
    type === 'release' ? 'INVALID_MANIFEST' : 'USAGE',
    `This ${type} cannot be published: ${reason}.`,
    {
      hint:
        type === 'release'
          ? 'Change or shorten the field named in the package file.'
          : 'Change or shorten what you passed.',
    },
  )
}

function refused(reason: string): RegistryError {
  return new RegistryError('VERIFICATION_FAILED', `A log entry was refused: ${reason}.`, {
    hint: 'It was not used. The peer that sent it is faulty, or runs another version of the protocol.',
  })
}
