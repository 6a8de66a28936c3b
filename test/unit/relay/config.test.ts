import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readConfig } from '../../../relay/config.ts'

const dir = mkdtempSync(join(tmpdir(), 'ggen-relay-config-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function file(text: string): string {
  const path = join(dir, `${Math.random()}.toml`)
  writeFileSync(path, text)
  return path
}

test('flags win over the environment, which wins over the file, which wins over defaults', () => {
  const path = file('home = "/from/file"\n[http]\nport = 1\nhost = "127.0.0.1"\n[limits]\nmax_reservations = 5\n')
  const env = {
    GGEN_RELAY_HTTP_PORT: '2',
    GGEN_RELAY_LIMITS_MAX_RELAYED_MB: '7',
    GGEN_RELAY_LISTEN: '/ip4/1.2.3.4/tcp/1, /ip4/1.2.3.4/tcp/2/ws',
  }
  const { config } = readConfig(
    ['--config', path, '--http-port', '3', '--set', 'access.deny_ranges=192.0.2.0/24,198.51.100.0/24'],
    env,
  )
  expect(config.http).toMatchObject({ port: 3, host: '127.0.0.1', requests_per_minute: 600 })
  expect(config.home).toBe('/from/file')
  expect(config.limits).toMatchObject({ max_reservations: 5, max_relayed_mb: 7, reservation_ttl: 3600 })
  expect(config.listen).toEqual(['/ip4/1.2.3.4/tcp/1', '/ip4/1.2.3.4/tcp/2/ws'])
  expect(config.access.deny_ranges).toEqual(['192.0.2.0/24', '198.51.100.0/24'])
})

test.each([
  ['an unknown key in the file', ['--config', file('[limits]\nmax_bogus = 1\n')], /max_bogus/],
  ['a wrong type', ['--config', file('[http]\nport = "eighty"\n')], /http\.port/],
  ['no TOML', ['--config', file('listen = [\n')], /line/],
  ['no file', ['--config', join(dir, 'absent.toml')], /cannot be read/],
  ['an unknown setting', ['--set', 'limits.bogus=1'], /limits\.bogus/],
  ['a number out of range', ['--set', 'limits.reservation_ttl=1'], /reservation_ttl/],
])('%s is refused, naming it', (_what, args, message) => {
  expect(() => readConfig(args, {})).toThrow(
    expect.objectContaining({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    }),
  )
})

test.each([[['--bogus']], [['--set', 'nonsense']], [['extra']]])('%j is a usage error', (args) => {
  expect(() => readConfig(args, {})).toThrow(expect.objectContaining({ code: 'USAGE' }))
})
