import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ServiceProgress } from '../../../src/core/control/service.ts'
import { blocksProtocol } from '../../../src/core/exchange/wire.ts'
import { createSigner, generateKeyPair } from '../../../src/core/identity/key-pair.ts'
import { limits } from '../../../src/core/limits.ts'
import { createEntry } from '../../../src/core/log/entry.ts'
import type { ReleaseBody } from '../../../src/core/log/types.ts'
import { logHeadKey, nameKey } from '../../../src/core/registry/announcer.ts'
import { createHolders } from '../../../src/core/registry/holders.ts'
import { nodeSha256 } from '../../../src/storage/node.ts'
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

const knows = (who: TestNode, name: string) =>
  until(`${who.peerId} knows ${name}`, async () => (await who.node.parts.entries.byPackage(name)).length > 0)

describe('a release', () => {
  test('is gossiped to connected peers, found and installed there', async () => {
    await net.connect(bob, alice)
    const published = await alice.node.publish(
      packageSource({ name: 'demo', description: 'A demo of sharing', keywords: ['sharing'] }),
    )
    await knows(bob, 'demo')
    const found = await bob.node.search({ query: 'sharing' })
    expect(found.results[0]).toMatchObject({
      name: 'demo',
      publisher: alice.publisher,
      cid: published.cid,
      providers: 1,
    })
    const progress: ServiceProgress[] = []
    const { installed, notices } = await bob.node.install(bob.project, ['demo'], {
      onProgress: (event) => progress.push(event),
    })
    expect(installed[0]).toMatchObject({ name: 'demo', sources: ['alice'] })
    expect(notices.join()).toContain('pinned')
    expect(progress.map(({ type }) => type)).toContain('block:received')
    expect(readFileSync(join(bob.projectDir, '.ggen/packages/demo/README.md'), 'utf8')).toBe('# demo')
    expect(await bob.node.verify(bob.project)).toMatchObject({ ok: true })
    expect(bob.node.packagesAt('alice')).toBe(1)
  })

  test('reaches who joins later by reconciliation, both ways', async () => {
    await alice.node.publish(packageSource({ name: 'early' }))
    await bob.node.publish(packageSource({ name: 'other' }))
    await net.connect(bob, alice)
    await knows(bob, 'early')
    await knows(alice, 'other')
    expect((await bob.node.search({ query: 'early', registry: 'p2p' })).results).toHaveLength(1)
  })

  test('is served on by who installed it, when its publisher is gone', async () => {
    await alice.node.publish(packageSource({ name: 'durable' }))
    await net.connect(bob, alice)
    await knows(bob, 'durable')
    await bob.node.install(bob.project, ['durable'])
    await net.stop(alice.node)
    const carol = await net.add('carol')
    await net.connect(carol, bob)
    await knows(carol, 'durable')
    const { installed } = await carol.node.install(carol.project, ['durable'])
    expect(installed[0]?.sources).toEqual(['bob'])
  })

  test('of the same content changes nothing; of other content is refused', async () => {
    const first = await alice.node.publish(packageSource({ name: 'once' }))
    const again = await alice.node.publish(packageSource({ name: 'once' }))
    expect(again).toMatchObject({ cid: first.cid, entry: first.entry, unchanged: true })
    await expect(alice.node.publish(packageSource({ name: 'once' }, { 'README.md': 'else' }))).rejects.toMatchObject({
      code: 'VERSION_EXISTS',
    })
    const dry = await alice.node.publish(packageSource({ name: 'dry' }), { dryRun: true })
    expect(dry).toMatchObject({ entry: null, dryRun: { files: [{ path: 'README.md' }, { path: 'package.toml' }] } })
    expect(await alice.node.parts.entries.byPackage('dry')).toEqual([])
  })

  test('can be waited for until peers hold it', async () => {
    await net.connect(bob, alice)
    const waiting = alice.node.publish(packageSource({ name: 'wanted' }), { wait: 1 })
    await knows(bob, 'wanted')
    await bob.node.install(bob.project, ['wanted'])
    expect((await waiting).replicas).toBe(1)
    await expect(
      alice.node.publish(packageSource({ name: 'unwanted' }), { wait: 1, waitTimeoutMs: 50 }),
    ).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(await alice.node.parts.entries.byPackage('unwanted')).toHaveLength(1)
  })

  test('without announcement is told nobody until they reconcile', async () => {
    await net.connect(bob, alice)
    await alice.node.publish(packageSource({ name: 'quiet' }), { announce: false })
    expect(await bob.node.parts.entries.byPackage('quiet')).toEqual([])
    // A lookup by name asks; so does an install.
    expect((await bob.node.info('quiet')).name).toBe('quiet')
  })
})

describe('specs', () => {
  beforeEach(async () => {
    await net.connect(bob, alice)
  })

  test('by publisher, prefix, content and range lead to the same package', async () => {
    await alice.node.publish(packageSource({ name: 'spec', version: '1.0.0' }))
    const { cid } = await alice.node.publish(packageSource({ name: 'spec', version: '1.1.0' }))
    await until('both are known', async () => (await bob.node.parts.entries.byPackage('spec')).length === 2)
    const key = alice.publisher.slice('did:key:'.length)
    for (const spec of ['spec', 'spec@^1', `${alice.publisher}/spec`, `${key.slice(0, 16)}/spec@1.1.0`, cid]) {
      expect((await bob.node.info(spec)).cid, spec).toBe(cid)
    }
    expect((await bob.node.info('spec@1.0.0')).versions.map(({ version }) => version)).toEqual(['1.1.0', '1.0.0'])
    await expect(bob.node.info('spec@2')).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' })
    await expect(bob.node.info('spek')).rejects.toMatchObject({
      code: 'PACKAGE_NOT_FOUND',
      hint: expect.stringContaining('spec'),
    })
    await expect(bob.node.info(`${bob.publisher}/spec`)).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' })
  })

  test('by content ID alone learn the name from the manifest and want a signature', async () => {
    const { cid } = await alice.node.publish(packageSource({ name: 'by-content' }), { announce: false })
    const { installed } = await bob.node.install(bob.project, [cid])
    expect(installed[0]).toMatchObject({ name: 'by-content', publisher: alice.publisher })
    const unsigned = 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi'
    await expect(
      bob.node.install(bob.project, [unsigned], { signal: AbortSignal.timeout(5_000) }),
    ).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
  })

  test('of a name that two publish are ambiguous until one is chosen, and pinned then', async () => {
    await alice.node.publish(packageSource({ name: 'twin' }, { 'README.md': 'of alice' }))
    await bob.node.publish(packageSource({ name: 'twin' }, { 'README.md': 'of bob' }))
    const carol = await net.add('carol')
    await net.connect(carol, alice)
    await net.connect(carol, bob)
    await until('both are known', async () => (await carol.node.parts.entries.byPackage('twin')).length === 2)
    await expect(carol.node.install(carol.project, ['twin'])).rejects.toMatchObject({ code: 'NAME_AMBIGUOUS' })
    await carol.node.install(carol.project, [`${bob.publisher}/twin`])
    expect((await carol.node.info('twin')).publisher).toBe(bob.publisher)
    await carol.node.parts.trust.block(bob.publisher)
    await expect(carol.node.info('twin')).rejects.toMatchObject({ code: 'DENIED' })
  })

  test('bring what the package needs', async () => {
    await alice.node.publish(packageSource({ name: 'base', version: '1.2.0' }))
    await alice.node.publish(packageSource({ name: 'top', dependencies: { base: '^1.0.0' } }))
    await knows(bob, 'top')
    const { installed } = await bob.node.install(bob.project, ['top'])
    expect(installed.map(({ name, version }) => `${name}@${version}`).sort()).toEqual(['base@1.2.0', 'top@1.0.0'])
  })
})

describe('a node that comes back', () => {
  test('has its search index again when it was lost, and its own log from the journal', async () => {
    await alice.node.publish(packageSource({ name: 'kept', keywords: ['gem'] }))
    await alice.node.publish(packageSource({ name: 'kept', version: '1.1.0', keywords: ['gem'] }))
    await net.stop(alice.node)
    rmSync(join(alice.home, 'p2p-cache', 'index.sqlite'))
    alice = await alice.reopen()
    expect((await alice.node.search({ query: 'gem' })).results[0]).toMatchObject({ name: 'kept', version: '1.1.0' })
    const third = await alice.node.publish(packageSource({ name: 'kept', version: '1.2.0' }))
    expect(third.entry).not.toBeNull()
    expect((await alice.node.publisherLog.head())?.entry.seq).toBe(2)
  })

  test('gets its own packages back from who installed them', async () => {
    await alice.node.publish(packageSource({ name: 'lost' }))
    await net.connect(bob, alice)
    await knows(bob, 'lost')
    await bob.node.install(bob.project, ['lost'])
    await net.stop(alice.node)
    rmSync(join(alice.home, 'p2p-cache'), { recursive: true })
    alice = await alice.reopen()
    expect(await alice.node.parts.blocks.roots()).toEqual([])
    await net.connect(alice, bob)
    await until(
      'the content is back, and pinned',
      async () => (await alice.node.parts.blocks.roots())[0]?.pinned === true,
    )
  })

  test('works offline from its cache, and says what it lacks', async () => {
    await net.connect(bob, alice)
    await alice.node.publish(packageSource({ name: 'cached' }))
    await alice.node.publish(packageSource({ name: 'uncached' }))
    await knows(bob, 'uncached')
    await bob.node.install(bob.project, ['cached'])
    const again = await bob.node.install(bob.project, ['cached'], { offline: true, force: true })
    expect(again.installed[0]?.sources).toEqual(['cache'])
    await expect(bob.node.install(bob.project, ['uncached'], { offline: true })).rejects.toMatchObject({
      code: 'NO_PROVIDERS',
    })
    await expect(bob.node.install(bob.project, ['nobody'], { offline: true })).rejects.toMatchObject({
      code: 'PACKAGE_NOT_FOUND',
    })
    expect(existsSync(join(bob.projectDir, '.ggen/packages/uncached'))).toBe(false)
    const lone = await net.add('lone', { offline: true })
    expect((await lone.node.search({ query: 'x' })).sources.map(({ source, status }) => [source, status])).toEqual([
      ['local', 'ok'],
      ['p2p', 'skipped'],
    ])
    await expect(lone.node.info('x')).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' })
  })
})

describe('content', () => {
  test('is had file by file', async () => {
    const { cid } = await alice.node.publish(packageSource({ name: 'parts' }, { 'a.txt': 'one', 'b.txt': 'two' }))
    await net.connect(bob, alice)
    await knows(bob, 'parts')
    const [entry] = await bob.node.parts.entries.byPackage('parts')
    const manifest = (entry!.entry.body as ReleaseBody).manifest
    expect(manifest.toString()).toBe(cid)
    expect(new TextDecoder().decode(await bob.node.content.file(manifest, 'b.txt'))).toBe('two')
    await expect(bob.node.content.file(manifest, 'c.txt')).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' })
    const providers: string[] = []
    for await (const peerId of bob.node.content.providers(manifest)) providers.push(peerId)
    expect(providers).toEqual(['alice'])
  })

  test('of a signed statement about another package is refused', async () => {
    const { cid } = await alice.node.publish(packageSource({ name: 'real' }))
    const keyPair = await generateKeyPair({ extractable: true })
    const liar = await createSigner(keyPair)
    const [real] = await alice.node.parts.entries.byPackage('real')
    const body = { ...(real!.entry.body as object), name: 'fake' }
    const entry = await createEntry(
      liar,
      { publisher: liar.did, seq: 0, prev: null, time: Date.now(), type: 'release', body } as never,
      nodeSha256,
    )
    await net.connect(bob, alice)
    await knows(bob, 'real')
    expect(await bob.node.parts.network!.publish('/ggen/packages/v1', entry.envelope)).toBe(1)
    await knows(alice, 'fake')
    await expect(bob.node.install(bob.project, ['fake'])).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    expect(cid).toBeDefined()
  })
})

describe('hostile or strange peers', () => {
  test('whose gossip is no valid entry lose their reputation and are banned', async () => {
    const eve = await net.add('eve')
    await net.connect(eve, bob)
    const topic = bob.node.parts.settings.topic
    // The memory network has no gossip router that reports rejections: they are judged here directly.
    for (let time = 0; time < 3; time++) {
      const judge = net.hub.peers.get('bob')!.topics.get(topic)!
      expect(await judge(new Uint8Array([time]), 'eve', 'eve')).toBe('reject')
      bob.node.parts.reputation.recordFault('eve', 'bad-gossip')
    }
    expect(bob.heard['peer:banned']).toMatchObject([{ peerId: 'eve' }])
    expect(await net.hub.peers.get('bob')!.topics.get(topic)!(new Uint8Array([9]), 'eve', 'eve')).toBe('ignore')
    expect(bob.node.packagesAt('eve')).toBe(0)
  })

  test('gossip of old news is ignored, known news too', async () => {
    const { signer } = alice.node.parts
    const old = await createEntry(
      signer,
      {
        publisher: signer.did,
        seq: 0,
        prev: null,
        time: Date.now() - limits.maxGossipAgeMs - 1000,
        type: 'profile',
        body: { name: 'Alice' },
      },
      nodeSha256,
    )
    const judge = net.hub.peers.get('bob')!.topics.get(bob.node.parts.settings.topic)!
    expect(await judge(old.envelope, 'alice', 'alice')).toBe('ignore')
    const fresh = await createEntry(
      signer,
      { publisher: signer.did, seq: 0, prev: null, time: Date.now(), type: 'profile', body: { name: 'Alice' } },
      nodeSha256,
    )
    expect(await judge(fresh.envelope, 'alice', 'alice')).toBe('accept')
    expect(await judge(fresh.envelope, 'alice', 'alice')).toBe('ignore')
  })

  test('a forked log is told about, passed on as proof, and its releases after the fork refused', async () => {
    const keyPair = await generateKeyPair({ extractable: true })
    const one = await net.add('one', { keyPair })
    const two = await net.add('two', { keyPair })
    await one.node.publish(packageSource({ name: 'split' }, { 'README.md': 'one' }))
    await two.node.publish(packageSource({ name: 'split' }, { 'README.md': 'two' }))
    await net.connect(bob, one)
    await knows(bob, 'split')
    await net.connect(alice, bob)
    await net.connect(bob, two)
    await until('bob has noticed', () => (bob.heard['log:forked'] ?? []).length > 0)
    await until('alice has the proof', () => (alice.heard['log:forked'] ?? []).length > 0)
    await expect(alice.node.install(alice.project, ['split'])).rejects.toMatchObject({ code: 'LOG_FORKED' })
    expect((await bob.node.info('split')).forked).toBe(true)
    await until(
      'two knows of its own fork',
      async () => (await two.node.parts.entries.log(two.publisher))?.forkSeq !== undefined,
    )
    await expect(two.node.publish(packageSource({ name: 'more' }))).rejects.toMatchObject({ code: 'LOG_FORKED' })
  })

  test('a provider that holds nothing any more is passed over', async () => {
    await alice.node.publish(packageSource({ name: 'moved' }))
    const carol = await net.add('carol')
    await net.connect(bob, alice)
    await net.connect(bob, carol)
    await knows(bob, 'moved')
    const [entry] = await bob.node.parts.entries.byPackage('moved')
    await carol.node.parts.network!.provide((entry!.entry.body as ReleaseBody).manifest)
    const { installed } = await bob.node.install(bob.project, ['moved'])
    expect(installed[0]?.sources).toEqual(['alice'])
  })
})

test('the DHT learns of content, name and log head', async () => {
  await net.connect(bob, alice)
  const { cid } = await alice.node.publish(packageSource({ name: 'announced' }))
  const name = (await nameKey('announced', nodeSha256)).toString()
  await until(
    'it is provided',
    () => net.hub.providers.get(cid)?.has('alice') === true && net.hub.providers.get(name)?.has('alice') === true,
  )
  await until('the head is stored', () => net.hub.records.has(logHeadKey(alice.publisher)))
  // Who is asked by nobody's index finds it by name in the DHT.
  const light = await net.add('light', { settings: { role: 'light' } })
  await net.connect(light, bob)
  expect((await light.node.info('announced')).cid).toBe(cid)
})

test('a light node serves content but no index', async () => {
  const light = await net.add('light', { settings: { role: 'light' } })
  expect([...net.hub.peers.get('light')!.handlers.keys()]).toEqual([blocksProtocol])
  await net.connect(light, bob)
  expect((await light.node.search({ query: 'x'.repeat(10) })).results).toEqual([])
  await expect(light.node.search({ query: 'x'.repeat(limits.maxQueryLength + 1) })).rejects.toMatchObject({
    code: 'USAGE',
  })
})

test('holders are remembered within bounds', () => {
  const holders = createHolders()
  for (let peer = 0; peer < 40; peer++) holders.add('m', `p${peer}`)
  expect(holders.of('m')).toHaveLength(32)
  holders.add('n', 'p0')
  expect(holders.countFor('p0')).toBe(2)
  holders.forget('p0')
  expect(holders.of('n')).toEqual([])
  for (let index = 0; index < 10_001; index++) holders.add(`x${index}`, 'q')
  expect(holders.of('m')).toEqual([])
  expect(holders.countFor('q')).toBe(10_000)
})
