import { html, nothing } from 'lit'
import type { RelayState } from '../service.ts'
import { bytesText, plainText } from './format.ts'

/** The relays that are set, whether they have given this tab a place (`addresses`: its own), and what they carry. */
export function renderRelays(relays: readonly RelayState[], addresses: readonly string[]) {
  const isReserved = ({ peerId }: RelayState): boolean =>
    peerId !== undefined && addresses.some((address) => address.includes(`${peerId}/p2p-circuit`))
  return html`<section class="card" aria-label="Relays">
    <h2>Relays</h2>
    ${relays.length === 0 ? html`<p class="soft">None is set.</p>` : nothing}
    <ul>
      ${relays.map(
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
