import type { DatabaseSync } from 'node:sqlite'
import { RegistryError } from '../core/errors.ts'
import type { SearchIndex } from '../core/ports.ts'
import { editDistance } from '../core/search/edit-distance.ts'
import { nameTokens, queryTokens } from '../core/search/query.ts'
import type { PackageDocument, SearchQuery } from '../core/search/types.ts'
import { inTransaction } from './sqlite.ts'

export const searchSchema = `
  CREATE TABLE documents (id INTEGER PRIMARY KEY, publisher TEXT NOT NULL, name TEXT NOT NULL, category TEXT NOT NULL, time INTEGER NOT NULL,
    document TEXT NOT NULL, UNIQUE (name, publisher));
  CREATE INDEX documents_by_time ON documents (time);
  CREATE VIRTUAL TABLE words USING fts5 (name, keywords, category, description, content = '', contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 2", prefix = '2 3');`

/** A word in very many documents says little: the newest of them are ranked instead of all (bm25 over a tenth of 100,000 takes 9 ms, over all 90). */
const maxRanked = 2_000
/** Weights of name, keywords, category, description. */
const relevance = 'bm25(words, 10.0, 4.0, 2.0, 1.0)'
const maxEditCandidates = 2_000

/** Full-text search in the index database by SQLite's FTS5. */
export function createSqliteSearch(open: () => DatabaseSync): SearchIndex {
  let statements: ReturnType<typeof prepare> | undefined

  function prepare(db: DatabaseSync) {
    const match = `SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ${maxRanked}`
    return {
      db,
      put: db.prepare(
        `INSERT INTO documents (publisher, name, category, time, document) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (name, publisher) DO UPDATE SET category = excluded.category, time = excluded.time, document = excluded.document RETURNING id`,
      ),
      putWords: db.prepare(
        'INSERT OR REPLACE INTO words (rowid, name, keywords, category, description) VALUES (?, ?, ?, ?, ?)',
      ),
      removeWords: db.prepare(
        'DELETE FROM words WHERE rowid = (SELECT id FROM documents WHERE name = ? AND publisher = ?)',
      ),
      remove: db.prepare('DELETE FROM documents WHERE name = ? AND publisher = ?'),
      get: db.prepare('SELECT document FROM documents WHERE name = ? AND publisher = ?'),
      byName: db.prepare('SELECT document FROM documents WHERE name = ? AND (? IS NULL OR category = ?)'),
      newest: db.prepare(
        'SELECT document FROM documents WHERE (?1 IS NULL OR category = ?1) ORDER BY time DESC LIMIT ?2',
      ),
      count: db.prepare(
        `SELECT count(*) AS matches FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ${maxRanked + 1})`,
      ),
      ranked: db.prepare(
        `SELECT document FROM words JOIN documents ON documents.id = words.rowid
         WHERE words MATCH ?1 AND (?2 IS NULL OR documents.category = ?2) ORDER BY ${relevance} LIMIT ?3`,
      ),
      frequent: db.prepare(
        `SELECT document FROM (${match}) AS hits JOIN documents ON documents.id = hits.rowid
         WHERE (?2 IS NULL OR documents.category = ?2) LIMIT ?3`,
      ),
      namesLike: db.prepare(
        `SELECT DISTINCT name FROM documents WHERE length(name) BETWEEN ? AND ? AND (name LIKE ? OR name LIKE ? OR name LIKE ?) LIMIT ${maxEditCandidates}`,
      ),
    }
  }

  function started(): ReturnType<typeof prepare> {
    if (statements === undefined) throw new RegistryError('INTERNAL', 'The search index is not started.')
    return statements
  }

  function put(document: PackageDocument): void {
    const { put: upsert, putWords } = started()
    const { publisher, name, category, time, keywords, description } = document
    const { id } = upsert.get(publisher, name, category, time, JSON.stringify(document)) as { id: number }
    putWords.run(id, nameTokens(name).join(' '), keywords.join(' '), category, description)
  }

  function select(expression: string, category: string | null, limit: number): PackageDocument[] {
    const { count, ranked, frequent } = started()
    const matches = Number(count.get(expression)?.matches ?? 0)
    const rows = (matches > maxRanked ? frequent : ranked).all(expression, category, limit)
    return rows.map(toDocument)
  }

  return {
    async start() {
      statements = prepare(open())
    },
    async stop() {
      statements = undefined
    },
    async upsert(documents) {
      if (documents.length > 0) inTransaction(started().db, () => documents.forEach(put))
    },
    async remove(keys) {
      const { db, remove, removeWords } = started()
      inTransaction(db, () => {
        for (const { publisher, name } of keys) {
          removeWords.run(name, publisher)
          remove.run(name, publisher)
        }
      })
    },
    async get(publisher, name) {
      const row = started().get.get(name, publisher)
      return row === undefined ? undefined : toDocument(row)
    },
    async search({ text, category = null as never }: SearchQuery, limit) {
      const tokens = queryTokens(text)
      if (tokens.length === 0) return started().newest.all(category, limit).map(toDocument)
      const found = new Map<string, PackageDocument>()
      const add = (documents: PackageDocument[]): void => {
        for (const document of documents) found.set(`${document.publisher}/${document.name}`, document)
      }
      // The exact name is always a candidate, however common its words are.
      add(started().byName.all(text.trim().toLowerCase(), category, category).map(toDocument))
      add(select(matchAll(tokens), category, limit))
      if (found.size < limit && tokens.length > 1) add(select(matchAny(tokens), category, limit))
      return [...found.values()].slice(0, limit)
    },
    async similarNames(name, limit) {
      const wanted = name.toLowerCase()
      const slack = Math.max(1, Math.floor(wanted.length / 4))
      const patterns = [
        `${likeText(wanted.slice(0, 2))}%`,
        `%${likeText(wanted.slice(-3))}`,
        `%${likeText(wanted.slice(1, 4))}%`,
      ] as const
      const rows = started().namesLike.all(wanted.length - slack, wanted.length + slack, ...patterns)
      return rows
        .map((row) => ({ name: row.name as string, distance: editDistance(wanted, row.name as string) }))
        .filter(({ distance }) => distance <= slack)
        .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
        .slice(0, limit)
        .map((candidate) => candidate.name)
    },
  }
}

const toDocument = (row: unknown): PackageDocument => JSON.parse((row as { document: string }).document)

/** The user's words quoted, so that none is read as query syntax; the last one also as the beginning of a word, for search while typing. */
const quoted = (tokens: readonly string[]): string[] =>
  tokens.map(
    (token, index) => `"${token.replaceAll('"', '""')}"${index === tokens.length - 1 && token.length > 1 ? '*' : ''}`,
  )
const matchAll = (tokens: readonly string[]): string => quoted(tokens).join(' AND ')
const matchAny = (tokens: readonly string[]): string => quoted(tokens).join(' OR ')
const likeText = (text: string): string => text.replaceAll(/[%_]/g, '')
