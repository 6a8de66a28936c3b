import type { PackageSource } from '../../../src/core/ports.ts'

export interface TestFile {
  path: string
  content: string | Uint8Array
  exec?: boolean
  /** What the file claims, when that is not its true size. */
  size?: number
}

/** Files in memory as a source; each is read in chunks of `chunkBytes`. */
export function memorySource(files: readonly TestFile[], chunkBytes = 64 * 1024): PackageSource {
  return {
    label: '/somewhere/package',
    ignored: [],
    files: files.map(({ path, content, exec = false, size }) => {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
      return {
        path,
        exec,
        size: size ?? bytes.byteLength,
        async *read() {
          for (let offset = 0; offset < bytes.byteLength; offset += chunkBytes) {
            yield bytes.subarray(offset, offset + chunkBytes)
          }
        },
      }
    }),
  }
}
