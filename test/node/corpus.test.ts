import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { InstallResult, PublishResult, SearchResult } from '../../src/core/control/service.ts'
import { metadataFiles } from '../../src/core/manifest/metadata.ts'
import type { Machine } from '../support/ggen.ts'
import { createMachines, eventually } from '../support/ggen.ts'
import { hashTree } from '../support/packages.ts'

/** Packages as they are in the wild; kept beside the repository, so absent in most clones. */
const corpus = join(import.meta.dirname, '..', '..', '..', 'shared', 'corpus', 'ggen')
const isHere = existsSync(corpus)
if (!isHere) process.stderr.write(`The corpus is not at ${corpus}: its test is skipped.\n`)

let machines: Awaited<ReturnType<typeof createMachines>>
let publisher: Machine
let user: Machine

beforeAll(async () => {
  machines = await createMachines()
  publisher = await machines.add('publisher')
  user = await machines.add('user')
  const { addresses } = await publisher.start()
  await user.start(['--bootstrap', addresses[0]!])
})

afterAll(() => machines.dispose())

/** Why a folder can't be published: its file is not TOML, or there is none. */
function faultOf(name: string): RegExp | undefined {
  if (name === 'rest-api-template') return /package\.toml:35:/
  return metadataFiles.some((file) => existsSync(join(corpus, name, file))) ? undefined : /No package file/
}

test.skipIf(!isHere)(
  'every package of the corpus is published, found, installed and the same, or refused as its file deserves',
  async () => {
    const folders = (await readdir(corpus, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
    expect(folders.length).toBeGreaterThan(10)
    const published = new Map<string, PublishResult & { listed: string[] }>()
    for (const name of folders) {
      const dir = join(corpus, name)
      const outcome = await publisher.run(['p2p', 'publish', dir, '--json'])
      const reason = faultOf(name)
      if (reason !== undefined) {
        expect(outcome.exitCode, name).toBe(2)
        expect(outcome.stdout).toMatch(reason)
        continue
      }
      expect(outcome.exitCode, `${name}: ${outcome.stdout}`).toBe(0)
      const dry = await publisher.json<PublishResult>(['p2p', 'publish', dir, '--dry-run'])
      published.set(dir, {
        ...(JSON.parse(outcome.stdout) as PublishResult),
        listed: dry.dryRun!.files.map(({ path }) => path),
      })
    }
    expect(published.size).toBeGreaterThan(folders.length / 2)

    for (const [dir, { name, cid, listed }] of published) {
      const search = (query: string) => user.json<SearchResult>(['marketplace', 'search', query, '-l', '50'])
      const found = await eventually(`${name} is found by name`, async () =>
        (await search(name)).results.find((result) => result.cid === cid),
      )
      const [keyword] = found.keywords
      if (keyword !== undefined)
        expect(
          (await search(keyword)).results.map((result) => result.name),
          `${name} by ${keyword}`,
        ).toContain(name)
      const { installed } = await user.json<InstallResult>(['marketplace', 'install', name])
      expect(installed.find((one) => one.name === name)?.cid).toBe(cid)
      const source = await hashTree(dir)
      const wanted = Object.fromEntries(listed.map((path) => [path, source[path]]))
      expect(await hashTree(join(user.project, '.ggen/packages', name))).toEqual(wanted)
    }
    expect((await user.run(['marketplace', 'verify'])).exitCode).toBe(0)
  },
)
