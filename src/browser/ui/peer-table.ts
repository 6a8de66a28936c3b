import { html } from 'lit'
import type { ConnectedPeer } from '../service.ts'
import { bytesText, plainText } from './format.ts'

/** What the picture shows, and more, as text. */
export function renderPeerTable(peers: readonly ConnectedPeer[]) {
  return html`<div class="card scroll" tabindex="0" role="group" aria-label="List of peers">
    <table aria-label="Peers">
      <thead>
        <tr>
          <th scope="col">Peer</th>
          <th scope="col">Connection</th>
          <th scope="col">Latency</th>
          <th scope="col">In</th>
          <th scope="col">Out</th>
          <th scope="col">Relay still carries</th>
          <th scope="col">Reputation</th>
          <th scope="col">Packages</th>
          <th scope="col">Runs</th>
        </tr>
      </thead>
      <tbody>
        ${peers.map(
          ({
            peerId,
            transport,
            direction,
            latencyMs,
            bytesIn,
            bytesOut,
            relayLimit,
            reputation,
            packages,
            agent,
            banned,
          }) => html`<tr>
            <td class="mono">${peerId}</td>
            <td>${banned ? 'banned' : `${transport}, ${direction}`}</td>
            <td>${latencyMs === null ? '' : `${Math.round(latencyMs)} ms`}</td>
            <td>${bytesText(bytesIn)}</td>
            <td>${bytesText(bytesOut)}</td>
            <td>${transport === 'relay' ? limitText(relayLimit) : 'direct'}</td>
            <td>${Math.round(reputation * 100)} %</td>
            <td>${packages}</td>
            <td>${plainText(agent)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

function limitText(limit: ConnectedPeer['relayLimit']): string {
  const bytes = limit?.bytesLeft === undefined ? [] : [bytesText(limit.bytesLeft)]
  const time = limit?.msLeft === undefined ? [] : [`${Math.max(0, Math.round(limit.msLeft / 1000))} s`]
  return [...bytes, ...time].join(', ') || 'without limit'
}
