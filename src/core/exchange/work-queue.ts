import type { CID } from 'multiformats/cid'

export interface Want {
  readonly cid: CID
  readonly key: string
}

/** Largest want-list of one request: small enough that the last ones are spread over all providers. */
const maxChunk = 256
const maxSmallChunk = 16
/** An idle provider takes over what another owes when that one has been silent this long. */
const overtakeAfterMs = 500

interface Lane {
  owed: Set<Want>
  lacks: Set<string>
  lastBlockMs: number
}

/** Which block is asked of whom. Blocks owed by a provider that fails, or falls behind, are given to others; whoever is first counts. */
export interface WorkQueue {
  readonly done: boolean
  /** Blocks nobody has delivered yet. */
  readonly open: number
  join(): WorkLane
  /** Resolves when something has changed that may give an idle provider work. */
  changed(): Promise<void>
}

export interface WorkLane {
  /** The next blocks to ask of this provider; empty when there is nothing for it now. */
  take(): Want[]
  /** False when this provider lacks all that is open: waiting would be in vain. */
  mayGetWork(): boolean
  /** False when another provider was first. */
  deliver(want: Want): boolean
  /** This provider doesn't have it: others are asked. */
  lack(want: Want): void
  /** The provider is busy: the block goes back, for it or for others. */
  putBack(want: Want): void
  /** The provider is gone; what it owes goes to others. */
  leave(): void
}

export function createWorkQueue(cids: readonly CID[], nowMs: () => number): WorkQueue {
  const open = new Map<string, Want>()
  for (const cid of cids) open.set(cid.toString(), { cid, key: cid.toString() })
  /** Open and asked of nobody. */
  const waiting = new Set(open.values())
  const lanes = new Set<Lane>()
  let notify: () => void = () => undefined
  let change = nextChange()

  function nextChange(): Promise<void> {
    return new Promise((resolve) => {
      notify = resolve
    })
  }

  function announce(): void {
    const wake = notify
    change = nextChange()
    wake()
  }

  function chunkSize(): number {
    const fairShare = Math.ceil(waiting.size / (2 * Math.max(1, lanes.size)))
    return Math.max(Math.min(maxSmallChunk, waiting.size), Math.min(maxChunk, fairShare))
  }

  function overtaken(own: Lane): Want[] {
    const slow = [...lanes]
      .filter((lane) => lane !== own && nowMs() - lane.lastBlockMs > overtakeAfterMs)
      .sort((a, b) => a.lastBlockMs - b.lastBlockMs)
    return [...new Set(slow.flatMap(({ owed }) => [...owed]))]
      .filter((want) => open.has(want.key) && !own.lacks.has(want.key))
      .slice(0, maxSmallChunk)
  }

  return {
    get done() {
      return open.size === 0
    },
    get open() {
      return open.size
    },
    changed: () => change,
    join() {
      const lane: Lane = { owed: new Set(), lacks: new Set(), lastBlockMs: nowMs() }
      lanes.add(lane)
      const release = (want: Want): void => {
        lane.owed.delete(want)
        const owedElsewhere = [...lanes].some((other) => other.owed.has(want))
        if (open.has(want.key) && !owedElsewhere) waiting.add(want)
      }
      return {
        take() {
          const taken: Want[] = []
          const most = chunkSize()
          for (const want of waiting) {
            if (taken.length >= most) break
            if (!lane.lacks.has(want.key)) taken.push(want)
          }
          for (const want of taken) waiting.delete(want)
          const wants = taken.length > 0 || lane.owed.size > 0 ? taken : overtaken(lane)
          for (const want of wants) lane.owed.add(want)
          if (wants.length > 0 && lane.owed.size === wants.length) lane.lastBlockMs = nowMs()
          return wants
        },
        mayGetWork: () => [...open.keys()].some((key) => !lane.lacks.has(key)),
        deliver(want) {
          lane.lastBlockMs = nowMs()
          lane.owed.delete(want)
          const first = open.delete(want.key)
          waiting.delete(want)
          if (open.size === 0) announce()
          return first
        },
        lack(want) {
          lane.lacks.add(want.key)
          release(want)
          announce()
        },
        putBack(want) {
          release(want)
          announce()
        },
        leave() {
          lanes.delete(lane)
          for (const want of [...lane.owed]) release(want)
          announce()
        },
      }
    },
  }
}
