import { packTar } from 'modern-tar'

export interface ArchiveFile {
  path: string
  exec: boolean
  read(): Promise<Uint8Array>
}

/** A gzipped tar archive of these files, made in the page. */
export async function archiveOf(files: readonly ArchiveFile[]): Promise<Blob> {
  const entries = []
  for (const { path, exec, read } of files) {
    const body = await read()
    entries.push({ header: { name: path, size: body.length, mode: exec ? 0o755 : 0o644, mtime: new Date(0) }, body })
  }
  const tar = await packTar(entries)
  const zipped = new Blob([tar as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Response(zipped, { headers: { 'content-type': 'application/gzip' } }).blob()
}
