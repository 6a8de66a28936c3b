import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { authorizedAuthors } from '../../../src/core/log/authority.ts'
import type { HistoryOptions, Release } from '../../../src/core/log/history.ts'
import { newestRelease, packageHistory, toPackageDocument } from '../../../src/core/log/history.ts'
import { checkLink, isFork } from '../../../src/core/log/link.ts'
import type { VerifiedEntry } from '../../../src/core/log/types.ts'
import type { Signer } from '../../../src/core/ports.ts'
import { testSigner } from '../identity/test-signers.ts'
import { createTestLog, manifestCid } from './test-entries.ts'

let ada: Signer
let bob: Signer
let eve: Signer
beforeAll(async () => {
  ;[ada, bob, eve] = (await Promise.all([testSigner(1), testSigner(2), testSigner(3)])) as [Signer, Signer, Signer]
})

const versions = (releases: Release[]) => releases.map(({ entry }) => entry.entry.body.version)
const states = (entries: VerifiedEntry[], options?: HistoryOptions) =>
  packageHistory(entries, options).map(({ entry, yanked, deprecated, afterFork }) => ({
    version: entry.entry.body.version,
    ...(yanked ? { yanked: yanked.reason } : {}),
    ...(deprecated ? { deprecated } : {}),
    ...(afterFork ? { afterFork } : {}),
  }))

describe('packageHistory', () => {
  it('sorts by semver, newest first, whatever order entries come in', async () => {
    const log = createTestLog(ada)
    const entries: VerifiedEntry[] = []
    for (const version of ['1.0.0', '1.10.0', '1.9.0', '2.0.0-rc.1', '2.0.0-alpha', '1.0.0+b', '1.0.0+a']) {
      entries.push(await log.release(version))
    }
    const sorted = ['2.0.0-rc.1', '2.0.0-alpha', '1.10.0', '1.9.0', '1.0.0+b', '1.0.0+a', '1.0.0']
    fc.assert(
      fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), (shuffled) => {
        expect(versions(packageHistory(shuffled))).toEqual(sorted)
      }),
    )
    expect(packageHistory([])).toEqual([])
  })

  it('lets a version mean what it was first released with', async () => {
    const log = createTestLog(ada)
    const first = await log.release('1.0.0')
    const second = await log.release('1.0.0', { manifest: await manifestCid('other') })
    expect(packageHistory([second, first]).map(({ entry }) => entry)).toEqual([first])
  })

  it('counts the last of yanks and unyanks', async () => {
    const log = createTestLog(ada)
    const entries = [await log.release('1.0.0'), await log.release('1.1.0'), await log.yank('1.0.0', 'broken')]
    expect(states(entries)).toEqual([{ version: '1.1.0' }, { version: '1.0.0', yanked: 'broken' }])
    entries.push(await log.unyank('1.0.0'))
    expect(states(entries)).toEqual([{ version: '1.1.0' }, { version: '1.0.0' }])
    entries.unshift(await log.yank('1.0.0'))
    expect(states(entries)).toEqual([{ version: '1.1.0' }, { version: '1.0.0', yanked: '' }])
  })

  it('counts the last deprecation whose range matches, until it is taken back', async () => {
    const log = createTestLog(ada)
    const entries = [await log.release('1.0.0'), await log.release('2.0.0-rc.1'), await log.release('3.0.0')]
    entries.push(await log.deprecate('<3', 'use 3'), await log.deprecate('^1.0', 'really, use 3'))
    expect(states(entries)).toEqual([
      { version: '3.0.0' },
      { version: '2.0.0-rc.1', deprecated: 'use 3' },
      { version: '1.0.0', deprecated: 'really, use 3' },
    ])
    entries.push(await log.deprecate('1.0.0', ''))
    expect(states(entries)[2]).toEqual({ version: '1.0.0' })
  })

  it('passes over authors who may not speak for the publisher', async () => {
    const own = await createTestLog(ada).release('1.0.0')
    const intruder = createTestLog(eve, ada.did)
    const foreign = [
      await intruder.release('9.9.9'),
      await intruder.yank('1.0.0'),
      await intruder.deprecate('*', 'buy mine'),
    ]
    expect(states([...foreign, own])).toEqual([{ version: '1.0.0' }])
  })

  it('marks releases from a fork on, and ignores what else was said from there on', async () => {
    const log = createTestLog(ada)
    const entries = [await log.release('1.0.0'), await log.release('1.1.0'), await log.yank('1.0.0')]
    const forkSeqs = new Map([[ada.did, 1]])
    expect(states(entries, { forkSeqs })).toEqual([{ version: '1.1.0', afterFork: true }, { version: '1.0.0' }])
  })

  it('decides between the two sides of an accepted fork alike everywhere', async () => {
    const sides = [
      await createTestLog(ada).release('1.0.0', { description: 'one' }),
      await createTestLog(ada).release('1.0.0', { description: 'two' }),
    ]
    expect(packageHistory(sides)).toEqual(packageHistory([...sides].reverse()))
  })

  it('follows the keys that a publisher handed on to', async () => {
    const old = createTestLog(ada)
    const successor = createTestLog(bob, ada.did)
    const before = [await old.release('1.0.0'), await old.release('1.1.0')]
    const rotation = await old.rotate(bob)
    const late = [await old.release('6.6.6'), await old.yank('1.1.0')]
    const after = [
      await successor.release('1.1.0', { description: 'again' }),
      await successor.release('1.2.0'),
      await successor.yank('1.0.0'),
    ]
    const entries = [...after, ...late, rotation, ...before]
    expect(states(entries)).toEqual([{ version: '1.2.0' }, { version: '1.1.0' }, { version: '1.0.0', yanked: '' }])
    expect(packageHistory(entries)[1]?.entry).toEqual(before[1])
    expect(versions(packageHistory(entries.filter((entry) => entry !== rotation)))).toEqual(['6.6.6', '1.1.0', '1.0.0'])
    for (const forkSeq of [3, 4]) {
      const forkedLater = packageHistory(entries, { forkSeqs: new Map([[ada.did, forkSeq]]) })
      expect(versions(forkedLater)).toEqual(['1.2.0', '1.1.0', '1.0.0'])
    }
  })
})

describe('authorizedAuthors', () => {
  it('is the first key alone, without end, while nothing is handed on', async () => {
    const entry = await createTestLog(ada).release('1.0.0')
    expect(authorizedAuthors(ada.did, [entry])).toEqual(
      new Map([[ada.did, { fromSeq: 0, toSeq: Number.POSITIVE_INFINITY, end: 'none' }]]),
    )
    expect(authorizedAuthors(ada.did, [])).toEqual(authorizedAuthors(ada.did, [entry]))
  })

  it('follows rotations and ends at a revocation', async () => {
    const [a, b] = [createTestLog(ada), createTestLog(bob, ada.did)]
    const entries = [
      await a.release('1.0.0'),
      await a.rotate(bob),
      await b.release('1.0.1'),
      await b.revoke('stolen'),
      await b.release('6.6.6'),
    ]
    const expected = new Map([
      [ada.did, { fromSeq: 0, toSeq: 1, end: 'rotate' }],
      [bob.did, { fromSeq: 0, toSeq: 1, end: 'revoke' }],
    ])
    expect(authorizedAuthors(ada.did, entries)).toEqual(expected)
    expect(authorizedAuthors(ada.did, [...entries].reverse())).toEqual(expected)
  })

  it('takes the first statement: after handing on, a key can neither revoke nor hand on again', async () => {
    const a = createTestLog(ada)
    const entries = [await a.rotate(bob), await a.revoke('regret'), await a.rotate(eve)]
    expect([...authorizedAuthors(ada.did, entries).keys()]).toEqual([ada.did, bob.did])
  })

  it('lets nobody seize a publisher by naming it', async () => {
    const intruder = createTestLog(eve, ada.did)
    const entries = [await intruder.rotate(bob), await intruder.release('1.0.0')]
    expect([...authorizedAuthors(ada.did, entries).keys()]).toEqual([ada.did])
    const foreign = createTestLog(ada, bob.did)
    expect(authorizedAuthors(ada.did, [await foreign.revoke()]).get(ada.did)?.toSeq).toBe(Number.POSITIVE_INFINITY)
  })

  it('does not run in circles', async () => {
    const entries = [await createTestLog(ada).rotate(bob), await createTestLog(bob, ada.did).rotate(ada)]
    expect([...authorizedAuthors(ada.did, entries).keys()]).toEqual([ada.did, bob.did])
  })

  it('ends at a fork and follows no rotation behind it', async () => {
    const a = createTestLog(ada)
    const entries = [await a.release('1.0.0'), await a.release('1.1.0'), await a.rotate(eve)]
    expect(authorizedAuthors(ada.did, entries, { forkSeqs: new Map([[ada.did, 1]]) })).toEqual(
      new Map([[ada.did, { fromSeq: 0, toSeq: 0, end: 'fork' }]]),
    )
    const fromStart = authorizedAuthors(ada.did, entries, { forkSeqs: new Map([[ada.did, 0]]) })
    expect(fromStart.get(ada.did)?.toSeq).toBe(-1)
  })
})

describe('newestRelease and toPackageDocument', () => {
  const newest = (entries: VerifiedEntry[], options?: HistoryOptions) =>
    newestRelease(packageHistory(entries, options))?.entry.entry.body.version

  it('prefer stable and not yanked, then prereleases, then whatever there is', async () => {
    const log = createTestLog(ada)
    const entries = [await log.release('1.0.0'), await log.release('1.1.0'), await log.release('2.0.0-rc.1')]
    expect(newest(entries)).toBe('1.1.0')
    entries.push(await log.yank('1.1.0'))
    expect(newest(entries)).toBe('1.0.0')
    entries.push(await log.yank('1.0.0'))
    expect(newest(entries)).toBe('2.0.0-rc.1')
    entries.push(await log.yank('2.0.0-rc.1'))
    expect(newest(entries)).toBe('2.0.0-rc.1')
    expect(newest([])).toBeUndefined()
  })

  it('prefer what was released before a fork', async () => {
    const log = createTestLog(ada)
    const entries = [await log.release('1.0.0'), await log.release('2.0.0')]
    expect(newest(entries, { forkSeqs: new Map([[ada.did, 1]]) })).toBe('1.0.0')
    expect(newest(entries, { forkSeqs: new Map([[ada.did, 0]]) })).toBe('2.0.0')
  })

  it('show what search needs', async () => {
    const log = createTestLog(ada)
    const release = await log.release('1.0.0')
    const entries = [release, await log.yank('1.0.0'), await log.deprecate('*', 'old')]
    const [only] = packageHistory(entries)
    expect(toPackageDocument(only!)).toEqual({
      publisher: ada.did,
      name: 'engine',
      version: '1.0.0',
      cid: (await manifestCid()).toString(),
      entry: release.cid.toString(),
      description: 'Counts.',
      keywords: ['fast'],
      category: 'tools',
      license: 'MIT',
      authors: ['Ada'],
      time: release.entry.time,
      yanked: true,
      deprecated: 'old',
    })
  })
})

describe('checkLink and isFork', () => {
  it('tell continuation, gap and contradiction apart', async () => {
    const log = createTestLog(ada)
    const [first, second, third] = [await log.release('1.0.0'), await log.release('1.1.0'), await log.release('1.2.0')]
    const other = createTestLog(ada)
    const otherFirst = await other.release('6.0.0')
    const otherSecond = await other.release('6.6.6')
    const foreign = createTestLog(bob)
    await foreign.release('1.0.0')
    const foreignSecond = await foreign.release('1.1.0')
    expect(checkLink(undefined, first)).toBe('linked')
    expect(checkLink(undefined, second)).toBe('gap')
    expect(checkLink(first, second)).toBe('linked')
    expect(checkLink(first, third)).toBe('gap')
    expect(checkLink(first, otherSecond)).toBe('mismatch')
    expect(checkLink(second, first)).toBe('mismatch')
    expect(checkLink(first, first)).toBe('mismatch')
    expect(checkLink(first, foreignSecond)).toBe('mismatch')
    expect(isFork(first, otherFirst)).toBe(true)
    expect(isFork(first, first)).toBe(false)
    expect(isFork(first, second)).toBe(false)
    expect(isFork(second, foreignSecond)).toBe(false)
  })
})
