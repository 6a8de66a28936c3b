import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright'
import { expect } from 'vitest'
import { createSigner, generateKeyPair } from '../../src/core/identity/key-pair.ts'
import { createTestLog } from '../unit/log/test-entries.ts'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
/** Where GGEN_SCREENSHOTS names a folder, each page is put there in light, dark and narrow. */
const screenshots = process.env.GGEN_SCREENSHOTS

/** A page of the explorer; its errors are told. */
export async function openExplorer(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (error) => process.stderr.write(`page error: ${error.stack}\n`))
  page.on('console', (message) => {
    if (message.type() === 'error') process.stderr.write(`page: ${message.text()}\n`)
  })
  await page.goto(url)
  return page
}

/** Nothing that WCAG 2.2 AA forbids or good practice avoids, as far as a program can tell. */
async function expectAccessible(page: Page): Promise<void> {
  // The page's policy lets nothing else be loaded, not even by a test: it goes in through the debugger.
  const source = await readFile(axe, 'utf8')
  await page.evaluate(source)
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: {
        run(
          context: unknown,
          options: unknown,
        ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>
      }
    }
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    const { violations } = await axe.run(document, { runOnly: { type: 'tag', values: tags } })
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`,
    )
  })
  expect(violations).toEqual([])
}

/** Light, dark and at 320 px: accessible everywhere, and nothing that has to be scrolled to the side. */
export async function look(page: Page, name: string): Promise<void> {
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme })
    await expectAccessible(page)
    if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, `${name}-${scheme}.png`) })
  }
  await page.emulateMedia({ colorScheme: 'light' })
  const wide = page.viewportSize()!
  await page.setViewportSize({ width: 320, height: 640 })
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(overflow).toBeLessThanOrEqual(0)
  if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, `${name}-narrow.png`) })
  await page.setViewportSize(wide)
}

/** Puts so many signed releases into the site's database, as a node there keeps them: what its explorer then knows. No node may run there yet. */
export async function seedReleases(context: BrowserContext, url: string, count: number): Promise<void> {
  const words = ['alpha', 'beta', 'gamma', 'delta', 'rest', 'graph', 'model', 'schema', 'tool', 'kit']
  const word = (seed: number) => words[seed % words.length]!
  const log = createTestLog(await createSigner(await generateKeyPair({ extractable: false })))
  const records: [string, string][] = []
  for (let at = 0; at < count; at++) {
    const { cid, envelope } = await log.release('1.0.0', {
      name: `${word(at)}-${word(at * 7 + 3)}-${String(at).padStart(5, '0')}`,
      description: `A package about ${word(at * 3)} and ${word(at * 11)}`,
      keywords: [word(at * 13), word(at * 17)],
      category: word(at * 19),
      license: at % 2 === 0 ? 'MIT' : 'Apache-2.0',
    })
    records.push([cid.toString(), Buffer.from(envelope).toString('base64')])
  }
  const page = await context.newPage()
  // On the site, but no page with a node.
  await page.goto(`${url}/icon.svg`)
  await page.evaluate(async (records) => {
    const request = indexedDB.open('ggen-entries')
    request.onupgradeneeded = () => request.result.createObjectStore('items')
    const db = await new Promise<IDBDatabase>((resolve) => {
      request.onsuccess = () => resolve(request.result)
    })
    const transaction = db.transaction('items', 'readwrite')
    for (const [key, envelope] of records)
      transaction.objectStore('items').put(
        Uint8Array.from(atob(envelope), (character) => character.charCodeAt(0)),
        key,
      )
    await new Promise((resolve) => {
      transaction.oncomplete = resolve
    })
    db.close()
  }, records)
  await page.close()
}
