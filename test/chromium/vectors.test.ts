import { expect, test } from 'vitest'
import { webcryptoSha256 as sha256 } from '../../src/core/blocks/webcrypto-sha256.ts'
import { verifyEntry } from '../../src/core/log/entry.ts'
import held from '../fixtures/vectors.json' with { type: 'json' }
import { hexBytes } from '../unit/identity/test-signers.ts'
import { makeVectors } from '../unit/log/make-vectors.ts'

test('keys, manifests, signatures and entries have the same bytes in a browser as in Node', async () => {
  expect(await makeVectors()).toEqual(held)
  for (const { cid, envelope } of [held.release, held.rotate]) {
    expect((await verifyEntry(hexBytes(envelope), { sha256 })).cid.toString()).toBe(cid)
  }
})
