import { restoreEntry } from '../core/log/entry.ts'
import type { VerifiedEntry } from '../core/log/types.ts'
import type {
  EntryPutResult,
  EntryStore,
  InstallFile,
  InstallTarget,
  LogJournal,
  LogState,
  SearchIndex,
  StateStore,
} from '../core/ports.ts'
import { editDistance } from '../core/search/edit-distance.ts'
import { rankDocuments } from '../core/search/rank.ts'
import type { PackageDocument } from '../core/search/types.ts'

/** Storage in memory, for tests; held to the same contracts as the one on disk. */

export function createMemoryEntries(): EntryStore {
  const held = new Map<string, VerifiedEntry>()
  const all = (): VerifiedEntry[] => [...held.values()]
  const bySeq = (a: VerifiedEntry, b: VerifiedEntry): number => a.entry.seq - b.entry.seq
  const nameOf = ({ entry }: VerifiedEntry): string | undefined =>
    'name' in entry.body && entry.type !== 'profile' ? entry.body.name : undefined
  const ofAuthor = (author: string): VerifiedEntry[] =>
    all()
      .filter(({ entry }) => entry.author === author)
      .sort(bySeq)

  function put(entry: VerifiedEntry): EntryPutResult {
    const key = entry.cid.toString()
    if (held.has(key)) return 'known'
    const others = ofAuthor(entry.entry.author).filter((other) => other.entry.seq === entry.entry.seq).length
    if (others >= 2) return 'known'
    held.set(key, restoreEntry(entry.cid, entry.envelope))
    return others === 0 ? 'added' : 'forked'
  }

  async function log(author: string): Promise<LogState | undefined> {
    const entries = ofAuthor(author)
    const forkSeq = entries.find((entry, index) => entries[index + 1]?.entry.seq === entry.entry.seq)?.entry.seq
    const head = entries.filter(({ entry }) => forkSeq === undefined || entry.seq < forkSeq).at(-1) ?? entries[0]
    return head && { author, head, entries: entries.length, ...(forkSeq === undefined ? {} : { forkSeq }) }
  }

  return {
    async start() {},
    async stop() {},
    putMany: async (entries) => entries.map(put),
    get: async (cid) => held.get(cid.toString()),
    has: async (cids) => cids.map((cid) => held.has(cid.toString())),
    log,
    async logs() {
      const authors = [...new Set(all().map(({ entry }) => entry.author))].sort()
      return (await Promise.all(authors.map(log))).filter((state) => state !== undefined)
    },
    async entries(author, { fromSeq = 0, limit } = {}) {
      return ofAuthor(author)
        .filter(({ entry }) => entry.seq >= fromSeq)
        .slice(0, limit)
    },
    async byPackage(name, publisher) {
      return all()
        .filter((entry) => nameOf(entry) === name && (publisher ?? entry.entry.publisher) === entry.entry.publisher)
        .sort((a, b) =>
          a.entry.publisher < b.entry.publisher ? -1 : a.entry.publisher > b.entry.publisher ? 1 : bySeq(a, b),
        )
    },
    async byManifest(manifest) {
      return all().filter(({ entry }) => entry.type === 'release' && entry.body.manifest.equals(manifest))
    },
    async succession(publisher) {
      return all()
        .filter(({ entry }) => entry.publisher === publisher && (entry.type === 'rotate' || entry.type === 'revoke'))
        .sort((a, b) => (a.entry.author < b.entry.author ? -1 : a.entry.author > b.entry.author ? 1 : bySeq(a, b)))
    },
    async cids() {
      return all()
        .map(({ cid }) => cid.bytes)
        .sort((a, b) => Buffer.compare(a, b))
    },
    async count() {
      const releases = all().filter(({ entry }) => entry.type === 'release')
      return {
        entries: held.size,
        packages: new Set(releases.map((entry) => `${entry.entry.publisher}/${nameOf(entry)}`)).size,
        publishers: new Set(all().map(({ entry }) => entry.publisher)).size,
      }
    },
  }
}

export function createMemorySearch(): SearchIndex {
  const documents = new Map<string, PackageDocument>()
  const keyOf = ({ publisher, name }: { publisher: string; name: string }): string => `${publisher}/${name}`
  return {
    async start() {},
    async stop() {},
    async upsert(added) {
      for (const document of added) documents.set(keyOf(document), document)
    },
    async remove(keys) {
      for (const key of keys) documents.delete(keyOf(key))
    },
    search: async (query, limit) =>
      rankDocuments(query, [...documents.values()], limit).map(({ document }) => document),
    get: async (publisher, name) => documents.get(keyOf({ publisher, name })),
    async similarNames(name, limit) {
      const slack = Math.max(1, Math.floor(name.length / 4))
      return [...new Set([...documents.values()].map((document) => document.name))]
        .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate) }))
        .filter(({ distance }) => distance <= slack)
        .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
        .slice(0, limit)
        .map(({ candidate }) => candidate)
    },
  }
}

export function createMemoryState(): StateStore {
  const texts = new Map<string, string>()
  return {
    async read(name) {
      const text = texts.get(name)
      return text === undefined ? undefined : JSON.parse(text)
    },
    async write(name, value) {
      texts.set(name, JSON.stringify(value))
    },
  }
}

export function createMemoryJournal(): LogJournal {
  const logs = new Map<string, Map<number, Uint8Array>>()
  return {
    authors: async () => [...logs.keys()].sort(),
    async read(author) {
      return [...(logs.get(author) ?? [])].sort(([a], [b]) => a - b).map(([, envelope]) => envelope)
    },
    async append(author, seq, envelope) {
      const log = logs.get(author) ?? new Map<number, Uint8Array>()
      logs.set(author, log)
      if (log.has(seq)) return false
      log.set(seq, envelope)
      return true
    },
  }
}

export function createMemoryProject(): InstallTarget {
  const packages = new Map<string, Map<string, { exec: boolean; bytes: Uint8Array }>>()
  let lock: string | undefined

  async function contentOf({ chunks }: InstallFile): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for await (const chunk of chunks) parts.push(chunk)
    return Buffer.concat(parts)
  }

  return {
    readLock: async () => lock,
    async writeLock(text) {
      lock = text
    },
    async writePackage(name, files) {
      const written = new Map<string, { exec: boolean; bytes: Uint8Array }>()
      for await (const file of files) written.set(file.path, { exec: file.exec, bytes: await contentOf(file) })
      packages.set(name, written)
      return `/memory/${name}`
    },
    removePackage: async (name) => packages.delete(name),
    listPackages: async () => [...packages.keys()].sort(),
    async openPackage(name) {
      const files = packages.get(name)
      if (files === undefined) return undefined
      return {
        label: name,
        ignored: [],
        files: [...files].map(([path, { exec, bytes }]) => ({
          path,
          exec,
          size: bytes.length,
          async *read() {
            if (bytes.length > 0) yield bytes
          },
        })),
      }
    },
    packagePath: (name) => `/memory/${name}`,
  }
}
