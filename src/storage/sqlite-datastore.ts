import type { DatabaseSync } from 'node:sqlite'
import { BaseDatastore } from 'datastore-core'
import type { Batch, KeyQuery, Pair, Query } from 'interface-datastore'
import { Key } from 'interface-datastore'
import { NotFoundError } from 'interface-store'
import { inTransaction, openSqlite } from './sqlite.ts'

const migrations = ['CREATE TABLE pairs (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID']

/** libp2p's own store (known peers, certificates, provider records) in a SQLite file. Nothing in it is irreplaceable: a damaged one starts empty. */
export class SqliteDatastore extends BaseDatastore {
  readonly #options: { file: string; onRepaired(message: string): void }
  #db: DatabaseSync | undefined

  constructor(options: { file: string; onRepaired(message: string): void }) {
    super()
    this.#options = options
  }

  #open(): DatabaseSync {
    this.#db ??= openSqlite({ ...this.#options, migrations, salvage: () => 0 })
    return this.#db
  }

  async start(): Promise<void> {
    this.#open()
  }

  async stop(): Promise<void> {
    this.#db?.close()
    this.#db = undefined
  }

  override put(key: Key, value: Uint8Array): Key {
    this.#open().prepare('INSERT OR REPLACE INTO pairs VALUES (?, ?)').run(key.toString(), value)
    return key
  }

  override get(key: Key): Uint8Array {
    const row = this.#open().prepare('SELECT value FROM pairs WHERE key = ?').get(key.toString())
    if (row === undefined) throw new NotFoundError(`${key} is not in the datastore`)
    return row.value as Uint8Array
  }

  override has(key: Key): boolean {
    return this.#open().prepare('SELECT 1 FROM pairs WHERE key = ?').get(key.toString()) !== undefined
  }

  override delete(key: Key): void {
    this.#open().prepare('DELETE FROM pairs WHERE key = ?').run(key.toString())
  }

  override batch(): Batch {
    const work: (() => void)[] = []
    return {
      put: (key, value) => void work.push(() => this.put(key, value)),
      delete: (key) => void work.push(() => this.delete(key)),
      commit: async () =>
        inTransaction(this.#open(), () => {
          for (const step of work) step()
        }),
    }
  }

  override async *_all(query: Query): AsyncGenerator<Pair> {
    for (const { key, value } of this.#rows(query.prefix))
      yield { key: new Key(key as string), value: value as Uint8Array }
  }

  override async *_allKeys(query: KeyQuery): AsyncGenerator<Key> {
    for (const { key } of this.#rows(query.prefix)) yield new Key(key as string)
  }

  #rows(prefix = ''): Record<string, unknown>[] {
    // A range, because LIKE would read % and _ in a key as wildcards.
    return this.#open()
      .prepare('SELECT key, value FROM pairs WHERE key >= ? AND key < ? ORDER BY key')
      .all(prefix, `${prefix}\u{10ffff}`)
  }
}
