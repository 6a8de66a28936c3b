import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createBlock, encodeNode } from '../../../src/core/blocks/block.ts'
import { webcryptoSha256 } from '../../../src/core/blocks/webcrypto-sha256.ts'
import { encodeHave, encodeWants } from '../../../src/core/exchange/wire.ts'
import { nameKey } from '../../../src/core/registry/announcer.ts'
import { encodeFrame } from '../../../src/core/wire/frames.ts'
import { toHex } from '../identity/test-signers.ts'

test('the bytes that docs/PROTOCOL.md shows of the wire are those that are sent', async () => {
  const lines = readFileSync(join(import.meta.dirname, '../../../docs/PROTOCOL.md'), 'utf8').split('\n')
  const bytes = new TextEncoder().encode('#!/bin/sh\necho hello\n')
  const { cid } = await createBlock('raw', bytes, webcryptoSha256)
  expect(lines).toContain(toHex(encodeWants([cid])))
  expect(lines).toContain(toHex(encodeHave(bytes.length)) + toHex(bytes))
  expect(lines).toContain(toHex(encodeFrame(encodeNode({ kind: 'search', query: { text: 'rest api' }, limit: 10 }))))
  expect(lines).toContain(toHex(encodeFrame(encodeNode({ kind: 'package', name: 'hello' }))))
  expect(lines.join('\n')).toContain(`For \`hello\`: \`${await nameKey('hello', webcryptoSha256)}\``)
})
