import type { PropertyValues } from 'lit'
import { css, html, nothing } from 'lit'
import type { InfoResult } from '../../core/control/service.ts'
import type { Verification } from '../describe-verification.ts'
import type { PackageFiles } from '../service.ts'
import { archiveOf } from './archive.ts'
import { renderDependencies } from './dependency-graph.ts'
import { bytesText, dateText, packageLink, plainText, sourceText } from './format.ts'
import { NodeElement } from './node-element.ts'
import { renderVerification } from './package-verification.ts'
import { sharedStyles } from './shared-styles.ts'

type Info = Omit<InfoResult, 'installed'>

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
      svg.graph {
        width: 100%;
        max-width: 35rem;
      }
      svg.graph rect {
        fill: var(--ground);
        stroke: var(--soft);
      }
      svg.graph line {
        stroke: var(--soft);
      }
      svg.graph text {
        fill: var(--ink);
        font-size: 12px;
        text-anchor: middle;
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
    file: { type: String },
    explorer: { type: String },
    info: { state: true },
    files: { state: true },
    verification: { state: true },
    neededBy: { state: true },
    compareWith: { state: true },
    progress: { state: true },
  }

  declare publisher: string
  declare name: string
  declare version: string
  /** Path of a file to show. */
  declare file: string
  /** Address of the explorer that links lead to; by default the page they are on. */
  declare explorer: string
  declare info: Info | undefined
  declare files: PackageFiles | undefined
  declare verification: Verification | { error: unknown } | undefined
  declare neededBy: string[]
  /** CID of the version this one is compared with. */
  declare compareWith: string
  declare progress: string

  constructor() {
    super()
    this.publisher = ''
    this.name = ''
    this.version = ''
    this.neededBy = []
    this.compareWith = ''
    this.progress = ''
    this.file = ''
    this.explorer = ''
  }

  protected override firstUpdated(): void {
    // What nobody knew or had a moment ago, a new peer may have.
    this.node.on('changed', ({ what }) => {
      const hasNoFiles = this.info?.cid !== null && this.files === undefined
      const isMissing = this.failure !== undefined && (this.info === undefined || hasNoFiles)
      if (what !== 'addresses' && this.isConnected && isMissing) this.#load()
    })
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('publisher') || changed.has('name') || changed.has('version')) this.#load()
  }

  #load(): void {
    this.info = undefined
    this.files = undefined
    this.verification = undefined
    this.neededBy = []
    this.compareWith = ''
    this.progress = ''
    if (this.name === '') return
    this.run(async (signal) => {
      try {
        await this.#loadAll(signal)
      } catch (error) {
        if (!signal.aborted && (error as { code?: string }).code !== 'PACKAGE_NOT_FOUND') this.verification = { error }
        throw error
      }
    })
  }

  async #loadAll(signal: AbortSignal): Promise<void> {
    const { service } = this.node
    const by = this.publisher === '' || this.publisher === '-' ? '' : `${this.publisher}/`
    const spec = `${by}${this.name}${this.version === '' ? '' : `@${this.version}`}`
    this.info = await service.info({ spec }, { signal })
    const { cid } = this.info
    if (cid === null) return
    this.files = await service.files({ cid }, { signal })
    this.#verify(signal)
    this.#verify(signal)
    this.neededBy = (await service.dependents({ name: this.name }, { signal })).names
  }

  #linkTo = (path: string): string =>
    this.explorer + packageLink(this.info?.publisher ?? null, this.name, this.info?.version ?? '', path)

  #recheck = (): void => {
    if (this.info !== undefined) this.#verify(new AbortController().signal)
  }

  #verify(signal: AbortSignal): void {
    const cid = this.info!.cid!
    // Of another package by now, it would be told of the wrong one.
    const isWanted = (): boolean => !signal.aborted && this.info?.cid === cid
    this.node.service.verification({ cid }, { signal }).then(
      (verification) => {
        if (isWanted()) this.verification = verification
      },
      (error: unknown) => {
        if (isWanted()) this.verification = { error }
      },
    )
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

  async #copy(command: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(command)
      this.progress = 'Copied.'
    } catch {
      this.progress = 'The browser does not let this page copy: select the command and copy it.'
    }
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
        ${this.renderFailure() ?? html`<p role="status" class="soft">Asking peers for ${plainText(this.name)} …</p>`}
        ${this.verification === undefined ? nothing : renderVerification(this.verification, null, this.explorer)}`
    }
    const command = `ggen marketplace install ${info.name}@${info.version}`
    return html`
      <h1>${plainText(info.name)}</h1>
      <p>${plainText(info.description)}</p>
      ${this.renderFailure()}
      ${info.forked ? html`<p class="card alarm" role="alert">The log of its publisher has forked: it told different people different things.</p>` : nothing}
      ${info.yanked ? html`<p class="card alarm" role="alert">Its publisher has withdrawn this version.</p>` : nothing}
      ${info.deprecated === '' ? nothing : html`<p class="card" role="note">Deprecated: ${plainText(info.deprecated)}</p>`}
      <div class="columns">
        <div>
          ${info.cid === null ? nothing : html`<ggen-readme .relays=${this.relays} .files=${this.files} .linkTo=${this.#linkTo} @file-fetched=${this.#recheck}></ggen-readme>`}
          <ggen-files .relays=${this.relays} .files=${this.files} .path=${this.file} @file-fetched=${this.#recheck}></ggen-files>
          <section class="card" aria-label="Dependencies">
            <h2>Dependencies</h2>
            ${renderDependencies(info.name, Object.keys(info.dependencies), this.neededBy, this.explorer)}
          </section>
        </div>
        <div>
          ${info.cid === null ? this.#renderDescribed(info) : renderVerification(this.verification, info.publisher, this.explorer)}
          <section class="card" aria-label="Install">
            <h2>Install</h2>
            <pre tabindex="0">${command}</pre>
            <div class="row">
              <button @click=${() => void this.#copy(command)}>Copy</button>
              <button ?disabled=${info.cid === null} @click=${() => void this.#keep()}>Keep in this browser</button>
              <button ?disabled=${info.cid === null} @click=${() => void this.#download()}>Download .tar.gz</button>
            </div>
            <p role="status" class="small soft">${this.progress}</p>
          </section>
          ${this.#renderFacts(info)}
        </div>
      </div>
    `
  }

  #renderDescribed(info: Info) {
    const from = sourceText(info.source)
    const download = async (): Promise<void> => {
      this.progress = `Downloading from ${from} …`
      try {
        await this.node.service.download({ name: info.name, version: info.version })
        if (this.info === info) this.#load()
      } catch (error) {
        if (this.info !== info) return
        this.failure = error
        this.progress = ''
      }
    }
    return html`<section class="card" aria-label="Verification">
      <h2>Verification</h2>
      <p>Nobody signed this: it is what ${from} says of it. Its content is not here.</p>
      <button @click=${() => void download()}>Download it from ${from} and check it</button>
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
      </dl>
      <h2>Versions</h2>
      ${this.#renderCompare(info)}
      <ul class="small">
        ${info.versions.slice(0, 100).map(
          ({ version, published, yanked }) => html`<li>
            <a href=${this.explorer + packageLink(info.publisher, info.name, version)} aria-current=${version === info.version ? 'page' : 'false'}>${version}</a>
            <span class="soft">${dateText(published)}${yanked ? ', yanked' : ''}</span>
          </li>`,
        )}
      </ul>
    </section>`
  }

  #renderCompare({ cid, version, versions }: Info) {
    const others = versions.filter((other) => other.cid !== null && other.cid !== cid)
    if (cid === null || others.length === 0) return nothing
    return html`<label for="compare">What changed since</label>
      <select id="compare" @change=${(event: Event) => (this.compareWith = (event.target as HTMLSelectElement).value)}>
        <option value="">choose a version</option>
        ${others.map((other) => html`<option value=${other.cid!}>${other.version}</option>`)}
      </select>
      <p class="visually-hidden">to ${version}</p>
      <ggen-compare .relays=${this.relays} .from=${this.compareWith} .to=${cid}></ggen-compare>`
  }
}
