import { beforeEach, expect, test } from 'vitest'
import type { StateStore } from '../../../src/core/ports.ts'
import { createTrust } from '../../../src/core/trust/trust.ts'
import { createMemoryState } from '../../../src/storage/memory.ts'
import { testSigner } from '../identity/test-signers.ts'

let state: StateStore
let ada: string
let bea: string

beforeEach(async () => {
  state = createMemoryState()
  ada = (await testSigner(1)).did
  bea = (await testSigner(2)).did
})

async function reopened() {
  const trust = createTrust(state)
  await trust.start()
  return trust
}

test('decisions outlive the process', async () => {
  const trust = await reopened()
  await trust.pin('tool', ada)
  await trust.add(ada, 'ada')
  await trust.block(bea)
  await trust.acceptFork(ada)
  const later = await reopened()
  expect(later.pinOf('tool')).toBe(ada)
  expect(later.publisherOf('ada')).toBe(ada)
  expect(later.petnameOf(ada)).toBe('ada')
  expect(later.isBlocked(bea)).toBe(true)
  expect(later.acceptsFork(ada)).toBe(true)
  expect(later.list()).toEqual(
    [
      { publisher: ada, petname: 'ada', blocked: false, pins: ['tool'] },
      { publisher: bea, petname: null, blocked: true, pins: [] },
    ].sort((a, b) => (a.publisher < b.publisher ? -1 : 1)),
  )
})

test('names from outside find no inherited properties', async () => {
  const trust = await reopened()
  expect(trust.pinOf('constructor')).toBeUndefined()
  expect(trust.publisherOf('toString')).toBeUndefined()
  expect(await trust.unpin('valueOf')).toBe(false)
})

test('adding lifts a block and renames; removing forgets everything', async () => {
  const trust = await reopened()
  await trust.block(ada)
  await trust.add(ada)
  expect(trust.isBlocked(ada)).toBe(false)
  expect(trust.petnameOf(ada)).toBe(ada.slice(-8).toLowerCase())
  await trust.add(ada, 'ada')
  expect(trust.publisherOf(ada.slice(-8).toLowerCase())).toBeUndefined()
  await trust.pin('tool', ada)
  expect(await trust.unpin('tool')).toBe(true)
  await trust.pin('tool', ada)
  expect(await trust.remove(ada)).toBe(true)
  expect(trust.list()).toEqual([])
  expect(await trust.remove(ada)).toBe(false)
})

test('bad and taken names are refused', async () => {
  const trust = await reopened()
  await trust.add(ada, 'ada')
  await expect(trust.add(bea, 'ada')).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(ada) })
  for (const name of ['', 'Ada', 'a b', '../x', 'x'.repeat(65), 'constructor', 'prototype'])
    await expect(trust.add(bea, name), name).rejects.toMatchObject({ code: 'USAGE' })
  await expect(trust.add('ada')).rejects.toMatchObject({ code: 'USAGE' })
  await expect(trust.block('nobody')).rejects.toMatchObject({ code: 'USAGE' })
})

test('the longest petname is 64 characters, and one is kept by adding again without it', async () => {
  const trust = await reopened()
  const longest = `a.b_c-${'9'.repeat(58)}`
  await trust.add(ada, longest)
  await trust.add(ada)
  expect((await reopened()).publisherOf(longest)).toBe(ada)
  expect(trust.list()).toHaveLength(1)
})

test('a refused decision changes nothing, on disk neither', async () => {
  const trust = await reopened()
  await trust.add(ada, 'ada')
  await trust.block(bea)
  await expect(trust.add(bea, 'ada')).rejects.toMatchObject({ code: 'USAGE', hint: expect.stringContaining('--as') })
  for (const one of [trust, await reopened()]) {
    expect(one.publisherOf('ada')).toBe(ada)
    expect(one.isBlocked(bea)).toBe(true)
  }
})

test('removing a publisher forgets pins, petname, block and accepted fork, and of nobody else', async () => {
  const trust = await reopened()
  for (const did of [ada, bea]) {
    await trust.pin(`tool-of-${did === ada ? 'ada' : 'bea'}`, did)
    await trust.acceptFork(did)
    await trust.acceptFork(did)
    await trust.block(did)
    await trust.block(did)
  }
  expect(await trust.remove(ada)).toBe(true)
  for (const one of [trust, await reopened()]) {
    expect(one.list()).toEqual([{ publisher: bea, petname: null, blocked: true, pins: ['tool-of-bea'] }])
    expect([one.acceptsFork(ada), one.acceptsFork(bea)]).toEqual([false, true])
    expect(one.pinOf('tool-of-ada')).toBeUndefined()
  }
})

test('a publisher with an accepted fork alone can be removed', async () => {
  const trust = await reopened()
  await trust.acceptFork(ada)
  expect(await trust.remove(ada)).toBe(true)
  expect(trust.acceptsFork(ada)).toBe(false)
})

test('pins are listed by publisher, each publisher’s by name', async () => {
  const trust = await reopened()
  for (const name of ['c', 'a', 'b']) await trust.pin(name, ada)
  await trust.pin('d', bea)
  await trust.pin('c', bea)
  expect(trust.list().map(({ publisher, pins }) => [publisher, pins])).toEqual(
    [
      [ada, ['a', 'b']],
      [bea, ['c', 'd']],
    ].sort(([a], [b]) => (a! < b! ? -1 : 1)),
  )
})

test('with no file nothing is decided', async () => {
  expect((await reopened()).list()).toEqual([])
})

test.each([
  ['a list', []],
  ['a text', 'trust'],
  ['nothing', null],
  ['with pins that are a list', { pins: [1] }],
  ['with a pin that is no text', { pins: { tool: 7 } }],
  ['with petnames that are no table', { petnames: 'ada' }],
  ['with a block list that is no list', { blocked: { 0: 'did' } }],
  ['with a blocked number', { blocked: [1] }],
  ['with accepted forks that are no list', { acceptedForks: 'all' }],
])('a file that is not what was written is an error, not a fresh start: %s', async (_what, stored) => {
  await state.write('trust', stored)
  await expect(reopened()).rejects.toMatchObject({ code: 'STORAGE_CORRUPT', hint: expect.stringContaining('pins') })
})
