import { describe, expect, test } from 'vitest'
import type { Part } from '../../src/core/lifecycle.ts'
import { startAll } from '../../src/core/lifecycle.ts'

const never = () => new Promise<void>(() => undefined)
const failing = (message: string) => async () => {
  throw new Error(message)
}

/** Parts that write down what happens to them. */
function recorded(...names: string[]) {
  const happened: string[] = []
  const parts = names.map(
    (name): Part => ({
      name,
      start: async () => void happened.push(`start ${name}`),
      stop: async () => void happened.push(`stop ${name}`),
    }),
  )
  return { happened, parts }
}

describe('several parts as one', () => {
  test('start in order and stop in reverse', async () => {
    const { happened, parts } = recorded('a', 'b', 'c')
    const whole = startAll(parts, { stopDeadlineMs: 60_000 })
    await whole.start()
    await whole.stop()
    expect(happened).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a'])
  })

  test('start and stop once, however often they are told to', async () => {
    const { happened, parts } = recorded('a')
    const whole = startAll(parts, { stopDeadlineMs: 60_000 })
    await Promise.all([whole.start(), whole.start()])
    await whole.start()
    await Promise.all([whole.stop(), whole.stop()])
    await whole.stop()
    expect(happened).toEqual(['start a', 'stop a'])
  })

  test('stop those before one that fails to start, and say why it failed', async () => {
    const { happened, parts } = recorded('a', 'b', 'c', 'd')
    parts[2]!.start = failing('no disk')
    // What fails while cleaning up is not the reason.
    parts[0]!.stop = failing('no goodbye')
    const whole = startAll(parts, { stopDeadlineMs: 60_000 })
    await expect(whole.start()).rejects.toThrow('no disk')
    expect(happened).toEqual(['start a', 'start b', 'stop b'])
    await whole.stop()
    expect(happened).toHaveLength(3)
  })

  test('are all stopped though some fail, and the first failure is reported', async () => {
    const { happened, parts } = recorded('a', 'b', 'c')
    parts[2]!.stop = failing('c does not close')
    parts[1]!.stop = failing('b does not close')
    const whole = startAll(parts, { stopDeadlineMs: 60_000 })
    await whole.start()
    await expect(whole.stop()).rejects.toThrow('c does not close')
    expect(happened.at(-1)).toBe('stop a')
  })

  test('are all stopped though one hangs, which is named', async () => {
    const { happened, parts } = recorded('a', 'b')
    parts[1]!.stop = never
    const whole = startAll(parts, { stopDeadlineMs: 5 })
    await whole.start()
    await expect(whole.stop()).rejects.toThrow('b did not stop within 5 ms.')
    expect(happened.at(-1)).toBe('stop a')
  })

  test('stop only after a start under way has ended', async () => {
    const { happened, parts } = recorded('a', 'b')
    let go: () => void = () => undefined
    const { start } = parts[0]!
    parts[0]!.start = async () => {
      await new Promise<void>((resolve) => {
        go = resolve
      })
      await start()
    }
    const whole = startAll(parts, { stopDeadlineMs: 60_000 })
    const starting = whole.start()
    const stopping = whole.stop()
    go()
    await Promise.all([starting, stopping])
    expect(happened).toEqual(['start a', 'start b', 'stop b', 'stop a'])
  })

  test('need no stop when they were never started', async () => {
    const { happened, parts } = recorded('a')
    await startAll(parts, { stopDeadlineMs: 60_000 }).stop()
    expect(happened).toEqual([])
  })
})
