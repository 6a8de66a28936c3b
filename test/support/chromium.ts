import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright'
import { chromium } from 'playwright'
import type * as library from '../../src/browser/index.ts'

declare global {
  interface Window {
    ggen: typeof library
    /** The node the page runs, for the steps of a test. */
    node: Awaited<ReturnType<typeof library.createNode>>
    shared: ReturnType<typeof library.createSharedNode>
  }
}

/** Debian's, or whichever GGEN_CHROMIUM names. */
const chromiumPath = process.env.GGEN_CHROMIUM ?? '/usr/bin/chromium'

export async function openChromium(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Where loopback is the only interface, WebRTC needs both this and the permission below.
      '--allow-loopback-in-peer-connection',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      ...args,
    ],
  })
}

/** A visitor: a profile of its own. */
export async function openVisitor(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  return browser.newContext({ permissions: ['microphone'], ...options })
}

const root = join(import.meta.dirname, '..', '..')

/** A folder with a page that has the built library as `window.ggen`, to be served by a relay. */
export async function makeTestPage(dir: string): Promise<string> {
  const site = join(dir, 'site')
  await mkdir(site, { recursive: true })
  await cp(join(root, 'dist', 'browser'), site, { recursive: true })
  await writeFile(join(site, 'page.js'), "import * as ggen from './index.js'\nwindow.ggen = ggen\n")
  await writeFile(
    join(site, 'index.html'),
    '<!doctype html><html lang="en"><title>Test</title><script type="module" src="page.js"></script>',
  )
  return site
}

/** Opens the page; what it logs as an error is thrown by `failures`. */
export async function openPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (error) => process.stderr.write(`page error: ${error.stack ?? error.message}\n`))
  if (process.env.GGEN_DEBUG) page.on('console', (message) => process.stderr.write(`page: ${message.text()}\n`))
  await page.goto(url)
  await page.waitForFunction(() => window.ggen !== undefined)
  return page
}

/** Opens the page and runs a node in it that knows only the relay's URL. */
export async function openNodePage(context: BrowserContext, url: string): Promise<Page> {
  const page = await openPage(context, url)
  await page.evaluate(async () => {
    window.node = await window.ggen.createNode({ relays: [location.origin] })
    await window.node.start()
  })
  return page
}
