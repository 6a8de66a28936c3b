import { css, html, nothing, svg } from 'lit'
import type { PeersResult } from '../../core/control/service.ts'
import type { CachedPackage, NodeStatus, RelayState } from '../service.ts'
import { bytesText, packageLink, plainText } from './format.ts'
import { NodeElement } from './node-element.ts'
import { sharedStyles } from './shared-styles.ts'

type Peer = PeersResult['peers'][number]

const refreshMs = 2_000
/** In the picture; the table shows all. */
const maxDrawn = 40

/** This tab's node and its peers: a picture first, the tables behind it. */
export class GgenNetwork extends NodeElement {
  static override styles = [
    sharedStyles,
    css`
      svg {
        width: 100%;
        height: auto;
        max-height: 26rem;
      }
      line {
        stroke: var(--soft);
        stroke-width: 1.5;
      }
      line.relayed {
        stroke-dasharray: 4 4;
      }
      circle {
        fill: var(--raised);
        stroke: var(--accent);
        stroke-width: 2;
      }
      circle.own {
        fill: var(--accent);
      }
      text {
        fill: var(--ink);
        font-size: 11px;
        text-anchor: middle;
      }
    `,
  ]
  static override properties = {
    ...NodeElement.properties,
    status: { state: true },
    peers: { state: true },
    cached: { state: true },
    relayStates: { state: true },
  }

  declare status: NodeStatus | undefined
  declare peers: Peer[]
  declare cached: CachedPackage[]
  declare relayStates: RelayState[]

  constructor() {
    super()
    this.peers = []
    this.cached = []
    this.relayStates = []
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.run(async (signal) => {
      this.relayStates = await this.node.service.relays(undefined, { signal })
      while (!signal.aborted) {
        await this.#refresh()
        await new Promise((resolve) => setTimeout(resolve, refreshMs))
      }
    })
  }

  async #refresh(): Promise<void> {
    const { service } = this.node
    const [status, { peers }, { packages }] = await Promise.all([service.status(), service.peers(), service.cache()])
    this.status = status
    this.peers = peers
    this.cached = packages.sort((a, b) => b.lastUsedMs - a.lastUsedMs)
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
    return html`
      <h1>Network</h1>
      ${this.renderFailure()}
      ${
        status === undefined
          ? html`<p role="status" class="soft">Starting this tab’s node …</p>`
          : html`<p>
              ${
                this.peers.length === 0
                  ? 'Connected to nobody. Check the relays on the settings page, and whether this device is online; the node goes on trying.'
                  : `Connected to ${this.peers.length} ${this.peers.length === 1 ? 'peer' : 'peers'}.`
              }
              ${
                status.addresses.some((address) => address.includes('p2p-circuit'))
                  ? 'Others can reach this tab.'
                  : 'Others cannot reach this tab yet: no relay has given it a place.'
              }
            </p>
            ${this.#renderPicture()} ${this.#renderPeers()} ${this.#renderRelays(status)} ${this.#renderStatus(status)} ${this.#renderCache(status)}`
      }
    `
  }

  #renderPicture() {
    const drawn = this.peers.filter(({ transport }) => transport !== 'none').slice(0, maxDrawn)
    const place = (index: number) => {
      const angle = (index / Math.max(1, drawn.length)) * 2 * Math.PI - Math.PI / 2
      return { x: 300 + 200 * Math.cos(angle), y: 150 + 105 * Math.sin(angle) }
    }
    return html`<div class="card">
      <svg viewBox="0 0 600 300" role="img" aria-label="This node and its ${drawn.length} peers; the table below says the same">
        ${drawn.map((peer, index) => {
          const { x, y } = place(index)
          return svg`<line class=${peer.transport === 'relay' ? 'relayed' : ''} x1="300" y1="150" x2=${x} y2=${y} />`
        })}
        <circle class="own" cx="300" cy="150" r="14" /><text x="300" y="182">this tab</text>
        ${drawn.map((peer, index) => {
          const { x, y } = place(index)
          const latency = peer.latencyMs === null ? '' : `, ${Math.round(peer.latencyMs)} ms`
          return svg`<circle cx=${x} cy=${y} r="9" /><text x=${x} y=${y + 24}>${peer.peerId.slice(-6)} ${peer.transport}${latency}</text>`
        })}
      </svg>
    </div>`
  }

  #renderPeers() {
    return html`<div class="card scroll" tabindex="0" role="group" aria-label="List of peers">
      <table aria-label="Peers">
        <thead>
          <tr>
            <th scope="col">Peer</th>
            <th scope="col">Connection</th>
            <th scope="col">Latency</th>
            <th scope="col">Reputation</th>
            <th scope="col">Packages</th>
            <th scope="col">Runs</th>
          </tr>
        </thead>
        <tbody>
          ${this.peers.map(
            ({ peerId, transport, direction, latencyMs, reputation, packages, agent, banned }) => html`<tr>
              <td class="mono">${peerId}</td>
              <td>${banned ? 'banned' : `${transport}, ${direction}`}</td>
              <td>${latencyMs === null ? '' : `${Math.round(latencyMs)} ms`}</td>
              <td>${Math.round(reputation * 100)} %</td>
              <td>${packages}</td>
              <td>${plainText(agent)}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`
  }

  #renderRelays({ addresses }: NodeStatus) {
    const isReserved = ({ peerId }: RelayState): boolean =>
      peerId !== undefined && addresses.some((address) => address.includes(`${peerId}/p2p-circuit`))
    return html`<section class="card" aria-label="Relays">
      <h2>Relays</h2>
      ${this.relayStates.length === 0 ? html`<p class="soft">None is set.</p>` : nothing}
      <ul>
        ${this.relayStates.map(
          (relay) => html`<li>
            <span class="mono">${relay.url}</span>:
            ${
              relay.error === undefined
                ? isReserved(relay)
                  ? html`<span class="good">has given this tab a place</span>`
                  : 'answers, but has given no place'
                : html`<span class="bad">${plainText(relay.error)}</span>`
            }
            ${
              relay.limits === undefined
                ? nothing
                : html`<br /><span class="small soft"
                    >carries at most ${bytesText(relay.limits.maxRelayedBytes)} and
                    ${Math.round(relay.limits.maxRelayedMs / 60_000)} minutes for each relayed connection; direct ones are not
                    limited</span
                  >`
            }
          </li>`,
        )}
      </ul>
    </section>`
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
        <dd>${status.dht.mode}, ${status.dht.routingTable} peers in the routing table</dd>
        <dt>Gossip</dt>
        <dd>${status.topics.map(({ topic, subscribers }) => `${topic}: ${subscribers} peers`).join(', ')}</dd>
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
      ${nothing}
    </section>`
  }
}
