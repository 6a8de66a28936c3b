import type { PropertyValues } from 'lit'
import { css, html, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import type { DescribedSearchResult } from '../service.ts'
import { packageLink, peerCount, plainText, shortDid, sourceText } from './format.ts'
import { NodeElement } from './node-element.ts'
import { sharedStyles } from './shared-styles.ts'

type Result = DescribedSearchResult['results'][number]

const facets = ['category', 'keyword', 'licence', 'publisher'] as const
type Facet = (typeof facets)[number]
const anything: Record<Facet, string> = { category: '', keyword: '', licence: '', publisher: '' }

const debounceMs = 120
const maxResults = 50

/** Search as you type, with facets. Results are links to `#/p/<publisher>/<name>/<version>`. */
export class GgenSearch extends NodeElement {
  static override styles = [
    sharedStyles,
    css`
      .field {
        display: flex;
        gap: 0.5rem;
        flex-wrap: wrap;
        margin-bottom: 0.8rem;
      }
      input[type='search'] {
        flex: 1 1 14rem;
        font-size: 1.15rem;
        padding: 0.6em 0.9em;
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li {
        content-visibility: auto;
        contain-intrinsic-size: auto 7rem;
      }
      a.result {
        display: block;
        color: inherit;
        text-decoration: none;
      }
      a.result:hover .name {
        text-decoration: underline;
      }
      .name {
        color: var(--accent);
        font-weight: 650;
        font-size: 1.1rem;
      }
      p {
        margin: 0.2rem 0 0.4rem;
        overflow-wrap: anywhere;
      }
    `,
  ]
  static override properties = {
    ...NodeElement.properties,
    query: { type: String },
    found: { state: true },
    sources: { state: true },
    busy: { state: true },
    chosen: { state: true },
    order: { state: true },
  }

  declare query: string
  declare found: Result[] | undefined
  declare sources: string[]
  declare busy: boolean
  declare chosen: Record<Facet, string>
  declare order: 'relevance' | 'newest' | 'name'
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    this.query = ''
    this.sources = []
    this.busy = false
    this.chosen = anything
    this.order = 'relevance'
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener('keydown', this.#onKey)
    this.#search()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener('keydown', this.#onKey)
    clearTimeout(this.#timer)
  }

  protected override firstUpdated(_changed: PropertyValues): void {
    this.node.on('changed', ({ what }) => {
      if (what !== 'addresses' && this.isConnected && !this.busy) this.#search(1_000)
    })
  }

  /** `/` goes to the field from anywhere but another field; arrows walk the results. */
  #onKey = (event: KeyboardEvent): void => {
    const target = event.composedPath()[0] as HTMLElement
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
    if (event.key === '/' && !typing) {
      event.preventDefault()
      this.renderRoot.querySelector<HTMLInputElement>('#query')?.focus()
    }
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    if (!this.renderRoot.contains(target) || target.tagName === 'SELECT') return
    const stops = [...this.renderRoot.querySelectorAll<HTMLElement>('#query, a.result')]
    const next = stops[stops.indexOf(target) + (event.key === 'ArrowDown' ? 1 : -1)]
    if (next === undefined) return
    event.preventDefault()
    next.focus()
  }

  #onInput = (event: InputEvent): void => {
    this.query = (event.target as HTMLInputElement).value
    this.#search(debounceMs)
  }

  #search(delayMs = 0): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.run(async (signal) => {
        this.busy = true
        this.sources = []
        try {
          const request = { query: this.query.slice(0, 256), limit: maxResults }
          // What is known here shows at once; what peers say replaces it.
          const known = await this.node.service.known(request, { signal })
          if (known.length > 0 && !signal.aborted) this.found = known
          const { results, sources } = await this.node.service.search(request, {
            signal,
            onProgress: (event) => {
              if (event.type === 'source:answered' && !signal.aborted) this.sources = [...this.sources, event.source]
            },
          })
          if (signal.aborted) return
          this.found = results
          this.sources = sources.filter(({ status }) => status === 'ok').map(({ source }) => source)
        } finally {
          if (!signal.aborted) this.busy = false
        }
      })
    }, delayMs)
  }

  #shown(): Result[] {
    const fits = (result: Result): boolean =>
      facets.every((facet) => this.chosen[facet] === '' || valuesOf(result, facet).includes(this.chosen[facet]))
    const shown = (this.found ?? []).filter(fits)
    if (this.order === 'newest') return shown.sort((a, b) => b.timeMs - a.timeMs)
    return this.order === 'name' ? shown.sort((a, b) => (a.name < b.name ? -1 : 1)) : shown
  }

  override render() {
    const shown = this.#shown()
    return html`
      <form class="field" role="search" @submit=${(event: Event) => event.preventDefault()}>
        <label class="visually-hidden" for="query">Search packages</label>
        <input
          id="query"
          type="search"
          maxlength="256"
          autocomplete="off"
          placeholder="Search packages  ( / )"
          .value=${this.query}
          @input=${this.#onInput}
        />
        ${facets.map((facet) => this.#facet(facet))}
        <label class="visually-hidden" for="order">Order</label>
        <select id="order" @change=${(event: Event) => (this.order = (event.target as HTMLSelectElement).value as GgenSearch['order'])}>
          <option value="relevance">Best first</option>
          <option value="newest">Newest first</option>
          <option value="name">By name</option>
        </select>
      </form>
      ${this.renderFailure()}
      <p role="status" class="soft small">${this.#status(shown)}</p>
      <ul aria-label="Results">
        ${repeat(
          shown,
          ({ publisher, name }) => `${publisher}/${name}`,
          (result) => this.#result(result),
        )}
      </ul>
    `
  }

  #facet(facet: Facet) {
    const values = [...new Set((this.found ?? []).flatMap((result) => valuesOf(result, facet)))].sort()
    if (values.length < 2 && this.chosen[facet] === '') return nothing
    const choose = (event: Event): void => {
      this.chosen = { ...this.chosen, [facet]: (event.target as HTMLSelectElement).value }
    }
    return html`<label class="visually-hidden" for=${facet}>${facet}</label>
      <select id=${facet} @change=${choose}>
        <option value="">Any ${facet}</option>
        ${values.map(
          (value) =>
            html`<option value=${value} ?selected=${value === this.chosen[facet]}>
              ${plainText(facet === 'publisher' ? shortDid(value) : value)}
            </option>`,
        )}
      </select>`
  }

  #status(shown: Result[]): string {
    if (this.failure !== undefined) return ''
    if (this.found === undefined) return 'Starting this tab’s node and asking peers …'
    const from = this.sources.map(sourceText)
    const asked = from.length === 0 ? '' : `, from ${from.join(' and ')}`
    if (shown.length > 0)
      return `${shown.length} ${shown.length === 1 ? 'package' : 'packages'}${asked}${this.busy ? ' …' : ''}`
    if (this.busy) return 'Asking peers …'
    return this.query === ''
      ? 'Nothing is known yet. Publish the first package, or check on the network page that a relay is connected.'
      : `No package matches “${this.query}”. Try fewer or other words.`
  }

  #result({ name, version, description, category, keywords, publisher, providers, sources, yanked }: Result) {
    const from = sources.map(sourceText)
    return html`<li class="card">
      <a class="result" href=${packageLink(publisher, name, version)}
        ><span class="name">${plainText(name)}</span> <span class="soft">${plainText(version)}</span>${yanked ? html` <strong class="bad">yanked</strong>` : nothing}
        <p>${plainText(description)}</p>
        <span class="row small soft">
          ${category === '' ? nothing : html`<span class="tag">${plainText(category)}</span>`}
          ${keywords.slice(0, 5).map((keyword) => html`<span class="tag">${plainText(keyword)}</span>`)}
          <span>by ${publisher === null ? 'a central registry' : shortDid(publisher)}</span>
          ${providers === 0 ? nothing : html`<span>held by ${peerCount(providers)}</span>`}
          <span>${from.length === 0 ? nothing : `known from ${from.join(' and ')}`}</span>
        </span></a
      >
    </li>`
  }
}

function valuesOf({ category, keywords, license, publisher }: Result, facet: Facet): string[] {
  const values = { category: [category], keyword: keywords, licence: [license], publisher: [publisher ?? ''] }[facet]
  return values.filter((value) => value !== '')
}
