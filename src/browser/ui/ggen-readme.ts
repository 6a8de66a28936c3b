import type { PropertyValues } from 'lit'
import { css, html, nothing } from 'lit'
import type { PackageFiles } from '../service.ts'
import { plainText } from './format.ts'
import type { Readme } from './markdown.ts'
import { renderMarkdown } from './markdown.ts'
import { NodeElement } from './node-element.ts'
import { showForeignImages, showOwnImages } from './readme-images.ts'
import { codeStyles, sharedStyles } from './shared-styles.ts'

const readmeName = /^readme(\.(md|markdown|txt|rst|adoc))?$/i
const imageTimeoutMs = 10_000
/** Of a README that is too long to be rendered. */
const maxShownBytes = 256 * 1024

/** A package's README, fetched on its own and cleaned. Pictures of other servers are asked for only on request. Tells `file-fetched` when it has come. */
export class GgenReadme extends NodeElement {
  static override styles = [
    sharedStyles,
    codeStyles,
    css`
      section {
        overflow-wrap: anywhere;
        contain: paint;
      }
      img {
        max-width: 100%;
        max-height: 40rem;
        object-fit: contain;
      }
      table {
        display: block;
        overflow-x: auto;
        margin-bottom: 0.8em;
      }
      /* A narrow page scrolls a table sideways rather than break its words. */
      td,
      th,
      td code {
        overflow-wrap: normal;
      }
    `,
  ]
  static override properties = {
    ...NodeElement.properties,
    files: { attribute: false },
    linkTo: { attribute: false },
    readme: { state: true },
    foreign: { state: true },
  }

  declare files: PackageFiles | undefined
  /** Address of a file of the package. */
  declare linkTo: (path: string) => string
  /** Empty where there is none; a text where it is too long to be rendered. */
  declare readme: Readme | string | undefined
  /** Pictures that other servers have, and what became of asking them. */
  declare foreign: { count: number; outcome: string }

  constructor() {
    super()
    this.linkTo = (path) => path
    this.foreign = { count: 0, outcome: '' }
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('files')) return
    this.readme = undefined
    this.foreign = { count: 0, outcome: '' }
    const { files } = this
    // Ends the fetching of the README that was wanted before, too.
    this.run(async (signal) => {
      if (files !== undefined) await this.#load(files, signal)
    })
  }

  async #load({ cid, files }: PackageFiles, signal: AbortSignal): Promise<void> {
    const { service } = this.node
    const path = files.find((file) => readmeName.test(file.path))?.path
    if (path === undefined) {
      this.readme = ''
      return
    }
    const text = new TextDecoder().decode(await service.file({ cid, path }, { signal }))
    if (signal.aborted) return
    this.readme = text === '' ? '' : (renderMarkdown(text, path, this.linkTo) ?? text.slice(0, maxShownBytes))
    this.dispatchEvent(new CustomEvent('file-fetched', { bubbles: true, composed: true }))
    if (typeof this.readme === 'string') return
    const { images } = this.readme
    this.foreign = { count: images.filter(({ source }) => 'url' in source).length, outcome: '' }
    await showOwnImages(images, (own) => service.file({ cid, path: own }, { signal }), signal)
  }

  async #showForeign({ images }: Readme): Promise<void> {
    const missing = await showForeignImages(images, AbortSignal.timeout(imageTimeoutMs))
    const outcome =
      missing === 0 ? 'Shown.' : `${missing} did not come: not every server lets other sites show its pictures.`
    this.foreign = { ...this.foreign, outcome }
  }

  override render() {
    return html`${this.#renderForeign()}
      <section class="card" aria-label="README">${this.renderFailure() ?? this.#renderContent()}</section>`
  }

  #renderContent() {
    const { readme } = this
    if (readme === undefined) return html`<p class="soft" role="status">Fetching the README …</p>`
    if (readme === '') return html`<p class="soft">This package has no README.</p>`
    return typeof readme === 'string' ? html`<pre tabindex="0">${plainText(readme)}</pre>` : readme.content
  }

  /** Outside of the README: nothing in there may look like it. */
  #renderForeign() {
    const { readme } = this
    const { count, outcome } = this.foreign
    if (count === 0 || readme === undefined || typeof readme === 'string') return nothing
    return html`<p class="soft small" role="note">
      ${count} ${count === 1 ? 'picture of the README is' : 'pictures of the README are'} on other servers, which would learn your address.
      ${
        outcome === ''
          ? html`<button @click=${() => void this.#showForeign(readme)}>Show them</button>`
          : html`<span role="status">${outcome}</span>`
      }
    </p>`
  }
}
