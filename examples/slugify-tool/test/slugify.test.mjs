import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { slugify } from '../bin/slugify.mjs'

const command = fileURLToPath(new URL('../bin/slugify.mjs', import.meta.url))

function run(args, input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { input, encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('titles become slugs', () => {
  assert.equal(slugify('Hello, World!'), 'hello-world')
  assert.equal(slugify('  Release notes: v1.2.0  '), 'release-notes-v1-2-0')
  assert.equal(slugify("Don't panic"), 'dont-panic')
  assert.equal(slugify('!?'), '')
  assert.equal(slugify(''), '')
})

test('accents of Latin letters are dropped, and letters without a plain form written out', () => {
  assert.equal(slugify('Crème brûlée & Straßencafé'), 'creme-brulee-and-strassencafe')
  assert.equal(slugify('Ærøskøbing, ÆSIR, GROẞ'), 'aeroskobing-aesir-gross')
  assert.equal(slugify('Łódź İstanbul ﬁn'), 'lodz-istanbul-fin')
})

test('composed and decomposed titles have one slug', () => {
  assert.equal(slugify('Über'.normalize('NFD')), slugify('Über'.normalize('NFC')))
  assert.equal(slugify('한국어'.normalize('NFD')), '한국어')
})

test('letters of other scripts stay what they are', () => {
  assert.equal(slugify('日本語 ガイド'), '日本語-ガイド')
  assert.equal(slugify('Мой дом'), 'мой-дом')
  assert.equal(slugify('हिन्दी में'), 'हिन्दी-में')
})

test('long slugs are cut between words where that keeps half of them, within a word otherwise', () => {
  assert.equal(slugify('one two three', { maxLength: 9 }), 'one-two')
  assert.equal(slugify('one two three', { maxLength: 7 }), 'one-two')
  assert.equal(slugify('a incomprehensibility', { maxLength: 9 }), 'a-incompr')
  assert.equal(slugify('incomprehensibility', { maxLength: 5 }), 'incom')
})

test('no slug ends with a part of the separator, or in half a character', () => {
  assert.equal(slugify('a bcdef', { maxLength: 3, separator: '--' }), 'a')
  assert.equal(slugify('𝟙𐐷𐐷𐐷', { maxLength: 2 }), '1𐐷')
})

test('a title on the command line', () => {
  assert.deepEqual(run(['Hello,', 'World!']), { status: 0, stdout: 'hello-world\n', stderr: '' })
  assert.equal(run(['-s', '_', '-m', '5', 'Hello, World!']).stdout, 'hello\n')
})

test('one slug for each line of the standard input', () => {
  assert.deepEqual(run([], 'First line\nSecond line\n'), { status: 0, stdout: 'first-line\nsecond-line\n', stderr: '' })
})

test('what is wrong with the arguments is said, with exit code 2', () => {
  for (const args of [['--max-length', 'ten', 'x'], ['-m', '0', 'x'], ['--no-such-option']]) {
    const { status, stdout, stderr } = run(args)
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^slugify: .+\n\nUsage:/)
  }
  assert.match(run(['--help']).stdout, /^Usage:/)
})
