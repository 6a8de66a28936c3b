import { readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { StateStore } from '../core/ports.ts'
import { writeFileAtomic } from './atomic-file.ts'

/** One JSON file per name. An unreadable one is moved aside and told about: it was somebody's pins. */
export function createFileState(dir: string, onRepaired: (message: string) => void): StateStore {
  const fileOf = (name: string): string => join(dir, `${name}.json`)
  return {
    async read(name) {
      let text: string
      try {
        text = readFileSync(fileOf(name), 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
      try {
        return JSON.parse(text)
      } catch {
        const aside = `${fileOf(name)}.corrupt-${Date.now()}`
        renameSync(fileOf(name), aside)
        onRepaired(`${fileOf(name)} was damaged and has been moved to ${aside}.`)
        return undefined
      }
    },
    async write(name, value) {
      writeFileAtomic(fileOf(name), `${JSON.stringify(value, null, 1)}\n`, { mode: 0o600 })
    },
  }
}
