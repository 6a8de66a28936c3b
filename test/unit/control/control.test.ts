import { describe, expect, test } from 'vitest'
import { createControlClient, lines } from '../../../src/core/control/client.ts'
import type { ControlMessage } from '../../../src/core/control/server.ts'
import { createControlHandler } from '../../../src/core/control/server.ts'
import type { RegistryService, ServiceOptions, ServiceProgress } from '../../../src/core/control/service.ts'
import { serviceMethods } from '../../../src/core/control/service.ts'
import { RegistryError } from '../../../src/core/errors.ts'

/** A service whose methods answer what they were asked, but for those given. */
function echoService(overrides: Partial<RegistryService> = {}): RegistryService {
  const echo = Object.fromEntries(
    serviceMethods.map((method) => [method, async (request: unknown) => ({ method, request })]),
  )
  return { ...(echo as unknown as RegistryService), ...overrides }
}

/** Client and handler joined by chunks of awkward sizes instead of a socket. */
function joined(service: RegistryService, options: { cutAfter?: number } = {}) {
  const stopped: boolean[] = []
  const bugs: string[] = []
  const handle = createControlHandler(service, {
    onStop: () => stopped.push(true),
    onBug: (error) => bugs.push(error.message),
  })
  const client = createControlClient(async function* (line, signal) {
    const sent: ControlMessage[] = []
    await handle(line.trimEnd(), {
      signal: signal ?? new AbortController().signal,
      send: (message) => sent.push(message),
    })
    signal?.throwIfAborted()
    const bytes = new TextEncoder().encode(sent.map((message) => `${JSON.stringify(message)}\n`).join(''))
    const end = options.cutAfter ?? bytes.length
    for (let at = 0; at < end; at += 7) yield bytes.subarray(at, Math.min(at + 7, end))
  })
  return { client, stopped, bugs }
}

describe('the control API', () => {
  test('carries each method with its request and its result', async () => {
    const { client } = joined(echoService())
    for (const method of serviceMethods) {
      const call = client[method] as (request: unknown) => Promise<unknown>
      expect(await call({ dir: '/p', text: 'ü' })).toEqual({ method, request: { dir: '/p', text: 'ü' } })
    }
  })

  test('carries progress, and not thousands of the same kind', async () => {
    const received: ServiceProgress[] = []
    const { client } = joined(
      echoService({
        async install(_request, { onProgress }: ServiceOptions = {}) {
          onProgress?.({ type: 'provider:found', peerId: 'a' })
          for (let bytes = 0; bytes < 1000; bytes++)
            onProgress?.({ type: 'block:received', peerId: 'a', cid: 'c', bytes, totalBytes: 1000, package: 'x' })
          onProgress?.({ type: 'warning', message: 'w' })
          return { installed: [], removed: [], tookMs: 1, notices: [] }
        },
      }),
    )
    await client.install({ specs: [], dir: '/' }, { onProgress: (event) => received.push(event) })
    expect(received[0]).toEqual({ type: 'provider:found', peerId: 'a' })
    expect(received.at(-1)).toEqual({ type: 'warning', message: 'w' })
    expect(received.length).toBeGreaterThan(2)
    expect(received.length).toBeLessThan(500)
  })

  test('carries errors with code and hint, and makes bugs INTERNAL', async () => {
    const { client, bugs } = joined(
      echoService({
        async info() {
          throw new RegistryError('PACKAGE_NOT_FOUND', 'No x.', { hint: 'Look.' })
        },
        async list() {
          throw new TypeError('oops')
        },
      }),
    )
    await expect(client.info({ spec: 'x' })).rejects.toMatchObject({
      code: 'PACKAGE_NOT_FOUND',
      message: 'No x.',
      hint: 'Look.',
    })
    await expect(client.list({ dir: '/' })).rejects.toMatchObject({ code: 'INTERNAL', message: 'oops' })
    expect(bugs).toEqual(['oops'])
  })

  test('rethrows the reason of an abort, and passes it to the service', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    let seen: AbortSignal | undefined
    const { client } = joined(
      echoService({
        search(_request, { signal } = {}) {
          seen = signal
          controller.abort(reason)
          return Promise.reject(signal?.reason)
        },
      }),
    )
    await expect(client.search({ query: 'x' }, { signal: controller.signal })).rejects.toBe(reason)
    expect(seen?.aborted).toBe(true)
    await expect(client.search({ query: 'x' }, { signal: controller.signal })).rejects.toBe(reason)
  })

  test('stops the host after its answer', async () => {
    const { client, stopped } = joined(echoService())
    await client.stop()
    expect(stopped).toEqual([true])
  })

  test('notices an answer that was cut off, and one that is of something else', async () => {
    await expect(joined(echoService(), { cutAfter: 0 }).client.status({})).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
    })
    const alien = createControlClient(async function* () {
      yield new TextEncoder().encode('HTTP/1.1 400 Bad Request\n')
    })
    await expect(alien.status({})).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    const newer = createControlClient(async function* () {
      yield new TextEncoder().encode('{"error":{"code":"FROM_THE_FUTURE","message":"m"}}\n')
    })
    await expect(newer.status({})).rejects.toMatchObject({ code: 'INTERNAL', message: 'm' })
  })

  test.each([
    '',
    'null',
    '[]',
    '{"method":"toString","request":{}}',
    '{"method":"status"}',
    '{"method":"status","request":1}',
  ])('refuses the request %j', async (line) => {
    const sent: ControlMessage[] = []
    const handle = createControlHandler(echoService(), { onStop: () => undefined, onBug: () => undefined })
    await handle(line, { signal: new AbortController().signal, send: (message) => sent.push(message) })
    expect(sent).toHaveLength(1)
    expect(JSON.parse(JSON.stringify(sent[0]))).toMatchObject({ error: { code: 'USAGE' } })
  })
})

test('lines are put together over chunks, in the middle of a character too', async () => {
  const bytes = new TextEncoder().encode('ä\nbü\n\nrest')
  const chunks = async function* () {
    for (const byte of bytes) yield Uint8Array.of(byte)
  }
  const found: string[] = []
  for await (const line of lines(chunks())) found.push(line)
  expect(found).toEqual(['ä', 'bü'])
})
