import type { PropertyValues } from 'lit'
import { css, html, nothing } from 'lit'
import type { PackageFiles } from '../service.ts'
import type { TreeRow } from './file-tree.ts'
import { treeRows } from './file-tree.ts'
import { bytesText, plainText } from './format.ts'
import { highlight } from './highlight.ts'
import { NodeElement } from './node-element.ts'
import { codeStyles, sharedStyles } from './shared-styles.ts'

/** Of a file in the viewer: more would stall the page, and nobody reads it here. */
const maxShownBytes = 256 * 1024
/** Lines of the tree at once; more come by a button. */
const rowsStep = 500
/** A package of more files opens with its folders closed. */
const maxOpenFiles = 60
/** With so many files, some are looked for by name. */
const minFilteredFiles = 20

/** The files of a package as a tree, and one of them in a viewer, each fetched on its own. Tells `file-fetched` when one has come. */
export class GgenFiles extends NodeElement {
  static override styles = [
    sharedStyles,
    codeStyles,
    css`
      .filter {
        width: 100%;
        margin-bottom: 0.4rem;
      }
      .viewer {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 0 1em;
        margin: 0.8rem 0 0.3rem;
      }
      .viewer h3 {
        margin: 0;
      }
      [role='tree'] {
        max-height: 24rem;
        overflow: auto;
        padding: 0.3rem;
      }
      [role='treeitem'] {
        display: flex;
        justify-content: space-between;
        gap: 1em;
        padding: 0.25rem 0.4rem;
        cursor: pointer;
        border-radius: 6px;
        overflow-wrap: anywhere;
        min-height: 1.75rem;
      }
      [role='treeitem']:hover,
      [role='treeitem'][aria-selected='true'] {
        background: light-dark(#e8f0fa, #223046);
      }
      [aria-level='2'] {
        padding-left: 1.6rem;
      }
      [aria-level='3'] {
        padding-left: 2.8rem;
      }
      [aria-level='4'],
      [aria-level='5'],
      [aria-level='6'] {
        padding-left: 4rem;
      }
    `,
  ]
  static override properties = {
    ...NodeElement.properties,
    files: { attribute: false },
    path: { type: String },
    linkTo: { attribute: false },
    filter: { state: true },
    current: { state: true },
    open: { state: true },
    shown: { state: true },
    shownRows: { state: true },
  }

  declare files: PackageFiles | undefined
  /** Of the file to show at first. */
  declare path: string
  /** Address of a file of the package. */
  declare linkTo: (path: string) => string
  /** Typed to find files by a part of their path. */
  declare filter: string
  /** Path of the line that the keyboard is at. */
  declare current: string
  declare open: ReadonlySet<string>
  declare shown: { path: string; content: string | DocumentFragment } | undefined
  declare shownRows: number

  constructor() {
    super()
    this.path = ''
    this.linkTo = (path) => path
    this.filter = ''
    this.current = ''
    this.open = new Set()
    this.shownRows = rowsStep
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // A file of another package that is still on its way is not wanted any more.
    if (changed.has('files')) this.run(async () => undefined)
    if (this.files === undefined) return
    if (changed.has('files')) this.#begin(this.files)
    if (changed.has('files') || changed.has('path')) this.#showPath(this.files)
  }

  #begin({ files }: PackageFiles): void {
    const folders = files.flatMap(({ path }) => {
      const parts = path.split('/').slice(0, -1)
      return parts.map((_, at) => parts.slice(0, at + 1).join('/'))
    })
    this.open = new Set(files.length <= maxOpenFiles ? folders : [])
    this.shown = undefined
    this.filter = ''
    this.current = ''
    this.shownRows = rowsStep
  }

  /** The file that a link leads to, with its folders open. */
  #showPath({ files }: PackageFiles): void {
    const file = files.find(({ path }) => path === this.path)
    if (file === undefined) return
    const parts = file.path.split('/').slice(0, -1)
    this.open = new Set([...this.open, ...parts.map((_, at) => parts.slice(0, at + 1).join('/'))])
    this.#show(file.path, file.size)
    void this.updateComplete.then(() => this.renderRoot.querySelector('h3')?.scrollIntoView())
  }

  #activate({ path, size, expanded }: TreeRow): void {
    this.current = path
    if (size === undefined) {
      const open = new Set(this.open)
      if (expanded) open.delete(path)
      else open.add(path)
      this.open = open
    } else this.#show(path, size)
  }

  #show(path: string, size: number): void {
    const { cid } = this.files!
    this.shown = { path, content: 'Fetching …' }
    this.run(async (signal) => {
      try {
        const bytes = await this.node.service.file({ cid, path }, { signal })
        if (signal.aborted) return
        this.shown = { path, content: contentOf(path, bytes, size) }
        this.dispatchEvent(new CustomEvent('file-fetched', { bubbles: true, composed: true }))
      } catch (error) {
        if (!signal.aborted) this.shown = undefined
        throw error
      }
    })
  }

  /** As the ARIA Authoring Practices have it for trees. */
  #onKey = (event: KeyboardEvent, rows: TreeRow[]): void => {
    const items = [...this.renderRoot.querySelectorAll<HTMLElement>('[role=treeitem]')]
    const at = items.indexOf(event.target as HTMLElement)
    const row = rows[at]
    if (row === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    const isFolder = row.size === undefined
    const parent = rows.slice(0, at).findLastIndex(({ level }) => level < row.level)
    const isToggle = isFolder && event.key === (row.expanded ? 'ArrowLeft' : 'ArrowRight')
    const next = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      ArrowLeft: parent,
      ArrowRight: isFolder ? at + 1 : -1,
      Home: 0,
      End: items.length - 1,
    }[event.key]
    if (event.key === 'Enter' || event.key === ' ' || isToggle) this.#activate(row)
    else if (next !== undefined && items[next] !== undefined) items[next].focus()
    else return
    event.preventDefault()
  }

  #rows(): TreeRow[] {
    const { files } = this.files!
    const wanted = this.filter.trim().toLowerCase()
    if (wanted === '') return treeRows(files, this.open)
    return files
      .filter(({ path }) => path.toLowerCase().includes(wanted))
      .map(({ path, size }) => ({ path, name: path, level: 1, size, expanded: false }))
  }

  #onFilter = (event: Event): void => {
    this.filter = (event.target as HTMLInputElement).value
    this.shownRows = rowsStep
  }

  override render() {
    if (this.files === undefined) return nothing
    const { files, bytes } = this.files
    const rows = this.#rows()
    const visible = rows.slice(0, this.shownRows)
    const current = visible.some(({ path }) => path === this.current) ? this.current : visible[0]?.path
    return html`<section class="card" aria-label="Content">
      <h2>${files.length} ${files.length === 1 ? 'file' : 'files'}, ${bytesText(bytes)}</h2>
      ${
        files.length < minFilteredFiles
          ? nothing
          : html`<input class="filter" type="text" aria-label="Filter files" placeholder="Filter files" autocomplete="off" spellcheck="false" .value=${this.filter} @input=${this.#onFilter} />`
      }
      <div role="tree" aria-label="Files" @keydown=${(event: KeyboardEvent) => this.#onKey(event, visible)}>
        ${visible.map((row) => this.#renderRow(row, row.path === current))}
      </div>
      ${rows.length === 0 ? html`<p class="soft small" role="status">No file’s path has “${plainText(this.filter)}” in it.</p>` : nothing}
      ${
        rows.length > visible.length
          ? html`<button @click=${() => (this.shownRows += rowsStep)}>Show more of ${rows.length} lines</button>`
          : nothing
      }
      ${this.renderFailure()}
      ${
        this.shown === undefined
          ? nothing
          : html`<div class="viewer">
                <h3 class="mono">${plainText(this.shown.path)}</h3>
                <a class="small" href=${this.linkTo(this.shown.path)}>Link to this file</a>
              </div>
              <pre tabindex="0" role="region" aria-label="Content of the file">${this.shown.content}</pre>`
      }
    </section>`
  }

  #renderRow(row: TreeRow, isCurrent: boolean) {
    const isFolder = row.size === undefined
    return html`<div
      role="treeitem"
      tabindex=${isCurrent ? '0' : '-1'}
      aria-level=${row.level}
      aria-expanded=${isFolder ? String(row.expanded) : nothing}
      aria-selected=${this.shown?.path === row.path ? 'true' : 'false'}
      @click=${() => this.#activate(row)}
      @focus=${() => (this.current = row.path)}
    >
      <span>${isFolder ? (row.expanded ? '▾ ' : '▸ ') : ''}${plainText(row.name)}</span>
      <span class="soft small">${isFolder ? '' : bytesText(row.size!)}</span>
    </div>`
  }
}

function contentOf(path: string, bytes: Uint8Array, size: number): string | DocumentFragment {
  const head = bytes.subarray(0, maxShownBytes)
  if (head.includes(0)) return `A binary file of ${bytesText(size)}.`
  const text = plainText(new TextDecoder().decode(head))
  if (bytes.length > maxShownBytes) return `${text}\n… ${bytesText(size)} in all`
  return highlight(path, text) ?? text
}
