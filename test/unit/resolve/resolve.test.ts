import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { fingerprint } from '../../../src/core/identity/fingerprint.ts'
import type { LockedPackage } from '../../../src/core/install/lock-file.ts'
import { formatLock } from '../../../src/core/install/lock-file.ts'
import type { Release } from '../../../src/core/log/history.ts'
import { packageHistory } from '../../../src/core/log/history.ts'
import type { Signer } from '../../../src/core/ports.ts'
import { signedCandidate } from '../../../src/core/resolve/candidate.ts'
import type { Requirement, ResolvedPackage } from '../../../src/core/resolve/graph.ts'
import { resolveGraph } from '../../../src/core/resolve/graph.ts'
import { resolvePublisher } from '../../../src/core/resolve/publisher.ts'
import { pickRelease } from '../../../src/core/resolve/versions.ts'
import type { Trust } from '../../../src/core/trust/trust.ts'
import { createTrust } from '../../../src/core/trust/trust.ts'
import { createMemoryState } from '../../../src/storage/memory.ts'
import { testSigner } from '../identity/test-signers.ts'
import { createTestLog, manifestCid } from '../log/test-entries.ts'

/** name → version → dependencies; a version that starts with ! is yanked. */
type World = Record<string, Record<string, Record<string, string>>>

async function releasesIn(world: World, signer: Signer): Promise<Map<string, Release[]>> {
  const releases = new Map<string, Release[]>()
  for (const [name, versions] of Object.entries(world)) {
    const log = createTestLog(signer)
    const entries = []
    for (const [key, dependencies] of Object.entries(versions)) {
      const version = key.replace('!', '')
      entries.push(
        await log.release(version, { name, dependencies, manifest: await manifestCid(`${name}@${version}`) }),
      )
      if (key.startsWith('!')) entries.push(await log.append({ type: 'yank', body: { name, version, reason: 'bad' } }))
    }
    releases.set(name, packageHistory(entries))
  }
  return releases
}

async function resolve(
  world: World,
  roots: Record<string, string>,
  locked: ReadonlyMap<string, LockedPackage> = new Map(),
  notAfterMs?: number,
) {
  const signer = await testSigner(3)
  const releases = await releasesIn(world, signer)
  const requirements = Object.entries(roots).map(([name, range]): Requirement => ({ name, range }))
  const resolved = await resolveGraph(requirements, {
    async lookup({ name }) {
      const known = new Map(releases.has(name) ? [[signer.did, releases.get(name)!]] : [])
      const trust = createTrust(createMemoryState())
      return {
        decision: resolvePublisher({ name, known, attested: [], trust }),
        candidates: (releases.get(name) ?? []).map(signedCandidate),
      }
    },
    locked: (name) => locked.get(name),
    notAfterMs,
  })
  return resolved
}

/** What a lock file would keep of it. */
function lockOf({ candidate, dependencies }: ResolvedPackage): LockedPackage {
  const { name, version, publisher, registry, integrity, cid } = candidate
  return { name, version, publisher, registry, integrity, cid: cid ?? '', dependencies }
}

async function versions(
  world: World,
  roots: Record<string, string>,
  locked?: ReadonlyMap<string, LockedPackage>,
): Promise<Record<string, string>> {
  return Object.fromEntries(
    [...(await resolve(world, roots, locked))].map(([name, { candidate }]) => [name, candidate.version]),
  )
}

describe('resolveGraph', () => {
  test.each<[string, World, Record<string, string>, Record<string, string>]>([
    ['the newest', { a: { '1.0.0': {}, '1.2.0': {} } }, { a: '*' }, { a: '1.2.0' }],
    ['the newest in a range', { a: { '1.0.0': {}, '1.2.0': {}, '2.0.0': {} } }, { a: '^1' }, { a: '1.2.0' }],
    [
      'a stable version before a newer prerelease',
      { a: { '1.0.0': {}, '2.0.0-rc.1': {} } },
      { a: '*' },
      { a: '1.0.0' },
    ],
    [
      'a prerelease when there is nothing else',
      { a: { '1.0.0-rc.1': {}, '1.0.0-rc.2': {} } },
      { a: '*' },
      { a: '1.0.0-rc.2' },
    ],
    [
      'a prerelease that is asked for',
      { a: { '1.0.0': {}, '2.0.0-rc.1': {} } },
      { a: '>=2.0.0-rc.0' },
      { a: '2.0.0-rc.1' },
    ],
    ['no yanked version', { a: { '1.0.0': {}, '!1.1.0': {} } }, { a: '*' }, { a: '1.0.0' }],
    [
      'a diamond',
      {
        a: { '1.0.0': { b: '*', c: '*' } },
        b: { '1.0.0': { d: '^1' } },
        c: { '1.0.0': { d: '>=1.1' } },
        d: { '1.0.0': {}, '1.1.0': {}, '2.0.0': {} },
      },
      { a: '*' },
      { a: '1.0.0', b: '1.0.0', c: '1.0.0', d: '1.1.0' },
    ],
    ['a cycle', { a: { '1.0.0': { b: '*' } }, b: { '1.0.0': { a: '*' } } }, { a: '*' }, { a: '1.0.0', b: '1.0.0' }],
    [
      'again what a later demand narrows, without what the old choice needed',
      {
        a: { '1.0.0': { b: '*', c: '*' } },
        b: { '1.0.0': {}, '2.0.0': { x: '*' } },
        c: { '1.0.0': { b: '^1' } },
        x: { '1.0.0': {} },
      },
      { a: '*' },
      { a: '1.0.0', b: '1.0.0', c: '1.0.0' },
    ],
    [
      'what two requested packages share',
      { a: { '1.0.0': { c: '^1' } }, b: { '1.0.0': { c: '1.0.0' } }, c: { '1.0.0': {}, '1.5.0': {} } },
      { a: '*', b: '*' },
      { a: '1.0.0', b: '1.0.0', c: '1.0.0' },
    ],
  ])('chooses %s', async (_what, world, roots, expected) => {
    expect(await versions(world, roots)).toEqual(expected)
  })

  test('explains a conflict with both paths', async () => {
    const world: World = { a: { '1.0.0': { c: '^1' } }, b: { '1.0.0': { c: '^2' } }, c: { '1.0.0': {}, '2.0.0': {} } }
    await expect(resolve(world, { a: '*', b: '*' })).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
      message: expect.stringMatching(/a → c wants \^1.*b → c wants \^2/),
    })
  })

  test('says who needs a dependency of which no version can be taken', async () => {
    const world: World = { a: { '1.0.0': { b: '*' } }, b: { '1.0.0': { c: '^3', d: '*' } }, c: { '1.0.0': {} } }
    await expect(resolve({ ...world, d: { '1.0.0': {} } }, { a: '*' })).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
      message: expect.stringContaining('a → b → c'),
      hint: expect.stringContaining('1.0.0'),
    })
    await expect(resolve({ ...world, c: { '3.0.0': {} }, d: { '!1.0.0': {} } }, { a: '*' })).rejects.toMatchObject({
      code: 'YANKED',
      message: expect.stringContaining('a → b → d'),
    })
  })

  test('takes what is too young for no conflict', async () => {
    const world: World = { a: { '1.0.0': { c: '^1' } }, b: { '1.0.0': { c: '>=1.0' } }, c: { '1.0.0': {} } }
    const locked = new Map(
      await Promise.all(
        ['a', 'b'].map(async (name): Promise<[string, LockedPackage]> => {
          const cid = (await manifestCid(`${name}@1.0.0`)).toString()
          return [name, { name, version: '1.0.0', publisher: null, registry: '', integrity: '', cid, dependencies: [] }]
        }),
      ),
    )
    await expect(resolve(world, { a: '*', b: '*' }, locked, 0)).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
      message: expect.stringMatching(/c@1\.0\.0 is the only version that fits, and it came out only on.*a → c/),
      hint: expect.stringContaining('min_release_age'),
    })
  })

  test('explains a conflict between what is requested and what a package needs', async () => {
    const world: World = { a: { '1.0.0': { c: '^1' } }, c: { '1.0.0': {}, '2.0.0': {} } }
    await expect(resolve(world, { a: '*', c: '^2' })).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
      message: 'No version of c suits everybody: a → c wants ^1; c wants ^2.',
    })
  })

  test('takes a prerelease for a dependency only where its range asks for one', async () => {
    const b = { '1.0.0': {}, '2.0.0-rc.1': {} }
    expect(await versions({ a: { '1.0.0': { b: '^2.0.0-rc.0' } }, b }, { a: '*' })).toMatchObject({ b: '2.0.0-rc.1' })
    expect(await versions({ a: { '1.0.0': { b: '>=1' } }, b }, { a: '*' })).toMatchObject({ b: '1.0.0' })
  })

  test('gives up on demands that never settle', async () => {
    const world: World = {
      a: { '1.0.0': { b: '*' } },
      // The new b brings in c, which wants the old b, which does not bring in c.
      b: { '1.0.0': {}, '2.0.0': { c: '*' } },
      c: { '1.0.0': { b: '^1' } },
    }
    await expect(resolve(world, { a: '*' })).rejects.toMatchObject({
      code: 'INVALID_PACKAGE',
      message: expect.stringContaining('dependencies of a'),
    })
  })

  test('gives up on more packages than anybody has', async () => {
    const names = Array.from({ length: 501 }, (_, at) => `p${at}`)
    const world: World = { a: { '1.0.0': Object.fromEntries(names.slice(0, 250).map((name) => [name, '*'])) } }
    for (const [at, name] of names.entries()) world[name] = { '1.0.0': at < 251 ? { [`p${at + 250}`]: '*' } : {} }
    await expect(resolve(world, { a: '*' })).rejects.toMatchObject({
      code: 'INVALID_PACKAGE',
      hint: expect.stringContaining('one by one'),
    })
  })

  test('passes on what is no answer about packages as it is', async () => {
    const failure = new TypeError('a bug')
    const signer = await testSigner(3)
    const releases = await releasesIn({ a: { '1.0.0': { b: '*' } } }, signer)
    const work = resolveGraph([{ name: 'a', range: '*' }], {
      async lookup({ name }) {
        if (name === 'b') throw failure
        return { decision: { publisher: signer.did, by: 'pin' }, candidates: releases.get(name)!.map(signedCandidate) }
      },
      locked: () => undefined,
    })
    await expect(work).rejects.toBe(failure)
  })

  test('asks for a requested package with its publisher, and for dependencies by name alone', async () => {
    const signer = await testSigner(3)
    const releases = await releasesIn({ a: { '1.0.0': { b: '^1' } }, b: { '1.0.0': {} } }, signer)
    const asked = new Set<string>()
    await resolveGraph([{ name: 'a', range: '^1', publisher: 'ada' }], {
      async lookup(requirement) {
        asked.add(JSON.stringify(requirement))
        const candidates = releases.get(requirement.name)!.map(signedCandidate)
        return { decision: { publisher: signer.did, by: 'pin' }, candidates }
      },
      locked: () => undefined,
    })
    expect([...asked]).toEqual(['{"name":"a","range":"^1","publisher":"ada"}', '{"name":"b","range":"*"}'])
  })

  test('gives the same whatever order anything comes in', async () => {
    const world: World = {
      a: { '1.0.0': { d: '^1', c: '*' }, '1.1.0': { c: '*', d: '>=1' } },
      b: { '1.0.0': { d: '<2' } },
      c: { '1.0.0': { b: '*' }, '2.0.0': { a: '*' } },
      d: { '1.0.0': {}, '1.3.0': {}, '2.0.0': {} },
    }
    const turned = (record: World): World =>
      Object.fromEntries(
        Object.entries(record)
          .reverse()
          .map(([name, one]) => [name, Object.fromEntries(Object.entries(one).reverse())]),
      )
    const first = await versions(world, { a: '*', b: '*' })
    const second = await versions(turned(world), { b: '*', a: '*' })
    expect(Object.entries(second)).toEqual(Object.entries(first))
    expect(first).toEqual({ a: '1.1.0', b: '1.0.0', c: '2.0.0', d: '1.3.0' })
  })

  test('says who needs what cannot be found', async () => {
    await expect(
      resolve({ a: { '1.0.0': { b: '*' } }, b: { '1.0.0': { gone: '*' } } }, { a: '*' }),
    ).rejects.toMatchObject({
      code: 'PACKAGE_NOT_FOUND',
      message: expect.stringContaining('a → b → gone'),
    })
    await expect(resolve({}, { a: '*' })).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' })
    await expect(resolve({ a: { '1.0.0': {} } }, { a: '^3' })).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
      hint: expect.stringContaining('1.0.0'),
    })
    await expect(resolve({ a: { '!1.0.0': {} } }, { a: '*' })).rejects.toMatchObject({
      code: 'YANKED',
      message: expect.stringContaining('bad'),
    })
  })

  test('keeps what is locked, yanked or not, while the ranges allow it', async () => {
    const world: World = { a: { '!1.0.0': {}, '1.1.0': {}, '2.0.0': {} } }
    const locked = { name: 'a', version: '1.0.0', publisher: null, registry: '', integrity: '', dependencies: [] }
    const lock = new Map([['a', { ...locked, cid: (await manifestCid('a@1.0.0')).toString() }]])
    expect(await versions(world, { a: '*' }, lock)).toEqual({ a: '1.0.0' })
    expect(await versions(world, { a: '^2' }, lock)).toEqual({ a: '2.0.0' })
  })

  test('resolves to itself under its own lock, whatever the world', async () => {
    const names = ['a', 'b', 'c', 'd']
    const version = fc.constantFrom('1.0.0', '1.1.0', '1.2.0-rc.1', '2.0.0')
    const dependencies = fc.dictionary(fc.constantFrom(...names), fc.constantFrom('*', '^1', '^2', '>=1.1', '<2'), {
      maxKeys: 2,
    })
    const world = fc.record(
      Object.fromEntries(names.map((name) => [name, fc.dictionary(version, dependencies, { minKeys: 1, maxKeys: 3 })])),
    )
    await fc.assert(
      fc.asyncProperty(world, fc.constantFrom(...names), async (made, root) => {
        const first = await resolve(made as World, { [root]: '*' }).catch(() => undefined)
        if (first === undefined) return
        const lock = new Map([...first].map(([name, one]) => [name, lockOf(one)]))
        const again = await resolve(made as World, { [root]: '*' }, lock)
        const text = (resolved: typeof first) =>
          formatLock({
            requested: { [root]: '*' },
            packages: [...resolved.values()].map(lockOf),
          })
        expect(text(again)).toBe(text(first))
      }),
      { numRuns: 60 },
    )
  })
})

describe('resolvePublisher', () => {
  let ada: string
  let bea: string
  let known: Map<string, Release[]>
  let trust: Trust

  beforeEach(async () => {
    const [one, two] = [await testSigner(1), await testSigner(2)]
    ada = one.did
    bea = two.did
    known = new Map([
      [ada, packageHistory([await createTestLog(one).release('1.0.0')])],
      [bea, packageHistory([await createTestLog(two).release('2.0.0')])],
    ])
    trust = createTrust(createMemoryState())
  })

  const ask = (change: Partial<Parameters<typeof resolvePublisher>[0]> = {}) =>
    resolvePublisher({ name: 'engine', known, attested: [], trust, ...change })

  test('goes by the spec, then the lock, the pin, an attestation, the only one', async () => {
    expect(ask({ publisher: ada, locked: bea })).toEqual({ publisher: ada, by: 'spec' })
    expect(ask({ locked: bea })).toEqual({ publisher: bea, by: 'lock' })
    await trust.pin('engine', ada)
    expect(ask()).toEqual({ publisher: ada, by: 'pin' })
    expect(ask({ locked: bea })).toEqual({ publisher: bea, by: 'lock' })
    await trust.unpin('engine')
    expect(ask({ attested: [bea] })).toEqual({ publisher: bea, by: 'attestation' })
    known.delete(bea)
    expect(ask()).toEqual({ publisher: ada, by: 'first-use' })
  })

  test('never guesses: several are ambiguous, with both fingerprints and versions', async () => {
    await trust.add(ada, 'ada')
    expect(() => ask()).toThrow(expect.objectContaining({ code: 'NAME_AMBIGUOUS' }))
    for (const text of [fingerprint(ada), fingerprint(bea), '1.0.0', '2.0.0', 'ada, did:key:'])
      expect(() => ask()).toThrow(text)
    expect(() => ask({ attested: [ada, bea] })).toThrow(expect.objectContaining({ code: 'NAME_AMBIGUOUS' }))
  })

  test('refuses another key under a pinned name, with both fingerprints', async () => {
    await trust.pin('engine', bea)
    known.delete(bea)
    expect(() => ask()).toThrow(expect.objectContaining({ code: 'PUBLISHER_CHANGED' }))
    expect(() => ask()).toThrow(fingerprint(bea))
    expect(() => ask()).toThrow(fingerprint(ada))
  })

  test('takes the publisher of a spec by petname or prefix, known or not', async () => {
    await trust.add(bea, 'bea')
    await trust.pin('engine', ada)
    expect(ask({ publisher: 'bea' })).toEqual({ publisher: bea, by: 'spec' })
    expect(ask({ publisher: ada.slice('did:key:'.length, 24) })).toEqual({ publisher: ada, by: 'spec' })
    known.clear()
    expect(ask({ publisher: bea })).toEqual({ publisher: bea, by: 'spec' })
    expect(() => ask({ publisher: 'nobody' })).toThrow(expect.objectContaining({ code: 'PACKAGE_NOT_FOUND' }))
  })

  test('keeps to a decision while nobody else has the name, found or not', async () => {
    known.clear()
    await trust.pin('engine', ada)
    expect(ask()).toEqual({ publisher: ada, by: 'pin' })
    expect(ask({ locked: bea })).toEqual({ publisher: bea, by: 'lock' })
  })

  test('refuses another key under a locked name too, and an attestation changes nothing about that', () => {
    known.delete(bea)
    expect(() => ask({ locked: bea, attested: [ada] })).toThrow(
      expect.objectContaining({ code: 'PUBLISHER_CHANGED', hint: expect.stringContaining(`${ada}/engine`) }),
    )
  })

  test('heeds no attestation for a publisher who has not the package', () => {
    known.delete(ada)
    expect(ask({ attested: [ada] })).toEqual({ publisher: bea, by: 'first-use' })
  })

  test('names a publisher without releases among the ambiguous', () => {
    known.set(bea, [])
    expect(() => ask()).toThrow(`${bea} (fingerprint ${fingerprint(bea)}), newest none`)
  })

  test('refuses a blocked pin, and a blocked petname, with the way out', async () => {
    await trust.add(ada, 'ada')
    await trust.pin('engine', ada)
    await trust.block(ada)
    for (const change of [{}, { publisher: 'ada' }])
      expect(() => ask(change)).toThrow(
        expect.objectContaining({
          code: 'DENIED',
          message: expect.stringContaining(fingerprint(ada)),
          hint: expect.stringContaining(`trust remove ${ada}`),
        }),
      )
  })

  test('refuses blocked publishers and unknown names', async () => {
    await trust.block(ada)
    expect(() => ask({ publisher: ada })).toThrow(expect.objectContaining({ code: 'DENIED' }))
    expect(() => ask({ locked: ada })).toThrow(expect.objectContaining({ code: 'DENIED' }))
    known.clear()
    expect(() => ask()).toThrow(expect.objectContaining({ code: 'PACKAGE_NOT_FOUND' }))
  })
})

test('releases after a fork are refused by name of the fault', async () => {
  const signer = await testSigner(1)
  const log = createTestLog(signer)
  const entries = [await log.release('1.0.0'), await log.release('1.1.0')]
  const forked = packageHistory(entries, { forkSeqs: new Map([[signer.did, 1]]) }).map(signedCandidate)
  expect(pickRelease('engine', forked, ['*']).version).toBe('1.0.0')
  expect(() => pickRelease('engine', forked, ['1.1.0'])).toThrow(expect.objectContaining({ code: 'LOG_FORKED' }))
  expect(() => pickRelease('engine', [], ['*'])).toThrow(expect.objectContaining({ code: 'VERSION_NOT_FOUND' }))
})
