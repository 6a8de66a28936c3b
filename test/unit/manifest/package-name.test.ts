import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPackageName, packageNameHint } from '../../../src/core/manifest/package-name.ts'
import { checkPackagePath } from '../../../src/core/manifest/package-path.ts'
import { isPackageVersion, isVersionRange } from '../../../src/core/manifest/package-version.ts'

describe('isPackageName', () => {
  it.each([
    'a',
    'rest-api',
    'io.ggen.nextjs.ontology-crud',
    '@ggen/notification-messaging-hub',
    '7zip',
    'a_b',
    'x'.repeat(128),
  ])('takes %s', (name) => expect(isPackageName(name)).toBe(true))

  it.each([
    ['nothing', ''],
    ['capitals', 'React'],
    ['spaces', 'my package'],
    ['a leading dot', '.ggen'],
    ['dots', '..'],
    ['a leading dash', '-rf'],
    ['a trailing dot', 'a.'],
    ['another slash', 'a/b'],
    ['a nested scope', '@a/b/c'],
    ['an empty scope', '@/a'],
    ['a climbing scope', '@../a'],
    ['look-alikes', 'рackage'],
    ['Windows devices', 'con'],
    ['Windows devices with an extension', 'nul.tar'],
    ['Windows devices as scope', '@aux/a'],
    ['object properties', 'constructor'],
    ['CIDs', `bafyrei${'a'.repeat(52)}`],
    ['a line end', 'a\n'],
    ['129 characters', 'x'.repeat(129)],
    ['a number', 7],
  ])('refuses %s', (_, name) => expect(isPackageName(name)).toBe(false))

  it('means a folder on every platform', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^(@[a-z0-9._-]{1,8}\/)?[a-z0-9._-]{1,8}$/), (name) => {
        fc.pre(isPackageName(name))
        expect(checkPackagePath(name)).toBeUndefined()
      }),
    )
  })
})

describe('packageNameHint', () => {
  it.each([
    ['Next.js Ontology-Driven CRUD', 'next.js-ontology-driven-crud'],
    ['Ärzte & Söhne!', 'arzte-sohne'],
    ['  --x', 'x'],
    ['A'.repeat(500), 'a'.repeat(128)],
  ])('proposes a name for %s', (text, name) => expect(packageNameHint(text)).toMatch(new RegExp(`--name ${name}$`)))

  it('only proposes valid names', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const proposed = /--name (.*)$/.exec(packageNameHint(text))?.[1]
        expect(proposed === undefined || isPackageName(proposed)).toBe(true)
      }),
    )
    expect(packageNameHint('???')).not.toContain('--name')
  })
})

describe('versions and ranges', () => {
  it.each(['0.0.0', '1.2.3', '1.0.0-rc.1', '1.0.0+build.7', '1.0.0-a+b'])('takes version %s', (version) =>
    expect(isPackageVersion(version)).toBe(true),
  )
  it.each([
    '',
    '1',
    '1.2',
    'v1.2.3',
    '=1.2.3',
    ' 1.2.3',
    '01.2.3',
    '1.2.3-01',
    'latest',
    `1.2.3-${'x'.repeat(300)}`,
    1,
    undefined,
  ])('refuses version %s', (version) => expect(isPackageVersion(version)).toBe(false))
  it.each(['*', '^1.2', '>=2.6.0', '1.x || >=2.5.0 <3'])('takes range %s', (range) =>
    expect(isVersionRange(range)).toBe(true),
  )
  it.each(['latest', '>>1', `^1.${'0'.repeat(300)}`, 1, undefined])('refuses range %s', (range) =>
    expect(isVersionRange(range)).toBe(false),
  )
})
