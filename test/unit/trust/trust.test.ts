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
  for (const name of ['', 'Ada', 'a b', '../x', 'x'.repeat(65)])
    await expect(trust.add(bea, name), name).rejects.toMatchObject({ code: 'USAGE' })
  await expect(trust.add('ada')).rejects.toMatchObject({ code: 'USAGE' })
  await expect(trust.block('nobody')).rejects.toMatchObject({ code: 'USAGE' })
})

test('a file that is not what was written is an error, not a fresh start', async () => {
  await state.write('trust', { pins: [1] })
  await expect(reopened()).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
})
