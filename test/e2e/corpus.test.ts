import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { look, openExplorer } from '../support/explorer.ts'
import type { Web } from '../support/web.ts'
import { createWeb } from '../support/web.ts'

const corpus = join(import.meta.dirname, '../../../shared/corpus/ggen')
let web: Web | undefined

afterAll(() => web?.dispose())

test('real packages, untidy as they are, open verified and accessible', async ({ skip }) => {
  if (!existsSync(corpus)) skip('the corpus is not here')
  web = await createWeb()
  const relay = await web.relay({ builtInExplorer: true })
  const alice = await web.machine(relay, 'alice')
  const names: string[] = []
  for (const { name: folder } of (await readdir(corpus, { withFileTypes: true })).filter((one) => one.isDirectory())) {
    // Some have no readable package file: the command line's tests are about those.
    const { exitCode, stdout } = await alice.run(['p2p', 'publish', join(corpus, folder), '--json'])
    if (exitCode === 0) names.push((JSON.parse(stdout) as { name: string }).name)
  }
  expect(names.length).toBeGreaterThan(8)
  const page = await openExplorer(await web.visitor(), `${relay.url}/`)
  await page.getByText(new RegExp(`^${names.length} packages`)).waitFor()
  for (const name of names) {
    await page.goto(`${relay.url}/#/p/-/${encodeURIComponent(name)}/`)
    await page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
    await page.getByRole('region', { name: 'Verification' }).getByText('Verified in this tab').waitFor()
    await page.getByRole('tree', { name: 'Files' }).getByRole('treeitem').first().waitFor()
    await page.getByRole('region', { name: 'README' }).getByRole('status').waitFor({ state: 'detached' })
    await look(page, `corpus-${name.replace('/', '-')}`)
  }
})
