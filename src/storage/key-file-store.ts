import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { RegistryError } from '../core/errors.ts'
import { writeFileAtomic } from './atomic-file.ts'

const ownerOnly = 0o600

/** A secret on disk, readable by its owner alone. Throws `PERMISSION` when others can read it: then it is no secret any more. */
export function readSecret(path: string): Uint8Array | undefined {
  if (!existsSync(path)) return undefined
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
    throw new RegistryError('PERMISSION', `${path} can be read by others; a key must be its owner's alone.`, {
      hint: `If you trust who could read it: chmod 600 ${path}`,
    })
  }
  return new Uint8Array(readFileSync(path))
}

/** Writes a secret. One that is there already is kept beside it, never lost. Returns the backup's path where there is one. */
export function writeSecret(path: string, bytes: Uint8Array | string): string | undefined {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let backup: string | undefined
  if (existsSync(path)) {
    backup = `${path}.backup-${new Date().toISOString().replace(/[:.]/g, '-')}`
    renameSync(path, backup)
  }
  writeFileAtomic(path, bytes, { mode: ownerOnly })
  chmodSync(path, ownerOnly)
  return backup
}

/** The secret of a file, made at the first need. Throws `PERMISSION` when others can read it. */
export async function loadOrCreateSecret(path: string, create: () => Promise<Uint8Array>): Promise<Uint8Array> {
  const stored = readSecret(path)
  if (stored !== undefined) return stored
  const made = await create()
  writeSecret(path, made)
  return made
}
