import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createRateLimiter } from '../../../src/core/reputation/rate-limiter.ts'
import type { Ban, Reputation } from '../../../src/core/reputation/reputation.ts'
import { createReputation } from '../../../src/core/reputation/reputation.ts'
import { createMemoryState } from '../../../src/storage/memory.ts'

const dayMs = 24 * 3600_000
const clock = { time: 0, now: () => clock.time }
let state: ReturnType<typeof createMemoryState>
let bans: Ban[]
let open: Reputation[]

beforeEach(() => {
  clock.time = 1_000_000
  state = createMemoryState()
  bans = []
  open = []
})
afterEach(async () => {
  vi.useRealTimers()
  await Promise.all(open.map((reputation) => reputation.stop()))
})

async function make(): Promise<Reputation> {
  const reputation = createReputation({ state, clock, banThreshold: 10, onBan: (ban) => bans.push(ban) })
  open.push(reputation)
  await reputation.start()
  return reputation
}

describe('reputation', () => {
  test('is the share of successes, and 1 for strangers', async () => {
    const reputation = await make()
    expect(reputation.score('p')).toBe(1)
    for (let time = 0; time < 3; time++) reputation.recordSuccess('p', { bytes: 10, latencyMs: 7 })
    reputation.recordFailure('p')
    expect(reputation.score('p')).toBe(0.75)
    expect(reputation.record('p')).toMatchObject({ successes: 3, failures: 1, bytes: 30, latencyMs: 7, score: 0.75 })
  })

  test('decays with a half-life of a day, the score staying what it was', async () => {
    const reputation = await make()
    for (let time = 0; time < 8; time++) reputation.recordSuccess('p', { bytes: 100, latencyMs: 1 })
    for (let time = 0; time < 8; time++) reputation.recordFailure('p')
    clock.time += dayMs
    expect(reputation.record('p')).toMatchObject({ successes: 4, failures: 4, bytes: 400 })
    expect(reputation.score('p')).toBe(0.5)
    // New experience outweighs old.
    for (let time = 0; time < 4; time++) reputation.recordSuccess('p', { bytes: 1, latencyMs: 1 })
    expect(reputation.score('p')).toBeCloseTo(8 / 12)
  })

  test('bans at the tenth fault, not for failures, and the ban expires', async () => {
    const reputation = await make()
    for (let time = 0; time < 50; time++) reputation.recordFailure('slow')
    expect(reputation.isBanned('slow')).toBe(false)
    for (let time = 0; time < 9; time++) {
      reputation.recordFault('evil', 'bad-block')
      clock.time += 60_000
    }
    expect(reputation.isBanned('evil')).toBe(false)
    reputation.recordFault('evil', 'bad-signature')
    expect(reputation.isBanned('evil')).toBe(true)
    expect(bans).toEqual([{ peerId: 'evil', reason: 'bad-signature', untilMs: clock.time + dayMs }])
    reputation.recordFault('evil', 'flooding')
    expect(bans).toHaveLength(1)
    expect(reputation.bans()).toMatchObject([{ peerId: 'evil' }])
    clock.time += dayMs + 1
    expect(reputation.isBanned('evil')).toBe(false)
    expect(reputation.bans()).toEqual([])
  })

  test('can be lifted, and given by hand', async () => {
    const reputation = await make()
    reputation.ban('p', 'by hand')
    expect(reputation.unban('p')).toBe(true)
    expect(reputation.unban('p')).toBe(false)
    expect(reputation.isBanned('p')).toBe(false)
  })

  test('survives the process, and starts anew from a damaged file', async () => {
    const reputation = await make()
    reputation.ban('p', 'reason')
    reputation.recordSuccess('q', { bytes: 5, latencyMs: 2 })
    await reputation.stop()
    const later = await make()
    expect(later.isBanned('p')).toBe(true)
    expect(later.record('q').bytes).toBe(5)
    await state.write('reputation', { p: { successes: -1 } })
    const fresh = await make()
    expect(fresh.isBanned('p')).toBe(false)
  })

  test('remembers no more peers than it may, banned ones longest', async () => {
    const reputation = await make()
    reputation.ban('evil', 'x')
    for (let index = 0; index < 10_050; index++) reputation.recordFailure(`p${index}`)
    expect(reputation.isBanned('evil')).toBe(true)
    expect(reputation.record('p0').failures).toBe(0)
    expect(reputation.record('p10049').failures).toBe(1)
  })

  test('forgets the ban unheard-of longest when all are banned', async () => {
    const reputation = await make()
    for (let index = 0; index < 10_001; index++) reputation.ban(`p${index}`, 'x')
    expect(reputation.isBanned('p0')).toBe(false)
    expect(reputation.isBanned('p1')).toBe(true)
    expect(reputation.bans()).toHaveLength(10_000)
  })

  test('does not count for more when the clock goes back', async () => {
    const reputation = await make()
    reputation.recordSuccess('p', { bytes: 10, latencyMs: 1 })
    clock.time -= dayMs
    expect(reputation.record('p')).toMatchObject({ successes: 1, bytes: 10 })
  })

  test('takes faults long past for less: they ban only when they come together', async () => {
    const reputation = await make()
    for (let time = 0; time < 9; time++) reputation.recordFault('p', 'bad-gossip')
    clock.time += dayMs
    for (let time = 0; time < 4; time++) reputation.recordFault('p', 'bad-gossip')
    expect(reputation.isBanned('p')).toBe(false)
    for (let time = 0; time < 2; time++) reputation.recordFault('p', 'bad-gossip')
    expect(reputation.isBanned('p')).toBe(true)
  })

  test('of who was unbanned begins without faults', async () => {
    const reputation = await make()
    for (let time = 0; time < 10; time++) reputation.recordFault('p', 'bad-block')
    expect(reputation.unban('p')).toBe(true)
    reputation.recordFault('p', 'bad-block')
    expect(reputation.isBanned('p')).toBe(false)
  })

  test('is written once for many changes, and a failed write is tried again with the next', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const reputation = await make()
    const written: unknown[] = []
    const { write } = state
    let full = false
    state.write = async (name, value) => {
      written.push(value)
      if (full) throw new Error('The disk is full.')
      await write(name, value)
    }
    for (let time = 0; time < 5; time++) reputation.recordFailure('p')
    expect(written).toHaveLength(0)
    await vi.runAllTimersAsync()
    expect(written).toMatchObject([{ p: { failures: 5 } }])
    full = true
    reputation.recordFailure('p')
    await vi.runAllTimersAsync()
    expect(written).toHaveLength(2)
    full = false
    reputation.recordFailure('p')
    await vi.runAllTimersAsync()
    expect(await state.read('reputation')).toMatchObject({ p: { failures: 7 } })
    // Nothing has changed since: nothing is written.
    await reputation.stop()
    expect(written).toHaveLength(3)
  })
})

describe('rate limits', () => {
  test('allow a burst, then the long-run rate, and call insisting flooding', () => {
    const limiter = createRateLimiter({ perMinute: 60, clock })
    const verdicts = (times: number) => Array.from({ length: times }, () => limiter.take('p'))
    expect(new Set(verdicts(60))).toEqual(new Set(['ok']))
    expect(verdicts(1)).toEqual(['limited'])
    expect(limiter.take('q')).toBe('ok')
    clock.time += 2_000
    expect(verdicts(3)).toEqual(['ok', 'ok', 'limited'])
    expect(verdicts(30).at(-1)).toBe('flooding')
    clock.time += 60_000
    expect(new Set(verdicts(60))).toEqual(new Set(['ok']))
  })

  test('forget the peer unseen longest when there are too many', () => {
    const limiter = createRateLimiter({ perMinute: 1, clock })
    expect(limiter.take('first')).toBe('ok')
    for (let index = 0; index < 10_000; index++) limiter.take(`p${index}`)
    expect(limiter.take('first')).toBe('ok')
  })
})
