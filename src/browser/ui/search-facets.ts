import { css, html } from 'lit'
import { live } from 'lit/directives/live.js'
import { repeat } from 'lit/directives/repeat.js'
import type { FacetName, KnownPackages } from '../known-packages.ts'
import { facetNames } from '../known-packages.ts'
import { plainText, shortDid } from './format.ts'
import type { SearchOrder, SearchState } from './search-state.ts'

const orderTexts: [SearchOrder, string][] = [
  ['relevance', 'Best first'],
  ['newest', 'Newest first'],
  ['name', 'By name'],
]

/** How a list is narrowed and ordered. All choices stand there from the start: the list below must not jump when there is something to choose. */
export function renderFacets(
  { filter, order }: SearchState,
  facets: KnownPackages['facets'] | undefined,
  change: (changed: Partial<Pick<SearchState, 'filter' | 'order'>>) => void,
) {
  return html`<div class="row facets">
    ${facetNames.map((facet) => renderFacet(facet, filter[facet] ?? '', facets?.[facet] ?? [], (value) => change({ filter: { ...filter, [facet]: value } })))}
    <label class="visually-hidden" for="order">Order</label>
    <select id="order" @change=${(event: Event) => change({ order: (event.target as HTMLSelectElement).value as SearchOrder })}>
      ${orderTexts.map(([value, text]) => html`<option value=${value} .selected=${live(value === order)}>${text}</option>`)}
    </select>
  </div>`
}

function renderFacet(
  facet: FacetName,
  chosen: string,
  values: KnownPackages['facets'][FacetName],
  choose: (value: string) => void,
) {
  // What an address asks for stays chosen, also where nothing that is known has it.
  const listed =
    chosen === '' || values.some(({ value }) => value === chosen)
      ? values
      : [...values, { value: chosen, count: 0, petname: null }]
  return html`<label class="visually-hidden" for=${facet}>${facet}</label>
    <select
      id=${facet}
      ?disabled=${listed.length === 0}
      @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}
    >
      <option value="" .selected=${live(chosen === '')}>Any ${facet}</option>
      ${repeat(
        listed,
        ({ value }) => value,
        ({ value, count, petname }) =>
          html`<option value=${value} .selected=${live(value === chosen)}>
            ${plainText(petname ?? (facet === 'publisher' ? shortDid(value) : value))} (${count})
          </option>`,
      )}
    </select>`
}

export const facetStyles = css`
  .facets {
    margin: 0.6rem 0 0;
  }
  .facets select {
    flex: 0 1 auto;
    max-width: 14rem;
  }
  @media (max-width: 40rem) {
    .facets {
      display: grid;
      grid-template-columns: repeat(2, minmax(0, 1fr));
    }
    .facets select {
      width: 100%;
    }
  }
`
