import { expect, test } from 'vitest'
import { createCentralHits } from '../../../src/browser/central-hits.ts'
import type { KnownRequest } from '../../../src/browser/known-packages.ts'
import { knownPackages } from '../../../src/browser/known-packages.ts'
import type { CentralHit } from '../../../src/core/search/merge.ts'
import { mergeResults } from '../../../src/core/search/merge.ts'
import { rankDocuments } from '../../../src/core/search/rank.ts'
import type { PackageDocument } from '../../../src/core/search/types.ts'
import { createTrust } from '../../../src/core/trust/trust.ts'
import { createMemoryState } from '../../../src/storage/memory.ts'
import { createMemoryBlocks } from '../../../src/storage/memory-blocks.ts'
import { nodeSha256 } from '../../../src/storage/node.ts'
import { createSearchTable } from '../../../src/storage/search-table.ts'
import { documentOf } from '../../contracts/search-index.ts'

const cid = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const unsigned = (change: Partial<PackageDocument>): PackageDocument =>
  documentOf({ publisher: '', cid: '', entry: '', ...change })

async function tab(documents: PackageDocument[], told: Record<string, PackageDocument[]> = {}) {
  const search = createSearchTable()
  await search.upsert(documents.map((document) => ({ ...document, cid })))
  const central = createCentralHits()
  for (const [source, hits] of Object.entries(told)) central.remember(source, hits)
  const trust = createTrust(createMemoryState())
  await trust.start()
  const clock = { now: () => 0 }
  const blocks = createMemoryBlocks({ maxBytes: 1_000_000, sha256: nodeSha256, clock })
  await blocks.start()
  const parts = { search, blocks, trust, central, holdersOf: () => ['peer'] }
  return {
    ...parts,
    known: (request: Partial<KnownRequest>) => knownPackages(parts, { query: '', limit: 100, ...request }),
  }
}

test('central packages are ranked, ordered and counted among signed ones', async () => {
  const { known } = await tab(
    [
      documentOf({ name: 'rest-api', keywords: ['rest'], license: 'MIT', time: 5 }),
      documentOf({ name: 'zoo', keywords: ['rest'], license: 'MIT', time: 1 }),
    ],
    { 'central:npm': [unsigned({ name: 'rest', license: 'ISC', category: 'web', time: 9 })] },
  )
  const { packages, total, facets } = await known({ query: 'rest' })
  expect(packages.map(({ name, publisher, registry }) => ({ name, publisher, registry }))).toEqual([
    { name: 'rest', publisher: null, registry: 'central:npm' },
    { name: 'rest-api', publisher: 'did:key:a', registry: '' },
    { name: 'zoo', publisher: 'did:key:a', registry: '' },
  ])
  expect(packages[0]).toMatchObject({ cid: null, petname: null, cached: false, registries: ['central:npm'], timeMs: 9 })
  expect(total).toBe(3)
  expect(facets.licence).toEqual([
    { value: 'MIT', count: 2, petname: null },
    { value: 'ISC', count: 1, petname: null },
  ])
  expect(facets.publisher).toEqual([{ value: 'did:key:a', count: 2, petname: null }])
  expect((await known({ filter: { licence: 'ISC' } })).packages.map(({ name }) => name)).toEqual(['rest'])
  expect((await known({ order: 'newest' })).packages.map(({ name }) => name)).toEqual(['rest', 'rest-api', 'zoo'])
  expect((await known({ query: 'nothing' })).packages).toEqual([])
})

test('a name that somebody has signed stays one row, which says which registries have it too', async () => {
  const { known, trust } = await tab([documentOf({ name: 'both', keywords: ['rest'] })], {
    'central:a': [unsigned({ name: 'both', keywords: ['rest'], version: '2.0.0' })],
    'central:b': [unsigned({ name: 'both', keywords: ['rest'], version: '3.0.0' }), unsigned({ name: 'only-b' })],
  })
  expect((await known({ query: 'both' })).packages).toMatchObject([
    { name: 'both', publisher: 'did:key:a', version: '1.0.0', registry: '', registries: ['central:a', 'central:b'] },
  ])
  expect((await known({})).total).toBe(2)
  // Blocked, its publisher no longer stands in the list: what registries have of that name does, the newest of it.
  trust.isBlocked = (publisher) => publisher === 'did:key:a'
  expect((await known({ query: 'both' })).packages).toMatchObject([
    { name: 'both', publisher: null, version: '3.0.0', registry: 'central:b' },
  ])
})

test('the list has the rows of a merged search, in its order', async () => {
  const words = ['rest', 'graph', 'model', 'schema', 'tool', 'kit']
  const word = (at: number) => words[at % words.length]!
  const make = (at: number, shift: number) => ({
    name: `${word(at)}-${word(at * 5 + shift)}`,
    keywords: [word(at * 7 + shift)],
    description: `about ${word(at + shift)}`,
    version: `${1 + (at % 3)}.${shift}.0`,
    deprecated: at % 5 === 0 ? 'old' : '',
  })
  const documents = Array.from({ length: 40 }, (_, at) =>
    documentOf({ ...make(at, 1), publisher: `did:key:${at % 2 === 0 ? 'a' : 'b'}` }),
  )
  const told = {
    'central:x': Array.from({ length: 20 }, (_, at) => unsigned(make(at, 2))),
    'central:y': Array.from({ length: 20 }, (_, at) => unsigned(make(at, 3))),
  }
  const { known, search, central } = await tab(documents, told)
  const hits: CentralHit[] = [...central.byName().values()].flatMap((group) => group.hits)
  for (const text of ['rest', 'graph model', 'too', 'schema-kit']) {
    const query = { text }
    const own = rankDocuments(query, await search.search(query, 1_000), 1_000)
    const merged = mergeResults({
      query,
      limit: 1_000,
      documents: own.map((ranked) => ({ ...ranked, providers: 0, sources: ['local'] })),
      central: hits,
    })
    const { packages } = await known({ query: text })
    const rows = (list: { name: string; version: string; publisher: string | null }[]) =>
      list.map(({ name, version, publisher }) => `${publisher}/${name}@${version}`)
    expect(rows(packages), text).toEqual(rows(merged))
    expect(packages.some(({ publisher }) => publisher === null)).toBe(true)
  }
})

test('of what registries tell, the newest is kept, within bounds', () => {
  const hits = createCentralHits(3)
  const names = () => [...hits.byName().keys()].sort()
  hits.remember('central:a', [unsigned({ name: 'one', version: '1.0.0' }), unsigned({ name: 'two' })])
  hits.remember('central:a', [unsigned({ name: 'three' })])
  hits.remember('central:a', [
    unsigned({ name: 'one', version: '1.2.0' }),
    unsigned({ name: 'one', version: '1.10.0' }),
  ])
  hits.remember('central:a', [unsigned({ name: 'four' })])
  expect(names()).toEqual(['four', 'one', 'three'])
  expect(hits.byName().get('one')).toMatchObject({ newest: { version: '1.10.0' }, hits: [{ source: 'central:a' }] })
})
