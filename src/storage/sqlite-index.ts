import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { EntryStore, SearchIndex } from '../core/ports.ts'
import { inTransaction, openSqlite, readableRows } from './sqlite.ts'
import { createSqliteEntries, entriesSchema } from './sqlite-entries.ts'
import { createSqliteSearch, searchSchema } from './sqlite-search.ts'

const migrations = [`${entriesSchema}${searchSchema}`]

/** Entries and their search index in one database file, opened by whichever of the two is started first. */
export function createSqliteIndex(options: { file: string; onRepaired(message: string): void }): {
  entries: EntryStore
  search: SearchIndex
} {
  let db: DatabaseSync | undefined
  const open = (): DatabaseSync => (db ??= openSqlite({ ...options, migrations, salvage: salvageIndex }))
  const close = (): void => {
    db?.close()
    db = undefined
  }
  const entries = createSqliteEntries(open)
  const search = createSqliteSearch(open)
  return {
    entries: {
      ...entries,
      async stop() {
        await entries.stop()
        close()
      },
    },
    search: {
      ...search,
      async stop() {
        await search.stop()
      },
    },
  }
}

/** Rows of both tables as far as they can be read; the full text is made again from the documents. */
function salvageIndex(damaged: DatabaseSync, successor: DatabaseSync): number {
  const columns = ['cid', 'author', 'publisher', 'seq', 'type', 'name', 'manifest', 'envelope']
  const places = columns.map(() => '?').join(', ')
  const insert = successor.prepare(`INSERT OR IGNORE INTO entries (${columns.join(', ')}) VALUES (${places})`)
  let saved = 0
  inTransaction(successor, () => {
    for (const row of readableRows(damaged, 'entries')) {
      insert.run(...columns.map((column) => row[column] as SQLInputValue))
      saved++
    }
  })
  return saved
}
