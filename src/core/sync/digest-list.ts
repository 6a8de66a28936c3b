/** Bytes of a SHA-256 digest, by which an entry is known here: all entries' CIDs differ in nothing else. */
export const digestBytes = 32

const limbs = digestBytes / 4
const limbRange = 2 ** 32
/** Every so many digests the sum up to there is kept: a range's sum then costs at most twice as many additions. */
const checkpointEvery = 64

/** The entries a node holds, as digests in ascending order. Immutable: a session works on what was held when it began. */
export interface DigestList {
  readonly size: number
  at(index: number): Uint8Array
  /** Index of the first digest that is not below `bound`, which stands for itself followed by zeros. */
  indexOf(bound: Uint8Array): number
  /** Sum of the digests from `lower` up to, not including, `upper`, as big-endian numbers modulo 2^256. */
  sum(lower: number, upper: number): Uint8Array
}

/** From binary CIDs, whose last 32 bytes are the digest. Each digest may occur once. */
export function createDigestList(cids: readonly Uint8Array[]): DigestList {
  const digests = cids.map((cid) => cid.subarray(cid.length - digestBytes)).sort(compareBytes)
  const size = digests.length
  const flat = new Uint8Array(size * digestBytes)
  for (const [index, digest] of digests.entries()) flat.set(digest, index * digestBytes)
  const view = new DataView(flat.buffer)
  const checkpoints = sumUpTo(view, size)

  /** Adds digests to limb sums that are not carried yet: at most 64 numbers of 32 bits, far from the 2^53 a number holds. */
  function prefixSum(index: number): Float64Array {
    const checkpoint = Math.floor(index / checkpointEvery)
    const sum = Float64Array.from(checkpoints.subarray(checkpoint * limbs, (checkpoint + 1) * limbs))
    for (let at = checkpoint * checkpointEvery; at < index; at++) addDigest(sum, view, at)
    return sum
  }

  const at = (index: number): Uint8Array => flat.subarray(index * digestBytes, (index + 1) * digestBytes)

  return {
    size,
    at,
    indexOf(bound) {
      let low = 0
      let high = size
      while (low < high) {
        const middle = (low + high) >> 1
        if (compareBytes(at(middle), bound) < 0) low = middle + 1
        else high = middle
      }
      return low
    },
    sum(lower, upper) {
      const difference = prefixSum(upper)
      for (const [limb, value] of prefixSum(lower).entries()) difference[limb]! -= value
      return toBytes(carry(difference))
    },
  }
}

/** Ascending by bytes; a bound that is the beginning of the other comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length)
  for (let index = 0; index < common; index++) {
    const difference = a[index]! - b[index]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function sumUpTo(view: DataView, size: number): Uint32Array {
  const count = Math.floor(size / checkpointEvery) + 1
  const checkpoints = new Uint32Array(count * limbs)
  const sum = new Float64Array(limbs)
  for (let index = 0; index < size; index++) {
    if (index % checkpointEvery === 0) checkpoints.set(carry(sum), (index / checkpointEvery) * limbs)
    addDigest(sum, view, index)
  }
  if (size % checkpointEvery === 0) checkpoints.set(carry(sum), (count - 1) * limbs)
  return checkpoints
}

function addDigest(sum: Float64Array, view: DataView, index: number): void {
  for (let limb = 0; limb < limbs; limb++) sum[limb]! += view.getUint32(index * digestBytes + limb * 4)
}

/** Brings every limb into 0..2^32-1, in place, dropping what passes 2^256; limbs may be negative. */
function carry(sum: Float64Array): Float64Array {
  let over = 0
  for (let limb = limbs - 1; limb >= 0; limb--) {
    const value = sum[limb]! + over
    over = Math.floor(value / limbRange)
    sum[limb] = value - over * limbRange
  }
  return sum
}

function toBytes(sum: Float64Array): Uint8Array {
  const bytes = new Uint8Array(digestBytes)
  const view = new DataView(bytes.buffer)
  for (const [limb, value] of sum.entries()) view.setUint32(limb * 4, value)
  return bytes
}
