/** What a page that uses the elements may rely on: their attributes, which are properties by the same names. Types of no library in here: whoever imports them has none of those. */

/** The whole explorer. `relays`: URLs, separated by spaces; by default the page's own origin. */
export interface ExplorerElement extends HTMLElement {
  relays: string
}

export interface SearchElement extends HTMLElement {
  relays: string
  /** Address of the explorer that results lead to; by default the page they are on. */
  explorer: string
  query: string
  order: 'relevance' | 'newest' | 'name'
}

export interface PackageElement extends HTMLElement {
  relays: string
  /** Address of the explorer that links lead to; by default the page they are on. */
  explorer: string
  /** A did:key; by default whoever the name is known from. */
  publisher: string
  name: string
  /** By default the newest. */
  version: string
  /** Path of a file to show. */
  file: string
}

declare global {
  interface HTMLElementTagNameMap {
    'ggen-explorer': ExplorerElement
    'ggen-search': SearchElement
    'ggen-package': PackageElement
  }
}
