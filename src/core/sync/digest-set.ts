const buckets = 256
const digestBytes = 32
/** Count (4 bytes, big-endian) and XOR of the digests. */
const summaryBytes = 4 + digestBytes

/** The set of entry digests a node holds, in 256 buckets by first byte, each with a summary to compare by. */
export interface DigestSet {
  readonly size: number
  bucket(index: number): readonly Uint8Array[]
  has(digest: Uint8Array): boolean
  /** All buckets' summaries, one after the other. */
  summaries(): Uint8Array
}

export const summariesBytes = buckets * summaryBytes

function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** From binary CIDs of entries, whose last 32 bytes are the digest. */
export function createDigestSet(cids: readonly Uint8Array[]): DigestSet {
  const lists: Uint8Array[][] = Array.from({ length: buckets }, () => [])
  const known = new Set<string>()
  const summaries = new Uint8Array(summariesBytes)
  const view = new DataView(summaries.buffer)
  for (const cid of cids) {
    const digest = cid.subarray(cid.length - digestBytes)
    const index = digest[0]!
    lists[index]!.push(digest)
    known.add(hex(digest))
    const start = index * summaryBytes
    view.setUint32(start, view.getUint32(start) + 1)
    for (let byte = 0; byte < digestBytes; byte++) summaries[start + 4 + byte]! ^= digest[byte]!
  }
  return {
    size: known.size,
    bucket: (index) => lists[index] ?? [],
    has: (digest) => known.has(hex(digest)),
    summaries: () => summaries,
  }
}

/** Indexes of the buckets in which two summaries differ. */
export function differingBuckets(a: Uint8Array, b: Uint8Array): number[] {
  const differing: number[] = []
  for (let index = 0; index < buckets; index++) {
    const start = index * summaryBytes
    for (let offset = start; offset < start + summaryBytes; offset++) {
      if (a[offset] !== b[offset]) {
        differing.push(index)
        break
      }
    }
  }
  return differing
}
