import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import type { BrowserContext } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PublishResult } from '../../src/core/control/service.ts'
import type { PeerNetwork } from '../../src/core/ports.ts'
import { look, openExplorer } from '../support/explorer.ts'
import type { Machine } from '../support/ggen.ts'
import { eventually } from '../support/ggen.ts'
import { joinHostile, serveLies } from '../support/hostile-peer.ts'
import { writePackage } from '../support/packages.ts'
import type { RunningRelay } from '../support/relay.ts'
import type { Web } from '../support/web.ts'
import { createWeb } from '../support/web.ts'

let web: Web
let relay: RunningRelay
let alice: Machine
let bob: Machine
let context: BrowserContext
let mallory: PeerNetwork | undefined

beforeAll(async () => {
  web = await createWeb()
  relay = await web.relay({ builtInExplorer: true })
  alice = await web.machine(relay, 'alice')
  bob = await web.machine(relay, 'bob')
  context = await web.visitor()
})
afterAll(async () => {
  await mallory?.stop()
  await web?.dispose()
})

test('a name that two publish is a question, with both to choose from', async () => {
  for (const machine of [alice, bob]) {
    const folder = await writePackage(join(web.dir, `same-${machine.home.length}-${Math.random()}`), {
      name: 'same-name',
      description: `By ${machine === alice ? 'alice' : 'bob'}`,
    })
    await machine.json(['p2p', 'publish', folder])
  }
  const page = await openExplorer(context, `${relay.url}/#/p/-/same-name/`)
  await page
    .getByRole('alert')
    .getByText(/same-name/)
    .first()
    .waitFor()
  const choice = page.getByRole('region', { name: 'Publishers' }).getByRole('listitem')
  await choice.filter({ hasText: 'By bob' }).waitFor()
  expect(await choice.count()).toBe(2)
  await look(page, 'ambiguous')
  await choice.filter({ hasText: 'By bob' }).getByRole('link').click()
  await page.getByText('By bob').waitFor()
  await page.getByRole('region', { name: 'Verification' }).getByText('Verified in this tab').waitFor()
  // What is copied names the publisher that was looked at, so that a terminal asks nothing more.
  const install = page.getByRole('region', { name: 'Install' })
  const command = (await install.locator('pre').textContent()) ?? ''
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await install.getByRole('button', { name: 'Copy' }).click()
  await install.getByText('Copied.').waitFor()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(command)
  await alice.json(command.replace(/^ggen /, '').split(' '))
  await page.close()
})

test('bytes that are not what was signed are refused in red, until somebody has the right ones', async () => {
  const folder = await writePackage(join(web.dir, 'honest'), { name: 'honest-tool' }, { 'README.md': '# Honest\n' })
  const { cid } = await alice.json<PublishResult>(['p2p', 'publish', folder])
  await eventually(
    'the relay knows it',
    async () => (await bob.run(['marketplace', 'info', 'honest-tool'])).exitCode === 0,
  )
  await alice.run(['p2p', 'stop'])
  // With an address that a page can dial.
  mallory = await joinHostile(relay.address('ws'), '/ip4/127.0.0.1/tcp/0/ws')
  await serveLies(mallory)
  await mallory.provide(CID.parse(cid))

  const page = await openExplorer(context, `${relay.url}/#/p/-/honest-tool/`)
  await page.getByRole('heading', { level: 1, name: 'honest-tool' }).waitFor()
  const verification = page.getByRole('region', { name: 'Verification' })
  await page
    .getByRole('alert')
    .getByText(/is not what the package names, and was thrown away/)
    .waitFor({ timeout: 60_000 })
  await verification.getByText('Not verified').waitFor()
  await verification.getByText('Refused:').waitFor()
  expect(await verification.textContent()).not.toContain('Verified in this tab')
  await look(page, 'refused')

  // Alice comes back: the page finds it by itself, and goes on telling who lied.
  await alice.start(['--bootstrap', relay.address('tcp'), '--listen', '/ip4/127.0.0.1/tcp/0/ws'])
  await verification.getByText('Verified in this tab').waitFor({ timeout: 60_000 })
  await page.getByRole('region', { name: 'README' }).getByText('Honest').waitFor()
  await verification.getByText('Refused:').waitFor()
  await page.close()
})
