import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LockFile } from '../../../src/core/install/lock-file.ts'
import { emptyLock, formatLock, neededNames, parseLock } from '../../../src/core/install/lock-file.ts'
import { manifestCid } from '../log/test-entries.ts'

const publisher = 'did:key:z6MkehRgf7yJbgaGYesdoAsKdBPE3dj2CYhowQdcjqSJgvVd'
const cid = (await manifestCid()).toString()
const locked = (name: string, dependencies: string[] = [], version = '1.0.0') => ({
  name,
  version,
  publisher,
  registry: '',
  integrity: '',
  cid,
  dependencies,
})

describe('the lock file', () => {
  test('is TOML, a fact a line, in a stable order', () => {
    const lock: LockFile = {
      requested: { b: '^1', a: '*' },
      packages: [locked('b'), locked('a', ['c', 'b']), locked('c')],
    }
    const text = formatLock(lock)
    expect(text).toBe(formatLock({ requested: { a: '*', b: '^1' }, packages: [...lock.packages].reverse() }))
    expect(text.split('\n').slice(1, 12)).toEqual([
      'version = 1',
      '',
      '[requested]',
      '"a" = "*"',
      '"b" = "^1"',
      '',
      '[[package]]',
      'name = "a"',
      'version = "1.0.0"',
      `publisher = "${publisher}"`,
      `cid = "${cid}"`,
    ])
    expect(text).toContain('dependencies = ["b", "c"]')
    expect(parseLock(formatLock(emptyLock))).toEqual(emptyLock)
  })

  test('reads what it wrote', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/).filter((text) => !text.endsWith('-'))
    const one = fc.record({
      name,
      version: fc.constantFrom('1.0.0', '2.0.0-rc.1+b'),
      dependencies: fc.uniqueArray(name, { maxLength: 3 }),
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(one, { selector: (entry) => entry.name }),
        fc.dictionary(name, fc.constantFrom('*', '^1.2', '>=1 <"3"')),
        (packages, requested) => {
          const lock: LockFile = {
            requested: { ...requested },
            packages: packages
              .map((entry) => ({
                publisher,
                registry: '',
                integrity: '',
                cid,
                ...entry,
                dependencies: [...entry.dependencies].sort(),
              }))
              .sort((a, b) => (a.name < b.name ? -1 : 1)),
          }
          expect(parseLock(formatLock(lock))).toEqual(lock)
        },
      ),
    )
  })

  test.each([
    ['no TOML', 'version = = 1', /ggen\.lock:1:\d+/],
    ['of a later version', 'version = 2', /version/],
    ['without a version', '[requested]', /version/],
    [
      'with a bad name',
      `version = 1\n[[package]]\nname = "../x"\nversion = "1"\npublisher = "${publisher}"\ncid = "${cid}"`,
      /package\.0\.name/,
    ],
    [
      'with a bad publisher',
      `version = 1\n[[package]]\nname = "x"\nversion = "1"\npublisher = "me"\ncid = "${cid}"`,
      /package\.0\.publisher/,
    ],
    [
      'with a bad CID',
      `version = 1\n[[package]]\nname = "x"\nversion = "1"\npublisher = "${publisher}"\ncid = "Qm"`,
      /package\.0\.cid/,
    ],
  ])('is refused when it is %s', (_what, text, message) => {
    expect(() => parseLock(text)).toThrow(message)
    expect(() => parseLock(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_MANIFEST', hint: expect.any(String) }),
    )
  })

  test('keeps what came from a central registry, and refuses what has no origin', () => {
    const central = { ...locked('x'), publisher: null, registry: 'central:main', integrity: 'sha512-abc' }
    const text = formatLock({ requested: { x: '*' }, packages: [central] })
    expect(text).toContain('registry = "central:main"\nintegrity = "sha512-abc"')
    expect(text).not.toContain('publisher =')
    expect(parseLock(text).packages).toEqual([central])
    expect(() => parseLock(text.replace(/registry = .*\n/, ''))).toThrow(/x has neither publisher nor registry/)
  })

  test('knows what is still needed, cycles and missing ones included', () => {
    const packages = [locked('a', ['b']), locked('b', ['a', 'gone']), locked('c')]
    expect(neededNames({ requested: { a: '*' }, packages })).toEqual(new Set(['a', 'b']))
    expect(neededNames({ requested: {}, packages })).toEqual(new Set())
  })
})
