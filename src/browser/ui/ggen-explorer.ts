import { css, html, LitElement } from 'lit'
import { plainText } from './format.ts'
import type { GgenSearch } from './ggen-search.ts'
import type { SearchState } from './search-state.ts'
import { searchParams, searchState } from './search-state.ts'
import { sharedStyles } from './shared-styles.ts'

const pages = [
  ['', 'Search'],
  ['publish', 'Publish'],
  ['network', 'Network'],
  ['settings', 'Settings'],
] as const

/** A fragment's path, its parts decoded, and what stands behind its question mark. */
interface Route {
  path: string[]
  search: string
}

/** The whole explorer, its pages chosen by the fragment of the address: `#/[?q=…]`, `#/p/<publisher>/<name>/<version>[/<file>]`, `#/publish`, `#/network`, `#/settings[/<publisher>]`. */
export class GgenExplorer extends LitElement {
  static override styles = [
    sharedStyles,
    css`
      :host {
        background: var(--ground);
        min-height: 100vh;
      }
      header {
        border-bottom: 1px solid var(--line);
        background: var(--raised);
      }
      header > div,
      main {
        max-width: 72rem;
        margin: 0 auto;
        padding: 0.7rem 1rem;
      }
      main {
        padding-top: 1.2rem;
      }
      /* It takes the focus only so that a screen reader begins there. */
      main:focus {
        outline: none;
      }
      nav {
        display: flex;
        flex-wrap: wrap;
        gap: 0.2rem 1.1rem;
        align-items: center;
      }
      nav a {
        padding: 0.35rem 0;
        text-decoration: none;
        color: var(--ink);
      }
      nav a[aria-current='page'] {
        border-bottom: 3px solid var(--accent);
      }
      nav .brand {
        font-weight: 750;
        margin-right: auto;
      }
      @media (max-width: 30rem) {
        nav {
          column-gap: 0.8rem;
        }
        nav .brand {
          flex-basis: 100%;
        }
      }
      .skip {
        position: absolute;
        left: -999rem;
      }
      .skip:focus {
        left: 1rem;
      }
    `,
  ]
  static override properties = { relays: { type: String }, route: { state: true } }

  declare relays: string
  declare route: Route
  /** The search that was left, and the first result then in view: it is found again there. */
  #left = { search: '', place: 0 }

  constructor() {
    super()
    this.relays = ''
    this.route = routeOf(location.hash)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    // The browser would scroll before there is anything to scroll in.
    history.scrollRestoration = 'manual'
    addEventListener('hashchange', this.#onHash)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener('hashchange', this.#onHash)
  }

  #onHash = (): void => {
    const before = this.route
    const next = routeOf(location.hash)
    if (before.path.join('/') === next.path.join('/') && before.search === next.search) return
    const list = this.renderRoot.querySelector('ggen-search') as GgenSearch | null
    if (list !== null && pageOf(next) !== '') this.#left = { search: before.search, place: list.place }
    this.route = next
    // A file of the package that is open already: its viewer scrolls to it.
    if (pageOf(next) === 'p' && next.path.slice(0, 4).join('/') === before.path.slice(0, 4).join('/')) return
    scrollTo(0, 0)
    // A screen reader starts at the new page, not where the old link was.
    void this.updateComplete.then(() => this.renderRoot.querySelector('main')?.focus({ preventScroll: true }))
  }

  /** The search stands in the address: to be shared, and to be there again after a look at a package. */
  #onSearch = ({ detail }: CustomEvent<SearchState>): void => {
    const search = searchParams(detail)
    history.replaceState(null, '', search === '' ? '#/' : `#/?${search}`)
    this.route = { path: [''], search }
  }

  override render() {
    const page = pageOf(this.route)
    document.title = titleOf(this.route)
    return html`
      <header>
        <button class="skip" @click=${this.#skip}>To the content</button>
        <div>
          <nav aria-label="Pages">
            <a class="brand" href="#/">ggen packages</a>
            ${pages.map(
              ([name, label]) =>
                html`<a href="#/${name}" aria-current=${name === page ? 'page' : 'false'}>${label}</a>`,
            )}
          </nav>
        </div>
      </header>
      <main tabindex="-1">${this.#renderPage(page)}</main>
    `
  }

  #skip = (): void => {
    this.renderRoot.querySelector('main')?.focus()
  }

  #renderPage(page: string) {
    const [, publisher = '', name = '', version = '', file = ''] = this.route.path
    const { relays } = this
    if (page === 'p')
      return html`<ggen-package .relays=${relays} .publisher=${publisher} .name=${name} .version=${version} .file=${file}></ggen-package>`
    if (page === 'publish') return html`<ggen-publish .relays=${relays}></ggen-publish>`
    if (page === 'network') return html`<ggen-network .relays=${relays}></ggen-network>`
    if (page === 'settings') return html`<ggen-settings .relays=${relays} .publisher=${publisher}></ggen-settings>`
    if (page === '') {
      const { search } = this.route
      const { query, filter, order } = searchState(search)
      const start = search === this.#left.search ? this.#left.place : 0
      return html`<h1>Find a package</h1>
        <ggen-search .relays=${relays} .query=${query} .filter=${filter} .order=${order} .start=${start} @search-changed=${this.#onSearch}></ggen-search>`
    }
    return html`<h1>There is no such page</h1>
      <p><a href="#/">Search packages</a></p>`
  }
}

const pageOf = ({ path: [page = ''] }: Route): string => page

function titleOf({ path: [page = '', , name = ''], search }: Route): string {
  const { query } = searchState(search)
  const subject = page === 'p' ? name : page === '' ? query : page.slice(0, 1).toUpperCase() + page.slice(1)
  return subject === '' ? 'ggen packages' : `${plainText(subject)} · ggen packages`
}

function routeOf(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?')
  const decoded = path.split('/').map((part) => {
    try {
      return decodeURIComponent(part)
    } catch {
      return part
    }
  })
  return { path: decoded, search }
}
