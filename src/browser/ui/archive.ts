import { createTarPacker } from 'modern-tar'

export interface ArchiveFile {
  path: string
  exec: boolean
  read(): Promise<Uint8Array>
}

/** A gzipped tar archive of these files, made in the page. One file is held at a time, besides what is zipped already. */
export async function archiveOf(files: readonly ArchiveFile[]): Promise<Blob> {
  const { readable, controller } = createTarPacker()
  const zipped = (readable as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(new CompressionStream('gzip'))
  const archive = new Response(zipped, { headers: { 'content-type': 'application/gzip' } }).blob()
  const packing = pack(files, controller).catch((error: unknown) => {
    controller.error(error)
    throw error
  })
  // The packing's failure is the cause of the archive's: it is the one to tell.
  const [packed, made] = await Promise.allSettled([packing, archive])
  if (packed.status === 'rejected') throw packed.reason
  if (made.status === 'rejected') throw made.reason
  return made.value
}

async function pack(
  files: readonly ArchiveFile[],
  controller: ReturnType<typeof createTarPacker>['controller'],
): Promise<void> {
  for (const { path, exec, read } of files) {
    const body = await read()
    const header = { name: path, size: body.length, mode: exec ? 0o755 : 0o644, mtime: new Date(0) }
    const writer = controller.add(header).getWriter()
    if (body.length > 0) await writer.write(body)
    await writer.close()
  }
  controller.finalize()
}
