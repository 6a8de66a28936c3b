import type { PropertyValues } from 'lit'
import { html, nothing } from 'lit'
import { settingOf } from '../../core/config/settings.ts'
import type { KeyResult, TrustResult } from '../../core/control/service.ts'
import { requirePageRegistries } from '../central-registries.ts'
import type { NodeStatus } from '../service.ts'
import { renderCentralSettings } from './central-settings.ts'
import { bytesText, plainText } from './format.ts'
import { NodeElement } from './node-element.ts'
import type { Theme } from './preferences.ts'
import {
  applyTheme,
  loadBootstrap,
  loadCacheMegabytes,
  loadCentralRegistries,
  loadRelays,
  loadTheme,
  saveBootstrap,
  saveCacheMegabytes,
  saveCentralRegistries,
  saveRelays,
} from './preferences.ts'

const minPassphraseLength = 10

/** Relays, central registries, look, the publisher's key, and whom the visitor trusts. */
export class GgenSettings extends NodeElement {
  static override properties = {
    ...NodeElement.properties,
    publisher: { type: String },
    key: { state: true },
    status: { state: true },
    publishers: { state: true },
    notice: { state: true },
  }

  /** One to name or block. */
  declare publisher: string
  declare status: NodeStatus | undefined
  declare key: KeyResult | undefined
  declare publishers: TrustResult['publishers']
  declare notice: string

  constructor() {
    super()
    this.publisher = ''
    this.publishers = []
    this.notice = ''
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.run(() => this.#load())
  }

  async #load(): Promise<void> {
    this.status = await this.node.service.status()
    this.key = await this.node.service.key()
    this.publishers = (await this.node.service.trust({ action: 'list' })).publishers
  }

  protected override updated(changed: PropertyValues<this>): void {
    // What was answered stands at the top, which may be out of sight.
    const isAnswer =
      (changed.has('failure') && this.failure !== undefined) || (changed.has('notice') && this.notice !== '')
    if (isAnswer) this.renderRoot.querySelector('[role=alert], [role=status]')?.scrollIntoView({ block: 'center' })
  }

  #value(id: string): string {
    return this.renderRoot.querySelector<HTMLInputElement | HTMLTextAreaElement>(`#${id}`)?.value ?? ''
  }

  #act(work: () => Promise<string>): void {
    this.notice = ''
    this.run(async () => {
      this.notice = await work()
      await this.#load()
    })
  }

  #saveNetwork = (): void => {
    const relays = this.#value('relay-list').trim()
    const bootstrap = this.#value('bootstrap-list').trim()
    const wrong = relays.split(/\s+/).find((relay) => relay !== '' && !/^(https?:\/\/|\/)/.test(relay))
    if (wrong !== undefined) {
      this.failure = { message: `“${wrong}” is no relay.`, hint: 'Write https://relay.example, one a line.' }
      return
    }
    const nodes = bootstrap.split(/\s+/).filter((one) => one !== '')
    this.#restartWith('network.bootstrap_nodes', nodes, () => {
      saveRelays(relays)
      saveBootstrap(bootstrap)
    })
  }

  #saveStorage = (): void => {
    const megabytes = Number(this.#value('cache-size'))
    this.#restartWith('storage.max_cache_size', megabytes, () => saveCacheMegabytes(megabytes))
  }

  #addRegistry = (): void => {
    const [name, kind, url] = ['name', 'kind', 'url'].map((field) => this.#value(`registry-${field}`).trim())
    try {
      const sources = requirePageRegistries([...loadCentralRegistries(), { name, kind, url }])
      this.#restartWith('central.registries', sources, () => saveCentralRegistries(sources))
    } catch (error) {
      this.failure = error
    }
  }

  #removeRegistry = (name: string): void => {
    const others = loadCentralRegistries().filter((one) => one.name !== name)
    this.#restartWith('central.registries', others, () => saveCentralRegistries(others))
  }

  /** The node is started with it, so the page is loaded again. */
  #restartWith(name: string, value: unknown, save: () => void): void {
    const checked = settingOf(name)!.check(value)
    if ('refused' in checked) {
      this.failure = { message: `${name}: ${checked.refused}.`, hint: checked.hint }
      return
    }
    save()
    location.reload()
  }

  #persist = (): void => {
    this.#act(async () =>
      (await navigator.storage.persist())
        ? 'The browser keeps this site’s data until you delete it.'
        : 'The browser does not promise to keep it; it does so for sites that are installed or often used.',
    )
  }

  #export = (): void => {
    const passphrase = this.#value('passphrase')
    this.#act(async () => {
      if (passphrase.length < minPassphraseLength)
        throw new Error(`A passphrase needs at least ${minPassphraseLength} characters.`)
      const { file } = await this.node.service.exportKey({ passphrase })
      const link = document.createElement('a')
      link.href = URL.createObjectURL(new Blob([file], { type: 'application/json' }))
      link.download = 'ggen-publisher-key.json'
      link.click()
      return 'Exported. Whoever has the file and the passphrase can publish as you: keep them apart.'
    })
  }

  #import = (): void => {
    const chosen = this.renderRoot.querySelector<HTMLInputElement>('#key-file')?.files?.[0]
    const passphrase = this.#value('passphrase')
    this.#act(async () => {
      if (chosen === undefined) throw new Error('Choose the key file first.')
      const { publisher } = await this.node.service.importKey({ file: await chosen.text(), passphrase })
      return `Imported: this browser now publishes as ${publisher}. It can do so once a peer has told what the key has signed before.`
    })
  }

  #trust(action: 'add' | 'block' | 'remove', publisher: string, petname?: string): void {
    this.#act(async () => {
      const name = petname === undefined || petname === '' ? {} : { petname }
      await this.node.service.trust(action === 'add' ? { action, publisher, ...name } : { action, publisher })
      return 'Saved.'
    })
  }

  override render() {
    return html`
      <h1>Settings</h1>
      ${this.renderFailure()}
      <p role="status">${this.notice}</p>
      <section class="card" aria-label="Relays and bootstrap">
        <h2>Relays and bootstrap</h2>
        <label for="relay-list">Relays (https://…), one a line. Two are better than one.</label><br />
        <textarea id="relay-list" rows="3" cols="60" spellcheck="false">${loadRelays().join('\n')}</textarea><br />
        <label for="bootstrap-list">Bootstrap nodes besides them (/dns4/…/wss/p2p/…), one a line. None is needed where there is a relay.</label><br />
        <textarea id="bootstrap-list" rows="2" cols="60" spellcheck="false">${loadBootstrap().join('\n')}</textarea>
        <p><button @click=${this.#saveNetwork}>Save and reconnect</button></p>
      </section>
      ${renderCentralSettings(loadCentralRegistries(), { add: this.#addRegistry, remove: this.#removeRegistry })}
      ${this.#renderStorage()}
      <section class="card" aria-label="Appearance">
        <h2>Appearance</h2>
        <label for="theme">Theme</label>
        <select id="theme" @change=${(event: Event) => applyTheme((event.target as HTMLSelectElement).value as Theme)}>
          ${(
            [
              ['light dark', 'As the system'],
              ['light', 'Light'],
              ['dark', 'Dark'],
            ] as const
          ).map(([value, label]) => html`<option value=${value} ?selected=${value === loadTheme()}>${label}</option>`)}
        </select>
      </section>
      <section class="card" aria-label="Publisher key">
        <h2>Publisher key</h2>
        ${
          this.key === undefined
            ? nothing
            : html`<p>
              You publish as <span class="mono">${this.key.publisher}</span>, fingerprint <span class="mono">${this.key.fingerprint}</span>. The key cannot be read, not even by this page; an export hands on to one that
              can be backed up, under the same publisher.
            </p>`
        }
        <div class="row">
          <label for="passphrase">Passphrase</label>
          <input id="passphrase" type="password" autocomplete="new-password" />
          <button @click=${this.#export}>Export</button>
        </div>
        <div class="row">
          <label for="key-file">Key file</label>
          <input id="key-file" type="file" accept="application/json,.json" />
          <button @click=${this.#import}>Import</button>
        </div>
      </section>
      <section class="card" aria-label="Publishers">
        <h2>Publishers you know</h2>
        <div class="row">
          <label for="publisher-did">did:key</label>
          <input id="publisher-did" size="30" spellcheck="false" .value=${this.publisher} />
          <label for="petname">Your name for it</label>
          <input id="petname" />
          <button @click=${() => this.#trust('add', this.#value('publisher-did').trim(), this.#value('petname').trim())}>Trust</button>
          <button @click=${() => this.#trust('block', this.#value('publisher-did').trim())}>Block</button>
        </div>
        <ul>
          ${this.publishers.map(
            ({ publisher, petname, blocked }) => html`<li class="row">
              <span class="mono">${publisher}</span> ${petname === null ? nothing : html`<strong>${plainText(petname)}</strong>`}
              ${blocked ? html`<span class="bad">blocked</span>` : nothing}
              <button @click=${() => this.#trust('remove', publisher)}>Forget</button>
            </li>`,
          )}
        </ul>
      </section>
    `
  }

  #renderStorage() {
    const { cache, quota } = this.status ?? {}
    return html`<section class="card" aria-label="Storage">
      <h2>Storage</h2>
      ${
        cache === undefined || quota === undefined
          ? nothing
          : html`<p>
              Packages take ${bytesText(cache.bytes)} of ${bytesText(cache.maxBytes)}; this site ${bytesText(quota.usage)} of the
              ${bytesText(quota.quota)} that the browser allows. What is kept, and how to remove it, is on the
              <a href="#/network">network page</a>.
            </p>
            <p>
              ${
                quota.persisted
                  ? 'The browser has promised to keep it, your key included.'
                  : html`The browser may clear it when the disk is full, your key included.
                      <button @click=${this.#persist}>Ask it to keep it</button>`
              }
            </p>`
      }
      <div class="row">
        <label for="cache-size">Most that is kept of packages, in MB</label>
        <input
          id="cache-size"
          type="number"
          min="1"
          .value=${String(loadCacheMegabytes() ?? settingOf('storage.max_cache_size')!.default)}
        />
        <button @click=${this.#saveStorage}>Save</button>
      </div>
    </section>`
  }
}
