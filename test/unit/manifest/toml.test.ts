import { describe, expect, it } from 'vitest'
import { parseToml } from '../../../src/core/manifest/toml.ts'

const fault = (start: string) =>
  expect.objectContaining({
    code: 'INVALID_MANIFEST',
    message: expect.stringContaining(start),
    hint: expect.any(String),
  })

describe('parseToml', () => {
  it('reads TOML 1.0, brackets in strings and comments included', () => {
    const text = [
      '# a comment { [ "',
      'a = { b = 1, c = { d = [1, 2] } } # {',
      'list = [ # {',
      '  { x = "}{" },',
      '  { x = \'}{\', y = "\\"{" },',
      ']',
      'nested = { list = [',
      '  1,',
      '] }',
      'many = { text = """',
      '{ "quoted" \\""" ', // an escaped quote, then two more
      '"""" }',
      "raw = { text = '''",
      "it's { \\''''' }",
      '"quoted {" = {}',
      'empty = { a = \'\', b = "", c = """""", d = \'\'\'\'\'\' }',
      '[[table]]',
      '[table.sub]',
      'date = 1979-05-27T07:32:00Z',
    ].join('\n')
    expect(parseToml('x.toml', text)).toMatchObject({
      a: { b: 1, c: { d: [1, 2] } },
      list: [{ x: '}{' }, { x: '}{', y: '"{' }],
      many: { text: '{ "quoted" """ \n"' },
      raw: { text: "it's { \\''" },
      'quoted {': {},
      empty: { a: '', b: '', c: '', d: '' },
    })
  })

  it('tells file, line and column', () => {
    expect(() => parseToml('package.toml', '[package]\nname = \n')).toThrow(fault('package.toml:2:8: '))
    expect(() => parseToml('package.toml', 'a = 1\r\na = 2\r\n')).toThrow(fault('package.toml:2:'))
    expect(() => parseToml('package.toml', '{')).toThrow(fault('package.toml:1:1: '))
  })

  it.each([
    ['a line break', 'x = 1\nframeworks = {\n  rust = "axum",\n}\n', 'package.toml:2:15: '],
    ['a Windows line break', 'x = 1\r\nframeworks = {\r\n  rust = "axum" }\r\n', 'package.toml:2:15: '],
    ['a line break after text in strings', 'a = "{"\nb = { c = """\n""",\n d = 1 }', 'package.toml:3:5: '],
    ['a comment and line break', 'a = { # why\n b = 1 }', 'package.toml:1:12: '],
    ['a comma at its end', 'a = { b = 1, }', 'package.toml:1:14: '],
    ['a line break inside another', 'a = [ { b = {\n c = 1 } } ]', 'package.toml:1:14: '],
  ])('refuses an inline table with %s, which only TOML 1.1 allows', (_, text, start) => {
    expect(() => parseToml('package.toml', text)).toThrow(fault(start))
  })

  it('keeps keys that mean something to JavaScript harmless', () => {
    const document = parseToml('x.toml', '[a]\n"__proto__" = 1\nconstructor = 2\n') as { a: object }
    expect(Object.keys(document.a)).toEqual(['__proto__', 'constructor'])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})
