import { createHash, randomBytes } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PeerGate, PeerInfo, PeerNetwork, PeerStream, RecordRules } from '../../src/core/ports.ts'

const protocol = '/test/echo/1.0.0'
const topic = '/test/topic/v1'

/** Records of a number, as text; the higher one is better. */
export const numberRules: RecordRules = {
  namespace: 'numbers',
  async validate(_key, value) {
    if (!/^\d+$/.test(new TextDecoder().decode(value))) throw new Error('not a number')
  },
  select: (_key, values) =>
    values.reduce((best, value, index) => (numberOf(value) > numberOf(values[best]!) ? index : best), 0),
}

const numberOf = (value: Uint8Array): number => Number(new TextDecoder().decode(value))
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const contentId = (text: string): CID =>
  CID.createV1(0x55, createDigest(0x12, createHash('sha256').update(text).digest()))

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 30_000
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`Waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function readAll(stream: PeerStream): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream.receive()) chunks.push(chunk.slice())
  return Buffer.concat(chunks)
}

/** What every PeerNetwork must do. `make` gives one that is not started; those of one test can reach each other. */
export function describePeerNetwork(name: string, make: (gate: PeerGate) => Promise<PeerNetwork>): void {
  describe(`${name} as a peer network`, () => {
    const banned = new Set<string>()
    const gate: PeerGate = { isBanned: (peerId) => banned.has(peerId), score: () => 1 }
    const open: PeerNetwork = undefined as never
    let running: PeerNetwork[] = []
    let a: PeerNetwork
    let b: PeerNetwork

    async function add(own: PeerGate = { isBanned: () => false, score: () => 1 }): Promise<PeerNetwork> {
      const network = await make(own)
      running.push(network)
      await network.start()
      return network
    }

    beforeEach(async () => {
      banned.clear()
      running = []
      a = await add(gate)
      b = await add()
    })
    afterEach(async () => {
      await Promise.all(running.map((network) => network.stop()))
    })

    const connect = (from: PeerNetwork, to: PeerNetwork) => from.connect(to.addresses()[0]!)

    test('connects by address, tells both sides, and lists the peer', async () => {
      const seen: PeerInfo[] = []
      b.on('peer:connected', (peer) => seen.push(peer))
      expect(await connect(a, b)).toBe(b.peerId)
      await until('b has seen a', () => seen.length === 1)
      expect(seen[0]).toMatchObject({ peerId: a.peerId, direction: 'inbound', relayed: false })
      expect(a.peers()).toMatchObject([{ peerId: b.peerId, direction: 'outbound' }])
      expect(await a.ping(b.peerId)).toBeGreaterThanOrEqual(0)
      const gone: string[] = []
      b.on('peer:disconnected', ({ peerId }) => gone.push(peerId))
      await a.disconnect(b.peerId)
      await until('b has noticed', () => gone.includes(a.peerId) && b.peers().length === 0)
      expect(a.peers()).toEqual([])
    })

    test('stops more than once', async () => {
      await a.stop()
      await a.stop()
      expect(open).toBeUndefined()
    })

    test('carries large streams both ways, whole and in order', async () => {
      await b.handle(protocol, async (stream) => {
        for await (const chunk of stream.receive()) await stream.send(chunk.slice())
      })
      await connect(a, b)
      const stream = await a.openStream(b.peerId, protocol)
      const sent = randomBytes(5_000_000)
      const received = readAll(stream)
      for (let at = 0; at < sent.length; at += 100_000) await stream.send(sent.subarray(at, at + 100_000))
      await stream.close()
      expect(Buffer.compare(await received, sent)).toBe(0)
    })

    test('holds a sender back while nobody reads', async () => {
      let read = (): void => undefined
      const mayRead = new Promise<void>((resolve) => {
        read = resolve
      })
      let received = 0
      await b.handle(protocol, async (stream) => {
        await mayRead
        for await (const chunk of stream.receive()) received += chunk.length
      })
      await connect(a, b)
      const stream = await a.openStream(b.peerId, protocol)
      let sent = 0
      const total = 64_000_000
      const sending = (async () => {
        while (sent < total) {
          await stream.send(new Uint8Array(500_000))
          sent += 500_000
        }
        await stream.close()
      })()
      let before = -1
      // It has come to rest when a while passes without progress; how far it got is the transport's buffers.
      await until('the sender waits', async () => {
        if (sent === before) return true
        before = sent
        await new Promise((resolve) => setTimeout(resolve, 500))
        return false
      })
      expect(sent).toBeLessThan(total)
      read()
      await sending
      await until('all has arrived', () => received === total)
    })

    test('tells the other side of an abort, and of a handler that fails', async () => {
      let failure: unknown
      await b.handle(protocol, async (stream) => {
        try {
          await readAll(stream)
        } catch (error) {
          failure = error
        }
      })
      await b.handle('/test/fails/1.0.0', async () => {
        throw new Error('handler failed')
      })
      await connect(a, b)
      const stream = await a.openStream(b.peerId, protocol)
      await stream.send(bytesOf('x'))
      stream.abort(new Error('no more'))
      await until('b has noticed', () => failure !== undefined)
      const failing = await a.openStream(b.peerId, '/test/fails/1.0.0')
      await expect(readAll(failing)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    })

    test('refuses protocols nobody speaks, and peers that are not there', async () => {
      await connect(a, b)
      await expect(a.openStream(b.peerId, '/test/unknown/1.0.0')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
      const address = b.addresses()[0]!
      await b.stop()
      await until('a has noticed', () => a.peers().length === 0)
      await expect(a.connect(address)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
      const reason = new Error('enough')
      await expect(a.connect(address, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    })

    test('keeps banned peers out, in both directions', async () => {
      banned.add(b.peerId)
      await expect(connect(a, b)).rejects.toMatchObject({ code: 'PEER_BANNED' })
      await connect(b, a).catch(() => undefined)
      await until('b is out', () => a.peers().length === 0 && b.peers().length === 0)
    })

    test('finds providers of content through a third node', async () => {
      const c = await add()
      await connect(a, c)
      await connect(b, c)
      const cid = contentId('package')
      await until('b learns that a provides it', async () => {
        await a.provide(cid)
        const found: string[] = []
        for await (const peerId of b.findProviders(cid)) found.push(peerId)
        return found.includes(a.peerId)
      })
      const none: string[] = []
      for await (const peerId of b.findProviders(contentId('other'))) none.push(peerId)
      expect(none).toEqual([])
      for await (const peerId of a.findProviders(cid)) expect(peerId).not.toBe(a.peerId)
    })

    test('stores records that keep their rules, the better one in the end', async () => {
      await connect(a, b)
      await until(
        'b holds it',
        async () =>
          (await a.putRecord('/numbers/x', bytesOf('3'))) > 0 && (await b.getRecord('/numbers/x')) !== undefined,
      )
      await a.putRecord('/numbers/x', bytesOf('7'))
      await until(
        'the better one is found',
        async () => numberOf((await b.getRecord('/numbers/x')) ?? bytesOf('0')) === 7,
      )
      await expect(a.putRecord('/numbers/x', bytesOf('many'))).rejects.toThrow()
      expect(await a.getRecord('/numbers/none')).toBeUndefined()
    })

    test('gossips what its validators accept, over others, and names who published it', async () => {
      const c = await add()
      const heard: { message: string; origin: string }[] = []
      await a.subscribe(topic, async () => 'accept')
      await b.subscribe(topic, async (message) => (new TextDecoder().decode(message) === 'bad' ? 'reject' : 'accept'))
      await c.subscribe(topic, async (message, _from, origin) => {
        heard.push({ message: new TextDecoder().decode(message), origin })
        return 'accept'
      })
      await connect(a, b)
      await connect(b, c)
      let round = 0
      await until('c has heard a over b', async () => {
        await a.publish(topic, bytesOf(`news ${round++}`))
        return heard.length > 0
      })
      expect(heard[0]?.origin).toBe(a.peerId)
      const rejected: string[] = []
      b.on('gossip:rejected', ({ peerId }) => rejected.push(peerId))
      await a.publish(topic, bytesOf('bad'))
      await a.publish(topic, bytesOf('last'))
      await until('c has heard the last', () => heard.some(({ message }) => message === 'last'))
      expect(heard.map(({ message }) => message)).not.toContain('bad')
      expect(a.stats().topics).toMatchObject([{ topic, subscribers: 1 }])
    })
  })
}
