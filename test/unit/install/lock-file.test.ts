import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LockFile } from '../../../src/core/install/lock-file.ts'
import { emptyLock, formatLock, neededNames, parseLock } from '../../../src/core/install/lock-file.ts'
import { isPackageName } from '../../../src/core/manifest/package-name.ts'
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

  test('reads what it wrote, whatever a registry says', () => {
    const name = fc.stringMatching(/^(@[a-z0-9]{1,5}\/)?[a-z][a-z0-9-]{0,10}$/).filter(isPackageName)
    const range = fc.constantFrom('*', '^1.2', '>=1 <3', '1.x || 2.0.0-rc.1')
    // Every character that a TOML text may hold, control characters included.
    const anyText = fc.string({ unit: 'binary', minLength: 1 })
    const one = fc.record({
      name,
      version: fc.constantFrom('1.0.0', '2.0.0-rc.1+b'),
      dependencies: fc.uniqueArray(name, { maxLength: 3 }),
      publisher: fc.constantFrom(publisher, null),
      registry: anyText,
      integrity: fc.oneof(fc.constant(''), anyText),
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(one, { selector: (entry) => entry.name }),
        fc.dictionary(name, range),
        (packages, requested) => {
          const lock: LockFile = {
            requested: { ...requested },
            packages: packages
              .map((entry) => ({ ...entry, cid, dependencies: [...entry.dependencies].sort() }))
              .sort((a, b) => (a.name < b.name ? -1 : 1)),
          }
          const text = formatLock(lock)
          expect(parseLock(text)).toEqual(lock)
          expect(formatLock(parseLock(text))).toBe(text)
          expect(formatLock({ ...lock, packages: [...lock.packages].reverse() })).toBe(text)
        },
      ),
    )
  })

  test('can be read whatever control characters and halves of pairs a registry sends', () => {
    const integrity = 'a\x7fb\ud800c'
    const text = formatLock({ requested: {}, packages: [{ ...locked('x'), integrity }] })
    expect(parseLock(text).packages[0]!.integrity).toBe('a\x7fb\ufffdc')
  })

  const table = (change: Record<string, unknown>): string => {
    const fields = { name: 'x', version: '1.0.0', publisher, cid, ...change }
    const lines = Object.entries(fields).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key} = ${JSON.stringify(value)}`],
    )
    return ['version = 1', '[[package]]', ...lines].join('\n')
  }

  test('is read when it is whole', () => {
    expect(parseLock(table({}))).toEqual({ requested: {}, packages: [locked('x')] })
  })

  test.each<[string, string, RegExp]>([
    ['no TOML', 'version = = 1', /ggen\.lock:1:\d+ is no valid TOML/],
    ['in conflict', 'version = 1\n<<<<<<< HEAD\n"a" = "1"\n', /ggen\.lock:2:\d+ is/],
    ['cut off', 'version = 1\n[requested]\n"a" = "^1', /ggen\.lock:3:\d+ is/],
    ['with the same key twice', 'version = 1\nversion = 1', /ggen\.lock:2:\d+ is/],
    ['empty', '', /ggen\.lock: version: /],
    ['of a later version', 'version = 2', /ggen\.lock: version: /],
    ['of a version in quotes', 'version = "1"', /ggen\.lock: version: /],
    ['without a version', '[requested]', /ggen\.lock: version: /],
    ['with requests that are no table', 'version = 1\nrequested = ["a"]', /: requested/],
    [
      'with a request for no name',
      'version = 1\n[requested]\n"../x" = "*"',
      /: requested\.\.\.\/x: is no package name/,
    ],
    ['with a request for a number', 'version = 1\n[requested]\nx = 1', /: requested\.x: /],
    ['with a request for no range', 'version = 1\n[requested]\nx = "soon"', /: requested\.x: is no version range/],
    ['with packages that are no list', 'version = 1\n[package]\nname = "x"', /: package: /],
    ['with a bad name', table({ name: '../x' }), /: package\.0\.name: is no package name/],
    ['without a name', table({ name: undefined }), /: package\.0\.name: /],
    ['with a bad version', table({ version: 'banana' }), /: package\.0\.version: is no version/],
    ['without a package’s version', table({ version: undefined }), /: package\.0\.version: /],
    ['with a bad publisher', table({ publisher: 'me' }), /: package\.0\.publisher: is no did:key/],
    ['with a registry that is no text', table({ registry: 1 }), /: package\.0\.registry: /],
    ['with an integrity that is no text', table({ integrity: true }), /: package\.0\.integrity: /],
    ['with a CID of another kind', table({ cid: `Qm${'a'.repeat(44)}` }), /: package\.0\.cid: is no content ID/],
    ['with a damaged CID', table({ cid: `b${'a'.repeat(58)}` }), /: package\.0\.cid: is no content ID/],
    ['without a CID', table({ cid: undefined }), /: package\.0\.cid: /],
    ['with a bad dependency', table({ dependencies: ['ok', 'C:\\x'] }), /: package\.0\.dependencies\.1: is no package/],
    ['with a package from nowhere', table({ publisher: undefined }), /x has neither publisher nor registry/],
  ])('is refused when it is %s, with the place', (_what, text, message) => {
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
