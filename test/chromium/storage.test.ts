import { expect, test } from 'vitest'
import { createBlock } from '../../src/core/blocks/block.ts'
import { webcryptoSha256 } from '../../src/core/blocks/webcrypto-sha256.ts'
import { RegistryError } from '../../src/core/errors.ts'
import { createBlockTable } from '../../src/storage/block-table.ts'
import { createBrowserStorage, openProjectFolder } from '../../src/storage/browser.ts'
import { indexedDbBlocks } from '../../src/storage/indexeddb.ts'
import { describeBlockStore } from '../contracts/block-store.ts'
import { describeEntryStore } from '../contracts/entry-store.ts'
import { describeSearchIndex } from '../contracts/search-index.ts'
import { describeInstallTarget, describeLogJournal, describeStateStore } from '../contracts/small-stores.ts'
import { randomBytes } from '../support/bytes.ts'

const maxCacheBytes = 1_000_000
const systemClock = { now: () => Date.now() }

let count = 0
const freshName = (): string => `contract-${Date.now()}-${count++}`

function inBrowser(clock = systemClock, name = freshName()) {
  return createBrowserStorage({ name, maxCacheBytes, clock })
}

describeBlockStore('IndexedDB', async (clock) => inBrowser(clock).blocks)
describeEntryStore('IndexedDB', async () => inBrowser().entries)
describeSearchIndex('a table in memory', async () => inBrowser().search)
describeStateStore('IndexedDB', async () => inBrowser().state)
describeLogJournal('IndexedDB', async () => inBrowser().journal)
describeInstallTarget('the origin’s own folder', async () => {
  const root = await navigator.storage.getDirectory()
  return openProjectFolder(await root.getDirectoryHandle(freshName(), { create: true }))
})

test('what was stored is there for the next page, roots and sizes too', async () => {
  const name = freshName()
  const block = await createBlock('raw', randomBytes(10_000), webcryptoSha256)
  const before = inBrowser(systemClock, name)
  await before.blocks.start()
  await before.blocks.putMany([block])
  await before.blocks.putRoot(block.cid, [block.cid], { pinned: true })
  const after = inBrowser(systemClock, name)
  await after.blocks.start()
  expect(await after.blocks.usage()).toMatchObject({ blocks: 1, bytes: 10_000, pinnedBytes: 10_000, roots: 1 })
  expect(await after.blocks.get(block.cid, { verify: true })).toEqual(block.bytes)
})

test('a view of a large buffer is stored as the few bytes it shows', async () => {
  const name = freshName()
  const backing = indexedDbBlocks(name)
  await backing.load()
  const before = (await navigator.storage.estimate()).usage ?? 0
  await backing.write([{ key: 'k', bytes: new Uint8Array(64 * 1024 * 1024).subarray(5, 15) }])
  expect((await backing.read('k'))?.buffer.byteLength).toBe(10)
  expect(((await navigator.storage.estimate()).usage ?? 0) - before).toBeLessThan(1024 * 1024)
})

test('when the browser gives no more room older packages make some, and what is pinned stays', async () => {
  // The quota of this machine is gigabytes: a backing that refuses beyond a limit stands in for it.
  const real = indexedDbBlocks(freshName())
  let used = 0
  const table = createBlockTable({
    maxBytes: () => 1_000_000_000,
    sha256: webcryptoSha256,
    clock: systemClock,
    backing: {
      ...real,
      async write(blocks) {
        const bytes = blocks.reduce((sum, block) => sum + block.bytes.length, 0)
        if (used + bytes > 50_000)
          throw new RegistryError('STORAGE_FULL', 'The browser gives this site no more storage.')
        await real.write(blocks)
        used += bytes
      },
      async remove(blocks) {
        await real.remove(blocks)
        used -= blocks.reduce((sum, { size }) => sum + size, 0)
      },
    },
  })
  await table.start()
  const put = async (pinned: boolean) => {
    const block = await createBlock('raw', randomBytes(20_000), webcryptoSha256)
    await table.putMany([block])
    await table.putRoot(block.cid, [block.cid], { pinned })
    return block.cid
  }
  const [pinned, old] = [await put(true), await put(false)]
  const fresh = await put(true)
  expect(await table.has([pinned, old, fresh])).toEqual([true, false, true])
  await expect(put(false)).rejects.toMatchObject({ code: 'STORAGE_FULL' })
  expect(await table.has([pinned, fresh])).toEqual([true, true])
})
