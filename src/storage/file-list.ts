import { RegistryError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { createIgnoreRules } from '../core/manifest/ignore-rules.ts'
import type { PackageSource, SourceFile } from '../core/ports.ts'

/** A file with its path in the package's folder, `/`-separated. */
export interface FolderFile {
  path: string
  file: File
}

/** Folders a browser lets a page read: what a file input or a drop gives, or a handle the user has granted. */
export type FolderInput = FileSystemDirectoryHandle | Iterable<File> | Iterable<FolderFile>

const maxIgnoreFileBytes = 1024 * 1024

/**
 * A folder as what would be published of it, without what `.ggenignore` (else `.gitignore`) and the built-in rules leave out. Browsers tell neither links nor modes: nothing is
 * executable. Throws `INVALID_PACKAGE` for too many files, or none.
 */
export async function openPackageFolder(input: FolderInput, label = 'The folder'): Promise<PackageSource> {
  const all = await listFiles(input)
  if (all.length === 0) {
    throw new RegistryError('INVALID_PACKAGE', `${label} holds no files.`, {
      hint: 'Choose the folder that holds package.toml.',
    })
  }
  const rules = await readIgnoreRules(all)
  const files: SourceFile[] = []
  const ignored = new Map<string, string>()
  for (const { path, file } of all.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const out = ignoredBy(rules, path)
    if (out === undefined) files.push(sourceFile(path, file))
    else ignored.set(out.path, out.reason)
  }
  if (files.length > limits.maxFiles) {
    throw new RegistryError('INVALID_PACKAGE', `${label} holds more than ${limits.maxFiles} files.`, {
      hint: 'Leave out what is generated with .ggenignore, or split the package.',
    })
  }
  return { label, files, ignored: [...ignored].map(([path, reason]) => ({ path, reason })) }
}

async function listFiles(input: FolderInput): Promise<FolderFile[]> {
  if ('kind' in input) return listHandle(input, '')
  const files = [...(input as Iterable<File | FolderFile>)].map((one) =>
    one instanceof File ? { path: one.webkitRelativePath || one.name, file: one } : one,
  )
  // A file input gives paths that begin with the chosen folder's name.
  const tops = new Set(files.map(({ path }) => path.split('/')[0]))
  const inFolder = tops.size === 1 && files.every(({ path, file }) => path.includes('/') && file.webkitRelativePath)
  return inFolder ? files.map(({ path, file }) => ({ path: path.slice(path.indexOf('/') + 1), file })) : files
}

/** Every file below a folder, in no order. */
export async function listHandle(folder: FileSystemDirectoryHandle, prefix: string): Promise<FolderFile[]> {
  const files: FolderFile[] = []
  for await (const [name, handle] of folder.entries()) {
    const path = prefix + name
    if (handle.kind === 'directory') files.push(...(await listHandle(handle, `${path}/`)))
    else files.push({ path, file: await handle.getFile() })
  }
  return files
}

async function readIgnoreRules(files: readonly FolderFile[]) {
  const textOf = async (name: string): Promise<string | undefined> => {
    const found = files.find(({ path }) => path === name)?.file
    return found === undefined || found.size > maxIgnoreFileBytes ? undefined : found.text()
  }
  const [ggenignore, gitignore] = await Promise.all([textOf('.ggenignore'), textOf('.gitignore')])
  return createIgnoreRules({
    ...(ggenignore === undefined ? {} : { ggenignore }),
    ...(gitignore === undefined ? {} : { gitignore }),
  })
}

/** The file itself or the outermost folder around it that a rule leaves out. */
function ignoredBy(
  rules: ReturnType<typeof createIgnoreRules>,
  path: string,
): { path: string; reason: string } | undefined {
  const parts = path.split('/')
  for (let depth = 1; depth <= parts.length; depth++) {
    const part = parts.slice(0, depth).join('/')
    const reason = rules(part, depth < parts.length)
    if (reason !== undefined) return { path: part, reason }
  }
  return undefined
}

export function sourceFile(path: string, file: File): SourceFile {
  return {
    path,
    size: file.size,
    exec: false,
    async *read() {
      try {
        for (let at = 0; at < file.size; at += limits.maxBlockBytes)
          yield new Uint8Array(await file.slice(at, at + limits.maxBlockBytes).arrayBuffer())
      } catch (cause) {
        throw new RegistryError('INVALID_PACKAGE', `${path} changed or went away while it was being read.`, {
          hint: 'Choose the folder again.',
          cause,
        })
      }
    },
  }
}
