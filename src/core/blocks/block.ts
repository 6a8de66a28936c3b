import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { RegistryError } from '../errors.ts'
import type { Block, Sha256 } from '../ports.ts'
import { equalBytes } from './node-codec.ts'

export { decodeNode, encodeNode } from './node-codec.ts'

/** Multicodec numbers of the only two kinds of block there are. */
const codecs = { raw: 0x55, 'dag-cbor': 0x71 } as const
export type Codec = keyof typeof codecs

/** Multihash number and digest length of SHA-256. */
const sha256Code = 0x12
const sha256Bytes = 32

/** The block these bytes make, under CIDv1 with sha2-256. The bytes are not copied. */
export async function createBlock(codec: Codec, bytes: Uint8Array, sha256: Sha256): Promise<Block> {
  const digest = Digest.create(sha256Code, await sha256(bytes))
  return { cid: CID.createV1(codecs[codec], digest), bytes }
}

/**
 * Whether the bytes hash to the CID. False for a CID of any other kind than ours: an attacker may name a weaker hash or
 * the identity.
 */
export async function matchesCid(cid: CID, bytes: Uint8Array, sha256: Sha256): Promise<boolean> {
  return isOurCid(cid) && equalBytes(cid.multihash.digest, await sha256(bytes))
}

/** CIDv1, sha2-256, `raw` or `dag-cbor` (or exactly the codec given). */
export function isOurCid(value: unknown, codec?: Codec): value is CID {
  const cid = CID.asCID(value)
  if (cid === null || cid !== value || cid.version !== 1) return false
  const codecFits = codec === undefined ? Object.values<number>(codecs).includes(cid.code) : cid.code === codecs[codec]
  return codecFits && cid.multihash.code === sha256Code && cid.multihash.digest.byteLength === sha256Bytes
}

/** A content ID as a person types it. Throws `INVALID_SPEC`. */
export function parseCid(text: string): CID {
  const cid = tryParse(text)
  if (cid === undefined || !isOurCid(cid)) {
    throw new RegistryError('INVALID_SPEC', `"${text.slice(0, 100)}" is not a content ID of this registry.`, {
      hint: 'A content ID looks like bafyrei… (59 characters): copy it from the output of publish, search or info.',
    })
  }
  return cid
}

/**
 * CIDs of ours are 59 characters in base32; nothing much longer is worth decoding, and base58 decoding is quadratic.
 */
const maxCidLength = 120

function tryParse(text: string): CID | undefined {
  if (text.length > maxCidLength) return undefined
  try {
    return CID.parse(text)
  } catch {
    return undefined
  }
}

/** Blocks may be cleared away while a package is being stored; a root that lacks some must not be declared. */
export function incompleteRoot(root: CID): RegistryError {
  return new RegistryError(
    'STORAGE_CORRUPT',
    `Blocks of ${root} were removed from the cache while it was being stored.`,
    {
      hint: 'Run the command again: only what is missing is stored anew.',
    },
  )
}
