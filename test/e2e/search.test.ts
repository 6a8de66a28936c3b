import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openExplorer, seedReleases } from '../support/explorer.ts'
import type { Machine } from '../support/ggen.ts'
import { eventually } from '../support/ggen.ts'
import { writePackage } from '../support/packages.ts'
import type { RunningRelay } from '../support/relay.ts'
import type { Web } from '../support/web.ts'
import { createWeb } from '../support/web.ts'

let web: Web
let relay: RunningRelay
let alice: Machine
let context: BrowserContext

beforeAll(async () => {
  web = await createWeb()
  relay = await web.relay({ builtInExplorer: true })
  alice = await web.machine(relay, 'alice')
  context = await web.visitor()
  await seedReleases(context, relay.url, 1_200)
  for (const [name, category] of [
    ['needle-one', 'sewing'],
    ['needle-two', 'medicine'],
  ] as const)
    await alice.json(['p2p', 'publish', await writePackage(join(web.dir, name), { name, category })])
})
afterAll(() => web?.dispose())

const open = (fragment: string): Promise<Page> => openExplorer(context, `${relay.url}/${fragment}`)
const results = (page: Page) => page.getByRole('list', { name: 'Results' })
const fragmentOf = (page: Page): string => new URL(page.url()).hash

test('a search stands in the address, narrows by it, and is there again after a look at a package', async () => {
  const page = await open('')
  await page.getByRole('searchbox').fill('needle')
  await results(page)
    .getByRole('link', { name: /^needle-two/ })
    .waitFor()
  await page.getByLabel('category', { exact: true }).selectOption('sewing')
  await eventually('one is left', async () => (await results(page).getByRole('link').count()) === 1)
  await page.getByLabel('Order').selectOption('newest')
  expect(fragmentOf(page)).toBe('#/?q=needle&category=sewing&order=newest')

  const again = await open(fragmentOf(page))
  await results(again)
    .getByRole('link', { name: /^needle-one/ })
    .waitFor()
  expect(await again.getByRole('searchbox').inputValue()).toBe('needle')
  expect(await again.getByLabel('Order').inputValue()).toBe('newest')
  await again.close()

  await results(page)
    .getByRole('link', { name: /^needle-one/ })
    .click()
  await page.getByRole('heading', { level: 1, name: 'needle-one' }).waitFor()
  await page.goBack()
  await results(page)
    .getByRole('link', { name: /^needle-one/ })
    .waitFor()
  expect(await page.getByRole('searchbox').inputValue()).toBe('needle')
  expect(await page.getByLabel('category', { exact: true }).inputValue()).toBe('sewing')

  // The way back to all of them.
  await page.getByRole('navigation').getByRole('link', { name: 'Search' }).click()
  await page.getByText(/^1202 packages/).waitFor()
  expect(await page.getByRole('searchbox').inputValue()).toBe('')
  expect(await page.getByLabel('category', { exact: true }).inputValue()).toBe('')
  await page.close()
})

test('a long list is found again where it was left', async () => {
  const page = await open('#/?order=name')
  await page.getByText(/^1202 packages/).waitFor()
  await eventually('it is scrolled far down', async () => {
    await page.mouse.wheel(0, 2_000)
    return (await page.evaluate(() => scrollY)) > 9_000
  })
  const inView = async () => {
    const shown = await results(page)
      .getByRole('link')
      .evaluateAll((links) =>
        links
          .filter((link) => {
            const { top, bottom } = link.getBoundingClientRect()
            return top >= 0 && bottom <= innerHeight
          })
          .map((link) => link.querySelector('.name')?.textContent ?? ''),
      )
    return shown.length > 2 && shown
  }
  const before = await eventually('rows in view', inView)
  await results(page).getByRole('link', { name: before[1]! }).click()
  await page.getByRole('heading', { level: 1, name: before[1]! }).waitFor()
  expect(await page.evaluate(() => scrollY)).toBe(0)
  await page.goBack()
  await eventually('the row that was opened is in view again', async () => {
    const after = await inView()
    return after !== false && after.includes(before[1]!)
  })
  await page.close()
})

test('from key to key: the field, the results, a package and back', async () => {
  const page = await open('')
  await page.keyboard.press('/')
  await page.keyboard.type('needle')
  await results(page)
    .getByRole('link', { name: /^needle-two/ })
    .waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  const focused = () =>
    page.evaluate(() => {
      let element = document.activeElement
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
      return element?.querySelector('.name')?.textContent ?? element?.id ?? ''
    })
  expect(await focused()).toMatch(/^needle-/)
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('ArrowUp')
  expect(await focused()).toBe('query')
  await page.keyboard.press('ArrowDown')
  const name = await focused()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name }).waitFor()
  await page.close()
})

test('what is known here is listed although no peer answers', async () => {
  const page = await open('')
  await page.getByText(/^1202 packages/).waitFor()
  await page.context().setOffline(true)
  try {
    await page.getByRole('searchbox').fill('alpha delta')
    await results(page)
      .getByRole('link', { name: /^alpha-delta/ })
      .first()
      .waitFor()
    await page.getByRole('searchbox').fill('nothing like it')
    await page.getByText(/No package fits/).waitFor()
  } finally {
    await page.context().setOffline(false)
  }
  await page.close()
})
