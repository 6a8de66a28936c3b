import { html, nothing, svg } from 'lit'
import type { ConnectedPeer } from '../service.ts'
import { bytesText } from './format.ts'

/** More would be a tangle; the table shows all. */
const maxDrawn = 24
/** Of pixels for each peer beyond the first few. */
const widthPerPeer = 60
/** Beside so many, each is told in one line. */
const maxDetailed = 10

interface Place {
  x: number
  y: number
}

/** This tab's node and its peers: solid lines are direct, green ones WebRTC, dashed ones run through the relay they end at; the thicker, the more has passed. `width` in pixels: letters keep their size on any screen. */
export function renderPeerGraph(peers: readonly ConnectedPeer[], width: number) {
  const connected = peers.filter(({ transport }) => transport !== 'none')
  const drawn = connected.slice(0, Math.min(maxDrawn, Math.max(6, Math.floor(width / widthPerPeer))))
  const height = width < 500 ? 400 : 340
  const center = { x: width / 2, y: height / 2 - 10 }
  const placeOf = (index: number): Place => {
    // From the left, where what is written at a node crosses no line.
    const angle = (index / Math.max(1, drawn.length)) * 2 * Math.PI + Math.PI
    return {
      x: center.x + (width / 2 - 90) * Math.cos(angle),
      y: center.y + (height / 2 - 60) * Math.sin(angle),
    }
  }
  const places = new Map(drawn.map(({ peerId }, index) => [peerId, placeOf(index)]))
  const relays = new Set(drawn.map(relayOf))
  return html`<svg viewBox="0 0 ${width} ${height}" width=${width} height=${height} role="img" aria-label="This node and its ${drawn.length} peers; the table below says the same">
      ${drawn.map((peer) => {
        const to = places.get(peer.peerId)!
        const from = places.get(relayOf(peer) ?? '') ?? center
        return svg`<line class=${kindOf(peer)} stroke-width=${widthOf(peer)} x1=${from.x} y1=${from.y} x2=${to.x} y2=${to.y} />`
      })}
      <circle class="own" cx=${center.x} cy=${center.y} r="15" />
      <text x=${center.x} y=${center.y + 32}>this tab</text>
      ${drawn.map((peer) => {
        const place = places.get(peer.peerId)!
        const isAbove = place.y < center.y - 20
        return svg`<circle class=${relays.has(peer.peerId) ? 'relaying' : ''} cx=${place.x} cy=${place.y} r="9" />
          ${labelOf(peer, drawn.length <= maxDetailed).map(
            (line, at, lines) =>
              svg`<text class=${at === 0 ? '' : 'facts'} x=${place.x} y=${place.y + (isAbove ? -15 - (lines.length - 1 - at) * 14 : 24 + at * 14)}>${line}</text>`,
          )}`
      })}
    </svg>
    ${connected.length > drawn.length ? html`<p class="small">${connected.length - drawn.length} more are in the table below.</p>` : nothing}
    <p class="small soft">
      Solid lines are direct connections, green ones WebRTC, dashed ones run through a relay; the thicker, the more has passed.
    </p>`
}

function labelOf({ peerId, transport, latencyMs, bytesIn, bytesOut }: ConnectedPeer, isDetailed: boolean): string[] {
  const name = `…${peerId.slice(-6)} ${transport}`
  if (!isDetailed) return [name]
  const latency = latencyMs === null ? '' : `${Math.round(latencyMs)} ms, `
  return [name, `${latency}${bytesText(bytesIn)} in, ${bytesText(bytesOut)} out`]
}

const kindOf = ({ transport }: ConnectedPeer): string =>
  transport === 'relay' ? 'relay' : transport.startsWith('webrtc') ? 'webrtc' : 'direct'

/** 1.5 below a kilobyte, and one more for each thousandfold. */
const widthOf = ({ bytesIn, bytesOut }: ConnectedPeer): number =>
  1.5 + Math.max(0, Math.log10(1 + bytesIn + bytesOut) / 3 - 1)

/** Peer ID of the relay that a relayed connection runs through. */
const relayOf = ({ transport, address }: ConnectedPeer): string | undefined =>
  transport === 'relay' ? /\/p2p\/([^/]+)\/p2p-circuit/.exec(address)?.[1] : undefined
