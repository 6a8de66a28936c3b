import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { equalBytes } from '../../src/core/blocks/node-codec.ts'
import type { VerifiedEntry } from '../../src/core/log/types.ts'
import type { EntryStore, Signer } from '../../src/core/ports.ts'
import { testSigner, toHex } from '../unit/identity/test-signers.ts'
import { createTestLog, manifestCid } from '../unit/log/test-entries.ts'

const cids = (entries: readonly VerifiedEntry[]): string[] => entries.map(({ cid }) => cid.toString())

/** What every EntryStore must do. `make` gives one that is not started. */
export function describeEntryStore(name: string, make: () => Promise<EntryStore>): void {
  describe(`${name} as an entry store`, () => {
    let store: EntryStore
    let ada: Signer
    let bea: Signer

    beforeEach(async () => {
      store = await make()
      await store.start()
      ada = await testSigner(1)
      bea = await testSigner(2)
    })
    afterEach(() => store.stop())

    test('gives back what was put, by CID, author, name and manifest', async () => {
      const log = createTestLog(ada)
      const first = await log.release('1.0.0')
      const second = await log.release('1.1.0', { manifest: await manifestCid('b') })
      const yank = await log.yank('1.0.0', 'bad')
      const other = await createTestLog(bea).release('3.0.0', { name: 'other' })
      expect(await store.putMany([first, second, yank, other])).toEqual(['added', 'added', 'added', 'added'])
      expect(await store.putMany([second])).toEqual(['known'])
      const got = await store.get(second.cid)
      expect(got?.entry).toEqual(second.entry)
      expect(equalBytes(got!.envelope, second.envelope)).toBe(true)
      expect(await store.get((await createTestLog(bea).release('9.9.9')).cid)).toBeUndefined()
      expect(await store.has([other.cid, await manifestCid('none')])).toEqual([true, false])
      expect(cids(await store.entries(ada.did))).toEqual(cids([first, second, yank]))
      expect(cids(await store.entries(ada.did, { fromSeq: 1, limit: 1 }))).toEqual(cids([second]))
      expect(cids(await store.byPackage('engine'))).toEqual(cids([first, second, yank]))
      expect(await store.byPackage('engine', bea.did)).toEqual([])
      expect(cids(await store.byPackage('other', bea.did))).toEqual(cids([other]))
      expect(cids(await store.byManifest(await manifestCid('b')))).toEqual(cids([second]))
      expect(await store.count()).toEqual({ entries: 4, packages: 2, publishers: 2 })
    })

    test('orders entries about one name by publisher, then by seq', async () => {
      const [a, b] = [createTestLog(ada), createTestLog(bea)]
      const entries = [
        await b.release('1.0.0'),
        await a.release('1.0.0'),
        await b.release('1.1.0'),
        await a.release('1.1.0'),
      ]
      await store.putMany(entries)
      const order = (await store.byPackage('engine')).map(({ entry }) => [entry.publisher, entry.seq])
      const sorted = [ada.did, bea.did].sort()
      expect(order).toEqual([
        [sorted[0], 0],
        [sorted[0], 1],
        [sorted[1], 0],
        [sorted[1], 1],
      ])
    })

    test('knows the head of each log', async () => {
      const log = createTestLog(ada)
      const entries = [await log.release('1.0.0'), await log.release('1.1.0')]
      await store.putMany(entries)
      expect(await store.log(bea.did)).toBeUndefined()
      expect(await store.log(ada.did)).toMatchObject({ author: ada.did, entries: 2, head: { entry: { seq: 1 } } })
      expect((await store.logs()).map(({ author }) => author)).toEqual([ada.did])
    })

    test('keeps both sides of a fork as its proof, and no third; the head is what came before', async () => {
      const base = createTestLog(ada)
      const first = await base.release('1.0.0')
      const second = await base.release('1.1.0')
      const branch = async (version: string) => {
        const log = createTestLog(ada)
        await log.release('1.0.0')
        return log.release(version)
      }
      const fork = await branch('6.6.6')
      expect(await store.putMany([first, second, fork, await branch('7.7.7')])).toEqual([
        'added',
        'added',
        'forked',
        'known',
      ])
      expect(await store.log(ada.did)).toMatchObject({ forkSeq: 1, entries: 3, head: { entry: { seq: 0 } } })
      expect(new Set(cids(await store.entries(ada.did, { fromSeq: 1 })))).toEqual(new Set(cids([second, fork])))
    })

    test('names who hands a log on or gives it up', async () => {
      const log = createTestLog(ada)
      await log.release('1.0.0')
      const rotate = await log.rotate(bea)
      const revoke = await createTestLog(bea, ada.did).revoke('lost')
      await store.putMany([rotate, revoke])
      expect(new Set(cids(await store.succession(ada.did)))).toEqual(new Set(cids([rotate, revoke])))
      expect(await store.succession(bea.did)).toEqual([])
    })

    test('lists all CIDs, sorted by their bytes', async () => {
      const log = createTestLog(ada)
      const entries = [await log.release('1.0.0'), await log.release('1.1.0'), await log.release('1.2.0')]
      await store.putMany(entries)
      const listed = await store.cids()
      expect(listed.map((bytes) => toHex(bytes))).toEqual(entries.map(({ cid }) => toHex(cid.bytes)).sort())
    })
  })
}
