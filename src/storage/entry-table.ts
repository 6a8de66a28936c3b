import type { CID } from 'multiformats/cid'
import { restoreEntry } from '../core/log/entry.ts'
import type { VerifiedEntry } from '../core/log/types.ts'
import type { EntryPutResult, EntryStore, LogState } from '../core/ports.ts'

/** What an entry table does with entries so that they outlast the process. */
export interface EntryBacking {
  load(): Promise<{ cid: CID; envelope: Uint8Array }[]>
  /** All or none. */
  write(entries: readonly VerifiedEntry[]): Promise<void>
}

const inMemory: EntryBacking = { load: async () => [], write: async () => undefined }

/** A map of lists; a missing list is empty. */
function createGroups() {
  const groups = new Map<string, VerifiedEntry[]>()
  return {
    of: (key: string): readonly VerifiedEntry[] => groups.get(key) ?? [],
    keys: () => [...groups.keys()].sort(),
    add(key: string | undefined, entry: VerifiedEntry): void {
      if (key === undefined) return
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [entry])
      else group.push(entry)
    },
    clear: () => groups.clear(),
  }
}

const bySeq = (a: VerifiedEntry, b: VerifiedEntry): number => a.entry.seq - b.entry.seq

function nameOf({ entry }: VerifiedEntry): string | undefined {
  return 'name' in entry.body && entry.type !== 'profile' ? entry.body.name : undefined
}

/** An EntryStore whose entries are all in memory, by author, name and publisher, and in a backing where one is given. Right for what a browser tab or a test knows. */
export function createEntryTable(backing: EntryBacking = inMemory): EntryStore {
  const held = new Map<string, VerifiedEntry>()
  const byAuthor = createGroups()
  const byName = createGroups()
  const byContent = createGroups()
  const successions = createGroups()
  const publishers = new Set<string>()
  const packages = new Set<string>()

  function add(entry: VerifiedEntry): void {
    const { author, publisher, type, body } = entry.entry
    held.set(entry.cid.toString(), entry)
    byAuthor.add(author, entry)
    byName.add(nameOf(entry), entry)
    publishers.add(publisher)
    if (type === 'rotate' || type === 'revoke') successions.add(publisher, entry)
    if (type !== 'release') return
    byContent.add(body.manifest.toString(), entry)
    packages.add(`${publisher}/${body.name}`)
  }

  /** What putting these would do, in order; those to be added come with it. */
  function plan(entries: readonly VerifiedEntry[]): { results: EntryPutResult[]; added: VerifiedEntry[] } {
    const added = new Map<string, VerifiedEntry>()
    const results = entries.map((entry): EntryPutResult => {
      const key = entry.cid.toString()
      if (held.has(key) || added.has(key)) return 'known'
      const { author, seq } = entry.entry
      const isSibling = (other: VerifiedEntry) => other.entry.author === author && other.entry.seq === seq
      const siblings = [...byAuthor.of(author), ...added.values()].filter(isSibling).length
      if (siblings >= 2) return 'known'
      added.set(key, restoreEntry(entry.cid, entry.envelope))
      return siblings === 0 ? 'added' : 'forked'
    })
    return { results, added: [...added.values()] }
  }

  async function log(author: string): Promise<LogState | undefined> {
    const entries = [...byAuthor.of(author)].sort(bySeq)
    const forkSeq = entries.find((entry, index) => entries[index + 1]?.entry.seq === entry.entry.seq)?.entry.seq
    const head = entries.filter(({ entry }) => forkSeq === undefined || entry.seq < forkSeq).at(-1) ?? entries[0]
    return head && { author, head, entries: entries.length, ...(forkSeq === undefined ? {} : { forkSeq }) }
  }

  return {
    async start() {
      for (const groups of [byAuthor, byName, byContent, successions]) groups.clear()
      held.clear()
      publishers.clear()
      packages.clear()
      for (const { cid, envelope } of await backing.load()) add(restoreEntry(cid, envelope))
    },
    async stop() {},
    async putMany(entries) {
      const { results, added } = plan(entries)
      if (added.length > 0) await backing.write(added)
      for (const entry of added) add(entry)
      return results
    },
    get: async (cid) => held.get(cid.toString()),
    has: async (cids) => cids.map((cid) => held.has(cid.toString())),
    log,
    logs: async () => (await Promise.all(byAuthor.keys().map(log))).filter((state) => state !== undefined),
    async entries(author, { fromSeq = 0, limit } = {}) {
      const own = [...byAuthor.of(author)].sort(bySeq)
      return own.filter(({ entry }) => entry.seq >= fromSeq).slice(0, limit)
    },
    async byPackage(name, publisher) {
      return byName
        .of(name)
        .filter(({ entry }) => (publisher ?? entry.publisher) === entry.publisher)
        .sort((a, b) => compare(a.entry.publisher, b.entry.publisher) || bySeq(a, b))
    },
    byManifest: async (manifest) => [...byContent.of(manifest.toString())],
    async succession(publisher) {
      const entries = [...successions.of(publisher)]
      return entries.sort((a, b) => compare(a.entry.author, b.entry.author) || bySeq(a, b))
    },
    async cids() {
      return [...held.values()].map(({ cid }) => cid.bytes).sort(compareBytes)
    },
    count: async () => ({ entries: held.size, packages: packages.size, publishers: publishers.size }),
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return a[at]! - b[at]!
  return a.length - b.length
}
