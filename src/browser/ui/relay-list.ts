import { html, nothing } from 'lit'
import { relayOfAddress } from '../../core/relay-document.ts'
import type { RelayState } from '../service.ts'
import { bytesText, plainText } from './format.ts'

/** The relays that are set, those they have led to, whether they have given this tab a place (`addresses`: its own), and what they carry. */
export function renderRelays(relays: readonly RelayState[], addresses: readonly string[]) {
  const placedBy = new Set(addresses.map(relayOfAddress))
  const others = [...placedBy].filter(
    (peerId) => peerId !== undefined && !relays.some((relay) => relay.peerId === peerId),
  )
  const place = html`<span class="good">has given this tab a place</span>`
  return html`<section class="card" aria-label="Relays">
    <h2>Relays</h2>
    ${relays.length === 0 ? html`<p class="soft">None is set.</p>` : nothing}
    <ul>
      ${relays.map(
        (relay) => html`<li>
          <span class="mono">${relay.url}</span>:
          ${relay.error === undefined ? (placedBy.has(relay.peerId) ? place : withoutPlace(relay)) : html`<span class="bad">${plainText(relay.error)}</span>`}
          ${renderLimits(relay.limits)}
        </li>`,
      )}
      ${others.map((peerId) => html`<li>A relay they have led to, <span class="mono">…${peerId!.slice(-8)}</span>: ${place}</li>`)}
    </ul>
  </section>`
}

/** Only a relay says what it carries. */
const withoutPlace = ({ limits }: RelayState): string =>
  limits === undefined ? 'a node that leads into the network; it is no relay' : 'answers, but has given no place'

function renderLimits(limits: RelayState['limits']) {
  if (limits === undefined) return nothing
  return html`<br /><span class="small soft"
      >carries at most ${bytesText(limits.maxRelayedBytes)} and ${Math.round(limits.maxRelayedMs / 60_000)} minutes for each relayed
      connection; direct ones are not limited</span
    >`
}
