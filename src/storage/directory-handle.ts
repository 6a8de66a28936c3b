import { RegistryError } from '../core/errors.ts'
import type { InstallFile, InstallTarget } from '../core/ports.ts'
import { listHandle, sourceFile } from './file-list.ts'

const lockName = 'ggen.lock'
const incomingPrefix = '.incoming-'
/** Which files are executable, by package: browsers can't set that in a folder, and `verify` must not take it for a change. */
const executablesName = 'executables.json'

/**
 * A project in a folder the browser gives access to: one the user chose (`showDirectoryPicker()`), or the site's own (`navigator.storage.getDirectory()`). A package is written
 * beside its place and swapped in when it is whole. Browsers cannot rename folders, so the swap removes the old one and moves the files: a tab that closes
 * just then leaves a package that `verify` reports and the next install mends.
 */
export function openProjectFolder(folder: FileSystemDirectoryHandle): InstallTarget {
  const packages = async (create: boolean): Promise<FileSystemDirectoryHandle | undefined> => {
    const own = await childFolder(folder, '.ggen', create)
    return own && childFolder(own, 'packages', create)
  }

  async function executables(): Promise<Record<string, string[]>> {
    const own = await childFolder(folder, '.ggen', false)
    const handle = own && (await missingIsUndefined(own.getFileHandle(executablesName)))
    if (handle === undefined) return {}
    const parsed: unknown = await (await handle.getFile())
      .text()
      .then(JSON.parse)
      .catch(() => ({}))
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, string[]>) : {}
  }

  async function rememberExecutables(name: string, paths: string[]): Promise<void> {
    const { [name]: previous, ...others } = await executables()
    if (previous === undefined && paths.length === 0) return
    const text = JSON.stringify(paths.length === 0 ? others : { ...others, [name]: paths })
    const own = (await childFolder(folder, '.ggen', true))!
    await writeFile(own, executablesName, [new TextEncoder().encode(text)])
  }

  /** The folder that holds the package's, and its name there. */
  async function placeOf(name: string, create: boolean) {
    const [scope, inner] = name.startsWith('@') ? name.split('/') : [undefined, name]
    if (inner === undefined || inner === '' || inner.startsWith('.') || inner.includes('/'))
      throw new RegistryError('DENIED', `The name ${name} leads out of the project.`)
    const root = await packages(create)
    const parent = scope === undefined || root === undefined ? root : await childFolder(root, scope, create)
    return parent && { parent, inner, root: root!, scope }
  }

  return {
    packagePath: (name) => `${folder.name === '' ? '' : `${folder.name}/`}.ggen/packages/${name}`,
    async readLock() {
      const handle = await missingIsUndefined(folder.getFileHandle(lockName))
      return handle && (await handle.getFile()).text()
    },
    writeLock: (text) => writeFile(folder, lockName, [new TextEncoder().encode(text)]),
    async writePackage(name, files) {
      const place = (await placeOf(name, true))!
      const own = (await childFolder(folder, '.ggen', true))!
      const incomingName = `${incomingPrefix}${crypto.randomUUID()}`
      const incoming = (await childFolder(own, incomingName, true))!
      try {
        const executable: string[] = []
        for await (const file of files) {
          await writeInto(incoming, file)
          if (file.exec) executable.push(file.path)
        }
        await removeFolder(place.parent, place.inner)
        await moveAll(incoming, (await childFolder(place.parent, place.inner, true))!)
        await rememberExecutables(name, executable)
      } finally {
        await removeFolder(own, incomingName)
      }
      return this.packagePath(name)
    },
    async removePackage(name) {
      const place = await placeOf(name, false)
      if (place === undefined || (await childFolder(place.parent, place.inner, false)) === undefined) return false
      await removeFolder(place.parent, place.inner)
      await rememberExecutables(name, [])
      if (place.scope !== undefined && (await place.parent.entries().next()).done)
        await removeFolder(place.root, place.scope)
      return true
    },
    async listPackages() {
      const names: string[] = []
      const root = await packages(false)
      if (root === undefined) return names
      for await (const [name, handle] of root.entries()) {
        if (handle.kind !== 'directory') continue
        if (!name.startsWith('@')) names.push(name)
        else for await (const inner of handle.keys()) names.push(`${name}/${inner}`)
      }
      return names.sort()
    },
    async openPackage(name) {
      const place = await placeOf(name, false)
      const found = place && (await childFolder(place.parent, place.inner, false))
      if (found === undefined) return undefined
      const files = (await listHandle(found, '')).sort((a, b) => (a.path < b.path ? -1 : 1))
      const executable = (await executables())[name] ?? []
      return {
        label: name,
        files: files.map(({ path, file }) => ({ ...sourceFile(path, file), exec: executable.includes(path) })),
        ignored: [],
      }
    },
  }
}

async function missingIsUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'NotFoundError') return undefined
    throw error
  })
}

function childFolder(
  folder: FileSystemDirectoryHandle,
  name: string,
  create: boolean,
): Promise<FileSystemDirectoryHandle | undefined> {
  return missingIsUndefined(folder.getDirectoryHandle(name, { create }))
}

async function removeFolder(parent: FileSystemDirectoryHandle, name: string): Promise<void> {
  await missingIsUndefined(parent.removeEntry(name, { recursive: true }))
}

async function writeFile(
  folder: FileSystemDirectoryHandle,
  name: string,
  chunks: InstallFile['chunks'] | Uint8Array[],
): Promise<void> {
  const handle = await folder.getFileHandle(name, { create: true })
  const writable = await handle.createWritable()
  try {
    for await (const chunk of chunks) await writable.write(chunk as Uint8Array<ArrayBuffer>)
    await writable.close()
  } catch (error) {
    await writable.abort().catch(() => undefined)
    throw error
  }
}

async function writeInto(folder: FileSystemDirectoryHandle, file: InstallFile): Promise<void> {
  const parts = file.path.split('/')
  const name = parts.pop()!
  let at = folder
  for (const part of parts) at = await at.getDirectoryHandle(part, { create: true })
  await writeFile(at, name, file.chunks)
}

async function moveAll(from: FileSystemDirectoryHandle, to: FileSystemDirectoryHandle): Promise<void> {
  for await (const [name, handle] of from.entries()) {
    if (handle.kind === 'directory') await moveAll(handle, await to.getDirectoryHandle(name, { create: true }))
    else await writeFile(to, name, (await handle.getFile()).stream() as unknown as AsyncIterable<Uint8Array>)
  }
}
