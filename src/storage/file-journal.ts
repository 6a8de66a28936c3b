import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { LogJournal } from '../core/ports.ts'
import { syncFolder, temporaryPrefix, writeSynced } from './atomic-file.ts'
import { storageError } from './sqlite.ts'

/** How the folder of a did:key begins; the rest of it is base58, which has no underscore. */
const didPrefix = 'did_key_'
const entryName = /^\d{10}\.dsse$/

/**
 * One file per entry, `<did>/<seq>.dsse`. A claim is a hard link, which the file system gives to one process only, to a file that is already complete and synced: neither a
 * crash nor a second process can leave a half-written entry or two with one seq.
 */
export function createFileJournal(dir: string): LogJournal {
  const folderOf = (author: string): string => join(dir, author.replaceAll(':', '_'))
  return {
    async authors() {
      try {
        const folders = readdirSync(dir).filter((name) => name.startsWith(didPrefix))
        return folders.map((name) => name.replaceAll('_', ':')).sort()
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
        throw storageError(error)
      }
    },
    async read(author) {
      const folder = folderOf(author)
      let names: string[]
      try {
        names = readdirSync(folder)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
        throw storageError(error)
      }
      return names
        .filter((name) => entryName.test(name))
        .sort()
        .map((name) => new Uint8Array(readFileSync(join(folder, name))))
    },
    async append(author, seq, envelope) {
      const folder = folderOf(author)
      const temporary = join(folder, `${temporaryPrefix}${randomBytes(6).toString('hex')}`)
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 })
        writeSynced(temporary, envelope, 0o600)
        linkSync(temporary, join(folder, `${String(seq).padStart(10, '0')}.dsse`))
        syncFolder(folder)
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw storageError(error)
      } finally {
        rmSync(temporary, { force: true })
      }
    },
  }
}
