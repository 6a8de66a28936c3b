// Its build for Node.js brings worker threads, which are not needed here.
import { Gunzip, unzipSync } from 'fflate/browser'
import { unpackTar } from 'modern-tar'
import { RegistryError } from '../errors.ts'
import type { PackageSource, SourceFile } from '../ports.ts'

/** What an archive may grow to: it is unpacked in memory. */
export const maxUnpackedBytes = 256 * 1024 * 1024

interface Unpacked {
  path: string
  exec: boolean
  bytes: Uint8Array
}

/** Unpacks a zip or a (gzipped) tar, told apart by their first bytes. Throws `VERIFICATION_FAILED` for anything else, a damaged one, links in it, or more than 256 MiB. */
export async function unpack(archive: Uint8Array): Promise<Unpacked[]> {
  try {
    if (archive[0] === 0x50 && archive[1] === 0x4b) return unzip(archive)
    return await untar(archive[0] === 0x1f && archive[1] === 0x8b ? gunzip(archive) : archive)
  } catch (error) {
    if (error instanceof RegistryError) throw error
    throw damaged(error instanceof Error ? error.message : String(error), error)
  }
}

function unzip(archive: Uint8Array): Unpacked[] {
  let announced = 0
  const files = unzipSync(archive, {
    filter({ originalSize }) {
      announced += originalSize
      if (announced > maxUnpackedBytes) throw tooLarge()
      return true
    },
  })
  return Object.entries(files)
    .filter(([path]) => !path.endsWith('/'))
    .map(([path, bytes]) => ({ path, exec: false, bytes }))
}

function gunzip(archive: Uint8Array): Uint8Array {
  const chunks: Uint8Array[] = []
  let size = 0
  let ended = false
  const stream = new Gunzip((chunk, final) => {
    size += chunk.length
    if (size > maxUnpackedBytes) throw tooLarge()
    chunks.push(chunk)
    ended ||= final
  })
  const step = 64 * 1024
  for (let at = 0; at < archive.length; at += step)
    stream.push(archive.subarray(at, at + step), at + step >= archive.length)
  if (!ended) throw damaged('it ends too early')
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}

async function untar(archive: Uint8Array): Promise<Unpacked[]> {
  const files: Unpacked[] = []
  for (const { header, data } of await unpackTar(archive)) {
    if (header.type === 'directory' || header.type === 'pax-global-header') continue
    if (header.type !== 'file') throw damaged(`it holds ${header.name}, a ${header.type}`)
    files.push({ path: header.name, exec: ((header.mode ?? 0) & 0o111) !== 0, bytes: data ?? new Uint8Array(0) })
  }
  return files
}

/** The files below `folder` of an archive, which may stand in a single top folder (as `repo-main/` in archives of GitHub, `package/` in npm's). */
export function filesBelow(files: readonly Unpacked[], folder: string): Unpacked[] {
  const tops = new Set(files.map(({ path }) => path.split('/')[0]))
  const top = tops.size === 1 && files.every(({ path }) => path.includes('/')) ? `${[...tops][0]}/` : ''
  const wanted = folder.replace(/^\.?\/+|\/+$/g, '')
  for (const prefix of [`${top}${wanted === '' ? '' : `${wanted}/`}`, wanted === '' ? '' : `${wanted}/`]) {
    const found = files
      .filter(({ path }) => path.startsWith(prefix))
      .map((file) => ({ ...file, path: file.path.slice(prefix.length) }))
    if (found.length > 0) return found
  }
  return []
}

export function toSource(label: string, files: readonly Unpacked[]): PackageSource {
  const source = ({ path, exec, bytes }: Unpacked): SourceFile => ({
    path,
    exec,
    size: bytes.length,
    async *read() {
      if (bytes.length > 0) yield bytes
    },
  })
  return { label, files: files.map(source), ignored: [] }
}

function damaged(why: string, cause?: unknown): RegistryError {
  return new RegistryError('VERIFICATION_FAILED', `The downloaded archive is damaged: ${why.replace(/\.$/, '')}.`, {
    hint: 'Nothing was installed. Try again; if it stays so, tell the registry.',
    cause,
  })
}

function tooLarge(): RegistryError {
  return new RegistryError(
    'VERIFICATION_FAILED',
    `The downloaded archive grows to more than ${maxUnpackedBytes} bytes.`,
    { hint: 'Nothing was installed.' },
  )
}
