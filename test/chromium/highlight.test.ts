import { expect, test } from 'vitest'
import { highlight, highlightCode } from '../../src/browser/ui/highlight.ts'

const generousMs = 20_000

test('hostile text does not stall the page in any language', () => {
  // Each took from five seconds to minutes at 100 kB.
  const hostile = [
    ['markdown', '[a]('],
    ['ini', 'a.'],
    ['ini', '_'],
    ['javascript', '\n'],
    ['typescript', ' \n'],
    ['typescript', '_'],
    ['rust', 'r#"'],
    ['python', 'if 1.'],
  ] as const
  for (const [language, unit] of hostile) {
    for (const length of [29_000, 100_000]) {
      const startedMs = performance.now()
      highlightCode(language, unit.repeat(length / unit.length))
      expect(performance.now() - startedMs).toBeLessThan(generousMs)
    }
  }
})

test('colours come by a file’s name or by a language’s, and text stays text', () => {
  expect(highlight('src/x.rs.tera', 'fn main() {}')!.querySelector('.hljs-keyword')!.textContent).toBe('fn')
  expect(highlight('a.toString', 'x')).toBeUndefined()
  expect(highlightCode('ts', 'const a = "<img src=x>"')!.querySelectorAll('img').length).toBe(0)
  expect(highlightCode('constructor', 'x')).toBeUndefined()
})

test('a file named like a part of the language itself is text as any other', () => {
  for (const path of ['x.constructor', 'x.__proto__', 'toString', 'x.hasOwnProperty.rs'])
    expect(highlight(path, 'fn main() {}')?.textContent ?? 'plain').toMatch(path.endsWith('.rs') ? /main/ : /plain/)
})
