import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { look, openExplorer } from '../support/explorer.ts'
import type { Machine } from '../support/ggen.ts'
import { eventually } from '../support/ggen.ts'
import { manyFiles, writePackage } from '../support/packages.ts'
import type { RunningRelay } from '../support/relay.ts'
import type { Web } from '../support/web.ts'
import { createWeb } from '../support/web.ts'

let web: Web
let relay: RunningRelay
let alice: Machine
let context: BrowserContext
const requests: string[] = []

beforeAll(async () => {
  web = await createWeb()
  relay = await web.relay({ builtInExplorer: true })
  alice = await web.machine(relay, 'alice')
  await alice.json([
    'p2p',
    'publish',
    await writePackage(
      join(web.dir, 'friendly'),
      { name: 'friendly-tool', description: 'Says hello', keywords: ['hello'], category: 'tools' },
      { 'README.md': '# Friendly\n\nIt **greets**.\n\n```\nhello\n```\n', 'src/a.txt': 'first file\n' },
    ),
  ])
  await alice.json(['p2p', 'publish', await hostilePackage()])
  context = await web.visitor()
  context.on('request', (request) => void requests.push(request.url()))
})
afterAll(() => web?.dispose())

async function hostilePackage(): Promise<string> {
  const readme = `# Hostile <img src=x onerror="window.hacked=1">

<script>window.hacked = 1</script>
<svg onload="window.hacked=1"></svg><iframe src="https://evil.example/"></iframe>
<style>* { display: none }</style><div style="position:fixed;inset:0;z-index:9999;background:red">cover</div>
<form action="https://evil.example/"><button>go</button></form>
[click](javascript:window.hacked=1) [data](data:text/html,<script>window.hacked=1</script>)
![tracker](https://evil.example/pixel.png) <img src="https://evil.example/2.png">
<a href="#/settings" onclick="window.hacked=1">inside</a>
${'Many words that make it long. '.repeat(2000)}
`
  return writePackage(
    join(web.dir, 'hostile'),
    {
      name: 'hostile-tool',
      description: 'Evil \u202e description <b onmouseover=window.hacked=1>bold</b>',
      category: 'tools',
    },
    {
      'README.md': readme,
      "a&lt;img onerror=window.hacked=1 '.txt": 'markup in a name',
      'bin.dat': new Uint8Array([0, 1, 2, 3]),
    },
  )
}

const open = (path: string, from = context): Promise<Page> => openExplorer(from, `${relay.url}/${path}`)

test('search as you type, by keyboard, to a verified package and its files', async () => {
  const page = await open('')
  const results = page.getByRole('list', { name: 'Results' })
  await results.getByRole('link').first().waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('friendly')
  const link = results.getByRole('link', { name: /^friendly-tool/ })
  await link.waitFor()
  await eventually('only what matches', async () => (await results.getByRole('link').count()) === 1)
  await look(page, 'search')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'friendly-tool' }).waitFor()
  expect(page.url()).toContain('#/p/did%3Akey%3A')
  const verification = page.getByRole('region', { name: 'Verification' })
  await verification.getByText('Verified in this tab').waitFor()
  await page.getByRole('region', { name: 'README' }).getByText('greets').waitFor()
  const tree = page.getByRole('tree', { name: 'Files' })
  await tree.getByRole('treeitem').first().focus()
  await page.keyboard.press('End')
  await page.keyboard.press('Enter')
  await page.getByText('first file').waitFor()
  await look(page, 'package')
  await page.close()
})

test('a package’s archive is made in the page, and kept for when there is no network', async () => {
  const page = await open('')
  await page.getByRole('link', { name: /^friendly-tool/ }).click()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: /Download/ }).click(),
  ])
  expect(download.suggestedFilename()).toBe('friendly-tool-1.0.0.tar.gz')
  const { spawnSync } = await import('node:child_process')
  const listed = spawnSync('tar', ['tzf', (await download.path())!], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n')
    .sort()
  expect(listed).toEqual([
    'friendly-tool-1.0.0/README.md',
    'friendly-tool-1.0.0/package.toml',
    'friendly-tool-1.0.0/src/a.txt',
  ])
  await page.close()
})

test('a hostile package does nothing, loads nothing and leaves the page usable', async () => {
  const page = await open('')
  await page.getByRole('link', { name: /^hostile-tool/ }).click()
  const readme = page.getByRole('region', { name: 'README' })
  await readme.getByText('Many words').waitFor()
  await page
    .getByRole('treeitem', { name: /onerror/ })
    .first()
    .click()
  await page.getByText('markup in a name').waitFor()
  expect(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked)).toBeUndefined()
  const left = await readme.evaluate((element) => ({
    elements: [...element.querySelectorAll('script, iframe, img, svg, style, form, button, link, object')].length,
    attributes: [...element.querySelectorAll('*')]
      .flatMap(({ attributes }) => [...attributes].map(({ name, value }) => `${name}=${value}`))
      .filter((attribute) => /^(on|style|class|id|src)|javascript:|data:/i.test(attribute)),
  }))
  expect(left).toEqual({ elements: 0, attributes: [] })
  expect(requests.filter((url) => url.includes('evil.example'))).toEqual([])
  await page.getByRole('link', { name: 'Network' }).click()
  await page.getByRole('table', { name: 'Peers' }).waitFor()
  await look(page, 'network-alone')
  await page.close()
})

test('a folder is shown, published with the page’s key, and found by a terminal', async () => {
  const folder = await writePackage(
    join(web.dir, 'from-page'),
    { name: 'from-the-page' },
    { 'README.md': '# Page\n', 'node_modules/x.js': 'x' },
  )
  const page = await open('#/publish')
  await page.getByLabel('Package folder').setInputFiles(folder)
  await page.getByRole('button', { name: 'Publish' }).waitFor()
  await page.getByText('Left out: 1').waitFor()
  await look(page, 'publish')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByRole('link', { name: 'from-the-page 1.0.0' }).waitFor()
  await eventually('a terminal finds it', async () => {
    const { results } = await alice.json<{ results: { name: string }[] }>(['marketplace', 'search', 'from-the-page'])
    return results.length > 0
  })
  await alice.json(['marketplace', 'install', 'from-the-page'])
  await page.getByText(/Held by 1 peer/).waitFor({ timeout: 60_000 })
  await page.close()
})

test('settings: the theme, a petname, and mistakes that are answered', async () => {
  const page = await open('#/settings')
  await page.getByText('You publish as').waitFor()
  await look(page, 'settings')
  await page.getByLabel('Theme').selectOption('dark')
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('dark')
  await page.getByLabel('Passphrase').fill('short')
  await page.getByRole('button', { name: 'Export' }).click()
  await page
    .getByRole('alert')
    .getByText(/at least 10/)
    .waitFor()
  await page.getByLabel('Theme').selectOption('light dark')
  await page.close()
  const missing = await open('#/p/-/no-such-package/1.0.0')
  await missing
    .getByRole('alert')
    .getByText(/No package is known/)
    .waitFor()
  await missing.close()
})

test('two versions are compared, file by file and line by line; dependencies show both ways', async () => {
  const dir = await writePackage(
    join(web.dir, 'v2'),
    { name: 'friendly-tool', version: '1.1.0', category: 'tools' },
    {
      'README.md': '# Friendly\n\nIt greets everybody.\n',
      'src/a.txt': 'first file\nsecond line\n',
      'src/new.rs': 'fn main() {}\n',
    },
  )
  await alice.json(['p2p', 'publish', dir])
  const needing = await writePackage(join(web.dir, 'needing'), { name: 'needing-tool' }, {})
  const toml = `${await readFile(join(needing, 'package.toml'), 'utf8')}\n[ggen-dependencies]\nfriendly-tool = "^1.0"\n`
  await writeFile(join(needing, 'package.toml'), toml)
  await alice.json(['p2p', 'publish', needing])
  const page = await open('')
  await page.getByRole('link', { name: /^needing-tool/ }).waitFor()
  await page.getByRole('link', { name: /^friendly-tool 1\.1\.0/ }).click()
  await page.getByRole('region', { name: 'Dependencies' }).getByRole('link', { name: 'needing-tool' }).waitFor()
  await page.getByLabel('What changed since').selectOption({ label: '1.0.0' })
  const changes = page.getByRole('region', { name: 'Changes' })
  await changes.getByText('added src/new.rs').waitFor()
  await changes
    .getByRole('listitem')
    .filter({ hasText: 'src/a.txt' })
    .getByRole('button', { name: 'Show lines' })
    .click()
  await changes.getByText('+second line').waitFor()
  await page.getByRole('treeitem', { name: /new\.rs/ }).click()
  await page.locator('.hljs-keyword').first().waitFor()
  await look(page, 'versions')
  await page.close()
})

test('a README of 5 MB and 5,000 files leave the page usable', async () => {
  const dir = await writePackage(
    join(web.dir, 'huge'),
    { name: 'huge-tool' },
    { 'README.md': `# Huge\n\n${'Word and **word**. '.repeat(280_000)}`, ...manyFiles(5_000, 20) },
  )
  await alice.json(['p2p', 'publish', dir])
  const page = await open('')
  await page.getByRole('link', { name: /^huge-tool/ }).click()
  await page.getByRole('region', { name: 'README' }).getByText('Word and').waitFor()
  await page.getByText('5002 files').waitFor()
  await page.getByRole('treeitem', { name: /templates/ }).click()
  await page.getByRole('treeitem', { name: /part-0/ }).click()
  await page.getByRole('treeitem', { name: /file-0\.tmpl/ }).waitFor()
  await page.getByRole('link', { name: 'Search' }).click()
  await page.getByRole('searchbox').fill('huge')
  await page.getByRole('link', { name: /^huge-tool/ }).waitFor()
  await page.close()
})

test('ggen p2p explorer serves the same page, which joins through the local node', async () => {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../bin/ggen.js'), 'p2p', 'explorer', '--no-open', '--json', '--port', '0'],
    {
      env: { ...process.env, GGEN_HOME: alice.home },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  const ended = new Promise((resolve) => child.once('close', resolve))
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  await eventually('it says where', async () => printed.includes('}'))
  const { url } = JSON.parse(printed) as { url: string }
  const visitor = await web.visitor()
  const page = await visitor.newPage()
  await page.goto(url)
  await page.getByRole('link', { name: /^hostile-tool/ }).waitFor()
  await visitor.close()
  child.kill('SIGINT')
  expect(await ended).toBe(130)
})

test('nothing was asked of anybody but the relay', () => {
  expect(
    requests.filter((url) => !url.startsWith(relay.url) && !url.startsWith('blob:') && !url.startsWith('data:')),
  ).toEqual([])
})

test('without a relay the explorer opens again, with what it has kept', async () => {
  const page = await open('')
  await page.getByRole('link', { name: /^friendly-tool/ }).click()
  await page.getByRole('button', { name: 'Keep in this browser' }).click()
  await page.getByText('Kept in this browser; it opens').waitFor()
  await page.evaluate(() => navigator.serviceWorker.ready)
  await eventually('the page is kept', () =>
    page.evaluate(async () => (await caches.match('explorer.js')) !== undefined),
  )
  await alice.run(['p2p', 'stop'])
  await relay.kill()
  await page.reload()
  await page.getByRole('region', { name: 'Verification' }).getByText('Verified in this tab').waitFor()
  await page.getByRole('region', { name: 'README' }).getByText('greets').waitFor()

  // Somebody, or the disk, changes a block that is kept here: nobody is there to give the right one.
  await page.evaluate(async () => {
    const request = indexedDB.open('ggen-blocks')
    const db = await new Promise<IDBDatabase>((resolve) => {
      request.onsuccess = () => resolve(request.result)
    })
    const store = db.transaction('items', 'readwrite').objectStore('items')
    const done = (work: IDBRequest) => new Promise<unknown>((resolve) => (work.onsuccess = () => resolve(work.result)))
    for (const key of (await done(store.getAllKeys())) as string[]) {
      const bytes = (await done(store.get(key))) as Uint8Array
      if (new TextDecoder().decode(bytes).startsWith('first file')) {
        bytes[0] = 0x46
        await done(store.put(bytes, key))
      }
    }
    db.close()
  })
  await page.reload()
  const verification = page.getByRole('region', { name: 'Verification' })
  await verification.getByText('Not verified').waitFor()
  expect(await verification.textContent()).not.toContain('Verified in this tab')
  await look(page, 'not-verified')
  await page.close()
})
