import { decode, encode } from '@ipld/dag-cbor'
import { RegistryError } from '../errors.ts'

/**
 * Deterministic DAG-CBOR: one value has one encoding. Throws a TypeError or Error for what the IPLD data model does not
 * have (undefined, NaN).
 */
export function encodeNode(value: unknown): Uint8Array {
  return encode(value)
}

/**
 * Decodes hostile bytes. Anything but the one deterministic encoding is refused, so that a CID stands for exactly one
 * value: the value is encoded again and compared, which also catches invalid UTF-8, integers written as floats,
 * unsorted keys and padded lengths. The caller checks the size first. Throws `VERIFICATION_FAILED`.
 */
export function decodeNode(bytes: Uint8Array): unknown {
  let value: unknown
  let canonical: Uint8Array
  try {
    value = decode(bytes)
    canonical = encode(value)
  } catch (cause) {
    throw new RegistryError('VERIFICATION_FAILED', `The bytes are not DAG-CBOR: ${reasonOf(cause)}`, {
      hint: 'They are damaged or come from a faulty peer; ask another one.',
      cause,
    })
  }
  if (!equalBytes(bytes, canonical)) {
    throw new RegistryError('VERIFICATION_FAILED', 'The bytes are DAG-CBOR, but not in its deterministic form.', {
      hint: 'Whoever made them encodes wrongly or wants two names for one content.',
    })
  }
  return value
}

/**
 * Decodes bytes that `decodeNode` accepted before, without checking them again: for stores that read back what they
 * were given.
 */
export function decodeStoredNode(bytes: Uint8Array): unknown {
  return decode(bytes)
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])
}

/** Nesting deep enough to exhaust the stack surfaces as a RangeError, whose message would mislead. */
function reasonOf(cause: unknown): string {
  if (cause instanceof RangeError) return 'nested too deeply.'
  return cause instanceof Error ? cause.message : String(cause)
}
