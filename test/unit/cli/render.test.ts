import { Writable } from 'node:stream'
import pc from 'picocolors'
import { describe, expect, test } from 'vitest'
import { RegistryError } from '../../../src/core/errors.ts'
import { renderError } from '../../../src/node-cli/render/error.ts'
import { renderFacts } from '../../../src/node-cli/render/facts.ts'
import { createProgress } from '../../../src/node-cli/render/progress.ts'
import { renderTable } from '../../../src/node-cli/render/table.ts'
import { clean, count, formatBytes, formatDuration, shortId, toJson } from '../../../src/node-cli/render/text.ts'

const plain = pc.createColors(false)

class Sink extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

test('text from the network is made harmless', () => {
  expect(clean('a\u001b[31mb\u0007\n c\u009bd\u202ee\u2066f\ufeff')).toBe('a [31mb  c d e f')
  expect(clean('ünïcode ✓')).toBe('ünïcode ✓')
  const json = toJson({ text: '\u001b\u009b\u202e"' })
  expect(JSON.parse(json)).toEqual({ text: '\u001b\u009b\u202e"' })
  expect(json).toMatch(/^[\x20-\x7e\n]*$/)
})

test('numbers are written for people', () => {
  expect([0, 999, 1000, 1500, 999_999, 23_000_000, 5e12].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '1.5 kB',
    '1.0 MB',
    '23.0 MB',
    '5.0 TB',
  ])
  expect([3, 1500, 61_000, 3_700_000, 90_000_000].map(formatDuration)).toEqual([
    '3 ms',
    '1.5 s',
    '1 min 1 s',
    '1 h 1 min',
    '1 d 1 h',
  ])
  expect([count(1, 'peer'), count(2, 'peer'), count(0, 'entry', 'entries')]).toEqual(['1 peer', '2 peers', '0 entries'])
  expect(shortId('did:key:z6MkabcdefghijklmnopqrstuvW')).toBe('z6Mkabcdefghijkl…')
  expect(shortId('abc')).toBe('abc')
})

test('tables align their columns and clean their cells', () => {
  const text = renderTable(
    ['A', 'LONG'],
    [
      ['x\u001b[1m', '1'],
      ['longer', '2'],
    ],
    plain,
  )
  expect(text).toBe('A       LONG\nx [1m   1\nlonger  2')
  expect(
    renderFacts(
      [
        ['One', '1'],
        ['Twelve', ''],
      ],
      plain,
    ),
  ).toBe('One     1\nTwelve')
})

describe('errors', () => {
  const error = new RegistryError('NO_PEERS', 'Nobody\u001b[2J is there.', { hint: 'Wait.' })

  test('are sentences on stderr, with the code and the exit code of the contract', () => {
    const [stdout, stderr] = [new Sink(), new Sink()]
    expect(renderError(error, false, { stdout, stderr, env: {} })).toBe(5)
    expect(stdout.text).toBe('')
    expect(stderr.text).toBe('Error [NO_PEERS]: Nobody [2J is there.\nHint: Wait.\n')
  })

  test('are one JSON document on stdout', () => {
    const [stdout, stderr] = [new Sink(), new Sink()]
    expect(renderError(error, true, { stdout, stderr, env: {} })).toBe(5)
    expect(JSON.parse(stdout.text)).toEqual({
      error: { code: 'NO_PEERS', message: 'Nobody\u001b[2J is there.', hint: 'Wait.' },
    })
    expect(stderr.text).toBe('')
  })

  test('show a stack for a bug, and for all with GGEN_DEBUG=1', () => {
    const stderr = new Sink()
    renderError(new RegistryError('INTERNAL', 'Bug.', { cause: new Error('deep') }), false, {
      stdout: new Sink(),
      stderr,
      env: {},
    })
    expect(stderr.text).toContain('Caused by: Error: deep')
    const debug = new Sink()
    renderError(error, false, { stdout: new Sink(), stderr: debug, env: { GGEN_DEBUG: '1' } })
    expect(debug.text).toContain('render.test.ts')
  })
})

test('progress says nothing where no terminal is, but passes warnings on', () => {
  const stderr = new Sink()
  const progress = createProgress(stderr)
  progress.onProgress({ type: 'block:received', peerId: 'p', cid: 'c', bytes: 1, totalBytes: 2, package: 'x' })
  progress.onProgress({ type: 'files', done: 1, total: 2, bytes: 1, totalBytes: 2 })
  expect(stderr.text).toBe('')
  progress.onProgress({ type: 'warning', message: 'mind\u0007 this' })
  progress.onProgress({ type: 'block:rejected', peerId: 'p', reason: 'lied' })
  progress.end()
  expect(stderr.text).toBe('Note: mind  this\nA peer was dropped: lied (p)\n')
})
