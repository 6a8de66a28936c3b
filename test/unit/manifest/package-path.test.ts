import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkPackagePath, checkPackagePaths, comparePaths } from '../../../src/core/manifest/package-path.ts'

describe('checkPackagePath', () => {
  it.each([
    'package.toml',
    'src/main.rs',
    '.gitignore',
    '.github/workflows/ci.yml',
    'docs/Überblick/日本語 😀.md',
    'a b/c-d_e+f (1).txt',
    'console/common.ts',
    'com/lpt/com10',
    `${'x'.repeat(255)}/y`,
  ])('takes %s', (path) => expect(checkPackagePath(path)).toBeUndefined())

  it.each([
    ['', 'empty'],
    ['/etc/passwd', 'absolute'],
    ['../x', '".."'],
    ['a/../b', '".."'],
    ['./a', '"."'],
    ['a//b', 'empty segment'],
    ['a/', 'empty segment'],
    ['a\\b', 'backslash'],
    ['..\\x', 'backslash'],
    ['C:/x', 'Windows forbids'],
    ['a:stream', 'Windows forbids'],
    ['what?', 'Windows forbids'],
    ['a\u0000b', 'control character'],
    ['a\nb', 'control character'],
    ['a\u001b[31mb', 'control character'],
    ['a\u0085', 'control character'],
    ['gnp.\u202eexe', 'control character'],
    ['con', 'device name'],
    ['src/NUL.txt', 'device name'],
    ['a/com1', 'device name'],
    ['LPT9.tar.gz', 'device name'],
    ['aux .txt', 'device name'],
    ['com¹', 'device name'],
    ['a./b', 'dot or space'],
    ['b ', 'dot or space'],
    ['...', 'dot or space'],
    ['.git/hooks/pre-commit', 'Git'],
    ['sub/.GIT/config', 'Git'],
    ['GIT~1/config', 'Git'],
    ['e\u0301.txt', 'NFC'],
    ['a\ud800', 'not valid Unicode'],
    ['x'.repeat(256), 'segment longer'],
    [`${'ä'.repeat(100)}/`.repeat(6), 'longer than 1024 bytes'],
    [`${'a/'.repeat(64)}a`, '64 levels'],
  ])('refuses %j: %s', (path, fault) => expect(checkPackagePath(path)).toContain(fault))

  it('never lets a path out of the folder it is joined to', () => {
    const segment = fc.oneof(
      fc.constantFrom('..', '.', '', 'a', ' ', '...', '.git', 'c:', '\\', '..\\'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    )
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 6 }), (segments) => {
        const path = segments.join('/')
        fc.pre(checkPackagePath(path) === undefined)
        expect(path).toBe(path.normalize('NFC'))
        const url = new URL(path.split('/').map(encodeURIComponent).join('/'), 'file:///root/package/')
        expect(url.pathname.startsWith('/root/package/')).toBe(true)
        expect(url.pathname.split('/')).toHaveLength(path.split('/').length + 3)
      }),
      { numRuns: 500 },
    )
  })
})

describe('checkPackagePaths', () => {
  it.each([[['a', 'b', 'a-b', 'c/a', 'c/b', 'c.txt']], [['Makefile', 'make/file']], [['straße', 'strase']]])(
    'takes %j',
    (paths) => expect(checkPackagePaths(paths)).toBeUndefined(),
  )

  it.each([
    [['a', 'A'], 'A', 'clashes with "a"'],
    [['README.md', 'docs/x', 'readme.MD'], 'readme.MD', 'clashes with "README.md"'],
    [['a/x', 'A/y'], 'A/y', 'clashes with "a"'],
    [['straße', 'STRASSE'], 'STRASSE', 'clashes'],
    [['ΑΣ', 'ας'], 'ας', 'clashes'],
    [['ẞ', 'ß'], 'ß', 'clashes'],
    [['ſ', 's'], 's', 'clashes'],
    [['a', 'a/b'], 'a/b', 'both a file and a folder'],
    [['a/b/c', 'a/b'], 'a/b', 'both a file and a folder'],
    [['A', 'a/b'], 'a/b', 'clashes'],
    [['a', 'a'], 'a', 'twice'],
    [['ok', '../x'], '../x', '".."'],
  ])('refuses %j', (paths, path, fault) => {
    expect(checkPackagePaths(paths)).toEqual({ path, fault: expect.stringContaining(fault) })
  })

  it('does not depend on the order', () => {
    const path = fc
      .array(fc.constantFrom('a', 'A', 'b', 'ß', 'ss', 'c'), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join('/'))
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 6 }), (paths) => {
        const shuffled = [...paths].reverse()
        expect(checkPackagePaths(shuffled) === undefined).toBe(checkPackagePaths(paths) === undefined)
      }),
    )
  })
})

describe('comparePaths', () => {
  it('orders like the UTF-8 bytes', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', 'é', '\uffee', '😀', '😁', '\ue000') })
    const sign = (a: string, b: string) => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(comparePaths(a, b))).toBe(sign(a, b))
      }),
    )
  })
})
