import { afterEach, beforeEach, expect, test } from 'vitest'
import { decodeKeyFile, encodeKeyFile, rotationsIn } from '../../../src/core/identity/key-file.ts'
import { createSigner, generateKeyPair } from '../../../src/core/identity/key-pair.ts'
import { keepRotations, rotationsTo } from '../../../src/core/log/rotations.ts'
import type { TestNode } from './test-network.ts'
import { createTestNetwork, packageSource, until } from './test-network.ts'

let net: ReturnType<typeof createTestNetwork>
let alice: TestNode
let bob: TestNode

beforeEach(async () => {
  net = createTestNetwork()
  alice = await net.add('alice')
  bob = await net.add('bob')
})

afterEach(() => net.dispose())

/** Alice's home with its next key. */
async function rotated(): Promise<TestNode> {
  const keyPair = await generateKeyPair({ extractable: true })
  const successor = await createSigner(keyPair)
  const entry = await alice.node.publisherLog.handOn(successor)
  expect(entry.entry).toMatchObject({ type: 'rotate', publisher: alice.publisher, body: { to: successor.did } })
  expect((await alice.node.publisherLog.handOn(successor)).cid.equals(entry.cid)).toBe(true)
  await expect(alice.node.publish(packageSource({ name: 'late' }))).rejects.toMatchObject({ code: 'DENIED' })
  await net.stop(alice.node)
  return net.add('alice', { keyPair })
}

test('a publisher stays the same under a new key, for itself and for those who pinned it', async () => {
  await alice.node.publish(packageSource({ name: 'tool', version: '1.0.0' }))
  await net.connect(bob, alice)
  await until('bob knows it', async () => (await bob.node.parts.entries.byPackage('tool')).length > 0)
  await bob.node.install(bob.project, ['tool'])
  const renewed = await rotated()
  expect(renewed.publisher).not.toBe(alice.publisher)
  expect(await renewed.node.publisherLog.publisher()).toBe(alice.publisher)
  const second = await renewed.node.publish(packageSource({ name: 'tool', version: '1.1.0' }))
  expect(second.publisher).toBe(alice.publisher)
  await expect(
    renewed.node.publish(packageSource({ name: 'tool', version: '1.0.0' }, { 'README.md': 'other' })),
  ).rejects.toMatchObject({ code: 'VERSION_EXISTS' })
  await renewed.node.yank({ name: 'tool', version: '1.0.0' })
  await net.connect(bob, renewed)
  await until('bob knows the yank', async () => (await bob.node.info('tool@1.0.0')).yanked)
  const { installed, notices } = await bob.node.install(bob.project, [], { update: [] })
  expect(installed[0]).toMatchObject({ name: 'tool', version: '1.1.0', publisher: alice.publisher })
  expect(notices).toEqual([])
  expect(await bob.node.verify(bob.project)).toMatchObject({ ok: true, packages: [{ signature: 'valid' }] })
})

test('a key that never published hands on too', async () => {
  const renewed = await rotated()
  expect((await renewed.node.publish(packageSource({ name: 'first' }))).publisher).toBe(alice.publisher)
})

test('an exported key takes its rotations along: on another machine it is the same publisher', async () => {
  await alice.node.publish(packageSource({ name: 'tool', version: '1.0.0' }))
  const renewed = await rotated()
  const { journal, sha256, signer } = renewed.node.parts
  const rotations = await rotationsTo(signer.did, journal, sha256)
  expect(rotations).toHaveLength(1)
  const seed = new Uint8Array(32).fill(7)
  const text = await encodeKeyFile(seed, { passphrase: 'several words', rotations })
  expect(rotationsIn(text)).toEqual(rotations)
  expect(await decodeKeyFile(text, { passphrase: 'several words' })).toEqual(seed)

  const elsewhere = bob.node.parts.journal
  expect(await keepRotations(signer.did, rotations, elsewhere, sha256)).toBe(alice.publisher)
  expect(await keepRotations(signer.did, rotations, elsewhere, sha256)).toBe(alice.publisher)
  expect(await rotationsTo(signer.did, elsewhere, sha256)).toEqual(rotations)
  // Rotations to another key, or what is no rotation, are refused and not kept.
  await expect(keepRotations(bob.publisher, rotations, elsewhere, sha256)).rejects.toMatchObject({ code: 'USAGE' })
  const [release] = await journal.read(alice.publisher)
  await expect(keepRotations(signer.did, [release!], elsewhere, sha256)).rejects.toMatchObject({ code: 'USAGE' })
  expect(await keepRotations(bob.publisher, [], elsewhere, sha256)).toBe(bob.publisher)
})
