import { virtualize } from '@lit-labs/virtualizer/virtualize.js'
import type { PropertyValues, TemplateResult } from 'lit'
import { css, html, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import type { SearchResult } from '../../core/control/service.ts'
import { limits } from '../../core/limits.ts'
import type { FacetName, KnownPackage, KnownPackages } from '../known-packages.ts'
import { facetNames } from '../known-packages.ts'
import { dateText, packageLink, peerCount, plainText, shortDid, sourceText } from './format.ts'
import { NodeElement } from './node-element.ts'
import { sharedStyles } from './shared-styles.ts'

const nothingChosen: Record<FacetName, string> = { category: '', keyword: '', licence: '', publisher: '' }

const debounceMs = 120
const refreshMs = 50
const againMs = 1_000
/** What peers are asked for at first, and when the list has been read to its end: the most they tell. What else is known here is listed too. */
const firstAsked = 50
const pageSize = 200
/** So near the end of what is listed, more is. */
const moreAt = 40

/** What peers say about a package, beyond its document. */
interface Told {
  providers: number
  sources: string[]
}

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
      /* Rows are placed one by one: their gap is inside them. */
      li {
        width: 100%;
        padding-bottom: 0.8rem;
      }
      li .card {
        margin: 0;
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
    explorer: { type: String },
    known: { state: true },
    told: { state: true },
    sources: { state: true },
    failing: { state: true },
    busy: { state: true },
    chosen: { state: true },
    order: { state: true },
  }

  declare query: string
  /** Address of the explorer that results lead to; by default the page they are on. */
  declare explorer: string
  declare known: KnownPackages | undefined
  declare told: ReadonlyMap<string, Told>
  declare sources: string[]
  /** Central registries that gave no answer. */
  declare failing: SearchResult['sources']
  declare busy: boolean
  declare chosen: Record<FacetName, string>
  declare order: 'relevance' | 'newest' | 'name'
  #timer: ReturnType<typeof setTimeout> | undefined
  #limit = pageSize
  #asked: number = firstAsked
  /** Aborts when another search has begun. */
  #signal: AbortSignal | undefined
  #refreshing = false
  #peersChanged = false

  constructor() {
    super()
    this.query = ''
    this.explorer = ''
    this.told = new Map()
    this.sources = []
    this.failing = []
    this.busy = false
    this.chosen = nothingChosen
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
      if (!this.isConnected) return
      // What one peer has told shows while others are still asked.
      if (what === 'packages') void this.#refresh()
      if (what === 'peers') this.#peersChanged = true
      if (what !== 'addresses' && !this.busy) this.#searchAgain()
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
    this.#startOver()
    this.#search(debounceMs)
  }

  #startOver(): void {
    this.#limit = pageSize
    this.#asked = firstAsked
  }

  #search(delayMs = 0): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.run(async (signal) => {
        this.#signal = signal
        this.busy = true
        this.sources = []
        this.failing = []
        this.#peersChanged = false
        const query = this.query.slice(0, 256)
        const { category } = this.chosen
        try {
          // What is known here shows at once; what peers tell comes into it.
          await this.#show(signal)
          const { results, sources } = await this.node.service.search(
            { query, limit: this.#asked, ...(category === '' ? {} : { category }) },
            {
              signal,
              onProgress: (event) => {
                if (event.type !== 'source:answered' || signal.aborted) return
                if (event.status === 'ok') this.sources = [...this.sources, event.source]
                if (event.source.startsWith('central:')) void this.#refresh()
              },
            },
          )
          if (signal.aborted) return
          this.told = new Map(results.map((result) => [keyOf(result), result]))
          this.sources = sources.filter(({ status }) => status === 'ok').map(({ source }) => source)
          this.failing = sources.filter(({ source, status }) => status !== 'ok' && source.startsWith('central:'))
          await this.#show(signal)
        } finally {
          if (!signal.aborted) {
            this.busy = false
            // Whoever came meanwhile was not asked.
            if (this.#peersChanged) this.#searchAgain()
          }
        }
      })
    }, delayMs)
  }

  /** After a change in the network; a search that is about to begin anyway is not put off. */
  #searchAgain(): void {
    if (this.#timer === undefined) this.#search(againMs)
  }

  async #show(signal: AbortSignal): Promise<void> {
    const request = { query: this.query.slice(0, 256), filter: this.chosen, order: this.order, limit: this.#limit }
    const known = await this.node.service.known(request, { signal })
    if (!signal.aborted) this.known = known
  }

  /** Lists again from what is known here. Calls while one is under way are one call after it. */
  async #refresh(): Promise<void> {
    const signal = this.#signal
    if (signal === undefined || signal.aborted || this.#refreshing) return
    this.#refreshing = true
    try {
      await new Promise((resolve) => setTimeout(resolve, refreshMs))
      await this.#show(signal)
    } catch (error) {
      if (!signal.aborted) this.failure = error
    } finally {
      this.#refreshing = false
    }
  }

  #onRange = (event: Event): void => {
    const { last } = event as Event & { last: number }
    const { packages = [], total = 0 } = this.known ?? {}
    const listed = packages.length
    if (last < listed - 1 - moreAt) return
    if (listed < total) {
      this.#limit = listed + pageSize
      void this.#refresh()
    } else if (last === listed - 1 && listed >= this.#asked && this.#asked < limits.maxSearchResults && !this.busy) {
      this.#asked = limits.maxSearchResults
      this.#search()
    }
  }

  override render() {
    const packages = this.known?.packages ?? []
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
        ${facetNames.map((facet) => this.#facet(facet))}
        <label class="visually-hidden" for="order">Order</label>
        <select
          id="order"
          @change=${(event: Event) => {
            this.order = (event.target as HTMLSelectElement).value as GgenSearch['order']
            void this.#refresh()
          }}
        >
          <option value="relevance">Best first</option>
          <option value="newest">Newest first</option>
          <option value="name">By name</option>
        </select>
      </form>
      ${this.renderFailure()}
      <p role="status" class="soft small">${this.#status()}</p>
      <ul aria-label="Results" @rangeChanged=${this.#onRange}>
        ${virtualize({ items: packages, keyFunction: keyOf, renderItem: (one, at) => this.#result(one, at) })}
      </ul>
    `
  }

  #facet(facet: FacetName) {
    const values = this.known?.facets[facet] ?? []
    if (values.length < 2 && this.chosen[facet] === '') return nothing
    const choose = (event: Event): void => {
      this.chosen = { ...this.chosen, [facet]: (event.target as HTMLSelectElement).value }
      this.#startOver()
      this.#search()
    }
    return html`<label class="visually-hidden" for=${facet}>${facet}</label>
      <select id=${facet} @change=${choose}>
        <option value="">Any ${facet}</option>
        ${repeat(
          values,
          ({ value }) => value,
          ({ value, count }) =>
            html`<option value=${value} ?selected=${value === this.chosen[facet]}>
              ${plainText(facet === 'publisher' ? shortDid(value) : value)} (${count})
            </option>`,
        )}
      </select>`
  }

  #status(): string {
    if (this.failure !== undefined) return ''
    if (this.known === undefined) return 'Starting this tab’s node and asking peers …'
    const { total } = this.known
    const from = this.sources.map(sourceText)
    const asked = from.length === 0 ? '' : `, from ${from.join(' and ')}`
    const failing = this.failing.map(({ source, error }) => `. No answer from ${sourceText(source)}: ${error}`).join('')
    if (total > 0) return `${total} ${total === 1 ? 'package' : 'packages'}${asked}${this.busy ? ' …' : ''}${failing}`
    if (this.busy) return 'Asking peers …'
    return this.query === '' && Object.values(this.chosen).every((value) => value === '')
      ? 'Nothing is known yet. Publish the first package, or check on the network page that a relay is connected.'
      : `No package fits${this.query === '' ? '' : ` “${this.query}”`}. Try fewer or other words${failing || '.'}`
  }

  #result(one: KnownPackage, index: number): TemplateResult {
    const { name, version, description, category, keywords, publisher, petname, timeMs, yanked, cached } = one
    const ownSource = publisher === null ? [] : ['local']
    const { providers = 0, sources = ownSource } = this.told.get(keyOf(one)) ?? {}
    const from = [...new Set([...(cached ? ['cache'] : []), ...sources, ...one.registries])].map(sourceText)
    return html`<li aria-setsize=${this.known?.total ?? 0} aria-posinset=${index + 1}>
      <a class="result card" href=${this.explorer + packageLink(publisher, name, version)}
        ><span class="name">${plainText(name)}</span> <span class="soft">${plainText(version)}</span>${yanked ? html` <strong class="bad">yanked</strong>` : nothing}
        <p>${plainText(description)}</p>
        <span class="row small soft">
          ${category === '' ? nothing : html`<span class="tag">${plainText(category)}</span>`}
          ${keywords.slice(0, 5).map((keyword) => html`<span class="tag">${plainText(keyword)}</span>`)}
          <span>${publisher === null ? 'not signed' : `by ${petname === null ? shortDid(publisher) : plainText(petname)}`}${timeMs === 0 ? nothing : `, ${dateText(new Date(timeMs).toISOString())}`}</span>
          ${providers === 0 ? nothing : html`<span>held by ${peerCount(providers)}</span>`}
          <span>${`known from ${from.join(' and ')}`}</span>
        </span></a
      >
    </li>`
  }
}

const keyOf = ({ publisher, name }: { publisher: string | null; name: string }): string => `${publisher}/${name}`
