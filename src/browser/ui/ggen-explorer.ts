import { css, html, LitElement } from 'lit'
import { sharedStyles } from './shared-styles.ts'

const pages = [
  ['', 'Search'],
  ['publish', 'Publish'],
  ['network', 'Network'],
  ['settings', 'Settings'],
] as const

/** The whole explorer, its pages chosen by the fragment of the address: `#/`, `#/p/<publisher>/<name>/<version>[/<file>]`, `#/publish`, `#/network`, `#/settings[/<publisher>]`. */
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
  declare route: string[]

  constructor() {
    super()
    this.relays = ''
    this.route = routeOf(location.hash)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener('hashchange', this.#onHash)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener('hashchange', this.#onHash)
  }

  #onHash = (): void => {
    const next = routeOf(location.hash)
    if (next.join('/') === this.route.join('/')) return
    this.route = next
    scrollTo(0, 0)
    // A screen reader starts at the new page, not where the old link was.
    void this.updateComplete.then(() => this.renderRoot.querySelector('main')?.focus())
  }

  override render() {
    const [page = ''] = this.route
    document.title = page === 'p' ? `${this.route[2]} · ggen` : page === '' ? 'ggen packages' : `${page} · ggen`
    return html`
      <a class="skip" href="#main" @click=${this.#skip}>To the content</a>
      <header>
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
      <main id="main" tabindex="-1">${this.#renderPage(page)}</main>
    `
  }

  #skip = (event: Event): void => {
    event.preventDefault()
    this.renderRoot.querySelector('main')?.focus()
  }

  #renderPage(page: string) {
    const [, publisher = '', name = '', version = '', file = ''] = this.route
    const { relays } = this
    if (page === 'p')
      return html`<ggen-package .relays=${relays} .publisher=${publisher} .name=${name} .version=${version} .file=${file}></ggen-package>`
    if (page === 'publish') return html`<ggen-publish .relays=${relays}></ggen-publish>`
    if (page === 'network') return html`<ggen-network .relays=${relays}></ggen-network>`
    if (page === 'settings') return html`<ggen-settings .relays=${relays} .publisher=${publisher}></ggen-settings>`
    if (page === '')
      return html`<h1>Find a package</h1>
        <ggen-search .relays=${relays}></ggen-search>`
    return html`<h1>There is no such page</h1>
      <p><a href="#/">Search packages</a></p>`
  }
}

function routeOf(hash: string): string[] {
  return hash
    .replace(/^#\/?/, '')
    .split('/')
    .map((part) => {
      try {
        return decodeURIComponent(part)
      } catch {
        return part
      }
    })
}
