import { describe, expect, test } from 'vitest'
import type { CentralRegistry, CentralRelease } from '../../../src/core/central/central-registry.ts'
import type { LockedPackage } from '../../../src/core/install/lock-file.ts'
import type { Candidate } from '../../../src/core/resolve/candidate.ts'
import { centralCandidate, isSameCandidate } from '../../../src/core/resolve/candidate.ts'
import type { PickOptions } from '../../../src/core/resolve/versions.ts'
import { pickRelease } from '../../../src/core/resolve/versions.ts'

const did = 'did:key:z6MkehRgf7yJbgaGYesdoAsKdBPE3dj2CYhowQdcjqSJgvVd'

/** A version that starts with ! is yanked, one that starts with ~ stands after a fork. */
function candidate(text: string, change: Partial<Candidate> = {}): Candidate {
  const version = text.replace(/^[!~]/, '')
  return {
    name: 'tool',
    version,
    publisher: did,
    registry: '',
    cid: `cid of ${version}`,
    integrity: '',
    bytes: 0,
    dependencies: {},
    timeMs: 0,
    yanked: text.startsWith('!') ? { reason: 'it leaks' } : false,
    deprecated: '',
    afterFork: text.startsWith('~'),
    origin: { kind: 'locked' },
    ...change,
  }
}

const lockedAt = (version: string, change: Partial<LockedPackage> = {}): LockedPackage => ({
  name: 'tool',
  version,
  publisher: did,
  registry: '',
  integrity: '',
  cid: `cid of ${version}`,
  dependencies: [],
  ...change,
})

function pick(versions: string[], ranges: string[] = ['*'], options: PickOptions = {}): string {
  const candidates = versions.map((version) => candidate(version))
  const { version } = pickRelease('tool', candidates, ranges, options)
  // Whatever order they come in.
  expect(pickRelease('tool', [...candidates].reverse(), ranges, options).version).toBe(version)
  return version
}

describe('pickRelease', () => {
  test.each<[string, string[], string[], string]>([
    ['the newest', ['1.0.0', '1.10.0', '1.9.0'], ['*'], '1.10.0'],
    ['the newest in a range', ['1.0.0', '1.5.0', '2.0.0'], ['^1'], '1.5.0'],
    ['the newest in all ranges', ['1.0.0', '1.5.0', '2.0.0'], ['>=1', '<1.5', '*'], '1.0.0'],
    ['an exact version', ['1.0.0', '1.5.0'], ['1.0.0'], '1.0.0'],
    ['a stable version before a newer prerelease', ['1.0.0', '2.0.0-rc.1'], ['*'], '1.0.0'],
    ['the newest prerelease when there is nothing else', ['1.0.0-rc.2', '1.0.0-rc.10'], ['*'], '1.0.0-rc.10'],
    ['a prerelease where a range asks for it', ['1.0.0', '2.0.0-rc.1'], ['>=2.0.0-rc.0'], '2.0.0-rc.1'],
    ['no prerelease where a range does not', ['1.0.0', '1.1.0-rc.1'], ['^1.0.0'], '1.0.0'],
    ['nothing yanked', ['1.0.0', '!1.1.0'], ['*'], '1.0.0'],
    ['nothing after a fork', ['1.0.0', '~1.1.0'], ['*'], '1.0.0'],
    ['by build metadata where nothing else differs', ['1.0.0+a', '1.0.0+b'], ['*'], '1.0.0+b'],
  ])('takes %s', (_what, versions, ranges, expected) => {
    expect(pick(versions, ranges)).toBe(expected)
  })

  test('takes the locked version, yanked, young or old, while it fits', () => {
    const versions = ['1.0.0', '!1.1.0', '1.2.0', '2.0.0']
    expect(pick(versions, ['*'], { locked: lockedAt('1.1.0') })).toBe('1.1.0')
    expect(pick(versions, ['^1'], { locked: lockedAt('1.0.0'), notAfterMs: -1 })).toBe('1.0.0')
    expect(pick(versions, ['^2'], { locked: lockedAt('1.0.0') })).toBe('2.0.0')
    expect(pick(versions, ['^1'], { locked: lockedAt('9.0.0') })).toBe('1.2.0')
  })

  test('goes by content, so that the same version of another content is not the locked one', () => {
    expect(pick(['!1.0.0', '1.1.0'], ['*'], { locked: lockedAt('1.0.0', { cid: 'another' }) })).toBe('1.1.0')
  })

  test('goes by version and origin where the content is known only after the download, and then knows it', () => {
    const offered = ['1.0.0', '1.1.0'].map((version) =>
      candidate(version, { publisher: null, registry: 'central:main', cid: null }),
    )
    const locked = lockedAt('1.0.0', { publisher: null, registry: 'central:main' })
    expect(pickRelease('tool', offered, ['*'], { locked })).toMatchObject({ version: '1.0.0', cid: 'cid of 1.0.0' })
    const elsewhere = { ...locked, registry: 'central:other' }
    expect(pickRelease('tool', offered, ['*'], { locked: elsewhere })).toMatchObject({ version: '1.1.0', cid: null })
  })

  test('refuses the locked version after a fork', () => {
    expect(pick(['1.0.0', '~1.1.0'], ['*'], { locked: lockedAt('1.1.0') })).toBe('1.0.0')
    expect(() => pick(['~1.1.0'], ['*'], { locked: lockedAt('1.1.0') })).toThrow(
      expect.objectContaining({ code: 'LOG_FORKED', message: expect.stringContaining(did) }),
    )
  })

  test('lists what there is when nothing fits, ten at most', () => {
    expect(() => pick(['2.0.0', '1.0.0'], ['^3', '>=3.1'])).toThrow(
      expect.objectContaining({
        code: 'VERSION_NOT_FOUND',
        message: 'No version of tool fits ^3 and >=3.1.',
        hint: expect.stringMatching(/^There is: /),
      }),
    )
    const many = Array.from({ length: 11 }, (_, at) => candidate(`1.0.${at}`))
    const hintOf = (releases: Candidate[]) => {
      try {
        pickRelease('tool', releases, ['^2'])
        return ''
      } catch (error) {
        return (error as { hint: string }).hint
      }
    }
    expect(hintOf(many)).toBe(
      `There is: ${many
        .slice(0, 10)
        .map(({ version }) => version)
        .join(', ')}, …`,
    )
    expect(hintOf(many.slice(1))).toMatch(/1\.0\.10$/)
    expect(hintOf([])).toBe('It has no release yet.')
  })

  test('says why, when all that fits is withdrawn, forked or too young', () => {
    expect(() => pick(['1.0.0', '!2.0.0'], ['^2'])).toThrow(
      expect.objectContaining({ code: 'YANKED', message: 'tool@2.0.0 was withdrawn by its publisher: it leaks.' }),
    )
    const silent = candidate('2.0.0', { yanked: { reason: '' } })
    expect(() => pickRelease('tool', [silent], ['*'])).toThrow('tool@2.0.0 was withdrawn by its publisher.')
    expect(() => pick(['1.0.0', '~2.0.0'], ['^2'])).toThrow(expect.objectContaining({ code: 'LOG_FORKED' }))
    const young = candidate('1.0.0', { timeMs: Date.UTC(2026, 0, 2) })
    expect(() => pickRelease('tool', [young], ['*'], { notAfterMs: Date.UTC(2026, 0, 1) })).toThrow(
      expect.objectContaining({
        code: 'VERSION_NOT_FOUND',
        message: expect.stringContaining('2026-01-02'),
        hint: expect.stringContaining('min_release_age'),
      }),
    )
  })

  test('passes over what is younger than wanted, but not what is of unknown age', () => {
    const aged = (version: string, timeMs: number) => candidate(version, { timeMs })
    const releases = [aged('1.0.0', 10), aged('1.1.0', 20), aged('1.2.0', 21)]
    expect(pickRelease('tool', releases, ['*'], { notAfterMs: 20 }).version).toBe('1.1.0')
    expect(pickRelease('tool', [...releases, aged('1.3.0', 0)], ['*'], { notAfterMs: 20 }).version).toBe('1.3.0')
  })
})

describe('candidates', () => {
  const registry = { name: 'main', kind: 'npm' } as CentralRegistry
  const release: CentralRelease = {
    name: 'tool',
    version: '1.0.0',
    description: '',
    category: '',
    keywords: [],
    license: '',
    authors: [],
    repository: '',
    dependencies: { base: '^1' },
    timeMs: 5,
    deprecated: 'old',
    integrity: 'sha512-abc',
  }

  test('of a central registry have no publisher, and no content ID yet', () => {
    expect(centralCandidate(registry, release)).toEqual({
      name: 'tool',
      version: '1.0.0',
      publisher: null,
      registry: 'central:main',
      cid: null,
      integrity: 'sha512-abc',
      bytes: 0,
      dependencies: { base: '^1' },
      timeMs: 5,
      yanked: false,
      deprecated: 'old',
      afterFork: false,
      origin: { kind: 'central', registry, release },
    })
  })

  test('are the same when version, origin and, where both are known, content agree', () => {
    const one = candidate('1.0.0')
    expect(isSameCandidate(one, { ...one })).toBe(true)
    expect(isSameCandidate(one, { ...one, cid: null })).toBe(true)
    expect(isSameCandidate({ ...one, cid: null }, one)).toBe(true)
    for (const change of [{ version: '1.0.1' }, { publisher: null }, { registry: 'central:main' }, { cid: 'other' }]) {
      expect(isSameCandidate(one, { ...one, ...change })).toBe(false)
    }
    expect(isSameCandidate(one, undefined)).toBe(false)
    expect(isSameCandidate(undefined, one)).toBe(false)
  })
})
