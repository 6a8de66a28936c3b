import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CID } from 'multiformats/cid'
import type { Block } from '../core/ports.ts'
import { syncFolder, temporaryPrefix, writeSynced } from './atomic-file.ts'
import { storageError } from './sqlite.ts'

export interface BlockFiles {
  /** Removes what an unfinished write left behind. */
  start(): void
  has(cid: CID): boolean
  read(cid: CID): Uint8Array | undefined
  /** Each under a temporary name first, synced, then renamed; the folders' new names are synced once for all. */
  writeAll(blocks: readonly Block[]): void
  remove(cid: CID): void
}

/** Large blocks as files, in 1,024 folders by the CID's last two characters, which unlike its first ones differ. */
export function createBlockFiles(dir: string): BlockFiles {
  const incoming = join(dir, 'incoming')

  function folderOf(cid: CID): string {
    return join(dir, cid.toString().slice(-2))
  }

  function fileOf(cid: CID): string {
    return join(folderOf(cid), cid.toString())
  }

  return {
    start() {
      try {
        mkdirSync(incoming, { recursive: true })
        for (const name of readdirSync(incoming)) rmSync(join(incoming, name), { force: true })
      } catch (error) {
        throw storageError(error)
      }
    },
    has: (cid) => existsSync(fileOf(cid)),
    read(cid) {
      try {
        return readFileSync(fileOf(cid))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw storageError(error)
      }
    },
    writeAll(blocks) {
      const folders = new Set<string>()
      try {
        for (const { cid, bytes } of blocks) {
          const target = fileOf(cid)
          if (existsSync(target)) continue
          const temporary = join(incoming, `${temporaryPrefix}${randomBytes(6).toString('hex')}`)
          try {
            writeSynced(temporary, bytes, 0o644)
            if (!folders.has(folderOf(cid))) mkdirSync(folderOf(cid), { recursive: true })
            renameSync(temporary, target)
          } catch (error) {
            rmSync(temporary, { force: true })
            throw error
          }
          folders.add(folderOf(cid))
        }
        for (const folder of folders) syncFolder(folder)
      } catch (error) {
        throw storageError(error)
      }
    },
    remove(cid) {
      rmSync(fileOf(cid), { force: true })
    },
  }
}
