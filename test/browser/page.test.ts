import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openNodePage } from '../support/chromium.ts'
import { eventually } from '../support/ggen.ts'
import { hashTree, manyFiles, writePackage } from '../support/packages.ts'
import type { Web } from '../support/web.ts'
import { createWeb, fetchInPage, findInPage } from '../support/web.ts'

let web: Web

beforeAll(async () => {
  web = await createWeb()
})
afterAll(() => web?.dispose())

test('a page that knows only the relay finds, fetches and keeps what a terminal published', async () => {
  const relay = await web.relay()
  const alice = await web.machine(relay, 'alice')
  const folder = await writePackage(
    join(alice.project, 'pkg'),
    { name: 'web-found', description: 'Seen by a page' },
    { 'README.md': '# hi\n', ...manyFiles(40) },
  )
  const published = await alice.json<{ cid: string; publisher: string }>(['p2p', 'publish', folder])
  const context = await web.visitor()
  const page = await openNodePage(context, relay.url)
  expect(await findInPage(page, 'web-found')).toBe(published.cid)
  expect((await fetchInPage(page, 'web-found')).sources).toHaveLength(1)
  // Where to dial the terminal is learnt from the DHT.
  const peers = await page.evaluate(() => window.node.network.peers())
  expect(peers.every(({ relayed }) => !relayed)).toBe(true)
  expect(peers.map(({ transport }) => transport).every((one) => /websocket|webrtc-direct/.test(one))).toBe(true)

  await page.evaluate(() => window.node.stop())
  await page.reload()
  await page.waitForFunction(() => window.ggen !== undefined)
  // The page is loaded; what comes now comes from the browser alone.
  await alice.run(['p2p', 'stop'])
  await relay.kill()
  const kept = await page.evaluate(async () => {
    window.node = await window.ggen.createNode({ relays: [location.origin] })
    await window.node.start()
    const { registry } = window.node
    const { cid, publisher } = await registry.info('web-found', { offline: true })
    const release = (await registry.parts.entries.byPackage('web-found'))[0]!
    const { fetchedBytes, manifest, cid: root } = await registry.content.fetch(release as never, { offline: true })
    const readme = new TextDecoder().decode(await registry.content.file(root, 'README.md'))
    return { cid, publisher, fetchedBytes, readme, files: manifest.files.length }
  })
  const { cid, publisher } = published
  expect(kept).toEqual({ cid, publisher, fetchedBytes: 0, readme: '# hi\n', files: 42 })
  await context.close()
})

test('what a page publishes is found and installed by a terminal, byte for byte, under the page’s key', async () => {
  const relay = await web.relay()
  const context = await web.visitor()
  const page = await openNodePage(context, relay.url)
  const bob = await web.machine(relay, 'bob')
  const published = await page.evaluate(async () => {
    const file = (path: string, content: BlobPart) => ({ path, file: new File([content], path.split('/').at(-1)!) })
    const toml =
      '[package]\nname = "page-made"\nversion = "1.2.3"\ndescription = "Published by a page"\ncategory = "test"\nlicense = "MIT"\n'
    const source = await window.ggen.openPackageFolder([
      file('package.toml', toml),
      file('src/deep/a.txt', 'deep'),
      file('large.bin', new Uint8Array(3_000_000).fill(7)),
      file('node_modules/x/index.js', 'ignored'),
    ])
    return window.node.registry.publish(source)
  })
  expect(published.files).toBe(3)
  expect(published.publisher).toMatch(/^did:key:z6Mk/)
  await eventually('the terminal finds it', async () => {
    const found = await bob.json<{ results: { name: string }[] }>(['marketplace', 'search', 'page-made'])
    return found.results.length > 0
  })
  const { installed } = await bob.json<{ installed: { publisher: string }[] }>(['marketplace', 'install', 'page-made'])
  expect(installed[0]!.publisher).toBe(published.publisher)
  const folder = await writePackage(join(web.dir, 'same'), { name: 'unused' }, {})
  const toml =
    '[package]\nname = "page-made"\nversion = "1.2.3"\ndescription = "Published by a page"\ncategory = "test"\nlicense = "MIT"\n'
  const { writeFile, mkdir } = await import('node:fs/promises')
  await mkdir(join(folder, 'src/deep'), { recursive: true })
  await writeFile(join(folder, 'package.toml'), toml)
  await writeFile(join(folder, 'src/deep/a.txt'), 'deep')
  await writeFile(join(folder, 'large.bin'), new Uint8Array(3_000_000).fill(7))
  expect(await hashTree(join(bob.project, '.ggen/packages/page-made'))).toEqual(await hashTree(folder))
  await context.close()
})

test('what a page published while nobody was there is handed over when a relay comes', async () => {
  const relay = await web.relay()
  const context = await web.visitor()
  const page = await openNodePage(context, relay.url)
  await page.evaluate(() => window.node.stop())
  const home = join(web.dir, 'late-relay')
  const published = await page.evaluate(async () => {
    window.node = await window.ggen.createNode({})
    await window.node.start()
    const toml = '[package]\nname = "made-alone"\nversion = "1.0.0"\ndescription = "Nobody heard"\n'
    const source = await window.ggen.openPackageFolder([
      { path: 'package.toml', file: new File([toml], 'package.toml') },
    ])
    const result = await window.node.registry.publish(source)
    await window.node.stop()
    return result
  })
  const later = await web.relay({ home })
  await page.evaluate(async (url) => {
    window.node = await window.ggen.createNode({ relays: [url] })
    await window.node.start()
  }, later.url)
  const carol = await web.machine(later, 'carol')
  const found = await eventually('a terminal finds it', async () => {
    const { results } = await carol.json<{ results: { name: string; publisher: string }[] }>([
      'marketplace',
      'search',
      'made-alone',
    ])
    return results[0]
  })
  expect(found.publisher).toBe(published.publisher)
  await context.close()
})
