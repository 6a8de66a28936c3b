import { IDBDatastore } from 'datastore-idb'
import { get, set } from 'idb-keyval'
import type { CID } from 'multiformats/cid'
import { webcryptoSha256 } from '../core/blocks/webcrypto-sha256.ts'
import type { BlockStore, Clock, EntryStore, LogJournal, SearchIndex, StateStore } from '../core/ports.ts'
import { createBlockTable } from './block-table.ts'
import { createEntryTable } from './entry-table.ts'
import { indexedDbBlocks, indexedDbEntries, indexedDbJournal, indexedDbState, openDatabase } from './indexeddb.ts'
import { createSearchTable } from './search-table.ts'

export { openProjectFolder } from './directory-handle.ts'
export type { FolderFile, FolderInput } from './file-list.ts'
export { openPackageFolder } from './file-list.ts'

/** What of the site's quota the cache may take at most: the rest is for entries, libp2p's store and the page itself. */
const quotaShare = 0.6
const estimateEveryMs = 60_000

export interface BrowserStorage {
  blocks: BlockStore
  entries: EntryStore
  search: SearchIndex
  state: StateStore
  journal: LogJournal
  datastore: IDBDatastore
  keys: KeyStore
  start(): Promise<void>
  stop(): Promise<void>
}

/** Keys and other things that IndexedDB keeps as they are, a WebCrypto key that cannot be read among them. */
export interface KeyStore {
  read<T>(name: string): Promise<T | undefined>
  write(name: string, value: unknown): Promise<void>
}

/**
 * All that a node keeps in a browser, in databases whose names begin with `name`. One tab at a time may use them. The cache stays below `maxCacheBytes` and well below the
 * quota, which is looked at again while it runs.
 */
export function createBrowserStorage(options: {
  name: string
  maxCacheBytes: number
  clock: Clock
  onCorrupt?(cid: CID): void
}): BrowserStorage {
  const { name, clock } = options
  let maxBytes = options.maxCacheBytes
  let timer: ReturnType<typeof setInterval> | undefined
  const keys = openDatabase(name, 'keys')
  const datastore = new IDBDatastore(`${name}-network`)
  const blocks = createBlockTable({
    maxBytes: () => maxBytes,
    sha256: webcryptoSha256,
    clock,
    backing: indexedDbBlocks(name),
    onCorrupt: options.onCorrupt,
  })

  async function watchQuota(): Promise<void> {
    const { quota = 0, usage = 0 } = await navigator.storage.estimate()
    if (quota === 0) return
    const { bytes } = await blocks.usage()
    // What others on this origin use is not ours to fill.
    const ours = Math.max(0, quota - Math.max(0, usage - bytes)) * quotaShare
    maxBytes = Math.min(options.maxCacheBytes, Math.floor(ours))
    if (bytes > maxBytes) await blocks.collectGarbage()
  }

  return {
    blocks,
    entries: createEntryTable(indexedDbEntries(name)),
    search: createSearchTable(),
    state: indexedDbState(name),
    journal: indexedDbJournal(name),
    datastore,
    keys: { read: (key) => get(key, keys), write: (key, value) => set(key, value, keys) },
    async start() {
      await datastore.open()
      // Asks nobody in Chromium, which decides by itself; refused, the browser may clear the cache when the disk is full.
      await navigator.storage.persist().catch(() => false)
      await watchQuota()
      timer = setInterval(() => void watchQuota().catch(() => undefined), estimateEveryMs)
    },
    async stop() {
      clearInterval(timer)
      await datastore.close()
    },
  }
}
