import { join } from 'node:path'
import type { CID } from 'multiformats/cid'
import type { BlockStore, Clock, EntryStore, LogJournal, SearchIndex, StateStore } from '../core/ports.ts'
import { createFileJournal } from './file-journal.ts'
import { createFileState } from './file-state.ts'
import type { HomePaths } from './home.ts'
import { nodeSha256 } from './node-sha256.ts'
import { createSqliteBlocks } from './sqlite-blocks.ts'
import { SqliteDatastore } from './sqlite-datastore.ts'
import { createSqliteIndex } from './sqlite-index.ts'

export { writeFileAtomic } from './atomic-file.ts'
export { createFileJournal } from './file-journal.ts'
export type { HomePaths } from './home.ts'
export { ggenHome, homePaths } from './home.ts'
export { loadOrCreateSecret, readSecret, writeSecret } from './key-file-store.ts'
export { nodeSha256 } from './node-sha256.ts'
export { openPackageFolder } from './package-folder.ts'
export { openProjectFolder } from './project-folder.ts'

export interface NodeStorage {
  blocks: BlockStore
  entries: EntryStore
  search: SearchIndex
  state: StateStore
  journal: LogJournal
  datastore: SqliteDatastore
  /** Answers of central registries, with their ETags. */
  httpCache: StateStore
  /** What was found damaged and what became of it, in sentences for the user. */
  readonly warnings: readonly string[]
}

/** All that a node keeps on disk below its home. */
export function createNodeStorage(options: {
  paths: HomePaths
  maxCacheBytes: number
  clock: Clock
  onCorrupt?(cid: CID): void
}): NodeStorage {
  const { paths, clock } = options
  const warnings: string[] = []
  const onRepaired = (message: string): void => void warnings.push(message)
  const blocks = createSqliteBlocks({
    file: join(paths.cacheDir, 'blocks.sqlite'),
    filesDir: join(paths.cacheDir, 'blocks'),
    maxBytes: options.maxCacheBytes,
    sha256: nodeSha256,
    clock,
    onRepaired,
    onCorrupt: options.onCorrupt ?? (() => undefined),
  })
  return {
    blocks,
    ...createSqliteIndex({ file: join(paths.cacheDir, 'index.sqlite'), onRepaired }),
    state: createFileState(paths.state, onRepaired),
    journal: createFileJournal(paths.log),
    datastore: new SqliteDatastore({ file: join(paths.cacheDir, 'network.sqlite'), onRepaired }),
    httpCache: createFileState(join(paths.cacheDir, 'http'), onRepaired),
    warnings,
  }
}
