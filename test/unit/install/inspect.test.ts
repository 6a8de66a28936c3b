import { describe, expect, test } from 'vitest'
import { findOutdated, whyInstalled } from '../../../src/core/install/inspect.ts'
import type { LockedPackage, LockFile } from '../../../src/core/install/lock-file.ts'
import type { Candidate } from '../../../src/core/resolve/candidate.ts'
import { manifestCid } from '../log/test-entries.ts'

const cid = (await manifestCid()).toString()
const locked = (name: string, version = '1.0.0', dependencies: string[] = []): LockedPackage => ({
  name,
  version,
  publisher: null,
  registry: 'central:main',
  integrity: '',
  cid,
  dependencies,
})
/** A version that starts with ! is yanked, one that starts with ~ stands after a fork. */
const candidate = (text: string): Candidate => ({
  name: 'tool',
  version: text.replace(/^[!~]/, ''),
  publisher: null,
  registry: 'central:main',
  cid,
  integrity: '',
  bytes: 0,
  dependencies: {},
  timeMs: 0,
  yanked: text.startsWith('!') ? { reason: '' } : false,
  deprecated: '',
  afterFork: text.startsWith('~'),
  origin: { kind: 'locked' },
})

describe('what is outdated', () => {
  test.each<[string, string, string | undefined, string[], { wanted: string; latest: string; yanked: boolean } | null]>(
    [
      ['nothing when there is nothing newer', '1.0.0', '*', ['1.0.0', '0.9.0'], null],
      ['nothing when nothing is known', '1.0.0', '*', [], null],
      [
        'the newest for any range',
        '1.0.0',
        '*',
        ['1.0.0', '2.0.0'],
        { wanted: '2.0.0', latest: '2.0.0', yanked: false },
      ],
      [
        'the newest in the range, beside the newest at all',
        '1.0.0',
        '^1',
        ['1.0.0', '1.4.0', '2.0.0'],
        { wanted: '1.4.0', latest: '2.0.0', yanked: false },
      ],
      [
        'the present version when the range allows no newer',
        '1.4.0',
        '^1',
        ['1.4.0', '2.0.0'],
        { wanted: '1.4.0', latest: '2.0.0', yanked: false },
      ],
      [
        'for a dependency of others, the newest',
        '1.0.0',
        undefined,
        ['1.1.0'],
        { wanted: '1.1.0', latest: '1.1.0', yanked: false },
      ],
      ['no prerelease while there is a stable version', '1.0.0', '*', ['1.0.0', '2.0.0-rc.1'], null],
      [
        'a prerelease when there is nothing else',
        '1.0.0-rc.1',
        '*',
        ['1.0.0-rc.1', '1.0.0-rc.2'],
        { wanted: '1.0.0-rc.2', latest: '1.0.0-rc.2', yanked: false },
      ],
      ['nothing withdrawn or after a fork', '1.0.0', '*', ['1.0.0', '!1.1.0', '~1.2.0'], null],
      [
        'a withdrawn present version, with the older one to go to',
        '1.1.0',
        '*',
        ['1.0.0', '!1.1.0'],
        { wanted: '1.0.0', latest: '1.0.0', yanked: true },
      ],
      [
        'a withdrawn present version with nothing to go to',
        '1.1.0',
        '^1',
        ['!1.1.0'],
        { wanted: '1.1.0', latest: '1.1.0', yanked: true },
      ],
    ],
  )('%s', async (_what, current, range, known, expected) => {
    const lock: LockFile = {
      requested: range === undefined ? {} : { tool: range },
      packages: [locked('tool', current)],
    }
    const requested = range !== undefined
    expect(await findOutdated(lock, async () => known.map(candidate))).toEqual(
      expected === null ? [] : [{ name: 'tool', current, requested, ...expected }],
    )
  })

  test('is listed by name', async () => {
    const lock: LockFile = { requested: {}, packages: [locked('b'), locked('a'), locked('c')] }
    const outdated = await findOutdated(lock, async ({ name }) => [candidate(name === 'c' ? '1.0.0' : '1.1.0')])
    expect(outdated.map(({ name }) => name)).toEqual(['a', 'b'])
  })
})

describe('why a package is here', () => {
  const lock: LockFile = {
    requested: { app: '*', tool: '*', base: '*' },
    packages: [
      locked('app', '1.0.0', ['mid', 'tool']),
      locked('tool', '1.0.0', ['base']),
      locked('mid', '1.0.0', ['base', 'app', 'gone']),
      locked('base'),
      locked('stray'),
    ],
  }

  test('is told by every way to it, shortest first, cycles walked once', () => {
    expect(whyInstalled(lock, 'base')).toEqual([
      ['base'],
      ['tool', 'base'],
      ['app', 'mid', 'base'],
      ['app', 'tool', 'base'],
    ])
    expect(whyInstalled(lock, 'stray')).toEqual([])
  })

  test('cannot be told of what is not locked', () => {
    expect(() => whyInstalled(lock, 'gone')).toThrow(expect.objectContaining({ code: 'PACKAGE_NOT_FOUND' }))
  })

  /** Layers of two, each needing both of the next: twice as many ways with every layer. */
  function dense(layers: number): LockFile & { reads: () => number } {
    let reads = 0
    const packages = Array.from({ length: layers }, (_, layer) =>
      ['a', 'b'].map((side) => {
        const next = layer + 1 < layers ? [`a${layer + 1}`, `b${layer + 1}`] : []
        const one = locked(`${side}${layer}`, '1.0.0', next)
        return Object.defineProperty(one, 'dependencies', {
          get() {
            if (++reads > 100_000) throw new Error('It walks too far.')
            return next
          },
        })
      }),
    ).flat()
    return { requested: { a0: '*', b0: '*', one: '*' }, packages: [...packages, locked('one')], reads: () => reads }
  }

  test('stops at a hundred ways', () => {
    expect(whyInstalled(dense(40), 'a39')).toHaveLength(100)
  })

  test('does not walk where the package cannot be', () => {
    expect(whyInstalled(dense(40), 'one')).toEqual([['one']])
  })
})
