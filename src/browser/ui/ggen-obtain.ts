import { html } from 'lit'
import type { InfoResult } from '../../core/control/service.ts'
import type { PackageFiles } from '../service.ts'
import { archiveOf } from './archive.ts'
import { bytesText, sourceText } from './format.ts'
import { NodeElement } from './node-element.ts'

/** How to get a package: the command to copy, into this browser, or as an archive made in the page. Tells `file-fetched` when its content has come, and `downloaded` when it came from a central registry. */
export class GgenObtain extends NodeElement {
  static override properties = {
    ...NodeElement.properties,
    info: { attribute: false },
    files: { attribute: false },
    progress: { state: true },
    busy: { state: true },
  }

  declare info: Pick<InfoResult, 'name' | 'version' | 'publisher' | 'cid' | 'source'> | undefined
  declare files: PackageFiles | undefined
  declare progress: string
  declare busy: boolean

  constructor() {
    super()
    this.progress = ''
    this.busy = false
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has('files')) return
    this.progress = ''
    this.busy = false
    // What is still on its way for another package is not wanted any more.
    this.run(async () => undefined)
  }

  /** With the publisher: a bare name would leave it to the terminal whose package is meant. */
  #command(): string {
    const { name = '', version = '', publisher = null } = this.info ?? {}
    return publisher === null
      ? `ggen marketplace install ${name}@${version} --registry central`
      : `ggen marketplace install ${publisher.replace('did:key:', '')}/${name}@${version}`
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#command())
      this.progress = 'Copied.'
    } catch {
      this.progress = 'The browser does not let this page copy: select the command and copy it.'
    }
  }

  /** Fetches all, every block checked, then goes on with it. */
  #withContent(use: (content: PackageFiles, signal: AbortSignal) => Promise<string>): void {
    const content = this.files
    if (content === undefined) return
    const { cid, name, version } = content
    this.run(async (signal) => {
      this.busy = true
      this.progress = 'Fetching …'
      try {
        await this.node.service.fetch(
          { cid, name, version },
          {
            signal,
            onProgress: (event) => {
              if (event.type === 'block:received' && !signal.aborted)
                this.progress = `Fetching … ${bytesText(event.bytes)} of ${bytesText(event.totalBytes)}`
            },
          },
        )
        this.dispatchEvent(new CustomEvent('file-fetched', { bubbles: true, composed: true }))
        const done = await use(content, signal)
        if (!signal.aborted) this.progress = done
      } catch (error) {
        if (!signal.aborted) this.progress = ''
        throw error
      } finally {
        if (!signal.aborted) this.busy = false
      }
    })
  }

  /** From its registry's server, which is asked for the content only now. */
  #fromRegistry = (): void => {
    const { name = '', version = '', source = '' } = this.info ?? {}
    this.run(async (signal) => {
      this.busy = true
      this.progress = `Downloading from ${sourceText(source)} …`
      try {
        await this.node.service.download({ name, version }, { signal })
        this.dispatchEvent(new CustomEvent('downloaded', { bubbles: true, composed: true }))
      } finally {
        if (!signal.aborted) {
          this.busy = false
          this.progress = ''
        }
      }
    })
  }

  #keep = (): void =>
    this.#withContent(async () => 'Kept in this browser; it opens without a network and is served to others.')

  #download = (): void =>
    this.#withContent(async ({ cid, files, name, version }, signal) => {
      this.progress = 'Packing …'
      const archive = await archiveOf(
        files.map(({ path, exec }) => ({
          path: `${name}-${version}/${path}`,
          exec,
          read: () => this.node.service.file({ cid, path }, { signal }),
        })),
      )
      const link = document.createElement('a')
      link.href = URL.createObjectURL(archive)
      link.download = `${name.replace('/', '-')}-${version}.tar.gz`
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
      return 'Downloaded.'
    })

  override render() {
    const isReady = this.files !== undefined && !this.busy
    const { cid, source = '' } = this.info ?? {}
    return html`<section class="card" aria-label="Install">
      <h2>Install</h2>
      <pre tabindex="0">${this.#command()}</pre>
      <div class="row">
        <button @click=${() => void this.#copy()}>Copy</button>
        ${
          cid === null
            ? html`<button ?disabled=${this.busy} @click=${this.#fromRegistry}>Download it from ${sourceText(source)} and check it</button>`
            : html`<button ?disabled=${!isReady} @click=${this.#keep}>Keep in this browser</button>
                <button ?disabled=${!isReady} @click=${this.#download}>Download .tar.gz</button>`
        }
      </div>
      <p role="status" class="small soft">${this.progress}</p>
      ${this.renderFailure()}
    </section>`
  }
}
