import type { PropertyValues } from 'lit'
import { css, html, nothing } from 'lit'
import type { Verification } from '../describe-verification.ts'
import type { KnownPackage } from '../known-packages.ts'
import type { Holders, PackageFiles, ServiceEvents } from '../service.ts'
import { dependencyStyles, renderDependencies } from './dependency-graph.ts'
import { dateText, isUnreachable, packageLink, plainText, shortDid, sourceText } from './format.ts'
import { NodeElement } from './node-element.ts'
import type { Info } from './package-facts.ts'
import { renderFacts, renderVersions } from './package-facts.ts'
import { renderNamesakes } from './package-namesakes.ts'
import { describedBy, renderBanner, renderVerification, verdictOf } from './package-verification.ts'
import { searchParams } from './search-state.ts'
import { sharedStyles } from './shared-styles.ts'

/** Publishers of one name to choose from. */
const maxNamesakes = 50
/** Of what nobody had: somebody may have come back whom nobody here has heard of. */
const retryMs = 20_000

/** One version of a package: README, files, verification, versions. Everything is checked in this tab. */
export class GgenPackage extends NodeElement {
  static override styles = [
    sharedStyles,
    dependencyStyles,
    css`
      .page {
        display: grid;
        grid-template: 'content proof' auto 'content facts' 1fr / minmax(0, 1fr) minmax(0, 22rem);
        gap: 0 1rem;
        align-items: start;
      }
      /* On a narrow page, too, what was checked comes before what the package says of itself. */
      @media (max-width: 60rem) {
        .page {
          grid-template: 'proof' auto 'content' auto 'facts' auto / minmax(0, 1fr);
        }
      }
      .proof {
        grid-area: proof;
      }
      .content {
        grid-area: content;
      }
      .facts {
        grid-area: facts;
      }
      h1 {
        margin-bottom: 0.3rem;
      }
      h1 + .card {
        margin-top: 0.8rem;
      }
      .lead {
        font-size: 1.1rem;
        overflow-wrap: anywhere;
      }
      .verdict {
        font-size: 1.15rem;
        font-weight: 700;
        margin: 0.4rem 0;
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
    holders: { state: true },
    neededBy: { state: true },
    namesakes: { state: true },
    compareWith: { state: true },
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
  declare holders: Holders | undefined
  declare neededBy: string[]
  /** Packages of this name by different publishers, where nothing says whose is meant. */
  declare namesakes: KnownPackage[]
  /** CID of the version this one is compared with. */
  declare compareWith: string
  #timer: ReturnType<typeof setInterval> | undefined

  constructor() {
    super()
    this.publisher = ''
    this.name = ''
    this.version = ''
    this.file = ''
    this.explorer = ''
    this.neededBy = []
    this.namesakes = []
    this.compareWith = ''
  }

  protected override nodeChanged(what: ServiceEvents['changed']['what']): void {
    const cid = this.info?.cid
    if (what === 'refusals' && cid) this.#askHolders({ cid, offline: true })
    // What nobody knew or had a moment ago, a new peer may have.
    if (what === 'peers' || what === 'packages') this.#tryAgain()
  }

  /** What was shown stays until there is better. */
  #tryAgain(): void {
    const isMissing = this.failure !== undefined && this.files === undefined && this.info?.cid !== null
    if (isMissing && this.isConnected) this.run((signal) => this.#loadAll(signal))
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('publisher') || changed.has('name') || changed.has('version')) this.#load()
  }

  #load(): void {
    this.info = undefined
    this.#forgetContent()
    this.namesakes = []
    if (this.name === '') return
    this.run((signal) => this.#loadAll(signal))
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#timer = setInterval(() => this.#tryAgain(), retryMs)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearInterval(this.#timer)
  }

  #forgetContent(): void {
    this.files = undefined
    this.verification = undefined
    this.holders = undefined
    this.neededBy = []
    this.compareWith = ''
  }

  /** What is known here shows at once; then peers are asked whether there is more. */
  async #loadAll(signal: AbortSignal): Promise<void> {
    const { service } = this.node
    const isCentral = this.publisher.startsWith('central:')
    const by = isCentral || this.publisher === '' || this.publisher === '-' ? '' : `${this.publisher}/`
    const spec = `${by}${this.name}${this.version === '' ? '' : `@${this.version}`}`
    const request = isCentral ? { spec, registry: 'central' as const } : { spec }
    const known = await service.info({ ...request, offline: true }, { signal }).catch(() => undefined)
    const shown = known === undefined ? undefined : this.#show(known, signal)
    // Its failure is told where it is waited for, or by the second try.
    const settled = shown?.catch(() => undefined)
    try {
      const newest = await service.info(request, { signal })
      await settled
      await this.#show(newest, signal)
    } catch (error) {
      if (signal.aborted || (shown !== undefined && isUnreachable(error))) return shown
      this.info = undefined
      this.#forgetContent()
      if ((error as { code?: string }).code === 'NAME_AMBIGUOUS') await this.#findNamesakes(signal)
      throw error
    }
  }

  async #findNamesakes(signal: AbortSignal): Promise<void> {
    const { packages } = await this.node.service.known({ query: this.name, limit: maxNamesakes }, { signal })
    this.namesakes = packages.filter(({ name }) => name === this.name)
  }

  async #show(info: Info, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    if (info.cid !== this.info?.cid) this.#forgetContent()
    this.info = info
    const { cid, name } = info
    if (cid === null || this.files !== undefined) return
    this.#askHolders({ cid })
    const { service } = this.node
    try {
      this.files = await service.files({ cid }, { signal })
    } catch (error) {
      if (!signal.aborted) this.verification = { error }
      throw error
    }
    this.#verify(cid)
    const { names } = await service.dependents({ name }, { signal })
    if (!signal.aborted) this.neededBy = names
  }

  #linkTo = (path: string): string =>
    this.explorer +
    packageLink(this.info?.publisher ?? (this.publisher || null), this.name, this.info?.version ?? '', path)

  /** Something has come: it is checked, and who has it may have changed. */
  #recheck = (): void => {
    const cid = this.info?.cid
    if (cid === undefined || cid === null) return
    this.#verify(cid)
    this.#askHolders({ cid })
  }

  /** An answer about another package by now is not told. */
  #isShown = (cid: string): boolean => this.isConnected && this.info?.cid === cid

  #verify(cid: string): void {
    this.node.service.verification({ cid }).then(
      (verification) => {
        if (this.#isShown(cid)) this.verification = verification
      },
      (error: unknown) => {
        if (this.#isShown(cid)) this.verification = { error }
      },
    )
  }

  #askHolders(request: { cid: string; offline?: boolean }): void {
    this.node.service.holders(request).then(
      (holders) => {
        if (this.#isShown(request.cid)) this.holders = holders
      },
      () => undefined,
    )
  }

  override render() {
    const { info, explorer } = this
    if (info === undefined) return this.#renderWithout()
    const verdict =
      info.cid === null ? describedBy(info.source) : verdictOf(this.verification, info.publisher, this.holders)
    const by =
      info.publisher === null ? `from ${sourceText(info.source)}` : `by ${info.petname ?? shortDid(info.publisher)}`
    return html`
      <h1>${plainText(info.name)}</h1>
      <p class="soft">${info.version}${info.published === '' ? nothing : `, ${dateText(info.published)}`}, ${plainText(by)}</p>
      ${info.description === '' ? nothing : html`<p class="lead">${plainText(info.description)}</p>`}
      ${verdict?.alarm === true || (verdict?.verified === false && this.failure !== undefined) ? renderBanner(verdict) : this.renderFailure()}
      ${info.yanked ? html`<p class="card alarm" role="note">Its publisher has withdrawn this version.</p>` : nothing}
      ${info.deprecated === '' ? nothing : html`<p class="card" role="note">Deprecated: ${plainText(info.deprecated)}</p>`}
      <div class="page">
        <div class="proof">
          ${renderVerification({ state: this.verification, verdict, holders: this.holders, publisher: info.publisher, explorer })}
          <ggen-obtain .relays=${this.relays} .info=${info} .files=${this.files} @file-fetched=${this.#recheck} @downloaded=${() => this.#load()}></ggen-obtain>
        </div>
        <div class="content">
          ${
            this.files === undefined && verdict?.verified === false
              ? html`<section class="card" aria-label="README"><p class="soft">${info.cid === null ? 'Its content is not here.' : 'Nothing of its content has come yet.'}</p></section>`
              : html`<ggen-readme .relays=${this.relays} .files=${this.files} .linkTo=${this.#linkTo} @file-fetched=${this.#recheck}></ggen-readme>`
          }
          <ggen-files .relays=${this.relays} .files=${this.files} .path=${this.file} .linkTo=${this.#linkTo} @file-fetched=${this.#recheck}></ggen-files>
          <section class="card" aria-label="Dependencies">
            <h2>Dependencies</h2>
            ${renderDependencies(info, this.neededBy, explorer)}
          </section>
        </div>
        <div class="facts">
          ${renderFacts(info)}
          <section class="card" aria-label="Versions">
            <h2>Versions</h2>
            ${this.#renderCompare(info)} ${renderVersions(info, explorer)}
          </section>
        </div>
      </div>
    `
  }

  #renderWithout() {
    return html`<h1>${plainText(this.name)}</h1>
      ${this.renderFailure() ?? html`<p role="status" class="soft">Asking peers for ${plainText(this.name)} …</p>`}
      ${renderNamesakes(this.namesakes, this.explorer)}
      ${this.failure === undefined ? nothing : html`<p><a href=${`${this.explorer}#/?${searchParams({ query: this.name, filter: {}, order: 'relevance' })}`}>Search for ${plainText(this.name)}</a></p>`}`
  }

  #renderCompare({ cid, version, versions }: Info) {
    const others = versions.filter((other) => other.cid !== null && other.cid !== cid)
    if (cid === null || others.length === 0) return nothing
    return html`<label for="compare">What changed since</label>
      <select id="compare" @change=${(event: Event) => (this.compareWith = (event.target as HTMLSelectElement).value)}>
        <option value="" .selected=${this.compareWith === ''}>choose a version</option>
        ${others.map((other) => html`<option value=${other.cid!} .selected=${this.compareWith === other.cid}>${other.version}</option>`)}
      </select>
      <p class="visually-hidden">to ${version}</p>
      <ggen-compare .relays=${this.relays} .from=${this.compareWith} .to=${cid}></ggen-compare>`
  }
}
