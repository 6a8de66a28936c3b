import type { TemplateResult } from 'lit'
import { html, LitElement } from 'lit'
import type { ServiceEvents } from '../service.ts'
import type { SharedNode } from '../shared-node.ts'
import { createSharedNode } from '../shared-node.ts'
import { errorText } from './format.ts'
import { loadBootstrap, loadCacheMegabytes, loadCentralRegistries, loadRelays } from './preferences.ts'
import { sharedStyles } from './shared-styles.ts'

let shared: { node: SharedNode; ready: Promise<void> } | undefined

/** The page's one node, started at the first need; elements on somebody else's page share it too. */
function useNode(relays: readonly string[]): { node: SharedNode; ready: Promise<void> } {
  if (shared === undefined) {
    const megabytes = loadCacheMegabytes()
    const node = createSharedNode({
      relays,
      settings: {
        'network.bootstrap_nodes': loadBootstrap(),
        'central.registries': loadCentralRegistries(),
        ...(megabytes === undefined ? {} : { 'storage.max_cache_size': megabytes }),
      },
    })
    shared = { node, ready: node.start() }
  }
  return shared
}

/**
 * An element that works with the page's node. `relays` (URLs, separated by spaces) says how to get into the network; by default the page's own origin, or what the visitor has set.
 */
export abstract class NodeElement extends LitElement {
  static override styles = [sharedStyles]
  static override properties = { relays: { type: String }, failure: { state: true } }

  declare relays: string
  declare failure: unknown
  #controller = new AbortController()
  #unsubscribe: (() => void) | undefined

  constructor() {
    super()
    this.relays = ''
    this.failure = undefined
  }

  protected get node(): SharedNode {
    return this.#page().node
  }

  #page(): { node: SharedNode; ready: Promise<void> } {
    return useNode(this.relays === '' ? loadRelays() : this.relays.split(/\s+/))
  }

  /** Resolves when the node answers. */
  protected whenReady(): Promise<void> {
    return this.#page().ready
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#unsubscribe = this.node.on('changed', ({ what }) => this.nodeChanged(what))
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#unsubscribe?.()
    this.#controller.abort()
  }

  /** Peers, addresses or what is known have changed, while the element is in a page. */
  protected nodeChanged(_what: ServiceEvents['changed']['what']): void {}

  /** Runs work for what is shown now: the signal of work before aborts, and its late answers and failures are dropped. */
  protected run(work: (signal: AbortSignal) => Promise<void>): void {
    this.#controller.abort()
    this.#controller = new AbortController()
    const { signal } = this.#controller
    this.failure = undefined
    this.whenReady()
      .then(() => {
        if (!signal.aborted) return work(signal)
      })
      .catch((error: unknown) => {
        if (!signal.aborted) this.failure = error
      })
  }

  protected renderFailure(): TemplateResult | null {
    if (this.failure === undefined) return null
    const { message, hint } = errorText(this.failure)
    return html`<div class="card alarm" role="alert"><strong>${message}</strong><br />${hint}</div>`
  }
}
