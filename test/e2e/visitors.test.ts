import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright'
import { parse } from 'smol-toml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { look, openExplorer, seedReleases } from '../support/explorer.ts'
import type { Machine } from '../support/ggen.ts'
import { createMachines, eventually } from '../support/ggen.ts'
import { writePackage } from '../support/packages.ts'
import type { RunningRelay } from '../support/relay.ts'
import type { Web } from '../support/web.ts'
import { createWeb } from '../support/web.ts'

/** One green pixel. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPj/HwADAgH/p9R9awAAAABJRU5ErkJggg==',
  'base64',
)

let web: Web
/** Machines that know nobody. */
let lonely: Awaited<ReturnType<typeof createMachines>>
let relay: RunningRelay
let alice: Machine
let first: BrowserContext
let second: BrowserContext
/** Somebody else's web server, and what it was asked for. */
let foreign: Server
let foreignUrl: string
const asked: string[] = []

beforeAll(async () => {
  web = await createWeb()
  lonely = await createMachines()
  relay = await web.relay({ builtInExplorer: true })
  alice = await web.machine(relay, 'alice')
  ;[first, second] = [await web.visitor(), await web.visitor()]
  foreign = createServer((request, response) => {
    asked.push(request.url ?? '')
    const page = `<!doctype html><html lang="en"><title>Somebody’s page</title><script type="module" src="${relay.url}/explorer.js"></script><main>
      <ggen-search relays="${relay.url}" explorer="${relay.url}/"></ggen-search>
      <ggen-package relays="${relay.url}" explorer="${relay.url}/" name="pictures"></ggen-package></main>`
    const isPage = request.url === '/'
    const open = request.url !== '/closed.png'
    response.writeHead(200, {
      'content-type': isPage ? 'text/html' : 'image/png',
      ...(open ? { 'access-control-allow-origin': '*' } : {}),
    })
    response.end(isPage ? page : png)
  })
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve))
  foreignUrl = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`
})
afterAll(async () => {
  foreign?.closeAllConnections()
  foreign?.close()
  await lonely?.dispose()
  await web?.dispose()
})

const open = (context: BrowserContext, path: string): Promise<Page> => openExplorer(context, `${relay.url}/${path}`)
const results = (page: Page) => page.getByRole('list', { name: 'Results' })

test('what a package file leaves out is given in the page; a second browser finds it, keeps it, and the first sees it spread', async () => {
  const folder = join(web.dir, 'sparse')
  await mkdir(folder)
  await writeFile(join(folder, 'package.toml'), '[package]\nname = "sparse-tool"\n')
  const page = await open(first, '#/publish')
  await page.getByLabel('Package folder').setInputFiles(folder)
  await page
    .getByRole('alert')
    .getByText(/no version/)
    .waitFor()
  await page.getByLabel('Version').fill('0.1.0')
  await page.getByLabel('Version').press('Enter')
  await page.getByText('No description: people read it').waitFor()
  await page.getByText('No README').waitFor()
  await page.getByLabel('Description').fill('Given in the page')
  await page.getByLabel('Licence').fill('MIT')
  await page.getByLabel('Keywords').fill('sparse, thin')
  await page.getByLabel('Keywords').press('Enter')
  await page.getByText('No keywords').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('Held by 0 peers').waitFor()

  const other = await open(second, '')
  await other.getByRole('searchbox').fill('thin')
  const link = results(other).getByRole('link', { name: /^sparse-tool/ })
  await link.getByText('Given in the page').waitFor()
  await link.click()
  const verification = other.getByRole('region', { name: 'Verification' })
  await verification.getByText('Verified in this tab').waitFor()
  await other.getByRole('button', { name: 'Keep in this browser' }).click()
  await other.getByText('Kept in this browser; it opens').waitFor()
  await verification.getByText(/: \d blocks?, /).waitFor()
  await page.getByText('Held by 1 peer').waitFor({ timeout: 60_000 })
  await look(page, 'published')

  // The two are connected to each other, and the picture and the table say how.
  await other.getByRole('link', { name: 'Network' }).click()
  const peers = other.getByRole('table', { name: 'Peers' })
  await peers.getByRole('row').filter({ hasText: 'webrtc' }).first().waitFor({ timeout: 60_000 })
  await other.getByText('this tab').first().waitFor()
  await other.getByText(/Well: new packages are heard of/).waitFor()
  expect(await peers.getByRole('row').nth(1).textContent()).toMatch(/\d+ (B|kB|MB)/)

  await look(other, 'network')

  // Pinned, it stays when the rest is cleared; unpinned and removed, it is gone.
  const cache = other.getByRole('region', { name: 'Cache' })
  await cache.getByRole('button', { name: 'Pin sparse-tool' }).click()
  await cache.getByRole('button', { name: 'Unpin sparse-tool' }).waitFor()
  await cache.getByRole('button', { name: 'Clear all' }).click()
  await cache.getByRole('button', { name: 'Unpin sparse-tool' }).click()
  await cache.getByRole('button', { name: 'Remove sparse-tool' }).click()
  await cache.getByText('Nothing yet').waitFor()
  await page.close()
  await other.close()
})

test('a folder without a package file gets one, made of what is given in the page', async () => {
  const folder = join(web.dir, 'bare')
  await mkdir(folder)
  await writeFile(join(folder, 'README.md'), '# Bare\n')
  const page = await open(first, '#/publish')
  const publish = page.getByRole('button', { name: 'Publish' })
  expect(await publish.isDisabled()).toBe(true)
  await page.getByLabel('Package folder').setInputFiles(folder)
  await page
    .getByRole('alert')
    .getByText(/No package file was found/)
    .waitFor()
  await page.getByLabel('Name').fill('bare-tool')
  await page.getByLabel('Version').fill('0.2.0')
  await page.getByLabel('Description').fill('Says "hello"\\ to 日本')
  await page.getByLabel('Keywords').fill('bare, minimal')
  await page.getByLabel('Keywords').press('Enter')
  await page.getByRole('heading', { name: /bare-tool 0\.2\.0: 2 files/ }).waitFor()
  await publish.click()
  await page.getByRole('link', { name: 'bare-tool 0.2.0' }).waitFor()
  await eventually('a terminal installs it', async () => {
    const { exitCode } = await alice.run(['marketplace', 'install', 'bare-tool'])
    return exitCode === 0
  })
  const made = await readFile(join(alice.project, '.ggen/packages/bare-tool/package.toml'), 'utf8')
  expect(parse(made)).toEqual({
    package: {
      name: 'bare-tool',
      version: '0.2.0',
      description: 'Says "hello"\\ to 日本',
      keywords: ['bare', 'minimal'],
    },
  })
  await page.close()
})

test('a dropped folder is shown as what would be published', async () => {
  const folder = await writePackage(join(web.dir, 'dropped'), { name: 'dropped-tool' }, { 'src/a/b.txt': 'deep' })
  const page = await open(first, '#/publish')
  const box = (await page.getByLabel('Package folder').boundingBox())!
  const session = await page.context().newCDPSession(page)
  const drag = async (type: 'dragEnter' | 'dragOver' | 'drop', path: string) =>
    session.send('Input.dispatchDragEvent', {
      type,
      x: box.x + box.width / 2,
      y: box.y - 10,
      data: { items: [], files: [path], dragOperationsMask: 1 },
    })
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await drag(type, folder)
  await page.getByRole('heading', { name: /dropped-tool 1\.0\.0: 2 files/ }).waitFor()
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await drag(type, join(folder, 'package.toml'))
  await page.getByRole('alert').getByText('not one folder').waitFor()
  await page.close()
})

test('a README shows the package’s own pictures, and those of other servers only when the visitor says so', async () => {
  const readme = `# Pictures\n\n![own picture](docs/own.png) ![far picture](${foreignUrl}/far.png)
<img src="${foreignUrl}/closed.png" alt="closed picture"> [the guide](docs/guide.md) [outside](../../etc/passwd)\n`
  const folder = await writePackage(
    join(web.dir, 'pictures'),
    { name: 'pictures' },
    { 'README.md': readme, 'docs/own.png': png, 'docs/guide.md': 'How to use it' },
  )
  await alice.json(['p2p', 'publish', folder])
  const page = await open(first, '')
  await results(page)
    .getByRole('link', { name: /^pictures/ })
    .click()
  const shown = page.getByRole('region', { name: 'README' })
  await shown.getByRole('img', { name: 'own picture' }).waitFor()
  await shown.getByText('[image: far picture]').waitFor()
  expect(asked).toEqual([])
  await look(page, 'pictures')
  await page.getByRole('button', { name: 'Show them' }).click()
  await shown.getByRole('img', { name: 'far picture' }).waitFor()
  await page.getByText('1 did not come').waitFor()
  expect(asked.sort()).toEqual(['/closed.png', '/far.png'])

  // A link within the package opens the file, at an address that can be given to others.
  await shown.getByRole('link', { name: 'the guide' }).click()
  await page.getByRole('region', { name: 'Content of the file' }).getByText('How to use it').waitFor()
  const again = await open(second, new URL(page.url()).hash)
  await again.getByRole('region', { name: 'Content of the file' }).getByText('How to use it').waitFor()
  await page.close()
  await again.close()
})

test('search and package stand in anybody’s page, and lead to the explorer', async () => {
  const visitor = await web.visitor()
  const page = await openExplorer(visitor, `${foreignUrl}/`)
  const link = results(page).getByRole('link', { name: /^pictures/ })
  await link.waitFor()
  expect(await link.getAttribute('href')).toMatch(new RegExp(`^${relay.url}/#/p/did`))
  await page.getByRole('heading', { level: 1, name: 'pictures' }).waitFor()
  await page.getByRole('region', { name: 'Verification' }).getByText('Verified in this tab').waitFor()
  await visitor.close()
})

test('a publisher whose log has forked is shown in red', async () => {
  // The same key on two machines that know nothing of each other signs two entries with one number.
  const machines = [await lonely.add('mallory'), await lonely.add('mallory-again')] as const
  await machines[0].json(['marketplace', 'key', 'export', join(web.dir, 'mallory.json')])
  await machines[1].json(['marketplace', 'key', 'import', join(web.dir, 'mallory.json')])
  for (const [index, machine] of machines.entries()) {
    const folder = await writePackage(join(web.dir, `fork-${index}`), { name: 'forked-tool', version: `1.${index}.0` })
    await machine.start()
    await machine.json(['p2p', 'publish', folder])
    await machine.json(['p2p', 'stop'])
  }
  for (const machine of machines) {
    // With an address that a page can reach.
    await machine.start(['--bootstrap', relay.address('tcp'), '--listen', '/ip4/127.0.0.1/tcp/0/ws'])
    await eventually('it is connected', async () => {
      const { peers } = await machine.json<{ peers: { connected: number } }>(['p2p', 'status'])
      return peers.connected > 0
    })
  }
  const page = await open(first, '')
  await page.getByRole('searchbox').fill('forked')
  await results(page)
    .getByRole('link', { name: /^forked-tool/ })
    .click()
  const verification = page.getByRole('region', { name: 'Verification' })
  await eventually('the fork shows', async () => {
    await page.reload()
    await verification
      .getByText(/erified/)
      .first()
      .waitFor()
    return (await verification.textContent())?.includes('has forked at entry')
  })
  await verification.getByText('Not verified').waitFor()
  expect(await verification.textContent()).not.toContain('Verified in this tab')
  await look(page, 'forked')
  await page.close()
})

test('settings: a publisher is named and blocked, a key moves to another browser, mistakes are answered', async () => {
  const page = await open(first, '')
  await results(page)
    .getByRole('link', { name: /^pictures/ })
    .click()
  await page.getByRole('link', { name: 'Name or block this publisher' }).click()
  await page.getByLabel('Your name for it').fill('alice-at-work')
  await page.getByRole('button', { name: 'Trust' }).click()
  await page.getByText('Saved.').waitFor()
  await page.getByRole('link', { name: 'Search' }).click()
  await results(page)
    .getByRole('link', { name: /^pictures/ })
    .getByText('by alice-at-work')
    .waitFor()
  await page
    .getByLabel('publisher', { exact: true })
    .locator('option', { hasText: 'alice-at-work' })
    .waitFor({ state: 'attached' })

  await page.goBack()
  await page.getByRole('button', { name: 'Block' }).click()
  await page.getByText('blocked').waitFor()
  await page.getByRole('link', { name: 'Search' }).click()
  await results(page)
    .getByRole('link', { name: /^sparse-tool/ })
    .waitFor()
  await eventually('it is gone', async () => (await results(page).getByText('pictures').count()) === 0)
  await page.goBack()
  await page.getByRole('button', { name: 'Forget' }).click()
  await page.getByText('blocked').waitFor({ state: 'detached' })

  const publisher = await page.getByText('You publish as').locator('.mono').first().textContent()
  await page.getByLabel('Passphrase').fill('correct horse battery')
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export' }).click(),
  ])
  const file = (await download.path())!
  expect(await readFile(file, 'utf8')).not.toContain('correct horse')
  const other = await open(await web.visitor(), '#/settings')
  await other.getByText('You publish as').waitFor()
  await other.getByLabel('Key file').setInputFiles(file)
  await other.getByLabel('Passphrase').fill('not the passphrase')
  await other.getByRole('button', { name: 'Import' }).click()
  await other.getByRole('alert').waitFor()
  await other.getByLabel('Passphrase').fill('correct horse battery')
  await other.getByRole('button', { name: 'Import' }).click()
  await other.getByText(`this browser now publishes as ${publisher}`).waitFor()
  await eventually('the key is the same publisher’s', async () => {
    await other.reload()
    return (await other.getByText('You publish as').locator('.mono').first().textContent()) === publisher
  })

  await other.getByLabel(/Bootstrap nodes/).fill('nonsense')
  await other.getByRole('button', { name: 'Save and reconnect' }).click()
  await other
    .getByRole('alert')
    .getByText(/not a multiaddr/)
    .waitFor()
  await other.getByLabel(/Bootstrap nodes/).fill(relay.address('ws'))
  await Promise.all([other.waitForEvent('load'), other.getByRole('button', { name: 'Save and reconnect' }).click()])
  await other.getByLabel('Most that is kept of packages').fill('0')
  await other.getByRole('button', { name: 'Save', exact: true }).click()
  await other
    .getByRole('alert')
    .getByText(/max_cache_size/)
    .waitFor()
  await other.getByLabel('Most that is kept of packages').fill('7')
  await Promise.all([other.waitForEvent('load'), other.getByRole('button', { name: 'Save', exact: true }).click()])
  await other.getByText(/of 7\.\d MB/).waitFor()
  await page.close()
  await other.close()
})

test('a list of thousands is narrowed by facets, ordered, and scrolled to its end with few rows in the page', async () => {
  const visitor = await web.visitor()
  await seedReleases(visitor, relay.url, 1_500)
  const page = await open(visitor, '')
  await page.getByText(/^15\d\d packages/).waitFor()
  await page.getByLabel('Order').selectOption('name')
  await results(page)
    .getByRole('link', { name: /^alpha-delta-00000/ })
    .waitFor()
  await eventually('the last one shows', async () => {
    await page.keyboard.press('End')
    return (
      (await results(page)
        .getByRole('link', { name: /^tool-/ })
        .count()) > 0 &&
      (await page.evaluate(() => innerHeight + scrollY >= document.documentElement.scrollHeight - 1)) &&
      (await results(page).getByRole('listitem').last().getAttribute('aria-posinset')) ===
        (await results(page).getByRole('listitem').last().getAttribute('aria-setsize'))
    )
  })
  expect(await results(page).getByRole('listitem').count()).toBeLessThan(100)
  await page.getByLabel('licence').selectOption('Apache-2.0')
  await page.getByText(/^750 packages/).waitFor()
  await page.getByLabel('category', { exact: true }).selectOption({ index: 1 })
  await page.getByText(/^(75|150) packages/).waitFor()
  await page.getByRole('searchbox').fill('no such thing at all')
  await page.getByText(/No package fits/).waitFor()
  await visitor.close()
})

test('the page can be installed', async () => {
  const page = await open(first, '')
  await page.evaluate(() => navigator.serviceWorker.ready)
  const session = await page.context().newCDPSession(page)
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors')
  // A test's browser profile is one.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).toEqual([])
  await page.close()
})
