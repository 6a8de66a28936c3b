import type { VirtualizerHostElement } from '@lit-labs/virtualizer/virtualize.js'
import { virtualize, virtualizerRef } from '@lit-labs/virtualizer/virtualize.js'
import type { PropertyValues } from 'lit'
import { css, html } from 'lit'
import type { SearchResult } from '../../core/control/service.ts'
import { limits } from '../../core/limits.ts'
import type { KnownPackages } from '../known-packages.ts'
import type { ServiceEvents } from '../service.ts'
import { sourceText } from './format.ts'
import { NodeElement } from './node-element.ts'
import { facetStyles, renderFacets } from './search-facets.ts'
import type { Told } from './search-result.ts'
import { renderResult, resultStyles } from './search-result.ts'
import type { SearchOrder, SearchState } from './search-state.ts'
import { sameFilter } from './search-state.ts'
import { sharedStyles } from './shared-styles.ts'

/** Peers are asked when typing pauses, at once about what was pasted or chosen; what is known here is listed at every key. */
const debounceMs = 150
/** News come in bursts: the first shows at once, the list is made anew only so often. */
const refreshMs = 200
const againMs = 1_000
const maxQueryLength = limits.maxQueryLength
/** What peers are asked for at first, and when the list has been read to its end: the most they tell. What else is known here is listed too. */
const firstAsked = 50
const pageSize = 200
/** So near the end of what is listed, more is. */
const moreAt = 40

/** Search as you type, with facets. Results are links to `#/p/<publisher>/<name>/<version>`. Tells `search-changed`, with a `SearchState` as its detail, when the visitor has asked for something else. */
export class GgenSearch extends NodeElement {
  static override styles = [
    sharedStyles,
    facetStyles,
    resultStyles,
    css`
      input[type='search'] {
        width: 100%;
        font-size: 1.15rem;
        padding: 0.6em 0.9em;
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      [role='status'] {
        margin: 0.7rem 0 0.6rem;
      }
    `,
  ]
  static override properties = {
    ...NodeElement.properties,
    query: { type: String },
    filter: {
      attribute: false,
      hasChanged: (next: SearchState['filter'], last: SearchState['filter'] | undefined) =>
        last === undefined || !sameFilter(next, last),
    },
    order: { type: String },
    explorer: { type: String },
    start: { attribute: false },
    known: { state: true },
    told: { state: true },
    sources: { state: true },
    failing: { state: true },
    busy: { state: true },
  }

  declare query: string
  declare filter: SearchState['filter']
  declare order: SearchOrder
  /** Address of the explorer that results lead to; by default the page they are on. */
  declare explorer: string
  /** Index of the result that is to be in view at first: where the list was left. */
  declare start: number
  declare known: KnownPackages | undefined
  declare told: ReadonlyMap<string, Told>
  declare sources: string[]
  /** Central registries that gave no answer. */
  declare failing: SearchResult['sources']
  /** Peers are being asked. */
  declare busy: boolean
  #timer: ReturnType<typeof setTimeout> | undefined
  #limit = pageSize
  #asked: number = firstAsked
  #listing: Promise<void> | undefined
  #listAgain = false
  #newPeers = false
  #refreshTimer: ReturnType<typeof setTimeout> | undefined
  #refreshedMs = 0
  #place = 0

  constructor() {
    super()
    this.start = 0
    this.query = ''
    this.filter = {}
    this.order = 'relevance'
    this.explorer = ''
    this.told = new Map()
    this.sources = []
    this.failing = []
    this.busy = false
  }

  /** Index of the first result in view. */
  get place(): number {
    return this.#place
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener('keydown', this.#onKey)
    if (this.hasUpdated) this.#begin()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener('keydown', this.#onKey)
    clearTimeout(this.#timer)
    clearTimeout(this.#refreshTimer)
    this.#refreshTimer = undefined
  }

  protected override nodeChanged(what: ServiceEvents['changed']['what']): void {
    // What one peer has told shows while others are still asked.
    if (what === 'packages') this.#refresh()
    if (what !== 'peers') return
    if (this.busy) this.#newPeers = true
    else this.#askAgain()
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('query') && !changed.has('filter') && !changed.has('order')) return
    const lengthBefore = changed.get('query')?.length ?? this.query.length
    // Letter by letter there is more to come; what was pasted or chosen is meant as it is.
    this.#begin(Math.abs(this.query.length - lengthBefore) === 1)
  }

  protected override updated(changed: PropertyValues<this>): void {
    const { start, known } = this
    if (!changed.has('known') || start === 0 || known === undefined || known.packages.length <= start) return
    this.start = 0
    const list = this.renderRoot.querySelector('ul') as VirtualizerHostElement | null
    const virtualizer = list?.[virtualizerRef]
    void virtualizer?.layoutComplete.then(() => virtualizer.element(start)?.scrollIntoView({ block: 'start' }))
  }

  /** Something else is wanted: what is known here shows at once, peers are asked a moment later. */
  #begin(isTyping = false): void {
    this.#limit = this.start + pageSize
    this.#asked = firstAsked
    this.busy = true
    void this.#list()
    this.#ask(isTyping ? debounceMs : 0)
  }

  /** `/` goes to the field from anywhere but another field; arrows walk the results. */
  #onKey = (event: KeyboardEvent): void => {
    const target = event.composedPath()[0] as HTMLElement
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
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

  #change(changed: Partial<SearchState>): void {
    Object.assign(this, changed)
    const { query, filter, order } = this
    this.dispatchEvent(
      new CustomEvent('search-changed', { bubbles: true, composed: true, detail: { query, filter, order } }),
    )
  }

  #onSubmit = (event: Event): void => {
    event.preventDefault()
    this.#ask()
  }

  /** Lists what is known here, for what is wanted by then: calls while one is under way are one call after it. */
  #list(): Promise<void> {
    if (this.#listing === undefined) {
      this.#listing = this.#listOnce().finally(() => {
        this.#listing = undefined
      })
    } else this.#listAgain = true
    return this.#listing
  }

  async #listOnce(): Promise<void> {
    try {
      do {
        this.#listAgain = false
        await this.whenReady()
        const { query, filter, order } = this
        const request = { query: query.slice(0, maxQueryLength), filter, order, limit: this.#limit }
        this.known = await this.node.service.known(request)
      } while (this.#listAgain)
    } catch (error) {
      this.failure = error
    }
  }

  #refresh(): void {
    if (this.#refreshTimer !== undefined) return
    const waitMs = Math.max(0, this.#refreshedMs + refreshMs - performance.now())
    this.#refreshTimer = setTimeout(() => {
      this.#refreshTimer = undefined
      this.#refreshedMs = performance.now()
      void this.#list()
    }, waitMs)
  }

  /** Asks peers, whose answers come into what is known here. */
  #ask(delayMs = 0): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.run(async (signal) => {
        this.busy = true
        this.sources = []
        this.failing = []
        this.#newPeers = false
        const category = this.filter.category ?? ''
        const request = { query: this.query.slice(0, maxQueryLength), limit: this.#asked }
        try {
          // The node may run in this tab: what it knows is shown before it begins to ask.
          await this.#listing
          await this.updateComplete
          await new Promise((resolve) => setTimeout(resolve, 0))
          const { results, sources } = await this.node.service.search(
            category === '' ? request : { ...request, category },
            {
              signal,
              onProgress: (event) => {
                if (event.type !== 'source:answered' || signal.aborted) return
                if (event.status === 'ok') this.sources = [...this.sources, event.source]
                // What this browser knows is listed already.
                if (event.source !== 'local') void this.#list()
              },
            },
          )
          if (signal.aborted) return
          this.told = new Map(results.map((result) => [keyOf(result), result]))
          this.sources = sources.filter(({ status }) => status === 'ok').map(({ source }) => source)
          this.failing = sources.filter(({ source, status }) => status !== 'ok' && source.startsWith('central:'))
          await this.#listing
        } finally {
          if (!signal.aborted) {
            this.busy = false
            if (this.#newPeers) this.#askAgain()
          }
        }
      })
    }, delayMs)
  }

  /** Whoever has come was not asked yet. A search that is about to begin anyway is not put off. */
  #askAgain(): void {
    if (this.#timer === undefined) this.#ask(againMs)
  }

  #onVisibility = (event: Event): void => {
    this.#place = (event as Event & { first: number }).first
  }

  #onRange = (event: Event): void => {
    const { last } = event as Event & { last: number }
    const { packages = [], total = 0 } = this.known ?? {}
    const listed = packages.length
    if (last < listed - 1 - moreAt) return
    if (listed < total) {
      this.#limit = listed + pageSize
      void this.#list()
    } else if (last === listed - 1 && listed >= this.#asked && this.#asked < limits.maxSearchResults && !this.busy) {
      this.#asked = limits.maxSearchResults
      this.#ask()
    }
  }

  override render() {
    const { packages = [], total = 0, facets } = this.known ?? {}
    return html`
      <form role="search" @submit=${this.#onSubmit}>
        <label class="visually-hidden" for="query">Search packages</label>
        <input
          id="query"
          type="search"
          maxlength=${maxQueryLength}
          autocomplete="off"
          placeholder="Search packages  ( / )"
          .value=${this.query}
          @input=${(event: Event) => this.#change({ query: (event.target as HTMLInputElement).value })}
        />
        ${renderFacets(this, facets, (changed) => this.#change(changed))}
      </form>
      ${this.renderFailure()}
      <p role="status" class="soft small">${this.#status()}</p>
      <ul aria-label="Results" @rangeChanged=${this.#onRange} @visibilityChanged=${this.#onVisibility}>
        ${virtualize({
          items: packages,
          keyFunction: keyOf,
          renderItem: (one, index) => renderResult(one, this.told.get(keyOf(one)), { index, total }, this.explorer),
        })}
      </ul>
    `
  }

  #status(): string {
    if (this.failure !== undefined) return ''
    if (this.known === undefined) return 'Starting this tab’s node …'
    const { total } = this.known
    const from = this.sources.map(sourceText)
    const asked = from.length === 0 ? '' : `, from ${from.join(' and ')}`
    const failing = this.failing.map(({ source, error }) => `. No answer from ${sourceText(source)}: ${error}`).join('')
    if (total > 0) return `${total} ${total === 1 ? 'package' : 'packages'}${asked}${this.busy ? ' …' : ''}${failing}`
    if (this.busy) return 'Asking peers …'
    return this.query === '' && Object.values(this.filter).every((value) => value === '')
      ? 'Nothing is known yet. Publish the first package, or check on the network page that a relay is connected.'
      : `No package fits${this.query === '' ? '' : ` “${this.query}”`}. Try fewer or other words${failing || '.'}`
  }
}

const keyOf = ({ publisher, name }: { publisher: string | null; name: string }): string => `${publisher}/${name}`
