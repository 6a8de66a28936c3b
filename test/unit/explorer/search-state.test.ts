import fc from 'fast-check'
import { expect, test } from 'vitest'
import { facetNames } from '../../../src/browser/known-packages.ts'
import { sameFilter, searchParams, searchState } from '../../../src/browser/ui/search-state.ts'

test('an address says the same search again, whatever was typed', () => {
  const states = fc.record({
    // Whole characters: half a surrogate pair has no form in an address.
    query: fc.string({ unit: 'grapheme' }),
    filter: fc.dictionary(fc.constantFrom(...facetNames), fc.string({ unit: 'grapheme', minLength: 1 })),
    order: fc.constantFrom('relevance' as const, 'newest' as const, 'name' as const),
  })
  fc.assert(
    fc.property(states, (state) => {
      const again = searchState(searchParams(state))
      expect(again.query).toBe(state.query)
      expect(again.order).toBe(state.order)
      expect(sameFilter(again.filter, state.filter)).toBe(true)
    }),
  )
})

test('nothing asked for leaves the address bare, and nonsense in one is passed over', () => {
  expect(searchParams({ query: '', filter: { category: '' }, order: 'relevance' })).toBe('')
  expect(searchState('order=sideways&colour=red&category=&q=x')).toEqual({
    query: 'x',
    filter: {},
    order: 'relevance',
  })
})

test('filters are the same when they choose the same', () => {
  expect(sameFilter({ category: '' }, {})).toBe(true)
  expect(sameFilter(undefined, { publisher: '' })).toBe(true)
  expect(sameFilter({ category: 'a' }, { category: 'b' })).toBe(false)
  expect(sameFilter({ category: 'a' }, { keyword: 'a' })).toBe(false)
})
