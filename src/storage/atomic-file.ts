import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { storageError } from './sqlite.ts'

/** Marks files of an unfinished write; whoever owns the folder removes them at its next start. */
export const temporaryPrefix = '.tmp-'

/** Writes a file whole or not at all, durably: a new file, synced, then renamed over the old one. */
export function writeFileAtomic(path: string, bytes: Uint8Array | string, options: { mode?: number } = {}): void {
  const temporary = join(dirname(path), `${temporaryPrefix}${randomBytes(6).toString('hex')}`)
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeSynced(temporary, bytes, options.mode ?? 0o666)
    renameSync(temporary, path)
    syncFolder(dirname(path))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw storageError(error)
  }
}

/** Fails with EEXIST when the file is there. */
export function writeSynced(path: string, bytes: Uint8Array | string, mode: number): void {
  const descriptor = openSync(path, 'wx', mode)
  try {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    for (let offset = 0; offset < buffer.length; ) offset += writeSync(descriptor, buffer, offset)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Makes renames and new names in a folder durable. Windows can't, and needs not. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
