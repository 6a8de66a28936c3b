import fc from 'fast-check'
import type { CID } from 'multiformats/cid'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Want, WorkLane } from '../../../src/core/exchange/work-queue.ts'
import { createWorkQueue } from '../../../src/core/exchange/work-queue.ts'
import { testBlocks } from './test-exchange.ts'

const clock = { time: 0 }
let all: CID[]

beforeAll(async () => {
  all = (await testBlocks(1_000, 4)).map(({ cid }) => cid)
})
beforeEach(() => {
  clock.time = 1_000_000
})

const queueOf = (count: number) => createWorkQueue(all.slice(0, count), () => clock.time)
const keys = (wants: readonly Want[]) => wants.map(({ key }) => key)

/** Takes and delivers until there is nothing for this provider. */
function drain(lane: WorkLane): number {
  let delivered = 0
  for (let wants = lane.take(); wants.length > 0; wants = lane.take()) {
    for (const want of wants) if (lane.deliver(want)) delivered++
  }
  return delivered
}

describe('a work queue', () => {
  test('is done at once when nothing is wanted', () => {
    expect(queueOf(0)).toMatchObject({ done: true, open: 0 })
  })

  test('wants each block once, however often it is named', () => {
    const queue = createWorkQueue([all[0]!, all[1]!, all[0]!], () => clock.time)
    expect(queue.open).toBe(2)
    expect(drain(queue.join())).toBe(2)
    expect(queue).toMatchObject({ done: true, open: 0 })
  })

  test('asks each block of one provider, in smaller lists the less there is', () => {
    const queue = queueOf(1_000)
    const a = queue.join()
    const b = queue.join()
    const taken: Want[][] = []
    for (let turn = 0; ; turn++) {
      const wants = (turn % 2 === 0 ? a : b).take()
      if (wants.length === 0) break
      taken.push(wants)
    }
    const sizes = taken.map(({ length }) => length)
    expect(sizes[0]).toBe(250)
    expect(sizes).toEqual([...sizes].sort((x, y) => y - x))
    expect(new Set(keys(taken.flat())).size).toBe(1_000)
    expect(taken.flat()).toHaveLength(1_000)
  })

  test('gives a lone provider no list too long to share with who comes later', () => {
    const queue = queueOf(1_000)
    expect(queue.join().take()).toHaveLength(256)
  })

  test('gives what is left as a whole when it is little', () => {
    const queue = queueOf(16)
    queue.join()
    queue.join()
    expect(queue.join().take()).toHaveLength(16)
  })

  test('tells those who wait when the last block has come', async () => {
    const queue = queueOf(2)
    const lane = queue.join()
    const [first, second] = lane.take() as [Want, Want]
    let told = false
    const waiting = queue.changed().then(() => {
      told = true
    })
    lane.deliver(first)
    await Promise.resolve()
    expect(told).toBe(false)
    lane.deliver(second)
    await waiting
    expect(queue.done).toBe(true)
  })
})

describe('overtaking', () => {
  test('gives an idle provider what another owes in silence, not before half a second', () => {
    const queue = queueOf(10)
    const slow = queue.join()
    const idle = queue.join()
    const owed = slow.take()
    clock.time += 500
    expect(idle.take()).toEqual([])
    clock.time += 1
    expect(keys(idle.take())).toEqual(keys(owed))
  })

  test('counts whoever delivers first', () => {
    const queue = queueOf(2)
    const slow = queue.join()
    const idle = queue.join()
    const [first, second] = slow.take() as [Want, Want]
    clock.time += 501
    idle.take()
    expect(idle.deliver(first)).toBe(true)
    expect(slow.deliver(first)).toBe(false)
    expect(slow.deliver(second)).toBe(true)
    expect(idle.deliver(second)).toBe(false)
    expect(queue.done).toBe(true)
  })

  test('leaves alone who delivers steadily', () => {
    const queue = queueOf(10)
    const steady = queue.join()
    const idle = queue.join()
    for (const want of steady.take()) {
      expect(idle.take()).toEqual([])
      clock.time += 500
      steady.deliver(want)
    }
    expect(queue.done).toBe(true)
  })

  test('is for the idle: not while own blocks are owed, nor while others wait for nobody', () => {
    const queue = queueOf(40)
    const slow = queue.join()
    const busy = queue.join()
    const owed = new Set(keys(slow.take()))
    clock.time += 501
    const own = busy.take()
    expect(own.some(({ key }) => owed.has(key))).toBe(false)
    for (let rest = busy.take(); rest.length > 0; rest = busy.take()) own.push(...rest)
    expect(owed.size + own.length).toBe(40)
    for (const want of own) busy.deliver(want)
    expect(new Set(keys(busy.take()))).toEqual(owed)
  })

  test('asks for no more at once than a small list', () => {
    const queue = queueOf(200)
    const slow = queue.join()
    const idle = queue.join()
    while (slow.take().length > 0);
    clock.time += 501
    expect(idle.take()).toHaveLength(16)
  })

  test('never asks a provider for what it lacks', () => {
    const queue = queueOf(2)
    const poor = queue.join()
    const [first, second] = poor.take() as [Want, Want]
    poor.lack(first)
    poor.putBack(second)
    const slow = queue.join()
    expect(slow.take()).toHaveLength(2)
    clock.time += 501
    expect(keys(poor.take())).toEqual([second.key])
  })

  test('looks past the slowest when that one owes nothing the idle one could bring', () => {
    const queue = queueOf(32)
    const slowest = queue.join()
    const slow = queue.join()
    const idle = queue.join()
    const owedBySlowest = slowest.take()
    clock.time += 1
    const owedBySlow = slow.take()
    expect(owedBySlowest.length + owedBySlow.length).toBe(32)
    clock.time += 501
    for (const want of idle.take()) idle.deliver(want)
    expect(new Set(keys(idle.take()))).toEqual(new Set(keys(owedBySlow)))
  })
})

describe('lacking', () => {
  test('hands the block to another, and never back', () => {
    const queue = queueOf(3)
    const poor = queue.join()
    const rich = queue.join()
    const [missing, ...others] = poor.take()
    poor.lack(missing!)
    expect(poor.take()).toEqual([])
    expect(keys(rich.take())).toEqual([missing!.key])
    rich.putBack(missing!)
    for (const want of others) poor.deliver(want)
    expect(poor.take()).toEqual([])
    expect(keys(rich.take())).toEqual([missing!.key])
  })

  test('of all that is open leaves nothing to wait for', () => {
    const queue = queueOf(2)
    const poor = queue.join()
    const rich = queue.join()
    const [first, second] = poor.take() as [Want, Want]
    expect(poor.mayGetWork()).toBe(true)
    poor.lack(first)
    expect(poor.mayGetWork()).toBe(true)
    poor.lack(second)
    expect(poor.mayGetWork()).toBe(false)
    expect(rich.mayGetWork()).toBe(true)
  })

  test('does not free what another owes too', () => {
    const queue = queueOf(1)
    const slow = queue.join()
    const poor = queue.join()
    slow.take()
    clock.time += 501
    const [want] = poor.take()
    poor.lack(want!)
    // A third one must not be asked as though nobody were.
    clock.time -= 501
    expect(queue.join().take()).toEqual([])
    slow.leave()
    expect(queue.join().take()).toHaveLength(1)
  })

  test('wakes those who wait for work', async () => {
    const queue = queueOf(1)
    const poor = queue.join()
    const [want] = poor.take()
    const waiting = queue.changed()
    poor.lack(want!)
    await waiting
  })
})

describe('leaving', () => {
  test('gives what is owed to others, and wakes them', async () => {
    const queue = queueOf(10)
    const lost = queue.join()
    const other = queue.join()
    const owed = lost.take()
    expect(other.take()).toEqual([])
    lost.deliver(owed[0]!)
    const waiting = queue.changed()
    lost.leave()
    await waiting
    expect(new Set(keys(other.take()))).toEqual(new Set(keys(owed.slice(1))))
  })

  test('does not bring back what another has delivered meanwhile', () => {
    const queue = queueOf(4)
    const slow = queue.join()
    const idle = queue.join()
    slow.take()
    clock.time += 501
    const [first, ...rest] = idle.take()
    idle.deliver(first!)
    slow.leave()
    expect(queue.open).toBe(3)
    // The idle one owes the rest: nobody else is asked for it now.
    expect(queue.join().take()).toEqual([])
    for (const want of rest) idle.deliver(want)
    expect(queue.done).toBe(true)
  })
})

test('a block put back goes to whoever asks next, the busy provider included', async () => {
  const queue = queueOf(1)
  const busy = queue.join()
  const [want] = busy.take()
  const waiting = queue.changed()
  busy.putBack(want!)
  await waiting
  expect(keys(busy.take())).toEqual([want!.key])
})

test('whatever providers do, one that holds all brings the rest, each block counting once', () => {
  const step = fc.record({
    lane: fc.nat(3),
    act: fc.constantFrom('take', 'take', 'deliver', 'lack', 'putBack', 'leave', 'wait'),
    which: fc.nat(20),
  })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.array(step, { maxLength: 80 }), (count, steps) => {
      const queue = queueOf(count)
      const lanes = Array.from({ length: 4 }, () => ({ lane: queue.join(), owed: [] as Want[], gone: false }))
      let delivered = 0
      for (const { lane: index, act, which } of steps) {
        const peer = lanes[index]!
        if (act === 'wait') clock.time += 400
        if (act === 'wait' || peer.gone) continue
        if (act === 'take') peer.owed.push(...peer.lane.take())
        if (act === 'leave') {
          peer.lane.leave()
          peer.gone = true
        }
        const want = peer.owed[which % Math.max(1, peer.owed.length)]
        if (want === undefined || act === 'take' || act === 'leave') continue
        peer.owed = peer.owed.filter((other) => other !== want)
        if (act === 'deliver' && peer.lane.deliver(want)) delivered++
        if (act === 'lack') peer.lane.lack(want)
        if (act === 'putBack') peer.lane.putBack(want)
      }
      expect(queue.open).toBe(count - delivered)
      for (const { lane, gone } of lanes) if (!gone) lane.leave()
      expect(drain(queue.join())).toBe(count - delivered)
      expect(queue.done).toBe(true)
    }),
  )
})
