import type { DatabaseSync } from 'node:sqlite'
import { CID } from 'multiformats/cid'
import { incompleteRoot, matchesCid } from '../core/blocks/block.ts'
import { RegistryError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { Block, BlockStore, Clock, Sha256 } from '../core/ports.ts'
import { createBlockFiles } from './block-files.ts'
import { inTransaction, openSqlite, readableRows } from './sqlite.ts'

const migrations = [
  `CREATE TABLE blocks (cid BLOB PRIMARY KEY, size INTEGER NOT NULL, bytes BLOB, added_ms INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE roots (id INTEGER PRIMARY KEY, cid BLOB NOT NULL UNIQUE, pinned INTEGER NOT NULL, used_ms INTEGER NOT NULL);
   CREATE TABLE root_blocks (root INTEGER NOT NULL REFERENCES roots(id), cid BLOB NOT NULL, PRIMARY KEY (root, cid)) WITHOUT ROWID;
   CREATE INDEX root_blocks_by_cid ON root_blocks (cid);
   CREATE TABLE totals (only INTEGER PRIMARY KEY CHECK (only = 0), blocks INTEGER NOT NULL, bytes INTEGER NOT NULL);
   INSERT INTO totals VALUES (0, 0, 0);
   CREATE TRIGGER count_added AFTER INSERT ON blocks BEGIN UPDATE totals SET blocks = blocks + 1, bytes = bytes + new.size; END;
   CREATE TRIGGER count_removed AFTER DELETE ON blocks BEGIN UPDATE totals SET blocks = blocks - 1, bytes = bytes - old.size; END;`,
]

/** Blocks without a root may belong to a publish or fetch that is still under way: they are spared this long. */
const graceMs = 3600_000
/** Most blocks removed in one transaction: eviction never holds the database for long. */
const removalStep = 500
const unrooted = 'NOT EXISTS (SELECT 1 FROM root_blocks WHERE root_blocks.cid = blocks.cid)'

/**
 * Small blocks in SQLite, many in one transaction; larger ones as files (measured: see docs/ARCHITECTURE.md). The rows are the truth: a file without one is a leftover,
 * a row whose file is gone is an absent block.
 */
export function createSqliteBlocks(options: {
  file: string
  filesDir: string
  maxBytes: number
  clock: Clock
  sha256: Sha256
  onRepaired(message: string): void
  onCorrupt(cid: CID): void
}): BlockStore {
  const { clock, sha256, maxBytes } = options
  const files = createBlockFiles(options.filesDir)
  let db: DatabaseSync | undefined
  let statements: ReturnType<typeof prepare>

  function prepare(open: DatabaseSync) {
    return {
      has: open.prepare('SELECT bytes IS NULL AS filed FROM blocks WHERE cid = ?'),
      get: open.prepare('SELECT bytes FROM blocks WHERE cid = ?'),
      put: open.prepare('INSERT OR IGNORE INTO blocks VALUES (?, ?, ?, ?)'),
      remove: open.prepare('DELETE FROM blocks WHERE cid = ?'),
      putRoot: open.prepare(
        `INSERT INTO roots (cid, pinned, used_ms) VALUES (?, ?, ?)
         ON CONFLICT (cid) DO UPDATE SET pinned = excluded.pinned, used_ms = excluded.used_ms RETURNING id`,
      ),
      putRootBlock: open.prepare('INSERT OR IGNORE INTO root_blocks VALUES (?, ?)'),
      touch: open.prepare('UPDATE roots SET used_ms = ? WHERE cid = ?'),
      rootId: open.prepare('SELECT id FROM roots WHERE cid = ?'),
      removeRootBlocks: open.prepare('DELETE FROM root_blocks WHERE root = ?'),
      removeRoot: open.prepare('DELETE FROM roots WHERE id = ?'),
      heldAlone: open.prepare(
        `SELECT blocks.cid AS cid, size, bytes IS NULL AS filed FROM root_blocks AS own JOIN blocks ON blocks.cid = own.cid
         WHERE own.root = ? AND NOT EXISTS (SELECT 1 FROM root_blocks AS other WHERE other.cid = own.cid AND other.root <> own.root)`,
      ),
      absent: open.prepare(
        'SELECT count(*) AS blocks FROM root_blocks LEFT JOIN blocks ON blocks.cid = root_blocks.cid WHERE root = ? AND blocks.cid IS NULL',
      ),
      roots: open.prepare(
        `SELECT roots.cid AS cid, pinned, used_ms, coalesce(sum(size), 0) AS bytes FROM roots
         LEFT JOIN root_blocks ON root = roots.id LEFT JOIN blocks ON blocks.cid = root_blocks.cid GROUP BY roots.id ORDER BY used_ms`,
      ),
      oldest: open.prepare('SELECT id FROM roots WHERE pinned = 0 AND cid <> ? ORDER BY used_ms, id LIMIT 1'),
      totals: open.prepare('SELECT blocks, bytes FROM totals'),
      pinnedBytes: open.prepare(
        `SELECT coalesce(sum(size), 0) AS bytes FROM blocks WHERE cid IN
         (SELECT root_blocks.cid FROM root_blocks JOIN roots ON roots.id = root WHERE pinned = 1)`,
      ),
      countRoots: open.prepare('SELECT count(*) AS roots FROM roots'),
      loose: open.prepare(
        `SELECT cid, size, bytes IS NULL AS filed FROM blocks WHERE added_ms <= ? AND ${unrooted} LIMIT ${removalStep}`,
      ),
    }
  }

  function opened(): DatabaseSync {
    if (db === undefined) throw new RegistryError('INTERNAL', 'The block store is not started.')
    return db
  }

  function usedBytes(): number {
    return Number(statements.totals.get()?.bytes ?? 0)
  }

  /** Removes blocks that no root holds and that are at least `ageMs` old. */
  async function removeLoose(ageMs: number, signal?: AbortSignal): Promise<Removal> {
    const removed: Removal = { removedBlocks: 0, removedBytes: 0 }
    for (;;) {
      signal?.throwIfAborted()
      const rows = statements.loose.all(clock.now() - ageMs)
      if (rows.length === 0) return removed
      inTransaction(opened(), () => {
        for (const row of rows) statements.remove.run(row.cid as Uint8Array)
      })
      for (const row of rows) {
        if (row.filed) files.remove(CID.decode(row.cid as Uint8Array))
        removed.removedBlocks++
        removed.removedBytes += Number(row.size)
      }
      await othersTurn()
    }
  }

  /** Removes a root and the blocks that it alone held. Loose ones stay: they may belong to a publish or fetch that is under way. */
  function dropRoot(id: number): Removal {
    const alone = inTransaction(opened(), () => {
      const rows = statements.heldAlone.all(id)
      statements.removeRootBlocks.run(id)
      statements.removeRoot.run(id)
      for (const row of rows) statements.remove.run(row.cid as Uint8Array)
      return rows
    })
    for (const row of alone) if (row.filed) files.remove(CID.decode(row.cid as Uint8Array))
    return { removedBlocks: alone.length, removedBytes: alone.reduce((sum, row) => sum + Number(row.size), 0) }
  }

  /** Takes least recently used roots, never `spared` nor a pinned one, until the limit is kept. */
  async function evict(spared: CID | undefined, signal?: AbortSignal): Promise<Removal> {
    const removals: Removal[] = []
    while (usedBytes() > maxBytes) {
      const oldest = statements.oldest.get(spared?.bytes ?? new Uint8Array(0))
      if (oldest === undefined) break
      removals.push(dropRoot(Number(oldest.id)))
      await othersTurn()
      signal?.throwIfAborted()
    }
    return sum(removals)
  }

  async function get(cid: CID, { verify = false } = {}): Promise<Uint8Array | undefined> {
    const row = statements.get.get(cid.bytes)
    if (row === undefined) return undefined
    const bytes = row.bytes === null ? files.read(cid) : (row.bytes as Uint8Array)
    if (bytes !== undefined && (!verify || (await matchesCid(cid, bytes, sha256)))) return bytes
    await remove([cid])
    options.onCorrupt(cid)
    return undefined
  }

  async function remove(cids: readonly CID[]): Promise<void> {
    inTransaction(opened(), () => {
      for (const cid of cids) statements.remove.run(cid.bytes)
    })
    for (const cid of cids) files.remove(cid)
  }

  return {
    async start() {
      db = openSqlite({ ...options, migrations, salvage: salvageBlocks })
      statements = prepare(db)
      files.start()
    },
    async stop() {
      db?.close()
      db = undefined
    },
    async has(cids) {
      return cids.map((cid) => {
        const row = statements.has.get(cid.bytes)
        return row !== undefined && (!row.filed || files.has(cid))
      })
    },
    get,
    async putMany(blocks) {
      for (const block of blocks) await checkBlock(block, sha256)
      const large = blocks.filter(({ bytes }) => bytes.length > limits.inlineBlockBytes)
      files.writeAll(large)
      const nowMs = clock.now()
      inTransaction(opened(), () => {
        for (const { cid, bytes } of blocks) {
          const inline = bytes.length > limits.inlineBlockBytes ? null : bytes
          statements.put.run(cid.bytes, bytes.length, inline, nowMs)
        }
      })
    },
    delete: remove,
    async putRoot(root, blocks, { pinned }) {
      inTransaction(opened(), () => {
        const { id } = statements.putRoot.get(root.bytes, pinned ? 1 : 0, clock.now()) as { id: number }
        statements.removeRootBlocks.run(id)
        for (const cid of blocks) statements.putRootBlock.run(id, cid.bytes)
        if (Number(statements.absent.get(id)?.blocks) > 0) throw incompleteRoot(root)
      })
      await evict(root)
    },
    async touchRoot(root) {
      statements.touch.run(clock.now(), root.bytes)
    },
    async deleteRoot(root) {
      const row = statements.rootId.get(root.bytes)
      if (row === undefined) return
      dropRoot(Number(row.id))
    },
    async roots() {
      return statements.roots.all().map((row) => ({
        cid: CID.decode(row.cid as Uint8Array),
        pinned: row.pinned === 1,
        bytes: Number(row.bytes),
        lastUsedMs: Number(row.used_ms),
      }))
    },
    async usage() {
      const totals = statements.totals.get()
      return {
        blocks: Number(totals?.blocks ?? 0),
        bytes: Number(totals?.bytes ?? 0),
        maxBytes,
        pinnedBytes: Number(statements.pinnedBytes.get()?.bytes ?? 0),
        roots: Number(statements.countRoots.get()?.roots ?? 0),
      }
    },
    async collectGarbage({ signal } = {}) {
      const loose = await removeLoose(graceMs, signal)
      const evicted = await evict(undefined, signal)
      return {
        removedBlocks: loose.removedBlocks + evicted.removedBlocks,
        removedBytes: loose.removedBytes + evicted.removedBytes,
      }
    },
    async clear() {
      const unpinned = opened().prepare('SELECT id FROM roots WHERE pinned = 0').all()
      return sum([...unpinned.map((row) => dropRoot(Number(row.id))), await removeLoose(0)])
    },
  }
}

interface Removal {
  removedBlocks: number
  removedBytes: number
}

function sum(removals: readonly Removal[]): Removal {
  return {
    removedBlocks: removals.reduce((total, { removedBlocks }) => total + removedBlocks, 0),
    removedBytes: removals.reduce((total, { removedBytes }) => total + removedBytes, 0),
  }
}

/** Between two steps of long work. */
const othersTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function checkBlock({ cid, bytes }: Block, sha256: Sha256): Promise<void> {
  if (await matchesCid(cid, bytes, sha256)) return
  throw new RegistryError('VERIFICATION_FAILED', `The bytes are not those of block ${cid}; nothing was stored.`)
}

/** Blocks prove themselves when they are read with `verify`; here only rows that can be read are taken over. Large blocks' files were never damaged. */
function salvageBlocks(damaged: DatabaseSync, successor: DatabaseSync): number {
  let saved = 0
  const put = successor.prepare('INSERT OR IGNORE INTO blocks VALUES (?, ?, ?, ?)')
  const putRoot = successor.prepare('INSERT OR IGNORE INTO roots VALUES (?, ?, ?, ?)')
  const putRootBlock = successor.prepare('INSERT OR IGNORE INTO root_blocks VALUES (?, ?)')
  inTransaction(successor, () => {
    for (const row of readableKeys(damaged, 'SELECT cid, size, bytes, added_ms FROM blocks')) {
      put.run(row.cid as Uint8Array, row.size as number, row.bytes as Uint8Array | null, row.added_ms as number)
      saved++
    }
    for (const row of readableRows(damaged, 'roots')) {
      putRoot.run(row.id as number, row.cid as Uint8Array, row.pinned as number, row.used_ms as number)
    }
    for (const row of readableKeys(damaged, 'SELECT root, cid FROM root_blocks')) {
      putRootBlock.run(row.root as number, row.cid as Uint8Array)
    }
  })
  return saved
}

/** Rows of a table without rowids, until the first that cannot be read. */
function* readableKeys(db: DatabaseSync, select: string): Iterable<Record<string, unknown>> {
  try {
    yield* db.prepare(select).iterate()
  } catch {
    // The damaged part begins here.
  }
}
