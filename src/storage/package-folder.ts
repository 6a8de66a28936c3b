import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RegistryError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { createIgnoreRules } from '../core/manifest/ignore-rules.ts'
import type { PackageSource, SourceFile } from '../core/ports.ts'
import { storageError } from './sqlite.ts'

type IgnoreRules = ReturnType<typeof createIgnoreRules>

const maxIgnoreFileBytes = 1024 * 1024

/**
 * A folder as what would be published of it: its regular files by path, without what `.ggenignore` (else `.gitignore`) and the built-in rules leave out. Throws `INVALID_PACKAGE`
 * naming a symbolic link, a device or a folder that is none, and `PERMISSION` naming what cannot be read.
 */
export async function openPackageFolder(dir: string): Promise<PackageSource> {
  await checkFolder(dir)
  const rules = await readIgnoreRules(dir)
  return listFolder(dir, rules)
}

/** Everything in a folder, nothing ignored: what an installed package is verified by. Links are listed as `ignored`, not followed. */
export async function openWholeFolder(dir: string): Promise<PackageSource> {
  return listFolder(dir, () => undefined, { refuseLinks: false })
}

async function checkFolder(dir: string): Promise<void> {
  try {
    if ((await stat(dir)).isDirectory()) return
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(dir, error)
    throw new RegistryError('INVALID_PACKAGE', `There is no folder ${dir}.`, {
      hint: 'Name the folder that holds package.toml.',
    })
  }
  throw new RegistryError('INVALID_PACKAGE', `${dir} is not a folder.`, {
    hint: 'Name the folder that holds package.toml.',
  })
}

async function readIgnoreRules(dir: string): Promise<IgnoreRules> {
  const [ggenignore, gitignore] = await Promise.all(
    ['.ggenignore', '.gitignore'].map((name) => readSmallText(join(dir, name))),
  )
  return createIgnoreRules({
    ...(ggenignore === undefined ? {} : { ggenignore }),
    ...(gitignore === undefined ? {} : { gitignore }),
  })
}

async function readSmallText(path: string): Promise<string | undefined> {
  try {
    const info = await lstat(path)
    return info.isFile() && info.size <= maxIgnoreFileBytes ? await readFile(path, 'utf8') : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unreadable(path, error)
  }
}

async function listFolder(dir: string, rules: IgnoreRules, { refuseLinks = true } = {}): Promise<PackageSource> {
  const files: SourceFile[] = []
  const ignored: PackageSource['ignored'] = []

  async function walk(prefix: string): Promise<void> {
    const folder = join(dir, prefix)
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      throw unreadable(folder, error)
    })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
      const reason = rules(path, entry.isDirectory())
      if (reason !== undefined) ignored.push({ path, reason })
      else if (entry.isDirectory()) await walk(path)
      else if (entry.isFile()) files.push(await sourceFile(dir, path))
      else if (refuseLinks) throw notAFile(path, entry.isSymbolicLink())
      else ignored.push({ path, reason: entry.isSymbolicLink() ? 'a symbolic link' : 'not a regular file' })
      if (files.length > limits.maxFiles) throw tooManyFiles(dir)
    }
  }

  await walk('')
  return { label: dir, files, ignored }
}

async function sourceFile(dir: string, path: string): Promise<SourceFile> {
  const file = join(dir, path)
  const listed = await lstat(file)
  return {
    path,
    size: listed.size,
    exec: process.platform !== 'win32' && (listed.mode & 0o111) !== 0,
    async *read() {
      try {
        if (listed.size > 0)
          yield* createReadStream(file, { highWaterMark: limits.maxBlockBytes }) as AsyncIterable<Uint8Array>
      } catch (error) {
        throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? changed(path) : unreadable(file, error)
      }
      const now = await lstat(file).catch(() => undefined)
      if (now?.size !== listed.size || now.mtimeMs !== listed.mtimeMs || now.ino !== listed.ino) throw changed(path)
    },
  }
}

function unreadable(path: string, error: unknown): unknown {
  const known = storageError(error)
  if (!(known instanceof RegistryError) || known.code !== 'PERMISSION') return known
  return new RegistryError('PERMISSION', `${path} cannot be read.`, {
    hint: 'Give yourself permission to read it, or leave it out with .ggenignore.',
    cause: error,
  })
}

function changed(path: string): RegistryError {
  return new RegistryError('INVALID_PACKAGE', `${path} changed while it was being read; nothing was published.`, {
    hint: 'Wait until whatever writes to the folder is done, then publish again.',
  })
}

function notAFile(path: string, isLink: boolean): RegistryError {
  return new RegistryError(
    'INVALID_PACKAGE',
    `${path} is ${isLink ? 'a symbolic link' : 'no regular file'}; packages hold only files.`,
    {
      hint: isLink
        ? 'Replace it by the file it points to, or leave it out with .ggenignore.'
        : 'Leave it out with .ggenignore.',
    },
  )
}

function tooManyFiles(dir: string): RegistryError {
  return new RegistryError('INVALID_PACKAGE', `${dir} holds more than ${limits.maxFiles} files.`, {
    hint: 'Leave out what is generated with .ggenignore, or split the package.',
  })
}
