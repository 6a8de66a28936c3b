import { spawn } from 'node:child_process'
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openChromium, openVisitor } from '../support/chromium.ts'
import { openExplorer } from '../support/explorer.ts'
import type { Machine } from '../support/ggen.ts'
import { createMachines, eventually } from '../support/ggen.ts'
import { writePackage } from '../support/packages.ts'
import type { RunningRelay } from '../support/relay.ts'
import type { SlowProxy } from '../support/slow-proxy.ts'
import { startSlowProxy } from '../support/slow-proxy.ts'
import type { Web } from '../support/web.ts'
import { createWeb } from '../support/web.ts'

/** What the explorer's page is around its elements: files, worker, theme, policy, and how it is used elsewhere. */
const root = join(import.meta.dirname, '..', '..')

let web: Web
let relay: RunningRelay
let alice: Machine

beforeAll(async () => {
  web = await createWeb()
  relay = await web.relay({ builtInExplorer: true })
  alice = await web.machine(relay, 'alice')
  const files = { 'README.md': '# Shell\n\nIt **opens**.\n', 'src/main.rs': 'fn main() {}\n' }
  await alice.json(['p2p', 'publish', await writePackage(join(web.dir, 'shell'), { name: 'shell-tool' }, files)])
})
afterAll(() => web?.dispose())

const results = (page: Page) => page.getByRole('list', { name: 'Results' })
const shellTool = (page: Page) => results(page).getByRole('link', { name: /^shell-tool/ })

async function untilKept(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready)
  await eventually('the page is kept', () =>
    page.evaluate(async () => (await caches.match('explorer.js')) !== undefined),
  )
}

/** Marks of the versions of two kept files, which belong together. */
function keptVersions(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const cache = await caches.open('ggen-explorer')
    return Promise.all(
      ['./', 'page.css'].map(
        async (file) => /version-\d/.exec((await (await cache.match(file))?.text()) ?? '')?.[0] ?? '',
      ),
    )
  })
}

const shownVersion = (page: Page): Promise<string> =>
  page.evaluate(() => /version-\d/.exec(document.documentElement.outerHTML)?.[0] ?? '')

/** A folder with the explorer's files as a later build would have them. */
async function writeVersion(site: string, version: number): Promise<void> {
  const from = join(root, 'dist', 'explorer')
  await mkdir(site, { recursive: true })
  await cp(from, site, { recursive: true })
  const html = await readFile(join(from, 'index.html'), 'utf8')
  await writeFile(
    join(site, 'index.html'),
    html.replace('<title>', `<meta name="build" content="version-${version}"><title>`),
  )
  await writeFile(join(site, 'page.css'), `${await readFile(join(from, 'page.css'), 'utf8')}/* version-${version} */`)
}

test('with a network that accepts and never answers, the page opens soon with what is kept; what comes later is kept whole', async () => {
  const site = join(web.dir, 'versions')
  await writeVersion(site, 1)
  const own = await web.relay({ explorer: site })
  const proxy: SlowProxy = await startSlowProxy(own.url)
  try {
    const visitor = await web.visitor()
    const page = await openExplorer(visitor, `${proxy.url}/`)
    await untilKept(page)
    expect(await keptVersions(page)).toEqual(['version-1', 'version-1'])

    await writeVersion(site, 2)
    proxy.hold(() => true)
    const startedMs = performance.now()
    await page.reload({ waitUntil: 'domcontentloaded' })
    await page.getByRole('searchbox').waitFor()
    // A wait of 2.5 s for the network, once, not for each file.
    expect(performance.now() - startedMs).toBeLessThan(8_000)
    expect(await shownVersion(page)).toBe('version-1')

    proxy.release()
    await eventually('the newest is kept', async () => (await keptVersions(page)).join() === 'version-2,version-2')

    // A version of which one file does not come is not shown in parts, nor kept.
    await writeVersion(site, 3)
    proxy.hold((path) => path.startsWith('/explorer.js'))
    await page.reload()
    await page.getByRole('searchbox').waitFor()
    expect(await shownVersion(page)).toBe('version-2')
    expect(await keptVersions(page)).toEqual(['version-2', 'version-2'])
    proxy.release()

    // While the network answers, the newest shows at the first visit.
    await writeVersion(site, 4)
    await page.reload()
    await page.getByRole('searchbox').waitFor()
    expect(await shownVersion(page)).toBe('version-4')

    // What is another site by now is not hidden behind what was.
    await writeVersion(site, 5)
    await rm(join(site, 'theme.js'))
    await page.reload()
    await page.getByRole('searchbox').waitFor()
    expect(await shownVersion(page)).toBe('version-5')
    await visitor.close()
  } finally {
    await proxy.close()
    await own.kill()
  }
})

test('a file that has not changed is not sent again', async () => {
  const first = await fetch(`${relay.url}/explorer.js`)
  expect((await first.arrayBuffer()).byteLength).toBeGreaterThan(1_000_000)
  const etag = first.headers.get('etag')!
  const again = await fetch(`${relay.url}/explorer.js`, { headers: { 'if-none-match': etag } })
  expect(again.status).toBe(304)
})

test('the script comes compressed where the browser takes it so, and is the same', async () => {
  const url = `${relay.url}/explorer.js`
  const ask = async (encoding: string) => fetch(url, { headers: { 'accept-encoding': encoding } })
  const plain = await ask('identity')
  expect(plain.headers.get('content-encoding')).toBeNull()
  const text = await plain.text()
  for (const encoding of ['br', 'gzip']) {
    const response = await ask(encoding)
    expect(response.headers.get('content-encoding')).toBe(encoding)
    expect(response.headers.get('vary')).toMatch(/accept-encoding/i)
    // `fetch` unpacks it.
    expect((await response.text()) === text).toBe(true)
  }
})

test('a chosen theme is there at the first paint, before the explorer’s script', async () => {
  const proxy = await startSlowProxy(relay.url)
  const visitor = await web.visitor({ colorScheme: 'light', serviceWorkers: 'block' })
  try {
    const page = await openExplorer(visitor, `${proxy.url}/#/settings`)
    await page.getByLabel('Theme').selectOption('dark')
    proxy.hold((path) => path.startsWith('/explorer.js'))
    await page.reload({ waitUntil: 'commit' })
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0)
    expect(await page.evaluate(() => customElements.get('ggen-explorer') === undefined)).toBe(true)
    const { colorScheme, backgroundColor } = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement)
      return { colorScheme: style.colorScheme, backgroundColor: style.backgroundColor }
    })
    expect({ colorScheme, backgroundColor }).toEqual({ colorScheme: 'dark', backgroundColor: 'rgb(18, 22, 29)' })
    proxy.release()
    await page.getByLabel('Theme').selectOption('light dark')
    await page.reload()
    await page.getByLabel('Theme').waitFor()
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('light dark')
  } finally {
    await visitor.close()
    await proxy.close()
  }
})

test('the policy refuses nothing that any page does, and other policies for markup', async () => {
  const visitor = await web.visitor()
  const refused: string[] = []
  await visitor.exposeFunction('tellRefused', (what: string) => refused.push(what))
  await visitor.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
      (window as unknown as { tellRefused(what: string): void }).tellRefused(
        `${violatedDirective}: ${blockedURI} ${sample}`,
      ),
    )
  })
  const page = await openExplorer(visitor, `${relay.url}/`)
  await shellTool(page).click()
  await page.getByRole('region', { name: 'README' }).getByText('opens').waitFor()
  await page.getByRole('treeitem', { name: /main\.rs/ }).click()
  await page.locator('.hljs-keyword').first().waitFor()
  for (const [link, heading] of [
    ['Publish', 'Publish'],
    ['Network', 'Network'],
    ['Settings', 'Settings'],
  ] as const) {
    await page.getByRole('link', { name: link, exact: true }).click()
    await page.getByRole('heading', { level: 1, name: heading }).waitFor()
  }
  await page.getByText('You publish as').waitFor()
  await untilKept(page)
  expect(refused).toEqual([])
  const outcome = await page.evaluate(() => {
    const { trustedTypes } = window as unknown as { trustedTypes: { createPolicy(name: string, rules: object): void } }
    try {
      trustedTypes.createPolicy('another', {})
      return 'allowed'
    } catch {
      return 'refused'
    }
  })
  expect(outcome).toBe('refused')
  await eventually('it is told', async () => refused.length > 0)
  await visitor.close()
})

test('in somebody else’s page the elements come twice without harm, and no worker of that site is asked for', async () => {
  const asked: string[] = []
  const foreign: Server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(request.url === '/' ? 200 : 404, { 'content-type': 'text/html' })
    response.end(`<!doctype html><html lang="en"><title>Somebody’s page</title><link rel="icon" href="data:,">
      <script type="module" src="${relay.url}/explorer.js"></script>
      <script type="module" src="${relay.url}/explorer.js?again"></script>
      <script type="module">window.loaded = true</script>
      <ggen-explorer relays="${relay.url}"></ggen-explorer>`)
  })
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve))
  const visitor = await web.visitor()
  try {
    const page = await visitor.newPage()
    const errors: string[] = []
    page.on('pageerror', ({ message }) => errors.push(message))
    await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`)
    await shellTool(page).waitFor()
    await page.waitForFunction(() => (window as unknown as { loaded?: boolean }).loaded)
    expect(errors).toEqual([])
    expect(asked).toEqual(['/'])
    expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0)
  } finally {
    await visitor.close()
    foreign.closeAllConnections()
    foreign.close()
  }
})

test('a bundler keeps the elements of ggen-p2p/explorer, and TypeScript knows them', async () => {
  const project = join(web.dir, 'bundled')
  await mkdir(join(project, 'node_modules'), { recursive: true })
  await symlink(root, join(project, 'node_modules', 'ggen-p2p'))
  await writeFile(join(project, 'package.json'), '{ "type": "module" }')
  await writeFile(
    join(project, 'main.ts'),
    `import 'ggen-p2p/explorer'
const search = document.createElement('ggen-search')
search.query = 'rest api'
search.relays = search.explorer = 'https://relay.example/'
const shown = document.querySelector('ggen-package')
if (shown) shown.version = ''
document.createElement('ggen-explorer').relays = ''
// @ts-expect-error It is a text.
search.query = 1
`,
  )
  const bundle = await rolldown({ cwd: project, input: 'main.ts', platform: 'browser', logLevel: 'silent' })
  const { output } = await bundle.generate({ format: 'es' })
  await bundle.close()
  expect(output[0].code).toContain('ggen-package')
  const compiler = join(root, 'node_modules', '.bin', 'tsc')
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--lib', 'es2024,dom', '--types', '', 'main.ts']
  const { exitCode, told } = await run(compiler, options, project)
  expect({ exitCode, told }).toEqual({ exitCode: 0, told: '' })
})

function run(command: string, args: string[], cwd: string): Promise<{ exitCode: number | null; told: string }> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  let told = ''
  child.stdout.on('data', (chunk) => {
    told += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, told }))
  })
}

test('the page of ggen p2p explorer gets a place on the relay that the local node uses', async () => {
  const machines = await createMachines()
  const bob = await machines.add('bob')
  const visitor = await web.visitor()
  const args = ['p2p', 'explorer', '--no-open', '--json', '--port', '0']
  try {
    await bob.start([
      ...['--bootstrap', relay.address('tcp'), '--relay', relay.address('tcp')],
      ...['--listen', '/ip4/127.0.0.1/tcp/0', '--listen', '/ip4/127.0.0.1/tcp/0/ws'],
    ])
    await eventually('bob has a place', async () => {
      const { addresses } = await bob.json<{ addresses: string[] }>(['p2p', 'status'])
      return addresses.some((address) => address.includes('/p2p-circuit'))
    })
    const child = spawn(process.execPath, [join(root, 'bin', 'ggen.js'), ...args], {
      env: { ...process.env, GGEN_HOME: bob.home },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const ended = new Promise((resolve) => child.once('close', resolve))
    try {
      let printed = ''
      child.stdout.on('data', (chunk) => {
        printed += chunk
      })
      await eventually('it says where', async () => printed.includes('}'))
      const { url } = JSON.parse(printed) as { url: string }
      const document = (await (await fetch(new URL('/.well-known/ggen-p2p.json', url))).json()) as {
        addresses: string[]
        relays: string[]
      }
      expect(document.relays.length).toBe(1)
      expect(document.relays[0]).toContain(relay.peerId)
      expect(document.addresses.filter((address) => address.includes('p2p-circuit'))).toEqual([])
      const page = await openExplorer(visitor, `${url}#/network`)
      await page.getByText('Others can reach this tab.').waitFor({ timeout: 60_000 })
      expect(await page.getByRole('region', { name: 'This node' }).textContent()).toContain(
        `${relay.peerId}/p2p-circuit/webrtc`,
      )
    } finally {
      child.kill('SIGINT')
      await ended
    }
  } finally {
    await visitor.close()
    await machines.dispose()
  }
})

test('over plain http from another machine, the pages say why nothing works', async () => {
  const browser = await openChromium(['--host-resolver-rules=MAP relay.test 127.0.0.1'])
  try {
    const visitor = await openVisitor(browser)
    const site = relay.url.replace('127.0.0.1', 'relay.test')
    for (const path of ['#/', '#/p/-/shell-tool/1.0.0', '#/publish', '#/network', '#/settings']) {
      const page = await visitor.newPage()
      await page.goto(`${site}/${path}`)
      expect(await page.evaluate(() => isSecureContext)).toBe(false)
      const alert = page.getByRole('alert').filter({ hasText: 'was not loaded over a secure connection' })
      await alert.getByText(/http:\/\/localhost/).waitFor()
      expect(await page.getByText(/Starting|Asking peers|Fetching/).count(), path).toBe(0)
      await page.close()
    }
  } finally {
    await browser.close()
  }
})

test('the page can be installed under its name, with an icon that any system may cut to its shape', async () => {
  const visitor = await web.visitor()
  const page = await openExplorer(visitor, `${relay.url}/`)
  await untilKept(page)
  const session = await page.context().newCDPSession(page)
  const { errors, data } = await session.send('Page.getAppManifest')
  expect(errors).toEqual([])
  const manifest = JSON.parse(data ?? '') as { icons: { src: string; purpose: string }[] }
  expect(manifest).toMatchObject({ id: './', scope: './', start_url: './', name: 'ggen packages' })
  expect(manifest.icons.map(({ purpose }) => purpose)).toEqual(['any', 'maskable'])
  for (const { src } of manifest.icons) expect((await fetch(new URL(src, relay.url))).status).toBe(200)
  const colours = await page
    .locator('meta[name=theme-color]')
    .evaluateAll((all) => all.map((one) => (one as HTMLMetaElement).media))
  expect(colours).toEqual(['(prefers-color-scheme: light)', '(prefers-color-scheme: dark)'])
  await visitor.close()
})

test('without a network the list shows what is known, and is searched', async () => {
  const visitor = await web.visitor()
  const page = await openExplorer(visitor, `${relay.url}/`)
  await shellTool(page).waitFor()
  await untilKept(page)
  await alice.run(['p2p', 'stop'])
  await relay.kill()
  await page.goto(`${relay.url}/#/`)
  await page.reload()
  await shellTool(page).waitFor()
  await page.getByRole('searchbox').fill('shell')
  await shellTool(page).waitFor()
  await page.getByRole('searchbox').fill('no such thing')
  await page.getByText(/No package fits/).waitFor()
  await visitor.close()
})
