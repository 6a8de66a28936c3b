import type { DatabaseSync } from 'node:sqlite'
import { CID } from 'multiformats/cid'
import { RegistryError } from '../core/errors.ts'
import { restoreEntry } from '../core/log/entry.ts'
import type { VerifiedEntry } from '../core/log/types.ts'
import type { EntryPutResult, EntryStore, LogState } from '../core/ports.ts'
import { inTransaction } from './sqlite.ts'

export const entriesSchema = `
  CREATE TABLE entries (id INTEGER PRIMARY KEY, cid BLOB NOT NULL UNIQUE, author TEXT NOT NULL, publisher TEXT NOT NULL, seq INTEGER NOT NULL,
    type TEXT NOT NULL, name TEXT, manifest BLOB, envelope BLOB NOT NULL);
  CREATE INDEX entries_by_log ON entries (author, seq);
  CREATE INDEX entries_by_package ON entries (name, publisher, seq);
  CREATE INDEX entries_by_manifest ON entries (manifest) WHERE manifest IS NOT NULL;
  CREATE INDEX entries_by_publisher ON entries (publisher, type) WHERE type IN ('rotate', 'revoke');`

interface Row {
  cid: Uint8Array
  envelope: Uint8Array
}

const toEntry = (row: unknown): VerifiedEntry => restoreEntry(CID.decode((row as Row).cid), (row as Row).envelope)

/** Log entries in the index database, which `open` gives when it is started. */
export function createSqliteEntries(open: () => DatabaseSync): EntryStore {
  let statements: ReturnType<typeof prepare> | undefined

  function prepare(db: DatabaseSync) {
    return {
      db,
      put: db.prepare(
        'INSERT INTO entries (cid, author, publisher, seq, type, name, manifest, envelope) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      ),
      has: db.prepare('SELECT 1 FROM entries WHERE cid = ?'),
      get: db.prepare('SELECT cid, envelope FROM entries WHERE cid = ?'),
      sameSeq: db.prepare('SELECT count(*) AS entries FROM entries WHERE author = ? AND seq = ?'),
      forkSeq: db.prepare(
        'SELECT min(seq) AS seq FROM (SELECT seq FROM entries WHERE author = ? GROUP BY seq HAVING count(*) > 1)',
      ),
      head: db.prepare('SELECT cid, envelope FROM entries WHERE author = ? AND seq < ? ORDER BY seq DESC LIMIT 1'),
      first: db.prepare('SELECT cid, envelope FROM entries WHERE author = ? ORDER BY seq LIMIT 1'),
      countLog: db.prepare('SELECT count(*) AS entries FROM entries WHERE author = ?'),
      authors: db.prepare('SELECT DISTINCT author FROM entries ORDER BY author'),
      byLog: db.prepare('SELECT cid, envelope FROM entries WHERE author = ? AND seq >= ? ORDER BY seq, cid LIMIT ?'),
      byName: db.prepare('SELECT cid, envelope FROM entries WHERE name = ? ORDER BY publisher, seq, cid'),
      byNameAndPublisher: db.prepare(
        'SELECT cid, envelope FROM entries WHERE name = ? AND publisher = ? ORDER BY seq, cid',
      ),
      byManifest: db.prepare('SELECT cid, envelope FROM entries WHERE manifest = ? ORDER BY id'),
      cids: db.prepare('SELECT cid FROM entries ORDER BY cid'),
      succession: db.prepare(
        "SELECT cid, envelope FROM entries WHERE publisher = ? AND type IN ('rotate', 'revoke') ORDER BY author, seq",
      ),
      count: db.prepare('SELECT count(*) AS entries, count(DISTINCT publisher) AS publishers FROM entries'),
      countPackages: db.prepare(
        "SELECT count(*) AS packages FROM (SELECT DISTINCT name, publisher FROM entries WHERE type = 'release')",
      ),
    }
  }

  function started(): ReturnType<typeof prepare> {
    if (statements === undefined) throw new RegistryError('INTERNAL', 'The entry store is not started.')
    return statements
  }

  function put({ cid, entry, envelope }: VerifiedEntry): EntryPutResult {
    const { put: insert, has, sameSeq } = started()
    if (has.get(cid.bytes) !== undefined) return 'known'
    const others = Number(sameSeq.get(entry.author, entry.seq)?.entries ?? 0)
    // Two prove the fork; a third would only fill the disk.
    if (others >= 2) return 'known'
    const name = 'name' in entry.body && entry.type !== 'profile' ? entry.body.name : null
    const manifest = entry.type === 'release' ? entry.body.manifest.bytes : null
    insert.run(cid.bytes, entry.author, entry.publisher, entry.seq, entry.type, name, manifest, envelope)
    return others === 0 ? 'added' : 'forked'
  }

  async function log(author: string): Promise<LogState | undefined> {
    const { forkSeq, head, first, countLog } = started()
    const fork = forkSeq.get(author)?.seq as number | null | undefined
    const row = head.get(author, fork ?? Number.MAX_SAFE_INTEGER) ?? first.get(author)
    if (row === undefined) return undefined
    const entries = Number(countLog.get(author)?.entries ?? 0)
    return { author, head: toEntry(row), entries, ...(typeof fork === 'number' ? { forkSeq: fork } : {}) }
  }

  return {
    async start() {
      statements = prepare(open())
    },
    async stop() {
      statements = undefined
    },
    async putMany(entries) {
      if (entries.length === 0) return []
      return inTransaction(started().db, () => entries.map(put))
    },
    async get(cid) {
      const row = started().get.get(cid.bytes)
      return row === undefined ? undefined : toEntry(row)
    },
    async has(cids) {
      return cids.map((cid) => started().has.get(cid.bytes) !== undefined)
    },
    log,
    async logs() {
      const states = await Promise.all(
        started()
          .authors.all()
          .map((row) => log(row.author as string)),
      )
      return states.filter((state) => state !== undefined)
    },
    async entries(author, { fromSeq = 0, limit = -1 } = {}) {
      return started().byLog.all(author, fromSeq, limit).map(toEntry)
    },
    async byPackage(name, publisher) {
      const { byName, byNameAndPublisher } = started()
      return (publisher === undefined ? byName.all(name) : byNameAndPublisher.all(name, publisher)).map(toEntry)
    },
    async byManifest(manifest) {
      return started().byManifest.all(manifest.bytes).map(toEntry)
    },
    async succession(publisher) {
      return started().succession.all(publisher).map(toEntry)
    },
    async cids() {
      return started()
        .cids.all()
        .map((row) => row.cid as Uint8Array)
    },
    async count() {
      const counts = started().count.get()
      return {
        entries: Number(counts?.entries ?? 0),
        publishers: Number(counts?.publishers ?? 0),
        packages: Number(started().countPackages.get()?.packages ?? 0),
      }
    },
  }
}
