import type { Sha256 } from '../ports.ts'

interface TreeFile {
  path: string
  bytes: Uint8Array
}

interface Folder {
  files: TreeFile[]
  folders: Folder[]
}

/** Most bytes that are hashed in search of the right order. */
const maxHashedBytes = 512 * 1024 * 1024

/**
 * The marketplace's checksum of a package: SHA-256 over path and content of each file, a folder's files before its folders, what begins with a dot left out. Its generator walks the folders of a
 * folder in whatever order its file system gave them, so that one set of files has several checksums; this is the one for the order of names.
 */
export async function treeChecksum(sha256: Sha256, files: readonly TreeFile[]): Promise<string> {
  const [first = []] = orders(toFolder(files))
  return checksum(sha256, first)
}

/** True when the checksum fits the files in some order of their folders. False, too, when there are too many orders to try: what can't be checked must not pass. */
export async function fitsTree(sha256: Sha256, files: readonly TreeFile[], wanted: string): Promise<boolean> {
  const size = files.reduce((sum, { bytes }) => sum + bytes.length, 1)
  let hashed = 0
  for (const order of orders(toFolder(files))) {
    hashed += size
    if (hashed > maxHashedBytes && hashed > size) return false
    if ((await checksum(sha256, order)) === wanted) return true
  }
  return false
}

function toFolder(files: readonly TreeFile[]): Folder {
  const byFolder = new Map<string, Map<string, Folder>>()
  const top: Folder = { files: [], folders: [] }
  const folderOf = (path: string): Folder => {
    let folder = top
    const parts = path.split('/').slice(0, -1)
    for (const [index, part] of parts.entries()) {
      const parent = parts.slice(0, index).join('/')
      const siblings = byFolder.get(parent) ?? new Map<string, Folder>()
      byFolder.set(parent, siblings)
      const child = siblings.get(part) ?? { files: [], folders: [] }
      if (!siblings.has(part)) {
        siblings.set(part, child)
        folder.folders.push(child)
      }
      folder = child
    }
    return folder
  }
  const visible = files.filter(({ path }) => path.split('/').every((part) => !part.startsWith('.')))
  for (const file of [...visible].sort((a, b) => (a.path < b.path ? -1 : 1))) folderOf(file.path).files.push(file)
  return top
}

/** Every order in which a walk may meet the files. */
function* orders({ files, folders }: Folder): Generator<TreeFile[]> {
  for (const order of permutations(folders)) for (const rest of sequences(order)) yield [...files, ...rest]
}

function* sequences([first, ...others]: readonly Folder[]): Generator<TreeFile[]> {
  if (first === undefined) {
    yield []
    return
  }
  for (const head of orders(first)) for (const tail of sequences(others)) yield [...head, ...tail]
}

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield []
  for (const [index, item] of items.entries()) {
    for (const rest of permutations([...items.slice(0, index), ...items.slice(index + 1)])) yield [item, ...rest]
  }
}

async function checksum(sha256: Sha256, files: readonly TreeFile[]): Promise<string> {
  const parts = files.flatMap(({ path, bytes }) => [new TextEncoder().encode(path), bytes])
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return toHex(await sha256(whole))
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
