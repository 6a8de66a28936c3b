import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { RegistryError } from '../core/errors.ts'
import type { InstallFile, InstallTarget } from '../core/ports.ts'
import { temporaryPrefix, writeFileAtomic } from './atomic-file.ts'
import { openWholeFolder } from './package-folder.ts'
import { storageError } from './sqlite.ts'

/**
 * A project's `.ggen/packages/` and `ggen.lock`. A package is written into a folder beside its place and swapped in by renames: a reader, or a crash, meets the
 * old one or the new one, never half of either. Files are written synchronously, which for a thousand small ones is faster (measured).
 */
export function openProjectFolder(dir: string): InstallTarget {
  const own = join(dir, '.ggen')
  const packages = join(own, 'packages')
  const lockFile = join(dir, 'ggen.lock')

  /** A link there would make an install write, and a removal delete, somewhere else. */
  function refuseLinks(): void {
    for (const path of [own, packages]) {
      if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
        throw new RegistryError('DENIED', `${path} is a symbolic link.`, {
          hint: 'Replace it by a folder: ggen does not write through links.',
        })
      }
    }
  }

  function placeOf(name: string): string {
    const place = resolve(packages, name)
    if (!place.startsWith(packages + sep))
      throw new RegistryError('DENIED', `The name ${name} leads out of ${packages}.`)
    return place
  }

  function removeLeftovers(): void {
    if (!existsSync(own)) return
    for (const name of readdirSync(own)) {
      if (name.startsWith(temporaryPrefix)) rmSync(join(own, name), { recursive: true, force: true })
    }
  }

  async function writeFiles(folder: string, files: AsyncIterable<InstallFile> | Iterable<InstallFile>): Promise<void> {
    const made = new Set<string>()
    for await (const file of files) {
      const path = resolve(folder, file.path)
      if (!path.startsWith(folder + sep))
        throw new RegistryError('VERIFICATION_FAILED', `The path ${file.path} leads out of the package.`)
      if (!made.has(dirname(path))) {
        mkdirSync(dirname(path), { recursive: true })
        made.add(dirname(path))
      }
      const descriptor = openSync(path, 'wx', file.exec ? 0o777 : 0o666)
      try {
        for await (const chunk of file.chunks)
          for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at)
      } finally {
        closeSync(descriptor)
      }
    }
  }

  function swap(incoming: string, place: string): void {
    const outgoing = join(own, `${temporaryPrefix}${randomBytes(6).toString('hex')}`)
    mkdirSync(dirname(place), { recursive: true })
    const replaces = existsSync(place)
    if (replaces) renameSync(place, outgoing)
    try {
      renameSync(incoming, place)
    } catch (error) {
      if (replaces) renameSync(outgoing, place)
      throw error
    }
    rmSync(outgoing, { recursive: true, force: true })
  }

  return {
    packagePath: placeOf,
    async readLock() {
      try {
        return readFileSync(lockFile, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw storageError(error)
      }
    },
    async writeLock(text) {
      writeFileAtomic(lockFile, text)
    },
    async writePackage(name, files) {
      const place = placeOf(name)
      refuseLinks()
      removeLeftovers()
      const incoming = join(own, `${temporaryPrefix}${randomBytes(6).toString('hex')}`)
      try {
        mkdirSync(incoming, { recursive: true })
        await writeFiles(incoming, files)
        swap(incoming, place)
        return place
      } catch (error) {
        rmSync(incoming, { recursive: true, force: true })
        throw storageError(error)
      }
    },
    async removePackage(name) {
      const place = placeOf(name)
      refuseLinks()
      if (!existsSync(place)) return false
      const outgoing = join(own, `${temporaryPrefix}${randomBytes(6).toString('hex')}`)
      renameSync(place, outgoing)
      rmSync(outgoing, { recursive: true, force: true })
      // A scope's folder goes with its last package.
      if (dirname(place) !== packages && readdirSync(dirname(place)).length === 0) rmdirSync(dirname(place))
      return true
    },
    async listPackages() {
      if (!existsSync(packages)) return []
      const names: string[] = []
      for (const name of readdirSync(packages)) {
        if (name.startsWith('@')) names.push(...readdirSync(join(packages, name)).map((inner) => `${name}/${inner}`))
        else names.push(name)
      }
      return names.sort()
    },
    async openPackage(name) {
      const place = placeOf(name)
      return existsSync(place) ? openWholeFolder(place) : undefined
    },
  }
}
