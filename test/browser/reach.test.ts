import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openNodePage } from '../support/chromium.ts'
import { eventually } from '../support/ggen.ts'
import type { Web } from '../support/web.ts'
import { createWeb, fetchInPage, findInPage, isReachable, peerIdOf, peerOf, publishFromPage } from '../support/web.ts'

let web: Web

beforeAll(async () => {
  web = await createWeb()
})
afterAll(() => web?.dispose())

const MB = 1_000_000

test('a page fetches from a page over WebRTC; the relay carries only signalling, and its death does not end the transfer', async () => {
  const relay = await web.relay()
  const [first, second] = [await web.visitor(), await web.visitor()]
  const pageA = await openNodePage(first, relay.url)
  await isReachable(pageA, relay.peerId)
  await publishFromPage(pageA, 'page-to-page', 60 * MB)
  const pageB = await openNodePage(second, relay.url)
  await findInPage(pageB, 'page-to-page')

  const transfer = pageB.evaluate(async () => {
    const { registry } = window.node
    await registry.info('page-to-page')
    const release = (await registry.parts.entries.byPackage('page-to-page'))[0]!
    const seen = window as unknown as { receivedBytes: number }
    seen.receivedBytes = 0
    const { fetchedBytes, sources } = await registry.content.fetch(release as never, {
      onProgress: (event) => {
        if (event.type === 'block:received') seen.receivedBytes += event.bytes
      },
    })
    return { fetchedBytes, sources }
  })
  await eventually('some of it has come', () =>
    pageB.evaluate(() => (window as unknown as { receivedBytes?: number }).receivedBytes! > 1_000_000),
  )
  const relayedBytes = await relay.metric('ggen_relay_relayed_bytes_total')
  await relay.kill()
  const { fetchedBytes, sources } = await transfer
  expect(fetchedBytes).toBeGreaterThan(60 * MB)
  expect(sources).toEqual([await peerIdOf(pageA)])
  expect(relayedBytes).toBeGreaterThan(0)
  expect(relayedBytes).toBeLessThan(100_000)
  expect(await peerOf(pageB, await peerIdOf(pageA))).toMatchObject({ transport: 'webrtc', relayed: false })
  await Promise.all([first.close(), second.close()])
})

test('after a relay is killed and started again every client holds a reservation again, and a new page reaches an old one', async () => {
  const home = join(web.dir, 'restarted')
  const relay = await web.relay({ home })
  const context = await web.visitor()
  const old = await openNodePage(context, relay.url)
  const behindNat = await web.machine(relay, 'behind-nat')
  await behindNat.run(['p2p', 'stop'])
  await behindNat.start(['--bootstrap', relay.address('tcp'), '--relay', relay.address('tcp')])
  await isReachable(old, relay.peerId)
  await publishFromPage(old, 'from-the-old-page', 1 * MB)
  await eventually('both hold a reservation', async () => (await relay.metric('ggen_relay_reservations')) === 2)

  await relay.kill()
  await eventually('the page knows', () =>
    old.evaluate(() => window.node.network.addresses().every((address) => !address.includes('p2p-circuit'))),
  )
  const again = await web.relay({ home, httpPort: Number(new URL(relay.url).port) })
  expect(again.peerId).toBe(relay.peerId)
  await eventually('both hold a reservation again', async () => (await again.metric('ggen_relay_reservations')) === 2)
  await isReachable(old, relay.peerId)

  const other = await web.visitor()
  const fresh = await openNodePage(other, again.url)
  await findInPage(fresh, 'from-the-old-page')
  // The old page may still be telling where it is reached now.
  const { sources } = await eventually('the new page fetches from the old one', () =>
    fetchInPage(fresh, 'from-the-old-page'),
  )
  expect(sources).toEqual([await peerIdOf(old)])
  await Promise.all([context.close(), other.close()])
})

test('a page that learns of a second relay keeps a reservation on both', async () => {
  const second = await web.relay()
  const first = await web.relay({ args: ['--set', `relays=${second.url}`] })
  const context = await web.visitor()
  const page = await openNodePage(context, first.url)
  await isReachable(page, first.peerId)
  await isReachable(page, second.peerId)
  await context.close()
})

test('a reservation is renewed before its time is over', async () => {
  const relay = await web.relay({ args: ['--set', 'limits.reservation_ttl=60'] })
  const context = await web.visitor()
  const page = await openNodePage(context, relay.url)
  await isReachable(page, relay.peerId)
  // Not before the first one's time is over does it show whether there is a second.
  await new Promise((resolve) => setTimeout(resolve, 62_000))
  await isReachable(page, relay.peerId)
  expect(await relay.metric('ggen_relay_reservations')).toBe(1)
  await context.close()
})

test('with a certificate the relay serves its page over HTTPS and is dialled over WSS', async () => {
  const tls = join(import.meta.dirname, '../fixtures/tls')
  const config = join(web.dir, 'tls.toml')
  await writeFile(config, `[tls]\nkey = "${join(tls, 'key.pem')}"\ncert = "${join(tls, 'cert.pem')}"\n`)
  // Only WSS is left to dial.
  const relay = await web.relay({
    args: ['--config', config],
    listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/wss'],
  })
  expect(relay.url).toMatch(/^https:/)
  // The certificate is signed by nobody.
  const context = await web.visitor({ ignoreHTTPSErrors: true })
  const page = await openNodePage(context, relay.url)
  await isReachable(page, relay.peerId)
  expect(await peerOf(page, relay.peerId)).toMatchObject({
    transport: 'websocket',
    address: expect.stringMatching(/wss|tls\/ws/),
  })
  await context.close()
})
