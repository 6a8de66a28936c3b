import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RegistryError } from '../core/errors.ts'

export interface SqliteOptions {
  file: string
  /** One step per schema version; the database's `user_version` says how many were taken. A step never changes once released. */
  migrations: readonly string[]
  /** Copies what can be read of a damaged database into its successor; rows that fail to read are skipped. Returns how many were saved. */
  salvage(damaged: DatabaseSync, successor: DatabaseSync): number
  /** Told what happened to a damaged file, in a sentence for the user. */
  onRepaired(message: string): void
}

/**
 * Opens a database in WAL mode, bringing its schema up to date. A file that is truncated or no database is moved aside, never deleted, and its readable rows
 * are copied into a new one. Throws `STORAGE_CORRUPT` for a schema newer than this program.
 */
export function openSqlite(options: SqliteOptions): DatabaseSync {
  const { file } = options
  mkdirSync(dirname(file), { recursive: true })
  try {
    if (existsSync(file) && isTruncated(file)) throw new Error('the file is shorter than its header says')
    return open(options)
  } catch (error) {
    if (error instanceof RegistryError || !isCorruption(error)) throw error
    return replaceDamaged(options, error)
  }
}

function open({ file, migrations }: SqliteOptions): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5_000 })
  try {
    // 4 MiB of cache: the database is read by key, and the node shall stay small.
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;',
    )
    migrate(db, file, migrations)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function migrate(db: DatabaseSync, file: string, migrations: readonly string[]): void {
  const version = schemaVersion(db)
  if (version > migrations.length) {
    throw new RegistryError('STORAGE_CORRUPT', `${file} was written by a newer version of ggen (schema ${version}).`, {
      hint: 'Upgrade ggen, or set GGEN_HOME to another folder.',
    })
  }
  if (version === migrations.length) return
  inTransaction(db, () => {
    // Another process may have migrated while this one waited for the lock.
    for (const step of migrations.slice(schemaVersion(db))) db.exec(step)
    db.exec(`PRAGMA user_version = ${migrations.length}`)
  })
}

function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0)
}

/** Runs `work` in one write transaction, rolled back when it throws. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    // On a full disk SQLite has rolled back by itself.
    if (db.isTransaction) db.exec('ROLLBACK')
    throw storageError(error)
  }
}

/** SQLite's and the file system's failures in the registry's terms; anything else as it is. */
export function storageError(error: unknown): unknown {
  const { code, errcode, message } = error as { code?: string; errcode?: number; message?: string }
  if (error instanceof RegistryError) return error
  if (code === 'ENOSPC' || code === 'EDQUOT' || errcode === 13) {
    return new RegistryError('STORAGE_FULL', 'The disk is full.', {
      hint: 'Free some space, or drop cached packages: ggen marketplace cache clear',
      cause: error,
    })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || errcode === 8) {
    return new RegistryError('PERMISSION', `No permission to write: ${message}.`, {
      hint: 'Check who owns the folder, or set GGEN_HOME to another one.',
      cause: error,
    })
  }
  if (isCorruption(error)) {
    return new RegistryError('STORAGE_CORRUPT', `The database is damaged: ${message}.`, {
      hint: 'Restart the node: it moves the damaged file aside and rebuilds it.',
      cause: error,
    })
  }
  return error
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, or our own finding. */
function isCorruption(error: unknown): boolean {
  const { errcode, message } = error as { errcode?: number; message?: string }
  return errcode === 11 || errcode === 26 || /malformed|not a database|shorter than its header/.test(message ?? '')
}

/** The header's page count times its page size against the file's size: finds a truncation without reading the file. */
function isTruncated(file: string): boolean {
  const { size } = statSync(file)
  if (size === 0) return false
  const header = Buffer.alloc(100)
  const descriptor = openSync(file, 'r')
  try {
    if (readSync(descriptor, header, 0, 100, 0) < 100) return true
  } finally {
    closeSync(descriptor)
  }
  if (header.toString('latin1', 0, 15) !== 'SQLite format 3') return true
  const pageBytes = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16)
  // The page count is only valid where its change counter matches; the write-ahead log may hold the newest pages.
  const pages = header.readUInt32BE(24) === header.readUInt32BE(92) ? header.readUInt32BE(28) : 0
  return size < pages * pageBytes
}

function replaceDamaged(options: SqliteOptions, cause: unknown): DatabaseSync {
  const { file } = options
  const aside = `${file}.corrupt-${new Date().toISOString().replace(/[:.]/g, '-')}`
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix)
  const successor = open(options)
  let saved = 0
  try {
    const damaged = new DatabaseSync(aside)
    try {
      saved = options.salvage(damaged, successor)
    } finally {
      damaged.close()
    }
  } catch {
    // Nothing of it can be read: the new database starts empty, and peers fill it.
  }
  rmSync(`${aside}-shm`, { force: true })
  const why = cause instanceof Error ? cause.message : String(cause)
  options.onRepaired(
    `${file} was damaged (${why}). It was moved to ${aside}; ${saved} records were saved, the rest comes back from peers.`,
  )
  return successor
}

/** Rows by rowid, one by one, so that a damaged page costs only the rows on it. */
export function* readableRows(db: DatabaseSync, table: string): Iterable<Record<string, unknown>> {
  const next = db.prepare(`SELECT rowid AS rowid_, * FROM ${table} WHERE rowid > ? ORDER BY rowid LIMIT 1`)
  let last = -1
  let failures = 0
  while (failures < 10_000) {
    try {
      const row = next.get(last)
      if (row === undefined) return
      last = Number(row.rowid_)
      failures = 0
      yield row
    } catch {
      last++
      failures++
    }
  }
}
