import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { InstallResult, SearchResult } from '../../src/core/control/service.ts'
import type { Machine } from '../support/ggen.ts'
import { createMachines, eventually } from '../support/ggen.ts'

const registry = 'https://registry.npmjs.org'
const isReachable = await fetch(`${registry}/is-odd`, { signal: AbortSignal.timeout(10_000) }).then(
  (response) => response.ok,
  () => false,
)
if (!isReachable) process.stderr.write(`${registry} can't be reached: the real npm registry is not tested.\n`)

let machines: Awaited<ReturnType<typeof createMachines>>
let machine: Machine

beforeAll(async () => {
  machines = await createMachines()
  machine = await machines.add('npm')
  await mkdir(machine.home, { recursive: true })
  await writeFile(
    join(machine.home, 'p2p-config.toml'),
    `[central]\nregistries = [{ name = "npm", kind = "npm", url = "${registry}" }]\n`,
  )
})

afterAll(() => machines.dispose())

test.skipIf(!isReachable)(
  'real packages of different sizes are installed from npm, their integrity checked',
  async () => {
    for (const [spec, file] of [
      ['is-odd@3.0.1', 'index.js'],
      ['semver@^7.0.0', 'index.js'],
      ['typescript@5.4.5', 'lib/tsc.js'],
    ] as const) {
      const name = spec.split('@')[0]!
      const { installed } = await eventually(`npm delivers ${spec}`, () =>
        machine.json<InstallResult>(['marketplace', 'install', spec]),
      )
      expect(installed.find((one) => one.name === name)).toMatchObject({ publisher: null, sources: ['central:npm'] })
      expect((await readFile(join(machine.project, '.ggen/packages', name, file), 'utf8')).length).toBeGreaterThan(100)
    }
    const notices = await machine.json<InstallResult>(['marketplace', 'install', 'is-odd@3.0.1', '--force'])
    expect(notices.notices.join()).toContain('left to npm')
    expect((await machine.run(['marketplace', 'verify'])).exitCode).toBe(0)
    expect(await readFile(join(machine.project, 'ggen.lock'), 'utf8')).toContain('integrity = "sha512-')
  },
)

test.skipIf(!isReachable)('npm is searched', async () => {
  const { results, sources } = await machine.json<SearchResult>(['marketplace', 'search', 'semver', '--timeout', '30'])
  // A mirror may have no search; then it must be said.
  const source = sources.find(({ source: one }) => one === 'central:npm')
  if (source?.status === 'ok') expect(results.map(({ name }) => name)).toContain('semver')
  else expect(source?.error).toBeTruthy()
})
