import { expect, test } from 'vitest'
import { lineChanges } from '../../../src/browser/ui/line-changes.ts'

test('changed lines come with some around them, and those of a new or removed file are all of it', () => {
  expect(lineChanges('a\nb\nc\n', 'a\nx\nc\n')).toEqual({ lines: ['@ line 1', ' a', '-b', '+x', ' c'], more: 0 })
  expect(lineChanges(undefined, 'a\nb\n')).toEqual({ lines: ['+a', '+b'], more: 0 })
  expect(lineChanges('a\n\nb', undefined)).toEqual({ lines: ['-a', '-', '-b'], more: 0 })
  expect(lineChanges(undefined, '')).toEqual({ lines: [], more: 0 })
})

test('more lines than anybody reads are counted', () => {
  const changes = lineChanges(undefined, '\n'.repeat(200_000))
  expect(changes?.lines.length).toBe(2000)
  expect(changes?.more).toBe(198_000)
})

test('two texts that differ throughout are given up on, not compared for minutes', () => {
  const lines = (from: number): string =>
    Array.from({ length: 100_000 }, (_, at) => String.fromCharCode(from + (at % 13))).join('\n')
  const startedMs = performance.now()
  expect(lineChanges(lines(97), lines(110))).toBeUndefined()
  expect(performance.now() - startedMs).toBeLessThan(20_000)
})
