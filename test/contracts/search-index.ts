import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SearchIndex } from '../../src/core/ports.ts'
import type { PackageDocument } from '../../src/core/search/types.ts'

export function documentOf(change: Partial<PackageDocument>): PackageDocument {
  const { name = 'engine', time = 0 } = change
  return {
    publisher: 'did:key:a',
    version: '1.0.0',
    cid: `cid-${name}`,
    entry: `entry-${name}`,
    description: '',
    keywords: [],
    category: '',
    license: '',
    authors: [],
    yanked: false,
    deprecated: '',
    ...change,
    name,
    time,
  }
}

/** What every SearchIndex must do. `make` gives one that is not started. */
export function describeSearchIndex(name: string, make: () => Promise<SearchIndex>): void {
  describe(`${name} as a search index`, () => {
    let index: SearchIndex

    beforeEach(async () => {
      index = await make()
      await index.start()
    })
    afterEach(() => index.stop())

    const names = async (text: string, options: { category?: string; limit?: number } = {}) =>
      (await index.search({ text, category: options.category }, options.limit ?? 100)).map((document) => document.name)

    test('finds by name, parts of the name, keyword, category and description, however they are written', async () => {
      await index.upsert([
        documentOf({ name: 'graphql-api', description: 'Makes Schémas', keywords: ['Types'], category: 'templates' }),
        documentOf({ name: 'other' }),
      ])
      for (const text of [
        'graphql-api',
        'GRAPHQL',
        'api',
        'types',
        'templates',
        'schemas',
        'graphql schema',
        'graphq',
      ]) {
        expect(await names(text), text).toEqual(['graphql-api'])
      }
      expect(await names('nothing')).toEqual([])
    })

    test('replaces by publisher and name, and removes', async () => {
      await index.upsert([
        documentOf({ description: 'red' }),
        documentOf({ publisher: 'did:key:b', description: 'green' }),
      ])
      await index.upsert([documentOf({ description: 'blue', version: '2.0.0' })])
      expect(await names('red')).toEqual([])
      expect((await index.get('did:key:a', 'engine'))?.version).toBe('2.0.0')
      await index.remove([{ publisher: 'did:key:a', name: 'engine' }])
      expect(await index.get('did:key:a', 'engine')).toBeUndefined()
      expect(await names('blue')).toEqual([])
      expect(await names('green')).toEqual(['engine'])
    })

    test('keeps to a category', async () => {
      await index.upsert([
        documentOf({ name: 'a-tool', category: 'tools' }),
        documentOf({ name: 'b-tool', category: 'other' }),
      ])
      expect(await names('tool', { category: 'tools' })).toEqual(['a-tool'])
      expect(await names('', { category: 'other' })).toEqual(['b-tool'])
    })

    test('lists the newest for an empty query, and keeps the limit', async () => {
      await index.upsert([1, 3, 2].map((time) => documentOf({ name: `p${time}`, time })))
      expect(await names('')).toEqual(['p3', 'p2', 'p1'])
      expect(await names('', { limit: 2 })).toEqual(['p3', 'p2'])
    })

    test('always offers the exact name, however common its words are', async () => {
      await index.upsert(
        Array.from({ length: 300 }, (_, at) => documentOf({ name: `rest-api-${at}`, keywords: ['rest', 'api'] })),
      )
      await index.upsert([documentOf({ name: 'rest-api' })])
      expect(await names('rest-api', { limit: 10 })).toContain('rest-api')
    })

    test('takes any text for words, not for a query language', async () => {
      await index.upsert([documentOf({ name: 'engine' })])
      for (const text of [
        '"',
        'a AND',
        '*',
        'name:x',
        '^',
        '(',
        'NEAR(a b)',
        "'; DROP TABLE documents; --",
        '%',
        '\0',
      ]) {
        await expect(index.search({ text }, 10)).resolves.toBeInstanceOf(Array)
      }
      expect(await names('engine')).toEqual(['engine'])
    })

    test('suggests near names, nearest first', async () => {
      await index.upsert(['rest-handlers', 'rest-handler', 'invoice'].map((one) => documentOf({ name: one })))
      expect(await index.similarNames('rest-handlerz', 5)).toEqual(['rest-handler', 'rest-handlers'])
      expect(await index.similarNames('rest-hanlders', 1)).toEqual(['rest-handlers'])
      expect(await index.similarNames('zzzzzzzz', 5)).toEqual([])
    })
  })
}
