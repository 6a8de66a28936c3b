import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CentralServer } from '../support/central-server.ts'
import { createCentralServer, indexPath, serveMarketplace } from '../support/central-server.ts'
import { openPage } from '../support/chromium.ts'
import { look, openExplorer } from '../support/explorer.ts'
import { eventually } from '../support/ggen.ts'
import { writePackage } from '../support/packages.ts'
import type { RunningRelay } from '../support/relay.ts'
import type { Web } from '../support/web.ts'
import { createWeb } from '../support/web.ts'

const texts: Record<string, Record<string, string>> = {
  'central-tool': { 'README.md': '# Central\n\nIt comes from a server.\n', 'data/x.txt': 'x' },
  'central-bad': { 'README.md': '# bad' },
  'central-far': { 'README.md': '# far' },
  'in-both': { 'README.md': '# the central one' },
}

let web: Web
let relay: RunningRelay
let visitor: BrowserContext
/** Lets any page read it, as GitHub's raw files and npm do. */
let main: CentralServer
/** Lets no other site's page read it. */
let closed: CentralServer

beforeAll(async () => {
  web = await createWeb()
  main = await createCentralServer({ cors: true })
  closed = await createCentralServer()
  await serveMarketplace(main, texts, (name) => ({
    ...(name === 'central-bad' ? { checksum: 'ab'.repeat(32) } : {}),
    ...(name === 'central-far' ? { download_url: `${closed.url}/main.zip` } : {}),
  }))
  await serveMarketplace(closed, { 'hidden-tool': { 'README.md': '# hidden' } })
  relay = await web.relay({ builtInExplorer: true })
  const alice = await web.machine(relay, 'alice')
  for (const name of ['signed-tool', 'in-both'])
    await alice.json([
      'p2p',
      'publish',
      await writePackage(join(web.dir, name), { name, description: 'Published by alice', keywords: ['served'] }),
    ])
  visitor = await web.visitor()
})
afterAll(async () => {
  await web?.dispose()
  await main?.close()
  await closed?.close()
})

const open = (path: string): Promise<Page> => openExplorer(visitor, `${relay.url}/${path}`)
const row = (page: Page, name: string) =>
  page.getByRole('list', { name: 'Results' }).getByRole('link', { name: new RegExp(`^${name} `) })

async function add(page: Page, name: string, url: string): Promise<void> {
  await page.getByLabel('Name of the registry').fill(name)
  await page.getByLabel('Its kind').selectOption('ggen')
  await page.getByLabel('Its address').fill(url)
  const button = page.getByRole('button', { name: 'Add and ask it from now on' })
  await Promise.all([page.waitForEvent('load'), button.click()])
  await page.getByRole('button', { name: `Remove the registry ${name}` }).waitFor()
}

/** Types it and waits for the end of its search. */
async function searchFor(page: Page, text: string): Promise<void> {
  // What an earlier search had found is gone from the page first.
  await page.getByRole('searchbox').fill('no such thing')
  await page.getByText('No package fits “no such thing”').waitFor()
  await page.getByRole('searchbox').fill(text)
  await page.getByText(/^\d+ packages?, from [^…]*$/).waitFor()
}

test('no registry is asked before the visitor has chosen one, and mistakes in choosing are answered', async () => {
  const page = await open('')
  await searchFor(page, 'served')
  await row(page, 'signed-tool').getByText('peers').waitFor()
  expect(await row(page, 'central-tool').count()).toBe(0)
  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByText('You publish as').waitFor()
  for (const [name, url, answer] of [
    ['main', '/var/index.json', /reads no files/],
    ['not a name', `${main.url}${indexPath}`, /name of letters and digits/],
    ['main', 'https://', /begins with https/],
  ] as const) {
    await page.getByLabel('Name of the registry').fill(name)
    await page.getByLabel('Its address').fill(url)
    await page.getByRole('button', { name: 'Add and ask it' }).click()
    await page.getByRole('alert').getByText(answer).waitFor()
  }
  await look(page, 'central-settings')
  await page.close()
  expect([...main.requests, ...closed.requests]).toEqual([])
})

test('what peers and the chosen registries know is one list, each row naming its sources; one that cannot be read is named and delays nobody', async () => {
  const page = await open('#/settings')
  await add(page, 'main', `${main.url}${indexPath}`)
  await add(page, 'closed', `${closed.url}${indexPath}`)
  const answer = closed.routes.get(indexPath)!
  const held: (() => void)[] = []
  closed.routes.set(indexPath, (request, response) => void held.push(() => answer(request, response)))
  await page.getByRole('link', { name: 'Search' }).click()
  await page.getByRole('searchbox').fill('served')
  // One server has said nothing yet.
  await row(page, 'central-tool').getByText('known from the registry main').waitFor()
  await row(page, 'signed-tool').waitFor()
  await eventually('the other has been asked', async () => held.length > 0)
  closed.routes.set(indexPath, answer)
  for (const release of held) release()

  await page.getByRole('searchbox').fill('server served')
  await page
    .getByText(/No answer from the registry closed: .* its server lets no other site’s page read it, or it is down/)
    .waitFor()
  await row(page, 'central-tool').getByText('not signed').waitFor()
  expect(await row(page, 'central-tool').getAttribute('href')).toBe('#/p/-/central-tool/1.0.0')
  expect(await row(page, 'in-both').count()).toBe(1)
  const both = row(page, 'in-both')
  await both.getByText(/known from .*peers.* and the registry main/).waitFor()
  await both.getByText('held by 1 peer').waitFor()
  expect(await both.getAttribute('href')).toContain('did%3Akey')
  expect(await row(page, 'hidden-tool').count()).toBe(0)
  await page.getByLabel('category', { exact: true }).selectOption('central')
  await page.getByText(/^3 packages/).waitFor()
  await look(page, 'central-search')
  // Nothing that a server would have to permit first, nothing that tells it of other visits.
  for (const { method, headers } of [...main.requests, ...closed.requests]) {
    expect(method).toBe('GET')
    expect([headers.cookie, headers.referer, headers['if-none-match']]).toEqual([undefined, undefined, undefined])
  }
  await page.close()
})

test('a package of a registry is described, and downloaded, checked and kept when the visitor says so', async () => {
  const page = await open('')
  await searchFor(page, 'central-tool')
  main.requests.length = 0
  await row(page, 'central-tool').click()
  const verification = page.getByRole('region', { name: 'Verification' })
  await verification.getByText('Nobody signed this: it is what the registry main says of it').waitFor()
  expect(main.requests.map(({ path }) => path)).not.toContain('/main.zip')
  await look(page, 'central-described')
  await page.getByRole('button', { name: 'Download it from the registry main' }).click()
  await verification.getByText('Its bytes are what the registry main announced by checksum').waitFor()
  expect(await verification.textContent()).not.toContain('Verified in this tab')
  await page.getByRole('region', { name: 'README' }).getByText('It comes from a server').waitFor()
  await page.getByRole('treeitem', { name: /data/ }).waitFor()
  await look(page, 'central-downloaded')
  await page.getByRole('link', { name: 'Search' }).click()
  await searchFor(page, 'central-tool')
  await row(page, 'central-tool').getByText('known from the cache and the registry main').waitFor()

  // What was downloaded stays, with the server gone.
  const index = main.routes.get(indexPath)!
  main.routes.delete(indexPath)
  const again = await open('#/p/-/central-tool/1.0.0')
  await again.getByText('announced by checksum').waitFor()
  await again.getByText('It comes from a server').waitFor()
  main.routes.set(indexPath, index)
  await again.close()
  await page.close()
})

test('what is not what its registry announced, or cannot be read, is refused in words', async () => {
  for (const [name, answer] of [
    ['central-bad', /is not what the registry's checksum says/],
    ['central-far', /its server lets no other site’s page read it/],
  ] as const) {
    const page = await open(`#/p/-/${name}/1.0.0`)
    await page.getByRole('button', { name: 'Download it from the registry main' }).click()
    await page.getByRole('alert').getByText(answer).waitFor()
    await page.close()
  }
})

test('a registry that was removed is asked nothing any more', async () => {
  const page = await open('#/settings')
  for (const name of ['main', 'closed']) {
    const button = page.getByRole('button', { name: `Remove the registry ${name}` })
    await Promise.all([page.waitForEvent('load'), button.click()])
    await button.waitFor({ state: 'detached' })
  }
  main.requests.length = 0
  closed.requests.length = 0
  await page.getByRole('link', { name: 'Search' }).click()
  await searchFor(page, 'served')
  await row(page, 'signed-tool').waitFor()
  expect(await row(page, 'central-tool').count()).toBe(0)
  expect([...main.requests, ...closed.requests]).toEqual([])
  await page.close()
})

test('the library takes registries as a setting, and says which no page can ask', async () => {
  const own = await web.relay()
  const page = await openPage(await web.visitor(), own.url)
  const found = await page.evaluate(async (url) => {
    const { createNode } = window.ggen
    const settings = (address: string) => ({
      name: 'central',
      settings: { 'central.registries': [{ name: 'main', kind: 'ggen', url: address }] },
    })
    const refused = await createNode(settings('./index.json')).catch((error) => `${error.code} ${error.hint}`)
    const node = await createNode(settings(url))
    await node.start()
    const { results, sources } = await node.registry.search({ query: 'central-tool' })
    const { cid } = await node.registry.download('central-tool')
    const text = new TextDecoder().decode(await node.registry.content.file(cid, 'data/x.txt'))
    await node.stop()
    return { refused, first: results[0], sources, text }
  }, `${main.url}${indexPath}`)
  expect(found.refused).toMatch(/^INVALID_CONFIG .*https:/)
  expect(found.first).toMatchObject({ name: 'central-tool', publisher: null, sources: ['central:main'] })
  expect(found.sources).toContainEqual(expect.objectContaining({ source: 'central:main', status: 'ok' }))
  expect(found.text).toBe('x')
})
