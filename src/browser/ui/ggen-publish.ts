import { html, nothing } from 'lit'
import type { PublishResult } from '../../core/control/service.ts'
import { bytesText, packageLink, peerCount, plainText } from './format.ts'
import { NodeElement } from './node-element.ts'

const replicaPollMs = 2_000

/** Not in TypeScript's DOM library, nor in Firefox. */
type DroppedItem = DataTransferItem & { getAsFileSystemHandle?(): Promise<FileSystemHandle | null> }

/** Publishes a folder with the page's own key: what would go out is shown first. */
export class GgenPublish extends NodeElement {
  static override properties = {
    ...NodeElement.properties,
    folder: { state: true },
    preview: { state: true },
    published: { state: true },
    holders: { state: true },
    name: { state: true },
    version: { state: true },
    busy: { state: true },
  }

  declare folder: File[] | FileSystemDirectoryHandle | undefined
  declare preview: PublishResult | undefined
  declare published: PublishResult | undefined
  declare holders: number
  declare name: string
  declare version: string
  declare busy: boolean

  constructor() {
    super()
    this.holders = 0
    this.name = ''
    this.version = ''
    this.busy = false
  }

  #choose = (event: Event): void => {
    const input = event.target as HTMLInputElement
    this.folder = [...(input.files ?? [])]
    this.name = ''
    this.version = ''
    this.#preview()
  }

  #drop = (event: DragEvent): void => {
    event.preventDefault()
    const item = event.dataTransfer?.items[0] as DroppedItem | undefined
    // Must be asked for before the event is over.
    const handle = item?.getAsFileSystemHandle?.()
    this.run(async () => {
      const dropped = await handle
      if (dropped?.kind !== 'directory') throw new Error('Drop one folder, the one that holds package.toml.')
      this.folder = dropped as FileSystemDirectoryHandle
      this.name = ''
      this.version = ''
      this.#preview()
    })
  }

  #request() {
    const overrides = {
      ...(this.name === '' ? {} : { name: this.name }),
      ...(this.version === '' ? {} : { version: this.version }),
    }
    return { folder: this.folder!, ...overrides }
  }

  #preview(): void {
    this.preview = undefined
    this.published = undefined
    if (this.folder === undefined || (Array.isArray(this.folder) && this.folder.length === 0)) return
    this.run(async (signal) => {
      this.preview = await this.node.service.publish({ ...this.#request(), dryRun: true }, { signal })
    })
  }

  #publish = (): void => {
    this.run(async (signal) => {
      this.busy = true
      try {
        this.published = await this.node.service.publish(this.#request(), { signal })
      } finally {
        this.busy = false
      }
      while (!signal.aborted && this.isConnected) {
        const { peers } = await this.node.service.replicas({ cid: this.published.cid }, { signal })
        this.holders = peers.length
        await new Promise((resolve) => setTimeout(resolve, replicaPollMs))
      }
    })
  }

  override render() {
    return html`
      <h1>Publish</h1>
      <p>
        Choose a folder with a <code>package.toml</code>. It is signed with this browser’s own key and served from this tab, and from whoever installs it. Once somebody has it, it cannot be taken back.
      </p>
      <div class="card" @dragover=${(event: Event) => event.preventDefault()} @drop=${this.#drop}>
        <label for="folder"><strong>Package folder</strong></label> <span class="soft small">(choose it, or drop it here)</span><br />
        <input id="folder" aria-label="Package folder" type="file" webkitdirectory multiple @change=${this.#choose} />
      </div>
      ${this.renderFailure()}
      ${this.folder !== undefined && this.published === undefined ? this.#renderFields() : nothing}
      ${this.preview === undefined || this.published !== undefined ? nothing : this.#renderPreview(this.preview)}
      ${this.published === undefined ? nothing : this.#renderPublished(this.published)}
    `
  }

  #renderFields() {
    const field = (label: string, property: 'name' | 'version', placeholder: string) =>
      html`<label for=${property}>${label}</label>
        <input
          id=${property}
          .value=${this[property]}
          placeholder=${placeholder}
          @change=${(event: Event) => {
            this[property] = (event.target as HTMLInputElement).value.trim()
            this.#preview()
          }}
        />`
    return html`<div class="card row">
      ${field('Name', 'name', this.preview?.name ?? 'as in package.toml')} ${field('Version', 'version', this.preview?.version ?? 'as in package.toml')}
    </div>`
  }

  #renderPreview(preview: PublishResult) {
    const { files = [], ignored = [] } = preview.dryRun ?? {}
    return html`<section class="card" aria-label="What would be published">
      <h2>${plainText(preview.name)} ${preview.version}: ${preview.files} files, ${bytesText(preview.bytes)}</h2>
      ${(preview.warnings ?? []).map((warning) => html`<p role="note"><strong>Note:</strong> ${plainText(warning)}</p>`)}
      <details>
        <summary>Files</summary>
        <ul class="small mono">
          ${files.slice(0, 500).map(({ path, size }) => html`<li>${plainText(path)} <span class="soft">${bytesText(size)}</span></li>`)}
          ${files.length > 500 ? html`<li>and ${files.length - 500} more</li>` : nothing}
        </ul>
      </details>
      ${
        ignored.length === 0
          ? nothing
          : html`<details>
            <summary>Left out: ${ignored.length}</summary>
            <ul class="small">
              ${ignored.slice(0, 200).map(({ path, reason }) => html`<li><span class="mono">${plainText(path)}</span>: ${plainText(reason)}</li>`)}
            </ul>
          </details>`
      }
      <p><button class="main" ?disabled=${this.busy} @click=${this.#publish}>Publish</button></p>
    </section>`
  }

  #renderPublished({ name, version, publisher, cid }: PublishResult) {
    return html`<section class="card" aria-label="Published" role="status">
      <h2>Published: <a href=${packageLink(publisher, name, version)}>${plainText(name)} ${version}</a></h2>
      <p>Held by ${peerCount(this.holders)} besides this browser. Keep this tab open until somebody else has it.</p>
      <p class="small mono">${cid}</p>
    </section>`
  }
}
