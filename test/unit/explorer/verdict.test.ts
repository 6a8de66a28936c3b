import { expect, test } from 'vitest'
import type { Verification } from '../../../src/browser/describe-verification.ts'
import { verdictOf } from '../../../src/browser/ui/package-verification.ts'
import { RegistryError } from '../../../src/core/errors.ts'

const alice = 'did:key:z6MkAlice'
const bob = 'did:key:z6MkBob'

const signedBy = (publisher: string, forkSeq: number | null = null): Verification['signatures'][number] => ({
  publisher,
  petname: null,
  fingerprint: 'aaaa-bbbb',
  author: publisher,
  valid: true,
  seq: 0,
  time: '2026-01-01T00:00:00.000Z',
  entry: 'bafyentry',
  forkSeq,
})

function checked(changes: Partial<Verification> = {}): Verification {
  const block = { cid: 'bafyblock', size: 10, ok: true, from: null }
  const missing = { ...block, ok: null }
  return { cid: 'bafymanifest', signatures: [signedBy(alice)], registry: null, blocks: [block, missing], ...changes }
}

const refusedOnce = { peers: [], refused: [{ peerId: 'liar', times: 1 }] }

test('verified is what the publisher looked at has signed, with no block wrong', () => {
  expect(verdictOf(checked(), alice)).toMatchObject({ verified: true, alarm: false })
  // That others lied on the way changes nothing about what came.
  expect(verdictOf(checked(), alice, refusedOnce)).toMatchObject({ verified: true })
})

test('somebody else’s signature on the same content is none', () => {
  expect(verdictOf(checked({ signatures: [signedBy(bob)] }), alice)).toMatchObject({ verified: false, alarm: true })
  expect(verdictOf(checked({ signatures: [] }), null)).toMatchObject({ verified: false, alarm: true })
})

test('a wrong block and a forked log are alarms', () => {
  const wrong = checked({ blocks: [{ cid: 'bafyblock', size: 10, ok: false, from: null }] })
  expect(verdictOf(wrong, alice)).toMatchObject({ verified: false, alarm: true })
  expect(verdictOf(checked({ signatures: [signedBy(alice, 3)] }), alice)).toMatchObject({
    verified: false,
    alarm: true,
  })
})

test('nobody to ask is no alarm, unless somebody lied; a failed check always is', () => {
  const nobody = { error: new RegistryError('NO_PROVIDERS', 'No peer has it.', { hint: 'Wait.' }) }
  expect(verdictOf(nobody, alice)).toMatchObject({ verified: false, alarm: false })
  expect(verdictOf(nobody, alice, refusedOnce)).toMatchObject({ verified: false, alarm: true })
  const failed = { error: new RegistryError('VERIFICATION_FAILED', 'It is something else.', { hint: 'Beware.' }) }
  expect(verdictOf(failed, alice)).toMatchObject({ verified: false, alarm: true })
})

test('while it is being checked there is no verdict, but a lie is told at once', () => {
  expect(verdictOf(undefined, alice)).toBeUndefined()
  expect(verdictOf(undefined, alice, { peers: [], refused: [] })).toBeUndefined()
  expect(verdictOf(undefined, alice, refusedOnce)).toMatchObject({ verified: false, alarm: true })
})
