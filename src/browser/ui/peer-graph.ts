import { html, svg } from 'lit'
import type { ConnectedPeer } from '../service.ts'
import { bytesText } from './format.ts'

/** More would be a tangle; the table shows all. */
const maxDrawn = 24
const center = { x: 300, y: 170 }

/** This tab's node and its peers: solid lines are direct, green ones WebRTC, dashed ones run through the relay they end at; the thicker, the more has passed. */
export function renderPeerGraph(peers: readonly ConnectedPeer[]) {
  const drawn = peers.filter(({ transport }) => transport !== 'none').slice(0, maxDrawn)
  const places = new Map(drawn.map(({ peerId }, index) => [peerId, placeOf(index, drawn.length)]))
  const relays = new Set(drawn.map(relayOf))
  return html`<svg viewBox="0 0 600 340" role="img" aria-label="This node and its ${drawn.length} peers; the table below says the same">
      ${drawn.map((peer) => {
        const to = places.get(peer.peerId)!
        const from = places.get(relayOf(peer) ?? '') ?? center
        return svg`<line class=${kindOf(peer)} stroke-width=${widthOf(peer)} x1=${from.x} y1=${from.y} x2=${to.x} y2=${to.y} />`
      })}
      <circle class="own" cx=${center.x} cy=${center.y} r="14" /><text x=${center.x} y=${center.y + 30}>this tab</text>
      ${drawn.map(({ peerId, transport, latencyMs, bytesIn, bytesOut }) => {
        const { x, y } = places.get(peerId)!
        const latency = latencyMs === null ? '' : `, ${Math.round(latencyMs)} ms`
        return svg`<circle class=${relays.has(peerId) ? 'relaying' : ''} cx=${x} cy=${y} r="9" />
          <text x=${x} y=${y + 22}>…${peerId.slice(-6)} ${transport}${latency}</text>
          <text class="facts" x=${x} y=${y + 34}>${bytesText(bytesIn)} in, ${bytesText(bytesOut)} out</text>`
      })}
    </svg>
    <p class="small soft">
      Solid lines are direct connections, green ones WebRTC, dashed ones run through a relay; the thicker, the more has passed.
    </p>`
}

function placeOf(index: number, count: number): { x: number; y: number } {
  // From the left: what is written below a node crosses no line then.
  const angle = (index / Math.max(1, count)) * 2 * Math.PI + Math.PI
  return { x: center.x + 210 * Math.cos(angle), y: center.y - 10 + 125 * Math.sin(angle) }
}

const kindOf = ({ transport }: ConnectedPeer): string =>
  transport === 'relay' ? 'relay' : transport.startsWith('webrtc') ? 'webrtc' : 'direct'

/** 1.5 below a kilobyte, and one more for each thousandfold. */
const widthOf = ({ bytesIn, bytesOut }: ConnectedPeer): number =>
  1.5 + Math.max(0, Math.log10(1 + bytesIn + bytesOut) / 3 - 1)

/** Peer ID of the relay that a relayed connection runs through. */
const relayOf = ({ transport, address }: ConnectedPeer): string | undefined =>
  transport === 'relay' ? /\/p2p\/([^/]+)\/p2p-circuit/.exec(address)?.[1] : undefined
