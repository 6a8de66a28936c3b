const firstRetryMs = 1_000
const longestRetryMs = 30_000

/**
 * Keeps something up per target: a connection, a relay reservation. What is down is raised again, for as long as it takes, with a growing pause. libp2p's own
 * reconnect queue gives up after a few tries, forgets the peer and does not try again after a failed start.
 */
export interface Keeper {
  keep(target: string): void
  release(target: string): void
  /** Looks again: after a start, or when something was lost. */
  wake(): void
  stop(): void
}

export function createKeeper(options: {
  isUp(target: string): boolean
  raise(target: string): Promise<unknown>
}): Keeper {
  const targets = new Map<
    string,
    { pauseMs: number; timer: ReturnType<typeof setTimeout> | undefined; busy: boolean }
  >()

  async function check(target: string): Promise<void> {
    const state = targets.get(target)
    if (state === undefined || state.busy || state.timer !== undefined) return
    if (options.isUp(target)) {
      state.pauseMs = firstRetryMs
      return
    }
    state.busy = true
    try {
      await options.raise(target)
    } catch {
      // Whatever the reason, it is tried again below.
    } finally {
      state.busy = false
    }
    if (targets.get(target) === state && !options.isUp(target)) retryLater(target, state)
  }

  function retryLater(
    target: string,
    state: { pauseMs: number; timer: ReturnType<typeof setTimeout> | undefined },
  ): void {
    // Not all clients of a node that came back may knock at the same moment.
    const pauseMs = state.pauseMs * (0.75 + Math.random() / 2)
    state.pauseMs = Math.min(state.pauseMs * 2, longestRetryMs)
    state.timer = setTimeout(() => {
      state.timer = undefined
      void check(target)
    }, pauseMs)
  }

  return {
    keep(target) {
      if (!targets.has(target)) targets.set(target, { pauseMs: firstRetryMs, timer: undefined, busy: false })
      void check(target)
    },
    release(target) {
      clearTimeout(targets.get(target)?.timer)
      targets.delete(target)
    },
    wake() {
      for (const target of targets.keys()) void check(target)
    },
    stop() {
      for (const { timer } of targets.values()) clearTimeout(timer)
      targets.clear()
    },
  }
}
