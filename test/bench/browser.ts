import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { BrowserContext, Page } from 'playwright'
import { createNode, openPackageFolder } from '../../src/node-cli/index.ts'
import { openNodePage, openPage } from '../support/chromium.ts'
import { seedReleases } from '../support/explorer.ts'
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
    const explorer = await web.relay({ builtInExplorer: true })
    await benchExplorerList(add, await web.visitor(), explorer.url)
    await benchFirstPaint(add, await web.visitor(), explorer.url)
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

/** In the explorer itself: from a key pressed to the first result of it in the page, and how evenly its list scrolls. */
async function benchExplorerList(add: (row: Row) => void, context: BrowserContext, url: string): Promise<void> {
  await seedReleases(context, url, 10_000)
  const page = await context.newPage()
  await page.goto(url)
  await page.getByText(/^10000 packages/).waitFor()
  const firsts: number[] = []
  for (const query of [
    'rest',
    'graph schema',
    'alpha-beta',
    'kit tool model',
    'al',
    'gamma',
    'delta tool',
    'model-kit',
  ]) {
    for (let round = 0; round < 3; round++) {
      firsts.push(
        await page.evaluate(async (query) => {
          const root = document.querySelector('ggen-explorer')!.shadowRoot!.querySelector('ggen-search')!.shadowRoot!
          const field = root.querySelector('input')!
          const list = root.querySelector('ul')!
          const shown = () => list.querySelector('li .name')?.textContent
          // Something else is listed before, so that a change is the answer.
          field.value = 'nothing-like-it-at-all'
          field.dispatchEvent(new InputEvent('input'))
          // Peers have answered too, so nothing of that search is left to change the list.
          const status = root.querySelector('[role=status]')!
          while (!status.textContent?.startsWith('No package fits'))
            await new Promise((resolve) => setTimeout(resolve, 5))
          const changed = new Promise<number>((resolve) => {
            const watcher = new MutationObserver(() => {
              if (shown() === undefined) return
              watcher.disconnect()
              resolve(performance.now())
            })
            watcher.observe(list, { childList: true, subtree: true })
          })
          field.value = query
          const startedMs = performance.now()
          field.dispatchEvent(new InputEvent('input'))
          return (await changed) - startedMs
        }, query),
      )
    }
  }
  const first = percentile(firsts, 0.95)
  add({
    what: 'explorer: from a key to the first result in its list, among 10,000 known packages, p95',
    ours: `${first.toFixed(0)} ms`,
    reference: `median ${median(firsts).toFixed(0)} ms`,
    ratio: '',
    goal: '≤ 50 ms',
    met: first <= 50,
  })
  await page.getByRole('searchbox').fill('')
  await page.getByText(/^10000 packages/).waitFor()
  const frames = await page.evaluate(async () => {
    const times: number[] = []
    const nextFrame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve))
    let last = await nextFrame()
    for (let frame = 0; frame < 300; frame++) {
      scrollBy(0, 60)
      const now = await nextFrame()
      times.push(now - last)
      last = now
    }
    return times
  })
  await context.close()
  const late = frames.filter((ms) => ms > 25).length
  add({
    what: 'explorer: scrolling its list of 10,000 by 3,600 pixels a second',
    ours: `${(1000 / median(frames)).toFixed(0)} frames/s`,
    reference: `p95 ${percentile(frames, 0.95).toFixed(0)} ms a frame, ${late} of ${frames.length} late`,
    ratio: '',
    goal: '60 frames/s',
    met: 1000 / median(frames) >= 59,
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
