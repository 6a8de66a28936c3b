import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright'
import { makeTestPage, openChromium, openVisitor } from './chromium.ts'
import type { Machine } from './ggen.ts'
import { createMachines, eventually } from './ggen.ts'
import type { RelayOptions, RunningRelay } from './relay.ts'
import { startRelay } from './relay.ts'

export interface Web {
  dir: string
  /** A relay that serves the test page, with a home of its own unless one is given. */
  relay(options?: Partial<RelayOptions> & { builtInExplorer?: boolean }): Promise<RunningRelay>
  machine(relay: RunningRelay, name: string): Promise<Machine>
  visitor(options?: BrowserContextOptions): Promise<BrowserContext>
  dispose(): Promise<void>
}

/** Relays, terminals and visitors of one test file; all gone after `dispose`. */
export async function createWeb(): Promise<Web> {
  const dir = await mkdtemp(join(tmpdir(), 'ggen-web-'))
  const machines = await createMachines()
  const browser: Browser = await openChromium()
  const site = await makeTestPage(dir)
  const relays: RunningRelay[] = []
  let count = 0
  return {
    dir,
    async relay({ builtInExplorer = false, ...options } = {}) {
      const explorer = builtInExplorer ? {} : { explorer: site }
      const relay = await startRelay({ home: join(dir, `relay-${count++}`), ...explorer, ...options })
      relays.push(relay)
      return relay
    },
    async machine(relay, name) {
      const machine = await machines.add(`${name}-${count++}`)
      const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/udp/0/webrtc-direct']
      await machine.start(['--bootstrap', relay.address('tcp'), ...listen.flatMap((address) => ['--listen', address])])
      return machine
    },
    visitor: (options) => openVisitor(browser, options),
    async dispose() {
      await browser.close()
      await machines.dispose()
      await Promise.all(relays.map((relay) => relay.kill()))
      await rm(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** CID of the named package, once the page's search finds it. */
export function findInPage(page: Page, name: string): Promise<string> {
  return eventually(`${name} found by the page`, async () => {
    const found = await page.evaluate((query) => window.node.registry.search({ query }), name)
    return found.results.find((result) => result.name === name)?.cid ?? undefined
  })
}

/** Publishes a package of one large file and a README from the page. */
export function publishFromPage(page: Page, name: string, bytes: number): Promise<{ cid: string; publisher: string }> {
  return page.evaluate(
    async ({ name, bytes }) => {
      const file = (path: string, content: BlobPart) => ({ path, file: new File([content], path) })
      const large = new Uint8Array(bytes)
      for (let at = 0; at < bytes; at += 65_536)
        crypto.getRandomValues(large.subarray(at, Math.min(at + 65_536, bytes)))
      const toml = `[package]\nname = "${name}"\nversion = "1.0.0"\ndescription = "From a page"\ncategory = "test"\nlicense = "MIT"\n`
      const source = await window.ggen.openPackageFolder([
        file('package.toml', toml),
        file('README.md', `# ${name}\n`),
        file('large.bin', large),
      ])
      return window.node.registry.publish(source)
    },
    { name, bytes },
  )
}

/** Fetches a package into the page's cache. */
export function fetchInPage(page: Page, name: string): Promise<{ fetchedBytes: number; sources: string[] }> {
  return page.evaluate(async (name) => {
    const { registry } = window.node
    await registry.info(name)
    const entry = (await registry.parts.entries.byPackage(name)).find((one) => one.entry.type === 'release')!
    const { fetchedBytes, sources } = await registry.content.fetch(entry as never)
    return { fetchedBytes, sources }
  }, name)
}

/** Connections of the page to one peer: its best one. */
export function peerOf(page: Page, peerId: string) {
  return page.evaluate((id) => window.node.network.peers().find((peer) => peer.peerId === id), peerId)
}

export const peerIdOf = (page: Page): Promise<string> => page.evaluate(() => window.node.network.peerId)

/** Waits until the page has an address through a relay. */
export function isReachable(page: Page, relayPeerId: string): Promise<boolean> {
  return eventually('the page has a reservation', () =>
    page.evaluate(
      (id) => window.node.network.addresses().some((address) => address.includes(`${id}/p2p-circuit/webrtc`)),
      relayPeerId,
    ),
  )
}
