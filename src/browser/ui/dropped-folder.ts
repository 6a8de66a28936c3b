import type { FolderFile } from '../../storage/browser.ts'

/**
 * The one folder that was dropped, as its files. To be called while the drop event is handled: its items are gone afterwards. Throws when something else was dropped.
 */
export async function droppedFolder(data: DataTransfer | null): Promise<FolderFile[]> {
  const entries = [...(data?.items ?? [])].map((item) => item.webkitGetAsEntry())
  const [entry] = entries
  if (entries.length !== 1 || !entry?.isDirectory) {
    throw Object.assign(new Error('That is not one folder.'), { hint: 'Drop the folder that holds package.toml.' })
  }
  return filesBelow(entry as FileSystemDirectoryEntry, '')
}

async function filesBelow(folder: FileSystemDirectoryEntry, prefix: string): Promise<FolderFile[]> {
  const reader = folder.createReader()
  const files: FolderFile[] = []
  while (true) {
    // A hundred at a time; none when there are no more.
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (entries.length === 0) return files
    for (const entry of entries) {
      const path = prefix + entry.name
      if (entry.isDirectory) files.push(...(await filesBelow(entry as FileSystemDirectoryEntry, `${path}/`)))
      else files.push({ path, file: await fileOf(entry as FileSystemFileEntry) })
    }
  }
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject))
