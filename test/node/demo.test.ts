import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isAlive } from '../../src/node-cli/daemon/daemon-file.ts'
import { eventually } from '../support/ggen.ts'

const script = join(import.meta.dirname, '..', '..', 'scripts', 'demo.ts')

test('npm start shows the whole way, stays up until Ctrl-C, and leaves nothing behind', async () => {
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let shown = ''
  child.stdout.on('data', (chunk) => {
    shown += chunk
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  await Promise.race([eventually('it stays up', async () => shown.includes('p2p peers')), ended])
  expect(child.exitCode, shown).toBeNull()
  for (const step of ['published', 'ontology', 'packages installed', 'changed: README.md', 'verified in'])
    expect(shown).toContain(step)
  const home = /GGEN_HOME=(\S+)/.exec(shown)![1]!
  const { pid } = JSON.parse(
    await (await import('node:fs/promises')).readFile(join(home, 'p2p', 'daemon.json'), 'utf8'),
  ) as { pid: number }
  expect(isAlive(pid)).toBe(true)
  child.kill('SIGINT')
  expect(await ended).toBe(0)
  expect(isAlive(pid)).toBe(false)
  expect(existsSync(home)).toBe(false)
})
