import { CID } from 'multiformats/cid'
import { limits } from '../limits.ts'
import type { ByteReader } from '../wire/byte-reader.ts'
import { protocolViolation } from '../wire/byte-reader.ts'
import { concatBytes, encodeFrame, encodeVarint } from '../wire/frames.ts'

export const blocksProtocol = '/ggen/blocks/1.0.0'

/** Version, codec, hash code, hash length (a byte each) and 32 bytes of SHA-256: every CID of the data model. */
const cidBytes = 36

/** What a peer answers for one wanted block; `have` is followed by the block's length as a varint and its bytes. */
export const blockStatus = { missing: 0, have: 1, busy: 2 } as const

/** A want-list: binary CIDs one after the other, in one length-prefixed frame. */
export function encodeWants(cids: readonly CID[]): Uint8Array {
  return encodeFrame(concatBytes(cids.map((cid) => cid.bytes)))
}

/** The next want-list, undefined at the end of the stream. */
export async function readWants(reader: ByteReader): Promise<CID[] | undefined> {
  const frame = await reader.frame(limits.maxWantedBlocks * cidBytes)
  if (frame === undefined) return undefined
  if (frame.length % cidBytes !== 0) throw protocolViolation('a want-list that is not a list of CIDs')
  const cids: CID[] = []
  for (let offset = 0; offset < frame.length; offset += cidBytes) {
    try {
      cids.push(CID.decode(frame.slice(offset, offset + cidBytes)))
    } catch {
      throw protocolViolation('a want-list that is not a list of CIDs')
    }
  }
  return cids
}

/** Status and length of a block that is held; its bytes follow. */
export function encodeHave(length: number): Uint8Array {
  return concatBytes([Uint8Array.of(blockStatus.have), encodeVarint(length)])
}

/** The answer for one wanted block: its bytes, or why there are none. */
export async function readAnswer(reader: ByteReader): Promise<Uint8Array | 'missing' | 'busy'> {
  const [status] = await reader.bytes(1)
  if (status === blockStatus.missing) return 'missing'
  if (status === blockStatus.busy) return 'busy'
  if (status !== blockStatus.have) throw protocolViolation(`the unknown block status ${status}`)
  const length = await reader.varint()
  if (length === undefined || length > limits.maxManifestBytes) throw protocolViolation(`a block of ${length} bytes`)
  return reader.bytes(length)
}
