import type { PropertyValues } from 'lit'
import { css, html, nothing } from 'lit'
import type { InfoResult } from '../../core/control/service.ts'
import type { Verification } from '../describe-verification.ts'
import type { PackageFiles } from '../service.ts'
import { archiveOf } from './archive.ts'
import { bytesText, dateText, packageLink, peerCount, plainText, shortDid } from './format.ts'
import { renderMarkdown } from './markdown.ts'
import { NodeElement } from './node-element.ts'
import { sharedStyles } from './shared-styles.ts'

type Info = Omit<InfoResult, 'installed'>

const readmeName = /^readme(\.(md|markdown|txt|rst|adoc))?$/i
/** Of a file in the viewer: more would stall the page, and nobody reads it here. */
const maxShownBytes = 256 * 1024
/** Files listed at once; more come by a button. */
const filesStep = 500

/** One version of a package: README, files, verification, versions. Everything is checked in this tab. */
export class GgenPackage extends NodeElement {
  static override styles = [
    sharedStyles,
    css`
      .columns {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 22rem);
        gap: 1rem;
        align-items: start;
      }
      @media (max-width: 60rem) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      .readme {
        overflow-wrap: anywhere;
        contain: paint;
      }
      .readme table {
        display: block;
        overflow-x: auto;
      }
      [role='tree'] {
        max-height: 24rem;
        overflow: auto;
        margin: 0;
        padding: 0.2rem;
        list-style: none;
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
      .verdict {
        font-size: 1.15rem;
        font-weight: 700;
      }
    `,
  ]
  static override properties = {
    ...NodeElement.properties,
    publisher: { type: String },
    name: { type: String },
    version: { type: String },
    info: { state: true },
    files: { state: true },
    readme: { state: true },
    verification: { state: true },
    shown: { state: true },
    shownFiles: { state: true },
    progress: { state: true },
  }

  declare publisher: string
  declare name: string
  declare version: string
  declare info: Info | undefined
  declare files: PackageFiles | undefined
  declare readme: DocumentFragment | string | undefined
  declare verification: Verification | { error: unknown } | undefined
  declare shown: { path: string; text: string } | undefined
  declare shownFiles: number
  declare progress: string

  constructor() {
    super()
    this.publisher = ''
    this.name = ''
    this.version = ''
    this.shownFiles = filesStep
    this.progress = ''
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('publisher') || changed.has('name') || changed.has('version')) this.#load()
  }

  #load(): void {
    this.info = undefined
    this.files = undefined
    this.readme = undefined
    this.verification = undefined
    this.shown = undefined
    this.shownFiles = filesStep
    if (this.name === '') return
    this.run(async (signal) => {
      const { service } = this.node
      const by = this.publisher === '' || this.publisher === '-' ? '' : `${this.publisher}/`
      const spec = `${by}${this.name}${this.version === '' ? '' : `@${this.version}`}`
      this.info = await service.info({ spec }, { signal })
      const { cid } = this.info
      if (cid === null) return
      this.files = await service.files({ cid }, { signal })
      this.#verify(signal)
      const path = this.files.files.find((file) => readmeName.test(file.path))?.path
      const text = path === undefined ? '' : new TextDecoder().decode(await service.file({ cid, path }, { signal }))
      if (!signal.aborted) this.readme = text === '' ? '' : (renderMarkdown(text) ?? text.slice(0, maxShownBytes))
      this.#verify(signal)
    })
  }

  #verify(signal: AbortSignal): void {
    this.node.service.verification({ cid: this.info!.cid! }, { signal }).then(
      (verification) => {
        if (!signal.aborted) this.verification = verification
      },
      (error: unknown) => {
        if (!signal.aborted) this.verification = { error }
      },
    )
  }

  #open(path: string): void {
    const { cid, files } = this.files!
    const size = files.find((file) => file.path === path)?.size ?? 0
    this.shown = { path, text: 'Fetching …' }
    this.node.service.file({ cid, path }).then(
      (bytes) => {
        if (this.shown?.path !== path) return
        const head = bytes.subarray(0, maxShownBytes)
        const text = head.includes(0)
          ? `A binary file of ${bytesText(size)}.`
          : new TextDecoder().decode(head) + (bytes.length > maxShownBytes ? `\n… ${bytesText(size)} in all` : '')
        this.shown = { path, text }
        this.#verify(new AbortController().signal)
      },
      (error: Error) => {
        this.shown = { path, text: `It could not be fetched: ${error.message}` }
      },
    )
  }

  #onTreeKey = (event: KeyboardEvent): void => {
    const items = [...this.renderRoot.querySelectorAll<HTMLElement>('[role=treeitem]')]
    const at = items.indexOf(event.target as HTMLElement)
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key]
    if (event.key === 'Enter' || event.key === ' ') (event.target as HTMLElement).click()
    else if (next !== undefined && items[next] !== undefined) items[next].focus()
    else return
    event.preventDefault()
  }

  async #fetchAll(): Promise<PackageFiles> {
    const { cid, name, version } = this.files!
    await this.node.service.fetch(
      { cid, name, version },
      {
        onProgress: (event) => {
          if (event.type === 'block:received')
            this.progress = `Fetching … ${bytesText(event.bytes)} of ${bytesText(event.totalBytes)}`
        },
      },
    )
    this.#verify(new AbortController().signal)
    return this.files!
  }

  async #keep(): Promise<void> {
    try {
      await this.#fetchAll()
      this.progress = 'Kept in this browser; it opens without a network and is served to others.'
    } catch (error) {
      this.failure = error
    }
  }

  async #download(): Promise<void> {
    try {
      const { cid, files, name, version } = await this.#fetchAll()
      const archive = await archiveOf(
        files.map(({ path, exec }) => ({
          path: `${name}-${version}/${path}`,
          exec,
          read: () => this.node.service.file({ cid, path }),
        })),
      )
      const link = document.createElement('a')
      link.href = URL.createObjectURL(archive)
      link.download = `${name.replace('/', '-')}-${version}.tar.gz`
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
      this.progress = 'Downloaded.'
    } catch (error) {
      this.failure = error
    }
  }

  override render() {
    const { info } = this
    if (info === undefined) {
      return html`<h1>${plainText(this.name)}</h1>
        ${this.renderFailure() ?? html`<p role="status" class="soft">Asking peers for ${plainText(this.name)} …</p>`}`
    }
    const command = `ggen marketplace install ${info.name}@${info.version}`
    return html`
      <h1>${plainText(info.name)}</h1>
      <p>${plainText(info.description)}</p>
      ${this.renderFailure()}
      ${info.yanked ? html`<p class="card alarm" role="alert">Its publisher has withdrawn this version.</p>` : nothing}
      ${info.deprecated === '' ? nothing : html`<p class="card" role="note">Deprecated: ${plainText(info.deprecated)}</p>`}
      <div class="columns">
        <div>
          <section class="card readme" aria-label="README">
            ${
              this.readme === undefined
                ? html`<p class="soft" role="status">Fetching the README …</p>`
                : this.readme === ''
                  ? html`<p class="soft">This package has no README.</p>`
                  : typeof this.readme === 'string'
                    ? html`<pre tabindex="0">${plainText(this.readme)}</pre>`
                    : this.readme
            }
          </section>
          ${this.#renderFiles()}
        </div>
        <div>
          ${this.#renderVerification()}
          <section class="card" aria-label="Install">
            <h2>Install</h2>
            <pre tabindex="0">${command}</pre>
            <div class="row">
              <button @click=${() => navigator.clipboard?.writeText(command)}>Copy</button>
              <button @click=${() => void this.#keep()}>Keep in this browser</button>
              <button @click=${() => void this.#download()}>Download .tar.gz</button>
            </div>
            <p role="status" class="small soft">${this.progress}</p>
          </section>
          ${this.#renderFacts(info)}
        </div>
      </div>
    `
  }

  #renderFiles() {
    if (this.files === undefined) return nothing
    const { files, bytes } = this.files
    return html`<section class="card" aria-label="Content">
      <h2>${files.length} ${files.length === 1 ? 'file' : 'files'}, ${bytesText(bytes)}</h2>
      <div role="tree" aria-label="Files" @keydown=${this.#onTreeKey}>
        ${files.slice(0, this.shownFiles).map(
          ({ path, size }, index) => html`<div
            role="treeitem"
            tabindex=${index === 0 ? '0' : '-1'}
            aria-selected=${this.shown?.path === path ? 'true' : 'false'}
            @click=${() => this.#open(path)}
          >
            <span>${plainText(path)}</span><span class="soft small">${bytesText(size)}</span>
          </div>`,
        )}
      </div>
      ${
        files.length > this.shownFiles
          ? html`<button @click=${() => (this.shownFiles += filesStep)}>Show more files</button>`
          : nothing
      }
      ${
        this.shown === undefined
          ? nothing
          : html`<h3 class="mono">${plainText(this.shown.path)}</h3>
            <pre tabindex="0" aria-label="Content of the file">${plainText(this.shown.text)}</pre>`
      }
    </section>`
  }

  #renderVerification() {
    const state = this.verification
    if (state === undefined) {
      return html`<section class="card" aria-label="Verification"><h2>Verification</h2><p role="status" class="soft">Checking …</p></section>`
    }
    if ('error' in state) return this.#renderUnverified((state.error as Error).message)
    const expected = this.info?.publisher
    const signature = state.signatures.find(({ publisher }) => publisher === expected) ?? state.signatures[0]
    const wrong = state.blocks.filter(({ ok }) => ok === false).length
    if (wrong > 0) return this.#renderUnverified(`${wrong} blocks in this browser are not what the package names.`)
    if (signature === undefined)
      return this.#renderUnverified('No valid signature of a publisher is known for this content.')
    const held = state.blocks.filter(({ ok }) => ok === true).length
    return html`<section class=${signature.forkSeq === null ? 'card' : 'card alarm'} aria-label="Verification">
      <h2>Verification</h2>
      <p class="verdict good"><span aria-hidden="true">✓</span> Verified in this tab</p>
      <p class="small">
        The publisher’s key signed exactly this content, and each of the ${held} blocks fetched so far is the one it names. It says who published it, not that it is harmless: compare the fingerprint with what the
        publisher tells you elsewhere.
      </p>
      <dl class="small">
        <dt>Publisher</dt>
        <dd>${signature.petname === null ? nothing : html`<strong>${plainText(signature.petname)}</strong>, `}<span class="mono">${signature.publisher}</span></dd>
        <dt>Fingerprint</dt>
        <dd class="mono">${signature.fingerprint}</dd>
        <dt>Signed</dt>
        <dd>${dateText(signature.time)}, entry ${signature.seq + 1} of its log</dd>
        <dt>Its log</dt>
        <dd>
          ${
            signature.forkSeq === null
              ? 'has never shown two histories, as far as is known here'
              : html`<strong class="bad">has forked at entry ${signature.forkSeq + 1}: it told different people different things</strong>`
          }
        </dd>
        <dt>Blocks</dt>
        <dd>${held} of ${state.blocks.length} here and right</dd>
        <dt>Held by</dt>
        <dd>${peerCount(state.holders.length)} besides this browser</dd>
      </dl>
      <details>
        <summary>Every block</summary>
        <ol class="small mono">
          ${state.blocks
            .slice(0, 1_000)
            .map(
              ({ cid, size, ok }) =>
                html`<li>${cid} ${ok === null ? 'not fetched yet' : html`<span class="good">${bytesText(size ?? 0)} ✓</span>`}</li>`,
            )}
        </ol>
      </details>
    </section>`
  }

  #renderUnverified(why: string) {
    return html`<section class="card alarm" aria-label="Verification">
      <h2>Verification</h2>
      <p class="verdict bad" role="alert"><span aria-hidden="true">✗</span> Not verified</p>
      <p>${plainText(why)} Do not use it.</p>
    </section>`
  }

  #renderFacts(info: Info) {
    return html`<section class="card" aria-label="About">
      <h2>About</h2>
      <dl class="small">
        <dt>Version</dt>
        <dd>${info.version}, ${dateText(info.published)}</dd>
        <dt>Licence</dt>
        <dd>${plainText(info.license) || 'not stated'}</dd>
        <dt>Authors</dt>
        <dd>${plainText(info.authors.join(', ')) || 'not stated'}</dd>
        <dt>Category</dt>
        <dd>${plainText(info.category) || 'none'}</dd>
        <dt>Size</dt>
        <dd>${bytesText(info.bytes)}</dd>
        <dt>Needs</dt>
        <dd>
          ${Object.entries(info.dependencies).map(([name, range]) => html`<a href=${packageLink('-', name, '')}>${plainText(name)}</a> ${plainText(range)} `)}
          ${Object.keys(info.dependencies).length === 0 ? 'nothing' : nothing}
        </dd>
      </dl>
      <h2>Versions</h2>
      <ul class="small">
        ${info.versions.slice(0, 100).map(
          ({ version, published, yanked }) => html`<li>
            <a href=${packageLink(info.publisher, info.name, version)} aria-current=${version === info.version ? 'page' : 'false'}>${version}</a>
            <span class="soft">${dateText(published)}${yanked ? ', yanked' : ''}</span>
          </li>`,
        )}
      </ul>
      ${info.publisher === null ? nothing : html`<p class="small soft">by <span class="mono">${shortDid(info.publisher)}</span></p>`}
    </section>`
  }
}
