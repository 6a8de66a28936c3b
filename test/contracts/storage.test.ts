import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { webcryptoSha256 } from '../../src/core/blocks/webcrypto-sha256.ts'
import { createEntryTable } from '../../src/storage/entry-table.ts'
import { createMemoryJournal, createMemoryProject, createMemoryState } from '../../src/storage/memory.ts'
import { createMemoryBlocks } from '../../src/storage/memory-blocks.ts'
import { createNodeStorage, homePaths, openProjectFolder } from '../../src/storage/node.ts'
import { createSearchTable } from '../../src/storage/search-table.ts'
import { describeBlockStore } from './block-store.ts'
import { describeEntryStore } from './entry-store.ts'
import { describeSearchIndex } from './search-index.ts'
import { describeInstallTarget, describeLogJournal, describeStateStore } from './small-stores.ts'

const maxBytes = 1_000_000
const dir = mkdtempSync(join(tmpdir(), 'ggen-contracts-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let count = 0
const freshDir = (): string => join(dir, String(count++))

function onDisk(clock = { now: () => Date.now() }) {
  return createNodeStorage({ paths: homePaths(freshDir()), maxCacheBytes: maxBytes, clock })
}

describeBlockStore('memory', async (clock) => createMemoryBlocks({ maxBytes, sha256: webcryptoSha256, clock }))
describeBlockStore('SQLite with files', async (clock) => onDisk(clock).blocks)
describeEntryStore('memory', async () => createEntryTable())
describeEntryStore('SQLite', async () => onDisk().entries)
describeSearchIndex('memory', async () => createSearchTable())
describeSearchIndex('SQLite', async () => onDisk().search)
describeStateStore('memory', async () => createMemoryState())
describeStateStore('files', async () => onDisk().state)
describeLogJournal('memory', async () => createMemoryJournal())
describeLogJournal('files', async () => onDisk().journal)
describeInstallTarget('memory', async () => createMemoryProject())
describeInstallTarget('a project folder', async () => {
  const project = freshDir()
  mkdirSync(project)
  return openProjectFolder(project)
})
