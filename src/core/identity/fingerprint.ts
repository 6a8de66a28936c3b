import { base32 } from 'multiformats/bases/base32'
import { decodeDid } from './did-key.ts'

const groups = 5
const charactersPerGroup = 4

/**
 * A publisher's key in a form two people can compare by eye or over the phone: `k2vq-7rma-…`, five groups of four
 * base32 characters (a-z, 2-7).
 *
 * They are the first 100 bits of the public key itself. Hashing it first would add nothing: making another key with the
 * same 100 bits takes about 2^100 attempts either way. Compare all five groups: a key that shares one is made in a
 * second. Throws `VERIFICATION_FAILED` for a malformed did.
 */
export function fingerprint(did: string): string {
  const text = base32.baseEncode(decodeDid(did))
  return Array.from({ length: groups }, (_, index) =>
    text.slice(index * charactersPerGroup, (index + 1) * charactersPerGroup),
  ).join('-')
}
