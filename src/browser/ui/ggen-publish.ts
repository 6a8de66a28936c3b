import { css, html, nothing } from 'lit'
import type { PublishResult } from '../../core/control/service.ts'
import type { FolderInput } from '../../storage/browser.ts'
import type { PublishPreview } from '../service.ts'
import { droppedFolder } from './dropped-folder.ts'
import { bytesText, packageLink, peerCount, plainText } from './format.ts'
import { NodeElement } from './node-element.ts'
import { sharedStyles } from './shared-styles.ts'

const holdersPollMs = 2_000
const maxFilesShown = 500
const maxIgnoredShown = 200

const fields = ['name', 'version', 'description', 'category', 'license', 'keywords'] as const
type Field = (typeof fields)[number]

/** What a package without this loses. */
const advice: Partial<Record<Field, string>> = {
  description: 'No description: people read it in the search results.',
  category: 'No category: people narrow a search by it.',
  license: 'No licence: nobody may be sure to be allowed to use it.',
  keywords: 'No keywords: the search finds it by name and description alone.',
}

/** Publishes a folder with the page's own key: what would go out is shown first, and what its package file leaves out can be given here. */
export class GgenPublish extends NodeElement {
  static override styles = [
    sharedStyles,
    css`
      .fields {
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr);
        gap: 0.5rem 1rem;
        align-items: center;
      }
      .fields input {
        width: 100%;
      }
      @media (max-width: 30rem) {
        .fields {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ]
  static override properties = {
    ...NodeElement.properties,
    folder: { state: true },
    preview: { state: true },
    published: { state: true },
    holders: { state: true },
    given: { state: true },
    busy: { state: true },
    progress: { state: true },
  }

  declare folder: FolderInput | undefined
  declare preview: PublishPreview | undefined
  declare published: PublishResult | undefined
  declare holders: number
  /** What the visitor has typed in place of what the package file says. */
  declare given: Partial<Record<Field, string>>
  declare busy: boolean
  declare progress: string

  constructor() {
    super()
    this.progress = ''
    this.holders = 0
    this.given = {}
    this.busy = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    // A node that cannot run is told before a folder is chosen.
    this.run(async () => undefined)
  }

  #choose = (event: Event): void => {
    const files = [...((event.target as HTMLInputElement).files ?? [])]
    if (files.length > 0) this.#open(files)
  }

  #drop = (event: DragEvent): void => {
    event.preventDefault()
    // Must be asked for before the event is over.
    const dropped = droppedFolder(event.dataTransfer)
    this.run(async () => this.#open(await dropped))
  }

  #open(folder: FolderInput): void {
    this.folder = folder
    this.given = {}
    this.preview = undefined
    this.published = undefined
    this.#preview()
  }

  #request() {
    const { name, version, keywords, ...texts } = this.given
    const words = keywords?.split(',').map((word) => word.trim())
    return {
      folder: this.folder!,
      ...texts,
      // Emptied, these are what the package file says.
      ...(name ? { name } : {}),
      ...(version ? { version } : {}),
      ...(words === undefined ? {} : { keywords: words }),
    }
  }

  #preview(): void {
    this.run(async (signal) => {
      try {
        this.preview = await this.node.service.preview(this.#request(), { signal })
      } catch (error) {
        if (!signal.aborted) this.preview = undefined
        throw error
      }
    })
  }

  #publish = (): void => {
    this.run(async (signal) => {
      this.busy = true
      this.progress = 'Publishing …'
      try {
        this.published = await this.node.service.publish(this.#request(), {
          signal,
          onProgress: (event) => {
            if (event.type === 'files') this.progress = `Publishing … ${event.done} of ${event.total} files`
          },
        })
      } finally {
        this.busy = false
      }
      while (!signal.aborted && this.isConnected) {
        const { peers } = await this.node.service.holders({ cid: this.published.cid }, { signal })
        this.holders = peers.length
        await new Promise((resolve) => setTimeout(resolve, holdersPollMs))
      }
    })
  }

  override render() {
    const { folder, preview, published } = this
    return html`
      <h1>Publish</h1>
      <p>
        Choose a folder, best with a <code>package.toml</code>. It is signed with this browser’s own key and served from this tab, and from whoever installs it. Once somebody has it, it cannot be taken back.
      </p>
      <div class="card" @dragover=${(event: Event) => event.preventDefault()} @drop=${this.#drop}>
        <label for="folder"><strong>Package folder</strong></label> <span class="soft small">(choose it, or drop it here)</span><br />
        <input id="folder" aria-label="Package folder" type="file" webkitdirectory multiple @change=${this.#choose} />
      </div>
      ${this.renderFailure()}
      ${folder === undefined || published !== undefined ? nothing : this.#renderFields()}
      ${preview === undefined || published !== undefined ? nothing : this.#renderPreview(preview)}
      ${published === undefined ? this.#renderButton() : this.#renderPublished(published)}
    `
  }

  #renderFields() {
    const { metadata } = this.preview ?? {}
    const field = (property: Field, label: string, hint: string) => {
      const said = metadata?.[property] ?? ''
      const value = this.given[property] ?? (typeof said === 'string' ? said : said.join(', '))
      return html`<label for=${property}>${label}</label>
        <input
          id=${property}
          .value=${value}
          placeholder=${hint}
          @change=${(event: Event) => {
            this.given = { ...this.given, [property]: (event.target as HTMLInputElement).value.trim() }
            this.#preview()
          }}
        />`
    }
    return html`<section class="card" aria-label="About the package">
      <h2>About the package</h2>
      <p class="small soft">
        From ${metadata?.file ?? 'the package file'}. What you change here is signed and told to peers; the file is published as it is. For
        a folder without one, a package.toml is made of this.
      </p>
      <div class="fields">
        ${field('name', 'Name', 'my-package')} ${field('version', 'Version', '1.0.0')}
        ${field('description', 'Description', 'What it is for')} ${field('category', 'Category', 'none')}
        ${field('license', 'Licence', 'MIT')} ${field('keywords', 'Keywords', 'one, another')}
      </div>
    </section>`
  }

  #renderPreview(preview: PublishPreview) {
    const { files = [], ignored = [] } = preview.dryRun ?? {}
    const problems = [
      ...(preview.warnings ?? []),
      ...fields.filter((field) => preview.metadata[field].length === 0).map((field) => advice[field] ?? ''),
      ...(files.some(({ path }) => /^readme(\.|$)/i.test(path)) ? [] : ['No README: the package’s page is empty.']),
    ]
    return html`<section class="card" aria-label="What would be published">
      <h2>${plainText(preview.name)} ${preview.version}: ${preview.files} ${preview.files === 1 ? 'file' : 'files'}, ${bytesText(preview.bytes)}</h2>
      ${preview.unchanged ? html`<p role="note">You have published exactly this already; publishing again changes nothing.</p>` : nothing}
      ${problems.map((problem) => html`<p role="note"><strong>Note:</strong> ${plainText(problem)}</p>`)}
      <details>
        <summary>Files</summary>
        <ul class="small mono">
          ${files.slice(0, maxFilesShown).map(({ path, size }) => html`<li>${plainText(path)} <span class="soft">${bytesText(size)}</span></li>`)}
          ${files.length > maxFilesShown ? html`<li>and ${files.length - maxFilesShown} more</li>` : nothing}
        </ul>
      </details>
      ${
        ignored.length === 0
          ? nothing
          : html`<details>
            <summary>Left out: ${ignored.length}</summary>
            <ul class="small">
              ${ignored.slice(0, maxIgnoredShown).map(({ path, reason }) => html`<li><span class="mono">${plainText(path)}</span>: ${plainText(reason)}</li>`)}
              ${ignored.length > maxIgnoredShown ? html`<li>and ${ignored.length - maxIgnoredShown} more</li>` : nothing}
            </ul>
          </details>`
      }
    </section>`
  }

  #renderButton() {
    const { folder, preview, busy } = this
    const waitsFor =
      folder === undefined
        ? 'Choose a folder first.'
        : this.failure === undefined && preview === undefined
          ? 'Reading the folder …'
          : ''
    return html`<p class="row">
      <button class="main" ?disabled=${busy || preview === undefined} @click=${this.#publish}>Publish</button>
      <span class="soft small" role="status">${busy ? this.progress : waitsFor}</span>
    </p>`
  }

  #renderPublished({ name, version, publisher, cid }: PublishResult) {
    return html`<section class="card" aria-label="Published" role="status">
      <h2>Published: <a href=${packageLink(publisher, name, version)}>${plainText(name)} ${version}</a></h2>
      <p>Held by ${peerCount(this.holders)} besides this browser. Keep this tab open until somebody else has it.</p>
      <p class="small mono">${cid}</p>
    </section>`
  }
}
