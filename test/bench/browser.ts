import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { BrowserContext, Page } from 'playwright'
import { createNode, openPackageFolder } from '../../src/node-cli/index.ts'
import { openNodePage, openPage } from '../support/chromium.ts'
import { writePackage } from '../support/packages.ts'
import { createWeb, findInPage, isReachable, peerIdOf, publishFromPage } from '../support/web.ts'
import { median, percentile } from './measure.ts'
import type { Row } from './row.ts'

const packageBytes = 32 * 1024 * 1024
const rounds = 5
const rawProtocol = '/bench/raw/1.0.0'
const MB = 1e6

/** MB/s of a package's content into a page's cache, beside a bare libp2p stream of as many bytes over the same connection; page start; size of the library. */
export async function benchBrowser(add: (row: Row) => void): Promise<void> {
  const web = await createWeb()
  try {
    const relay = await web.relay()
    const server = await createNode({
      home: join(web.dir, 'server'),
      settings: {
        'network.bootstrap_nodes': [relay.address('tcp')],
        'network.listen_addresses': ['/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/udp/0/webrtc-direct'],
        'network.mdns': false,
      },
    })
    await server.network!.handle(rawProtocol, async (stream) => {
      const chunk = new Uint8Array(randomBytes(256 * 1024))
      for (let sent = 0; sent < packageBytes; sent += chunk.length) await stream.send(chunk)
    })
    await server.start()
    const folder = join(web.dir, 'large')
    await writePackage(folder, { name: 'bench-large' }, { 'large.bin': new Uint8Array(randomBytes(packageBytes)) })
    await server.registry.publish(await openPackageFolder(folder))

    await benchStart(add, await web.visitor(), relay.url)
    await benchTabSearch(add, await web.visitor(), relay.url)
    await benchFirstPaint(add, await web.visitor(), (await web.relay({ builtInExplorer: true })).url)
    for (const transport of ['ws', 'webrtc-direct'] as const) {
      const context = await web.visitor()
      const page = await openPage(context, relay.url)
      const address = server.network!.addresses().find((one) => one.includes(`/${transport}`))!
      await page.evaluate(async (address) => {
        window.node = await window.ggen.createNode({ settings: { 'performance.min_peers': 0 } })
        await window.node.start()
        await window.node.network.connect(address)
      }, address)
      await benchTransfer(
        add,
        transport === 'ws' ? 'WebSocket' : transport,
        page,
        'bench-large',
        server.network!.peerId,
      )
      await context.close()
    }
    // Not stopped: the native WebRTC library can take the process with it, which ends soon anyway.

    const [first, second] = [await web.visitor(), await web.visitor()]
    const giver = await openNodePage(first, relay.url)
    await isReachable(giver, relay.peerId)
    await publishFromPage(giver, 'bench-page', packageBytes)
    await giver.evaluate(
      async ({ rawProtocol, packageBytes }) => {
        await window.node.network.handle(rawProtocol, async (stream) => {
          const chunk = crypto.getRandomValues(new Uint8Array(64 * 1024))
          for (let sent = 0; sent < packageBytes; sent += chunk.length) await stream.send(chunk)
        })
      },
      { rawProtocol, packageBytes },
    )
    const taker = await openNodePage(second, relay.url)
    await findInPage(taker, 'bench-page')
    await benchTransfer(add, 'WebRTC, page from page', taker, 'bench-page', await peerIdOf(giver))
  } finally {
    await web.dispose()
  }
  const bytes = gzipSync(await readFile(join(import.meta.dirname, '../../dist/browser/index.js'))).length
  add({
    what: 'browser library, gzipped',
    ours: `${(bytes / 1000).toFixed(0)} kB`,
    reference: '',
    ratio: '',
    goal: '≤ 350 kB',
    met: bytes <= 350_000,
  })
}

async function benchTransfer(
  add: (row: Row) => void,
  what: string,
  page: Page,
  name: string,
  peerId: string,
): Promise<void> {
  const ours: number[] = []
  const bare: number[] = []
  for (let round = 0; round < rounds; round++) {
    bare.push(
      await page.evaluate(
        async ({ peerId, rawProtocol }) => {
          const stream = await window.node.network.openStream(peerId, rawProtocol)
          const startedMs = performance.now()
          let received = 0
          for await (const chunk of stream.receive()) received += chunk.length
          return received / (performance.now() - startedMs) / 1000
        },
        { peerId, rawProtocol },
      ),
    )
    ours.push(
      await page.evaluate(async (name) => {
        const { registry, storage } = window.node
        await registry.info(name)
        const release = (await registry.parts.entries.byPackage(name))[0]!
        await storage.blocks.clear()
        const startedMs = performance.now()
        const { fetchedBytes } = await registry.content.fetch(release as never)
        return fetchedBytes / (performance.now() - startedMs) / 1000
      }, name),
    )
  }
  const [own, reference] = [median(ours), median(bare)]
  add({
    what: `browser ← ${what}: a package of ${Math.round(packageBytes / MB)} MB, verified and stored`,
    ours: `${own.toFixed(0)} MB/s`,
    reference: `bare stream ${reference.toFixed(0)} MB/s`,
    ratio: `${(own / reference).toFixed(2)}×`,
    goal: '≥ 0.8×',
    met: own >= 0.8 * reference,
  })
}

async function benchStart(add: (row: Row) => void, context: BrowserContext, url: string): Promise<void> {
  const times: { started: number; found: number }[] = []
  for (let round = 0; round < 7; round++) {
    const page = await openPage(context, url)
    // Milliseconds since the navigation began.
    times.push(
      await page.evaluate(async () => {
        window.node = await window.ggen.createNode({ relays: [location.origin] })
        await window.node.start()
        const started = performance.now()
        while ((await window.node.registry.search({ query: 'bench-large' })).results.length === 0)
          await new Promise((resolve) => setTimeout(resolve, 5))
        return { started, found: performance.now() }
      }),
    )
    await page.evaluate(() => window.node.stop())
    await page.close()
  }
  await context.close()
  const found = median(times.map((time) => time.found))
  add({
    what: 'page load → first search answer',
    ours: `${Math.round(found)} ms`,
    reference: `node started after ${Math.round(median(times.map((time) => time.started)))} ms`,
    ratio: '',
    goal: '≤ 1,500 ms',
    met: found <= 1_500,
  })
}

async function benchTabSearch(add: (row: Row) => void, context: BrowserContext, url: string): Promise<void> {
  const page = await openPage(context, url)
  const times = await page.evaluate(async () => {
    const node = await window.ggen.createNode({})
    await node.start()
    const words = ['alpha', 'beta', 'gamma', 'delta', 'rest', 'graph', 'model', 'schema', 'tool', 'kit']
    const word = (seed: number) => words[seed % words.length]!
    await node.storage.search.upsert(
      Array.from({ length: 10_000 }, (_, at) => ({
        publisher: 'did:key:z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJgvVd',
        name: `${word(at)}-${word(at * 7 + 3)}-${at}`,
        version: '1.0.0',
        cid: 'bafyreie6ef5juvdpi46tinxjhfkjucsupt74d7r2b2ql2f4nm2hn5xgxda',
        entry: 'bafyreie6ef5juvdpi46tinxjhfkjucsupt74d7r2b2ql2f4nm2hn5xgxda',
        description: `A package about ${word(at * 3)} and ${word(at * 11)}`,
        keywords: [word(at * 13), word(at * 17)],
        category: word(at * 19),
        license: 'MIT',
        authors: [],
        time: at,
        yanked: false,
        deprecated: '',
      })),
    )
    const times: number[] = []
    for (const query of ['rest', 'graph schema', 'alpha-beta', 'kit tool model', 'al', 'nothing-like-it']) {
      for (let round = 0; round < 5; round++) {
        const startedMs = performance.now()
        await node.registry.search({ query, registry: 'p2p', limit: 50 })
        times.push(performance.now() - startedMs)
      }
    }
    await node.stop()
    return times
  })
  await context.close()
  const p95 = percentile(times, 0.95)
  add({
    what: 'search among 10,000 packages known to a tab, p95',
    ours: `${p95.toFixed(0)} ms`,
    reference: `median ${median(times).toFixed(0)} ms`,
    ratio: '',
    goal: '≤ 50 ms',
    met: p95 <= 50,
  })
}

async function benchFirstPaint(add: (row: Row) => void, context: BrowserContext, url: string): Promise<void> {
  const paints: number[] = []
  for (let round = 0; round < 7; round++) {
    const page = await context.newPage()
    await page.goto(url)
    await page.getByRole('searchbox').waitFor()
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime)
    if (paint !== undefined) paints.push(paint)
    await page.close()
  }
  await context.close()
  add({
    what: 'explorer: first contentful paint',
    ours: `${Math.round(median(paints))} ms`,
    reference: '',
    ratio: '',
    goal: '≤ 1,000 ms',
    met: median(paints) <= 1_000,
  })
}
