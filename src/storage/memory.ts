import type { InstallFile, InstallTarget, LogJournal, StateStore } from '../core/ports.ts'

/** Storage in memory, for tests; held to the same contracts as the one on disk. */

export function createMemoryState(): StateStore {
  const texts = new Map<string, string>()
  return {
    async read(name) {
      const text = texts.get(name)
      return text === undefined ? undefined : JSON.parse(text)
    },
    async write(name, value) {
      texts.set(name, JSON.stringify(value))
    },
  }
}

export function createMemoryJournal(): LogJournal {
  const logs = new Map<string, Map<number, Uint8Array>>()
  return {
    authors: async () => [...logs.keys()].sort(),
    async read(author) {
      return [...(logs.get(author) ?? [])].sort(([a], [b]) => a - b).map(([, envelope]) => envelope)
    },
    async append(author, seq, envelope) {
      const log = logs.get(author) ?? new Map<number, Uint8Array>()
      logs.set(author, log)
      if (log.has(seq)) return false
      log.set(seq, envelope)
      return true
    },
  }
}

export function createMemoryProject(): InstallTarget {
  const packages = new Map<string, Map<string, { exec: boolean; bytes: Uint8Array }>>()
  let lock: string | undefined

  async function contentOf({ chunks }: InstallFile): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for await (const chunk of chunks) parts.push(chunk)
    return Buffer.concat(parts)
  }

  return {
    readLock: async () => lock,
    async writeLock(text) {
      lock = text
    },
    async writePackage(name, files) {
      const written = new Map<string, { exec: boolean; bytes: Uint8Array }>()
      for await (const file of files) written.set(file.path, { exec: file.exec, bytes: await contentOf(file) })
      packages.set(name, written)
      return `/memory/${name}`
    },
    removePackage: async (name) => packages.delete(name),
    listPackages: async () => [...packages.keys()].sort(),
    async openPackage(name) {
      const files = packages.get(name)
      if (files === undefined) return undefined
      return {
        label: name,
        ignored: [],
        files: [...files].map(([path, { exec, bytes }]) => ({
          path,
          exec,
          size: bytes.length,
          async *read() {
            if (bytes.length > 0) yield bytes
          },
        })),
      }
    },
    packagePath: (name) => `/memory/${name}`,
  }
}
