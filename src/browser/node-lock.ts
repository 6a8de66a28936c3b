const lockName = (name: string): string => `ggen-p2p-node:${name}`

/** Takes the origin's one place for a node of that name; undefined when another tab has it. The returned function gives it back, as closing the tab does. */
export function takeLock(name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(lockName(name), { ifAvailable: true }, (lock) => {
        if (lock === null) return resolve(undefined)
        return new Promise<void>((release) => resolve(release))
      })
      .catch(reject)
  })
}

/** Waits until no other tab runs a node of that name. Rejects when the signal aborts. The place is not taken. */
export async function lockIsFree(name: string, signal: AbortSignal): Promise<void> {
  await navigator.locks.request(lockName(name), { signal }, async () => undefined)
}
