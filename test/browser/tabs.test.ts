import type { BrowserContext, Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openNodePage, openPage } from '../support/chromium.ts'
import { eventually } from '../support/ggen.ts'
import type { RunningRelay } from '../support/relay.ts'
import type { Web } from '../support/web.ts'
import { createWeb } from '../support/web.ts'

let web: Web
let relay: RunningRelay

beforeAll(async () => {
  web = await createWeb()
  relay = await web.relay()
})
afterAll(() => web?.dispose())

async function openShared(context: BrowserContext): Promise<Page> {
  const page = await openPage(context, relay.url)
  await page.evaluate(async () => {
    window.shared = window.ggen.createSharedNode({ relays: [location.origin] })
    await window.shared.start()
  })
  return page
}

const isRunningHere = (page: Page) => page.evaluate(() => window.shared.isRunningHere)
const peerIdOf = (page: Page) => page.evaluate(async () => (await window.shared.service.status()).peerId)

test('a second tab is refused a node of its own, with what to do', async () => {
  const context = await web.visitor()
  await openNodePage(context, relay.url)
  const other = await openPage(context, relay.url)
  const error = await other.evaluate(() =>
    window.ggen.createNode({}).then(
      () => undefined,
      (failure: { code: string; hint: string }) => ({ code: failure.code, hint: failure.hint }),
    ),
  )
  expect(error).toMatchObject({ code: 'ALREADY_RUNNING', hint: expect.stringContaining('createSharedNode') })
  await context.close()
})

test('tabs share one node, and another takes over when its tab closes', async () => {
  const context = await web.visitor()
  const first = await openShared(context)
  const second = await openShared(context)
  const third = await openShared(context)
  expect(await Promise.all([first, second, third].map(isRunningHere))).toEqual([true, false, false])
  const peerId = await peerIdOf(first)
  expect(await peerIdOf(second)).toBe(peerId)

  const toml = '[package]\nname = "from-second-tab"\nversion = "1.0.0"\ndescription = "Shared"\n'
  const published = await second.evaluate(async (toml) => {
    const progress: string[] = []
    const result = await window.shared.service.publish(
      { folder: [{ path: 'package.toml', file: new File([toml], 'package.toml') }] },
      { onProgress: ({ type }) => void progress.push(type) },
    )
    return { ...result, progress }
  }, toml)
  expect(published.name).toBe('from-second-tab')
  expect(published.progress.length).toBeGreaterThan(0)

  // Asked of a tab that goes away meanwhile: the next one answers.
  await first.close()
  const found = await third.evaluate(() => window.shared.service.search({ query: 'from-second-tab' }))
  expect(found.results[0]).toMatchObject({ name: 'from-second-tab', cid: published.cid })
  await eventually('one of the others runs it', async () => {
    const running = await Promise.all([second, third].map(isRunningHere))
    return running.filter(Boolean).length === 1
  })
  expect(await peerIdOf(second)).toBe(peerId)
  await context.close()
})

test('an error reaches the other tab with its code and hint, and an aborted call ends at once', async () => {
  const context = await web.visitor()
  await openShared(context)
  const second = await openShared(context)
  const failure = await second.evaluate(() =>
    window.shared.service.info({ spec: 'no-such-package' }).then(
      () => undefined,
      (error: { code: string; hint: string; name: string }) => ({ code: error.code, name: error.name }),
    ),
  )
  expect(failure).toEqual({ code: 'PACKAGE_NOT_FOUND', name: 'RegistryError' })
  const aborted = await second.evaluate(() => {
    const controller = new AbortController()
    const search = window.shared.service.search({ query: 'anything' }, { signal: controller.signal })
    controller.abort(new Error('no longer wanted'))
    return search.catch((error: Error) => error.message)
  })
  expect(aborted).toBe('no longer wanted')
  await context.close()
})

test('the publisher’s key cannot be read, goes on as the same publisher after an export, and can be brought to another browser', async () => {
  const context = await web.visitor()
  const page = await openShared(context)
  const before = await page.evaluate(() => window.shared.service.key())
  const { file } = await page.evaluate(() => window.shared.service.exportKey({ passphrase: 'correct horse battery' }))
  const after = await eventually('the node has the new key', async () => {
    const key = await page.evaluate(() => window.shared.service.key())
    return key.key === before.key ? undefined : key
  })
  expect(after.publisher).toBe(before.publisher)

  const elsewhere = await web.visitor()
  const other = await openShared(elsewhere)
  const wrong = await other.evaluate(
    (file) => window.shared.service.importKey({ file, passphrase: 'wrong' }).catch((error) => error.code),
    file,
  )
  expect(wrong).toBe('DENIED')
  await other.evaluate((file) => window.shared.service.importKey({ file, passphrase: 'correct horse battery' }), file)
  await eventually('the other browser signs with it', async () => {
    const key = await other.evaluate(() => window.shared.service.key())
    return key.key === after.key
  })
  await Promise.all([context.close(), elsewhere.close()])
})
