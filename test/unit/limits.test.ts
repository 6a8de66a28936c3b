import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { limits } from '../../src/core/limits.ts'

const units: Record<string, number> = {
  '': 1,
  bytes: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  ms: 1,
  s: 1000,
  h: 3_600_000,
}

test('the limits that users read about are those of the code, all of them and no others', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/LIMITS.md'), 'utf8')
  const documented = Object.fromEntries(
    [...text.matchAll(/^\| `(\w+)` \| ([\d,]+) ?(\w*) \| (.+) \| (.+) \|$/gm)].map(
      ([, key, number = '', unit = '']) => [key, Number(number.replaceAll(',', '')) * (units[unit] ?? Number.NaN)],
    ),
  )
  expect(documented).toEqual(limits)
})
