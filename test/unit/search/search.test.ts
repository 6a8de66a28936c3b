import { describe, expect, test } from 'vitest'
import { editDistance, nearest } from '../../../src/core/search/edit-distance.ts'
import { mergeResults } from '../../../src/core/search/merge.ts'
import { fold, nameTokens, queryTokens } from '../../../src/core/search/query.ts'
import { rankDocuments } from '../../../src/core/search/rank.ts'
import { documentOf } from '../../contracts/search-index.ts'

const order = (text: string, documents: Parameters<typeof rankDocuments>[1], category?: string) =>
  rankDocuments({ text, category }, documents, 10).map(({ document }) => document.name)

test('words are compared without case and accents, and split where names are joined', () => {
  expect(fold('Éclair ﬁne')).toBe('eclair fine')
  expect(queryTokens('Rest-API restAPI v2 rest')).toEqual(['rest', 'api', 'v2'])
  expect(nameTokens('graphql-api')).toEqual(['graphql', 'api', 'graphqlapi'])
  expect(nameTokens('tool')).toEqual(['tool'])
  expect(queryTokens(Array.from({ length: 40 }, (_, at) => `w${at}`).join(' '))).toHaveLength(16)
  expect(queryTokens('  ')).toEqual([])
})

describe('ranking', () => {
  test('puts the exact name first, then names, keywords, category, description', () => {
    const documents = [
      documentOf({ name: 'e', description: 'an invoice tool' }),
      documentOf({ name: 'd', category: 'invoice' }),
      documentOf({ name: 'c', keywords: ['invoice'] }),
      documentOf({ name: 'invoice-ontology' }),
      documentOf({ name: 'invoice' }),
      documentOf({ name: 'none' }),
    ]
    expect(order('invoice', documents)).toEqual(['invoice', 'invoice-ontology', 'c', 'd', 'e'])
    expect(order('invo', documents)).toEqual(['invoice', 'invoice-ontology', 'c', 'e'])
    expect(order('Invoice', documents, 'invoice')).toEqual(['d'])
  })

  test('lets what is withdrawn or deprecated sink, and breaks ties by name, then publisher', () => {
    const documents = [
      documentOf({ name: 'tool-y', yanked: true }),
      documentOf({ name: 'tool-x', deprecated: 'old' }),
      documentOf({ name: 'tool-b', publisher: 'did:key:b' }),
      documentOf({ name: 'tool-b', publisher: 'did:key:a' }),
      documentOf({ name: 'tool-a' }),
    ]
    const ranked = rankDocuments({ text: 'tool' }, documents, 10)
    expect(ranked.map(({ document }) => document.name)).toEqual(['tool-a', 'tool-b', 'tool-b', 'tool-x', 'tool-y'])
    expect(ranked.map(({ document }) => document.publisher).slice(1, 3)).toEqual(['did:key:a', 'did:key:b'])
    expect(rankDocuments({ text: 'tool' }, [...documents].reverse(), 10)).toEqual(ranked)
    for (const { score } of ranked) expect(score).toBeGreaterThan(0)
  })

  test('lists the newest for an empty query', () => {
    expect(
      order('', [
        documentOf({ name: 'a', time: 1 }),
        documentOf({ name: 'c', time: 2 }),
        documentOf({ name: 'b', time: 2 }),
      ]),
    ).toEqual(['b', 'c', 'a'])
  })
})

test('central hits become sources of what peers have, or stand for themselves without a publisher', () => {
  const hit = documentOf({ publisher: '', cid: '', entry: '', version: '3.0.0', description: 'rest' })
  const results = mergeResults({
    query: { text: 'rest' },
    limit: 10,
    documents: [{ document: documentOf({ name: 'rest' }), score: 0.9, providers: 2, sources: ['local'] }],
    central: [
      { ...hit, name: 'rest', source: 'central:a' },
      { ...hit, name: 'rest-other', source: 'central:a' },
      { ...hit, name: 'rest-other', version: '3.1.0', source: 'central:b' },
    ],
  })
  expect(results.map(({ name, sources, publisher, providers }) => ({ name, sources, publisher, providers }))).toEqual([
    { name: 'rest', sources: ['local', 'central:a'], publisher: 'did:key:a', providers: 2 },
    { name: 'rest-other', sources: ['central:a', 'central:b'], publisher: null, providers: 0 },
  ])
  expect(results.map(({ version, disagreements }) => ({ version, disagreements }))).toEqual([
    { version: '1.0.0', disagreements: [{ source: 'central:a', version: '3.0.0' }] },
    { version: '3.1.0', disagreements: [{ source: 'central:a', version: '3.0.0' }] },
  ])
})

test('the nearest word is found within a third of its length', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3)
  expect(editDistance('', 'ab')).toBe(2)
  expect(nearest('instal', ['install', 'info', 'list'])).toBe('install')
  expect(nearest('xyz', ['install', 'info'])).toBeUndefined()
})
