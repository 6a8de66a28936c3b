import { RegistryError } from '../errors.ts'
import { limits } from '../limits.ts'

export interface ByteReader {
  /** Exactly `count` bytes. Throws `CONNECTION_FAILED` when the stream ends before: a peer that goes away breaks no rule. */
  bytes(count: number): Promise<Uint8Array>
  /** An unsigned LEB128 number of at most 5 bytes; undefined at a clean end of the stream. */
  varint(): Promise<number | undefined>
  /** One length-prefixed frame, its declared size checked before anything is allocated; undefined at a clean end of the stream. */
  frame(maxBytes: number): Promise<Uint8Array | undefined>
}

/** A peer that breaks the wire format: its stream is reset and it is charged with a fault. */
export function protocolViolation(what: string): RegistryError {
  return new RegistryError('VERIFICATION_FAILED', `The peer broke the protocol: ${what}.`, {
    hint: 'Nothing it sent was kept; other peers are asked.',
  })
}

/** A peer that goes away breaks no rule. */
export function endedEarly(): RegistryError {
  return new RegistryError('CONNECTION_FAILED', 'The peer went away in the middle of an answer.', {
    hint: 'Other peers are asked where there are any; try again later.',
  })
}

/**
 * Reads structured bytes out of chunks of any size, without copying what lies within one chunk. Waiting longer than
 * `idleTimeoutMs` for the next chunk, or longer than `limits.frameTimeoutMs` for one piece to be whole, throws `TIMEOUT`; an
 * abort rethrows `signal.reason`.
 */
export function createByteReader(
  chunks: AsyncIterable<Uint8Array>,
  { idleTimeoutMs, signal }: { idleTimeoutMs: number; signal?: AbortSignal | undefined },
): ByteReader {
  const iterator = chunks[Symbol.asyncIterator]()
  let current: Uint8Array = new Uint8Array(0)
  let offset = 0

  /** True when there is at least one unread byte; false at the end of the stream. */
  async function fill(timeoutMs = idleTimeoutMs): Promise<boolean> {
    while (offset === current.length) {
      const next = await withTimeout(iterator.next(), timeoutMs, signal)
      if (next.done) return false
      current = next.value
      offset = 0
    }
    return true
  }

  async function bytes(count: number): Promise<Uint8Array> {
    if (current.length - offset >= count) {
      offset += count
      return current.subarray(offset - count, offset)
    }
    const whole = new Uint8Array(count)
    const startedMs = performance.now()
    let filled = 0
    while (filled < count) {
      const leftMs = startedMs + limits.frameTimeoutMs - performance.now()
      if (!(await fill(Math.max(0, Math.min(idleTimeoutMs, leftMs))))) throw endedEarly()
      const part = current.subarray(offset, offset + count - filled)
      whole.set(part, filled)
      filled += part.length
      offset += part.length
    }
    return whole
  }

  async function varint(): Promise<number | undefined> {
    if (!(await fill())) return undefined
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (!(await fill())) throw endedEarly()
      const byte = current[offset++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw protocolViolation('a number of more than 5 bytes')
  }

  return {
    bytes,
    varint,
    async frame(maxBytes) {
      const length = await varint()
      if (length === undefined) return undefined
      if (length > maxBytes) throw protocolViolation(`a frame of ${length} bytes, ${maxBytes} allowed`)
      return bytes(length)
    },
  }
}

function withTimeout<T>(promise: Promise<T>, timeoutMs: number, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => finish(() => reject(signal?.reason))
    const timer = setTimeout(() => {
      const error = new RegistryError('TIMEOUT', 'The peer does not send, or too slowly.', {
        hint: 'Other peers are asked where there are any; try again later.',
      })
      finish(() => reject(error))
    }, timeoutMs)
    const finish = (settle: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      settle()
    }
    signal?.addEventListener('abort', onAbort)
    promise.then(
      (value) => finish(() => resolve(value)),
      (error) => finish(() => reject(error)),
    )
    if (signal?.aborted) onAbort()
  })
}
