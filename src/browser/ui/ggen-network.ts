import { css, html, nothing } from 'lit'
import type { CachedPackage, ConnectedPeer, NodeStatus, RelayState } from '../service.ts'
import { bytesText, packageLink, peerCount, plainText } from './format.ts'
import { NodeElement } from './node-element.ts'
import { graphStyles, renderPeerGraph } from './peer-graph.ts'
import { renderPeerTable } from './peer-table.ts'
import { renderRelays } from './relay-list.ts'
import { sharedStyles } from './shared-styles.ts'

const refreshMs = 2_000
const refreshRelaysMs = 15_000

/** This tab's node and its peers: a picture first, the tables behind it. */
export class GgenNetwork extends NodeElement {
  static override styles = [
    sharedStyles,
    graphStyles,
    css`
      td.mono {
        min-width: 9rem;
      }
      .picture {
        overflow: hidden;
      }
    `,
  ]
  static override properties = {
    ...NodeElement.properties,
    status: { state: true },
    peers: { state: true },
    cached: { state: true },
    relayStates: { state: true },
    pictureWidth: { state: true },
  }

  declare status: NodeStatus | undefined
  declare peers: ConnectedPeer[]
  declare cached: CachedPackage[]
  declare relayStates: RelayState[]
  /** Pixels that there are for the picture. */
  declare pictureWidth: number
  #resized = new ResizeObserver(([entry]) => {
    this.pictureWidth = Math.max(240, Math.round(entry?.contentRect.width ?? 0) - 40)
  })

  constructor() {
    super()
    this.peers = []
    this.cached = []
    this.relayStates = []
    this.pictureWidth = 600
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#resized.observe(this)
    this.run(async (signal) => {
      await Promise.all([
        repeatedly(() => this.#refresh(), refreshMs, signal),
        // Asked on their own: one that does not answer must not hold up the rest.
        repeatedly(() => this.#refreshRelays(), refreshRelaysMs, signal),
      ])
    })
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#resized.disconnect()
  }

  protected override nodeChanged(): void {
    if (this.status !== undefined) this.#refresh().catch(() => undefined)
  }

  async #refresh(): Promise<void> {
    const { service } = this.node
    const [status, { peers }, { packages }] = await Promise.all([service.status(), service.peers(), service.cache()])
    this.status = status
    this.peers = peers
    this.cached = packages.sort((a, b) => b.lastUsedMs - a.lastUsedMs)
  }

  async #refreshRelays(): Promise<void> {
    this.relayStates = await this.node.service.relays()
  }

  #act(work: Promise<unknown>): void {
    work.then(
      () => this.#refresh(),
      (error: unknown) => {
        this.failure = error
      },
    )
  }

  override render() {
    const { status } = this
    const connected = this.peers.filter(({ transport }) => transport !== 'none').length
    return html`
      <h1>Network</h1>
      ${this.renderFailure()}
      ${
        status === undefined
          ? this.failure === undefined
            ? html`<p role="status" class="soft">Starting this tab’s node …</p>`
            : nothing
          : html`<p>
              ${
                connected === 0
                  ? 'Connected to nobody. Check the relays on the settings page, and whether this device is online; the node goes on trying.'
                  : `Connected to ${peerCount(connected)}.`
              }
              ${
                status.addresses.some((address) => address.includes('p2p-circuit'))
                  ? 'Others can reach this tab.'
                  : 'Others cannot reach this tab yet: no relay has given it a place.'
              }
            </p>
            <div class="card picture">${renderPeerGraph(this.peers, this.pictureWidth)}</div>
            ${renderPeerTable(this.peers)} ${renderRelays(this.relayStates, status.addresses)} ${this.#renderStatus(status)} ${this.#renderCache(status)}`
      }
    `
  }

  #renderStatus(status: NodeStatus) {
    return html`<section class="card" aria-label="This node">
      <h2>This node</h2>
      <dl class="small">
        <dt>Peer ID</dt>
        <dd class="mono">${status.peerId}</dd>
        <dt>Publisher</dt>
        <dd class="mono">${status.publisher}</dd>
        <dt>DHT</dt>
        <dd>
          ${health(status.dht.routingTable, 'it finds what peers hold', 'it can find nothing until a peer is connected')}; a
          ${status.dht.mode}, ${status.dht.routingTable} peers in the routing table
        </dd>
        <dt>Gossip</dt>
        <dd>
          ${status.topics.map(
            ({ topic, subscribers }) =>
              html`${health(subscribers, 'new packages are heard of', 'new packages are not heard of')}; ${subscribers} peers on
                <span class="mono">${topic}</span><br />`,
          )}
        </dd>
        <dt>Traffic</dt>
        <dd>${bytesText(status.bandwidth.in)} in, ${bytesText(status.bandwidth.out)} out</dd>
        <dt>Knows</dt>
        <dd>${status.packages.known} packages</dd>
        <dt>Addresses</dt>
        <dd>${status.addresses.map((address) => html`<span class="mono">${address}</span><br />`)}</dd>
      </dl>
    </section>`
  }

  #renderCache({ cache, quota }: NodeStatus) {
    return html`<section class="card" aria-label="Cache">
      <h2>Kept in this browser: ${bytesText(cache.bytes)} of ${bytesText(cache.maxBytes)}</h2>
      <p class="small soft">
        ${quota.persisted ? 'The browser has promised to keep it.' : 'The browser may clear it when the disk is full.'}
      </p>
      <ul>
        ${this.cached.map(
          ({ name, version, publisher, cid, bytes, pinned }) => html`<li class="row">
            <a href=${packageLink(publisher, name, version)}>${plainText(name)} ${version}</a>
            <span class="soft small">${bytesText(bytes)}</span>
            <button aria-pressed=${pinned ? 'true' : 'false'} @click=${() => this.#act(this.node.service.pin({ cid, pinned: !pinned }))}>
              ${pinned ? 'Unpin' : 'Pin'}<span class="visually-hidden"> ${name}</span>
            </button>
            <button @click=${() => this.#act(this.node.service.evict({ cid }))}>Remove<span class="visually-hidden"> ${name}</span></button>
          </li>`,
        )}
      </ul>
      ${
        this.cached.length === 0
          ? html`<p class="soft">Nothing yet.</p>`
          : html`<button @click=${() => this.#act(this.node.service.clearCache())}>Clear all that is not pinned</button>`
      }
    </section>`
  }
}

async function repeatedly(work: () => Promise<void>, everyMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await work()
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

/** Peers make the difference: with none, a part of the network does nothing. */
function health(peers: number, good: string, bad: string) {
  return peers > 0 ? html`<span class="good">Well: ${good}</span>` : html`<span class="bad">Alone: ${bad}</span>`
}
