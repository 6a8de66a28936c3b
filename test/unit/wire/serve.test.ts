import { afterEach, beforeEach, expect, test } from 'vitest'
import { RegistryError } from '../../../src/core/errors.ts'
import type { PeerNetwork, PeerStream } from '../../../src/core/ports.ts'
import type { Reputation } from '../../../src/core/reputation/reputation.ts'
import { createReputation } from '../../../src/core/reputation/reputation.ts'
import { protocolViolation } from '../../../src/core/wire/byte-reader.ts'
import type { TakeRequest } from '../../../src/core/wire/serve.ts'
import { serveProtocol } from '../../../src/core/wire/serve.ts'
import { createMemoryState } from '../../../src/storage/memory.ts'
import { createMemoryHub, createMemoryNetwork } from '../../../src/transports/memory.ts'

const protocol = '/test/1.0.0'
const clock = { time: 0, now: () => clock.time }
let hub: ReturnType<typeof createMemoryHub>
let server: PeerNetwork
let reputation: Reputation
/** The fault each ban was for; one fault bans. */
let charged: [string, string][]

beforeEach(async () => {
  clock.time = 1_000_000
  hub = createMemoryHub()
  server = createMemoryNetwork(hub, { peerId: 'server' })
  await server.start()
  charged = []
  reputation = createReputation({
    state: createMemoryState(),
    clock,
    banThreshold: 1,
    onBan: ({ peerId, reason }) => charged.push([peerId, reason]),
  })
})
afterEach(() => reputation.stop())

const serve = (handler: (stream: PeerStream, takeRequest: TakeRequest) => Promise<void>) =>
  serveProtocol({ network: server, reputation, clock, requestsPerMinute: 3 }, protocol, handler)

/** All that the server sends to this peer. */
async function ask(peerId: string): Promise<string> {
  const network = createMemoryNetwork(hub, { peerId })
  await network.start()
  const stream = await network.openStream('server', protocol)
  let text = ''
  for await (const chunk of stream.receive()) text += new TextDecoder().decode(chunk)
  return text
}

/** Asks so many times on each stream and answers how it went. */
const serveVerdicts = (times: number) =>
  serve(async (stream, takeRequest) => {
    const verdicts = Array.from({ length: times }, () => (takeRequest() ? '+' : '-'))
    await stream.send(new TextEncoder().encode(verdicts.join('')))
  })

test('a stream is closed when its handler is done', async () => {
  await serve(async (stream) => stream.send(new TextEncoder().encode('served')))
  expect(await ask('p')).toBe('served')
  expect(charged).toEqual([])
})

test('requests beyond the budget are refused, which costs nothing, until time has passed', async () => {
  await serveVerdicts(5)
  expect(await ask('p')).toBe('+++--')
  clock.time += 40_000
  expect(await ask('p')).toBe('++---')
  expect(charged).toEqual([])
})

test('a budget is one peer’s, over all its streams', async () => {
  await serveVerdicts(2)
  expect(await ask('p')).toBe('++')
  expect(await ask('p')).toBe('+-')
  expect(await ask('q')).toBe('++')
})

test('who goes on though refused is charged with flooding', async () => {
  await serveVerdicts(3 + 20)
  await ask('p')
  expect(charged).toEqual([])
  await ask('p')
  expect(charged).toEqual([['p', 'flooding']])
})

test('who breaks the format is charged, and its stream is reset', async () => {
  await serve(async () => {
    throw protocolViolation('nonsense')
  })
  await expect(ask('p')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
  expect(charged).toEqual([['p', 'protocol-violation']])
})

test.each([
  ['a full disk', new RegistryError('STORAGE_FULL', 'The disk is full.')],
  ['a timeout', new RegistryError('TIMEOUT', 'Too slow.')],
  ['a bug', new TypeError('undefined is not a function')],
  ['a bug that throws no error', 'oops'],
])('our own failure resets the stream and costs the peer nothing: %s', async (_what, failure) => {
  await serve(async () => {
    throw failure
  })
  await expect(ask('p')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
  expect(charged).toEqual([])
  expect(reputation.record('p')).toMatchObject({ failures: 0, faults: 0 })
})
