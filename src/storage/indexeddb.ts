import type { UseStore } from 'idb-keyval'
import { createStore, delMany, entries, get, keys, promisifyRequest, set, setMany } from 'idb-keyval'
import { CID } from 'multiformats/cid'
import { RegistryError } from '../core/errors.ts'
import type { LogJournal, StateStore } from '../core/ports.ts'
import type { BlockBacking, StoredRoot } from './block-table.ts'
import type { EntryBacking } from './entry-table.ts'

/** One database per kind of thing, all named after the node: IndexedDB gives each its own transactions, and a reset of one touches no other. */
export function openDatabase(name: string, kind: string): UseStore {
  return createStore(`${name}-${kind}`, 'items')
}

/** What IndexedDB refuses, in the registry's terms. */
function storageError(error: unknown): unknown {
  if (!(error instanceof DOMException)) return error
  if (error.name === 'QuotaExceededError') {
    return new RegistryError('STORAGE_FULL', 'The browser gives this site no more storage.', {
      hint: 'Remove packages from the cache, or free space on the disk.',
      cause: error,
    })
  }
  return new RegistryError('PERMISSION', `The browser refuses to store data for this site: ${error.message}`, {
    hint: 'Private windows and strict privacy settings can forbid it; allow site data and load the page again.',
    cause: error,
  })
}

async function guarded<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw storageError(error)
  })
}

/** A view of a larger buffer would be stored with all of it. */
const own = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)

/** Blocks under `<cid>/<size>`, so that listing the keys tells the sizes without reading a block. */
export function indexedDbBlocks(name: string): BlockBacking {
  const blocks = openDatabase(name, 'blocks')
  const roots = openDatabase(name, 'roots')
  const sizes = new Map<string, number>()
  const keyOf = (key: string): string => `${key}/${sizes.get(key)}`

  return {
    async load() {
      sizes.clear()
      for (const key of await guarded(keys<string>(blocks))) {
        const [cid = '', size] = key.split('/')
        sizes.set(cid, Number(size))
      }
      const stored = await guarded(entries<string, Omit<StoredRoot, 'cid'>>(roots))
      return { sizes: [...sizes], roots: stored.map(([key, root]) => ({ ...root, cid: CID.parse(key) })) }
    },
    read: (key) => guarded(get<Uint8Array>(keyOf(key), blocks)),
    async write(added) {
      await guarded(
        setMany(
          added.map(({ key, bytes }) => [`${key}/${bytes.length}`, own(bytes)]),
          blocks,
        ),
      )
      for (const { key, bytes } of added) sizes.set(key, bytes.length)
    },
    async remove(removed) {
      await guarded(
        delMany(
          removed.map(({ key, size }) => `${key}/${size}`),
          blocks,
        ),
      )
      for (const { key } of removed) sizes.delete(key)
    },
    writeRoot: (key, { cid: _cid, ...root }) => guarded(set(key, root, roots)),
    removeRoot: (key) => guarded(delMany([key], roots)),
  }
}

export function indexedDbEntries(name: string): EntryBacking {
  const store = openDatabase(name, 'entries')
  return {
    async load() {
      const stored = await guarded(entries<string, Uint8Array>(store))
      return stored.map(([key, envelope]) => ({ cid: CID.parse(key), envelope }))
    },
    write: (added) =>
      guarded(
        setMany(
          added.map(({ cid, envelope }) => [cid.toString(), own(envelope)]),
          store,
        ),
      ),
  }
}

export function indexedDbState(name: string): StateStore {
  const store = openDatabase(name, 'state')
  return {
    read: (key) => guarded(get(key, store)),
    write: (key, value) => guarded(set(key, JSON.parse(JSON.stringify(value)), store)),
  }
}

/** The own log, under `<did>/<seq>`. A claim is an `add`, which fails where something is, in a transaction that is on the disk when it resolves. */
export function indexedDbJournal(name: string): LogJournal {
  const store = openDatabase(name, 'log')
  const keyOf = (author: string, seq: number): string => `${author}/${String(seq).padStart(10, '0')}`

  return {
    async authors() {
      const all = await guarded(keys<string>(store))
      return [...new Set(all.map((key) => key.slice(0, key.lastIndexOf('/'))))].sort()
    },
    async read(author) {
      const all = await guarded(entries<string, Uint8Array>(store))
      const ours = all.filter(([key]) => key.startsWith(`${author}/`))
      return ours.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, envelope]) => envelope)
    },
    async append(author, seq, envelope) {
      try {
        await store('readwrite', (relaxed) => {
          const transaction = relaxed.transaction.db.transaction('items', 'readwrite', { durability: 'strict' })
          const request = transaction.objectStore('items').add(own(envelope), keyOf(author, seq))
          // The request's failure is what tells, not its transaction's.
          return Promise.all([promisifyRequest(request), promisifyRequest(transaction)])
        })
        return true
      } catch (error) {
        if (error instanceof DOMException && (error.name === 'ConstraintError' || error.name === 'AbortError'))
          return false
        throw storageError(error)
      }
    },
  }
}
