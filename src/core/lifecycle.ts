import type { Lifecycle } from './ports.ts'

export interface Part extends Lifecycle {
  name: string
}

/**
 * Several parts as one: started in order, and when one fails those before it are stopped again; stopped in reverse, each within `stopDeadlineMs`, so
 * that one part that hangs does not keep the others from closing. Both are idempotent; a part's failure to stop is reported after all were tried.
 */
export function startAll(parts: readonly Part[], { stopDeadlineMs }: { stopDeadlineMs: number }): Lifecycle {
  let started: Part[] = []
  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  async function startInOrder(): Promise<void> {
    for (const part of parts) {
      try {
        await part.start()
      } catch (error) {
        await stopInReverse().catch(() => undefined)
        throw error
      }
      started.push(part)
    }
  }

  async function stopInReverse(): Promise<void> {
    const failures: unknown[] = []
    for (const part of started.reverse()) {
      try {
        await withDeadline(part.stop(), stopDeadlineMs, part.name)
      } catch (error) {
        failures.push(error)
      }
    }
    started = []
    if (failures.length > 0) throw failures[0]
  }

  return {
    start: () => (starting ??= startInOrder()),
    async stop() {
      await starting?.catch(() => undefined)
      await (stopping ??= stopInReverse())
    },
  }
}

function withDeadline(work: Promise<void>, deadlineMs: number, name: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not stop within ${deadlineMs} ms.`)), deadlineMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
