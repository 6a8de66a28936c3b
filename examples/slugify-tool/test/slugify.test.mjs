import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slugify } from '../bin/slugify.mjs'

test('titles become slugs', () => {
  assert.equal(slugify('Hello, World!'), 'hello-world')
  assert.equal(slugify('Crème brûlée & Straßencafé'), 'creme-brulee-and-strassencafe')
  assert.equal(slugify('  Ærøskøbing  '), 'aeroskobing')
  assert.equal(slugify('日本語 タイトル'), '日本語-タイトル'.normalize('NFKD').replace(/\p{M}+/gu, ''))
  assert.equal(slugify('!?'), '')
})

test('long ones are cut at a word where that loses little', () => {
  assert.equal(slugify('one two three', { maxLength: 9 }), 'one-two')
  assert.equal(slugify('one two three', { maxLength: 7 }), 'one-two')
  assert.equal(slugify('incomprehensibility', { maxLength: 5 }), 'incom')
})
