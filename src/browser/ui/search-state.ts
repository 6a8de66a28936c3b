import type { FacetName } from '../known-packages.ts'
import { facetNames } from '../known-packages.ts'

const orders = ['relevance', 'newest', 'name'] as const
export type SearchOrder = (typeof orders)[number]

/** What is searched for, and how it is narrowed and ordered. */
export interface SearchState {
  query: string
  filter: Partial<Record<FacetName, string>>
  order: SearchOrder
}

/** As it stands in an address, behind a question mark; empty for a search that asks for nothing. */
export function searchParams({ query, filter, order }: SearchState): string {
  const params = new URLSearchParams()
  if (query !== '') params.set('q', query)
  for (const facet of facetNames) {
    const value = filter[facet] ?? ''
    if (value !== '') params.set(facet, value)
  }
  if (order !== 'relevance') params.set('order', order)
  return params.toString()
}

/** What an address asks for; what makes no sense in it is passed over. */
export function searchState(text: string): SearchState {
  const params = new URLSearchParams(text)
  const chosen = facetNames.map((facet) => [facet, params.get(facet) ?? ''] as const)
  return {
    query: params.get('q') ?? '',
    filter: Object.fromEntries(chosen.filter(([, value]) => value !== '')),
    order: orders.find((order) => order === params.get('order')) ?? 'relevance',
  }
}

export function sameFilter(a: SearchState['filter'] | undefined, b: SearchState['filter'] | undefined): boolean {
  return facetNames.every((facet) => (a?.[facet] ?? '') === (b?.[facet] ?? ''))
}
