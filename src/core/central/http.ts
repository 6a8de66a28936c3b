import { RegistryError } from '../errors.ts'
import type { OperationOptions, StateStore } from '../ports.ts'

export interface HttpRequest extends OperationOptions {
  maxBytes: number
  accept?: string
  /** Keep the answer and its ETag, and ask next time whether it has changed. */
  cached?: boolean
  /** Answer undefined instead of failing when the server has no such thing. */
  optional?: boolean
}

export interface CentralHttp {
  /** Throws `CENTRAL_UNAVAILABLE` saying why, or `signal.reason`. */
  bytes(url: string, request: HttpRequest): Promise<Uint8Array | undefined>
  json(url: string, request: HttpRequest): Promise<unknown>
}

export interface HttpLimits {
  /** No answer, or no further byte of one, for this long. */
  idleTimeoutMs: number
  /** The whole request, however steadily it drips. */
  totalTimeoutMs: number
  retries: number
  /** Before the first retry; doubled for each further one, with jitter. */
  backOffMs: number
}

const defaultHttpLimits: HttpLimits = {
  idleTimeoutMs: 10_000,
  totalTimeoutMs: 120_000,
  retries: 2,
  backOffMs: 300,
}

const maxRedirects = 5

/** Whether a registry's address is asked over HTTP; anything else is a file. */
export const isHttp = (url: string): boolean => /^https?:/.test(url)

type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** A failure that another try may not have. */
class Passing extends Error {}

/** HTTP for central registries: bounded in size, time and redirects, with retries for what may pass, and an ETag cache for what seldom changes. */
export function createCentralHttp(options: {
  fetch: Fetch
  /** Left out, `fetch` has one of its own. */
  userAgent?: string
  /** Left out, `fetch` keeps answers itself. */
  cache?: StateStore
  limits?: Partial<HttpLimits>
}): CentralHttp {
  const limits = { ...defaultHttpLimits, ...options.limits }

  async function bytes(url: string, request: HttpRequest): Promise<Uint8Array | undefined> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await once(url, request)
      } catch (error) {
        request.signal?.throwIfAborted()
        if (error instanceof RegistryError) throw error
        const isPassing = error instanceof Passing || (error instanceof TypeError && attempt < limits.retries)
        if (!isPassing || attempt >= limits.retries) throw unavailable(url, error)
        await pause(limits.backOffMs * 2 ** attempt * (0.5 + Math.random()), request.signal)
      }
    }
  }

  async function once(url: string, request: HttpRequest): Promise<Uint8Array | undefined> {
    const cache = request.cached ? options.cache : undefined
    const known = readCached(await cache?.read(cacheName(url)))
    const watch = createWatch(limits, request.signal)
    try {
      const response = await follow(url, request, known?.etag, watch)
      if (response.status === 304 && known !== undefined) return fromBase64(known.body)
      if (response.status === 404 && request.optional) return undefined
      if (response.status === 429 || response.status >= 500) throw new Passing(`it answered ${response.status}`)
      if (!response.ok) throw unavailable(url, new Error(`it answered ${response.status}`))
      const body = await readBody(url, response, request.maxBytes, watch)
      const etag = response.headers.get('etag')
      if (etag !== null) await cache?.write(cacheName(url), { etag, body: toBase64(body) })
      return body
    } catch (error) {
      request.signal?.throwIfAborted()
      throw watch.signal.aborted ? watch.signal.reason : error
    } finally {
      watch.end()
    }
  }

  async function follow(url: string, request: HttpRequest, etag: string | undefined, watch: Watch): Promise<Response> {
    const headers: Record<string, string> = { accept: request.accept ?? '*/*' }
    if (options.userAgent !== undefined) headers['user-agent'] = options.userAgent
    if (etag !== undefined) headers['if-none-match'] = etag
    let at = url
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const response = await options.fetch(at, { headers, redirect: 'manual', signal: watch.signal })
      const target = response.headers.get('location')
      if (response.status < 300 || response.status === 304 || response.status >= 400 || target === null) return response
      await response.body?.cancel()
      const next = new URL(target, at)
      if (next.protocol !== 'https:' && !(next.protocol === 'http:' && at.startsWith('http:'))) {
        throw unavailable(url, new Error(`it redirects to ${next.protocol}//, which is not followed`))
      }
      at = next.href
      watch.touch()
    }
    throw unavailable(url, new Error(`it redirects more than ${maxRedirects} times`))
  }

  return {
    bytes,
    async json(url, request) {
      const body = await bytes(url, { accept: 'application/json', ...request })
      if (body === undefined) return undefined
      try {
        return JSON.parse(new TextDecoder().decode(body))
      } catch (error) {
        throw unavailable(url, error)
      }
    },
  }
}

async function readBody(url: string, response: Response, maxBytes: number, watch: Watch): Promise<Uint8Array> {
  const tooLarge = (): RegistryError => unavailable(url, new Error(`its answer is larger than ${maxBytes} bytes`))
  const announced = Number(response.headers.get('content-length') ?? 0)
  if (announced > maxBytes) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = response.body?.getReader()
  for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read()) {
    watch.touch()
    size += next.value.length
    if (size > maxBytes) {
      await reader?.cancel()
      throw tooLarge()
    }
    chunks.push(next.value)
  }
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}

interface Watch {
  signal: AbortSignal
  /** Something arrived. */
  touch(): void
  end(): void
}

function createWatch({ idleTimeoutMs, totalTimeoutMs }: HttpLimits, outer: AbortSignal | undefined): Watch {
  const controller = new AbortController()
  const onAbort = (): void => controller.abort(outer?.reason)
  outer?.addEventListener('abort', onAbort)
  if (outer?.aborted) onAbort()
  const late = (what: string) => () => controller.abort(new Error(what))
  const total = setTimeout(late('it took too long'), totalTimeoutMs)
  let idle = setTimeout(late('it did not answer in time'), idleTimeoutMs)
  return {
    signal: controller.signal,
    touch() {
      clearTimeout(idle)
      idle = setTimeout(late('it stopped sending'), idleTimeoutMs)
    },
    end() {
      clearTimeout(total)
      clearTimeout(idle)
      outer?.removeEventListener('abort', onAbort)
    },
  }
}

export function unavailable(url: string, cause: unknown): RegistryError {
  const { message, cause: deeper } = cause instanceof Error ? cause : new Error(String(cause))
  const why = deeper instanceof Error && deeper.message !== '' ? deeper.message : message
  return new RegistryError('CENTRAL_UNAVAILABLE', `${url} cannot be used: ${why.replace(/\.$/, '')}.`, {
    hint: 'Check its address (central.registries in the settings) and your connection; peers and the cache are used meanwhile.',
    cause,
  })
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** A file name for an address: readable at its start, unique by a hash (FNV-1a, 64 bits) of the whole. */
function cacheName(url: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(url))
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  return `http-${url
    .replace(/^\w+:\/\//, '')
    .replace(/[^a-z0-9]+/gi, '-')
    .slice(0, 40)}-${hash.toString(16)}`
}

function readCached(value: unknown): { etag: string; body: string } | undefined {
  const { etag, body } = (value ?? {}) as { etag?: unknown; body?: unknown }
  return typeof etag === 'string' && typeof body === 'string' ? { etag, body } : undefined
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(text)
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
