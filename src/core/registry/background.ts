import type { Events } from '../events.ts'
import type { RegistryEvents } from './registry-events.ts'

export interface Background {
  /** Lets work go on unwatched; its failure becomes an event, never an unhandled rejection. */
  run(task: string, work: Promise<unknown>): void
  /** Runs `work` every `intervalMs`, first after one interval, never two at a time. */
  every(task: string, intervalMs: number, work: (signal: AbortSignal) => Promise<unknown>): void
  /** Aborts what `every` started and waits for all of it, at most `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>
  readonly signal: AbortSignal
}

export function createBackground(events: Events<RegistryEvents>): Background {
  const running = new Set<Promise<unknown>>()
  const timers = new Set<ReturnType<typeof setTimeout>>()
  const stopping = new AbortController()

  function run(task: string, work: Promise<unknown>): void {
    const watched = work
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) events.emit('background:failed', { task, error })
      })
      .finally(() => running.delete(watched))
    running.add(watched)
  }

  return {
    run,
    signal: stopping.signal,
    every(task, intervalMs, work) {
      const schedule = (): void => {
        const timer = setTimeout(() => {
          timers.delete(timer)
          run(
            task,
            work(stopping.signal).finally(() => stopping.signal.aborted || schedule()),
          )
        }, intervalMs)
        timers.add(timer)
      }
      schedule()
    },
    async stop(deadlineMs) {
      stopping.abort(new Error('The node is stopping.'))
      for (const timer of timers) clearTimeout(timer)
      let deadline: ReturnType<typeof setTimeout> | undefined
      const late = new Promise<void>((resolve) => {
        deadline = setTimeout(resolve, deadlineMs)
      })
      await Promise.race([Promise.all(running), late])
      clearTimeout(deadline)
    },
  }
}
