import { css, html, nothing, svg } from 'lit'
import { relayOfAddress } from '../../core/relay-document.ts'
import type { ConnectedPeer } from '../service.ts'
import { bytesText } from './format.ts'

/** More would be a tangle; the table shows all. */
const maxDrawn = 24
/** Pixels that a place on the ring takes. */
const widthPerPeer = 60
/** Beside more, each is told in one line. */
const maxDetailed = 10
/** On a narrower picture peers stand in a column, because there is no room for letters beside a ring. */
const minRingWidth = 500
const columnRow = 48

interface Place {
  x: number
  y: number
  /** Of what is written there: its first line's, and how it runs. */
  label: { x: number; y: number; anchor: 'middle' | 'start' }
}

interface Layout {
  height: number
  own: Place
  places: Place[]
}

/** This tab's node and its peers: solid lines are direct, green ones WebRTC, dashed ones run through the relay they end at; the thicker, the more has passed. `width` in pixels: letters keep their size on any screen. */
export function renderPeerGraph(peers: readonly ConnectedPeer[], width: number) {
  const connected = peers.filter(({ transport }) => transport !== 'none')
  const room = width < minRingWidth ? maxDetailed : Math.floor(width / widthPerPeer)
  const drawn = connected.slice(0, Math.min(maxDrawn, room))
  const relays = new Set(drawn.map(relayOf))
  const { height, own, places } = width < minRingWidth ? column(drawn, width) : ring(drawn.length, width)
  const placeOf = new Map(drawn.map(({ peerId }, index) => [peerId, places[index]!]))
  return html`<svg viewBox="0 0 ${width} ${height}" width=${width} height=${height} role="img" aria-label="This node and its ${drawn.length} peers; the table below says the same">
      ${drawn.map((peer) => {
        const to = placeOf.get(peer.peerId)!
        const from = placeOf.get(relayOf(peer) ?? '') ?? own
        return svg`<line class=${kindOf(peer)} stroke-width=${widthOf(peer)} x1=${from.x} y1=${from.y} x2=${to.x} y2=${to.y} />`
      })}
      <circle class="own" cx=${own.x} cy=${own.y} r="15" />
      ${renderLabel(own, ['this tab'])}
      ${drawn.map((peer) => {
        const place = placeOf.get(peer.peerId)!
        return svg`<circle class=${relays.has(peer.peerId) ? 'relaying' : ''} cx=${place.x} cy=${place.y} r="9" />
          ${renderLabel(place, labelOf(peer, width, drawn.length <= maxDetailed))}`
      })}
    </svg>
    ${connected.length > drawn.length ? html`<p class="small">${connected.length - drawn.length} more are in the table below.</p>` : nothing}
    <p class="small soft">
      Solid lines are direct connections, green ones WebRTC, dashed ones run through a relay; the thicker, the more has passed.
    </p>`
}

function ring(count: number, width: number): Layout {
  const height = 340
  const center = { x: width / 2, y: height / 2 - 10 }
  // From the left, and none right below the middle: no line crosses what is written there.
  const turn = count % 4 === 0 ? 0.5 : 0
  const places = Array.from({ length: count }, (_, index): Place => {
    const angle = ((index + turn) / Math.max(1, count)) * 2 * Math.PI + Math.PI
    const x = center.x + (width / 2 - 90) * Math.cos(angle)
    const y = center.y + (height / 2 - 60) * Math.sin(angle)
    return { x, y, label: { x, y: y < center.y - 20 ? y - 29 : y + 24, anchor: 'middle' } }
  })
  return { height, own: { ...center, label: { x: center.x, y: center.y + 32, anchor: 'middle' } }, places }
}

/** Those that run through a relay stand further in than it does. */
function column(drawn: readonly ConnectedPeer[], width: number): Layout {
  const height = Math.max(2, drawn.length) * columnRow + 10
  const own = { x: 28, y: height / 2, label: { x: 28, y: height / 2 + 32, anchor: 'middle' as const } }
  const places = drawn.map((peer, index): Place => {
    const x = Math.min(width, 300) * (relayOf(peer) === undefined ? 0.25 : 0.33)
    const y = (index + 0.5) * columnRow + 5
    return { x, y, label: { x: x + 13, y: y - 2, anchor: 'start' } }
  })
  return { height, own, places }
}

function renderLabel({ label }: Place, lines: readonly string[]) {
  return lines.map(
    (line, at) =>
      svg`<text class=${at === 0 ? '' : 'facts'} text-anchor=${label.anchor} x=${label.x} y=${label.y + at * 14}>${line}</text>`,
  )
}

function labelOf(
  { peerId, transport, latencyMs, bytesIn, bytesOut }: ConnectedPeer,
  width: number,
  isDetailed: boolean,
): string[] {
  const name = `…${peerId.slice(width < minRingWidth ? -4 : -6)} ${transport}`
  if (!isDetailed) return [name]
  const latency = latencyMs === null ? '' : `, ${Math.round(latencyMs)} ms`
  return [`${name}${latency}`, `${bytesText(bytesIn)} in, ${bytesText(bytesOut)} out`]
}

const kindOf = ({ transport }: ConnectedPeer): string =>
  transport === 'relay' ? 'relay' : transport.startsWith('webrtc') ? 'webrtc' : 'direct'

/** 1.5 below a kilobyte, and one more for each thousandfold. */
const widthOf = ({ bytesIn, bytesOut }: ConnectedPeer): number =>
  1.5 + Math.max(0, Math.log10(1 + bytesIn + bytesOut) / 3 - 1)

/** Peer ID of the relay that a relayed connection runs through. */
const relayOf = ({ transport, address }: ConnectedPeer): string | undefined =>
  transport === 'relay' ? relayOfAddress(address) : undefined

export const graphStyles = css`
  svg {
    display: block;
    max-width: 100%;
  }
  line {
    stroke: var(--soft);
    stroke-linecap: round;
  }
  line.relay {
    stroke-dasharray: 4 6;
  }
  line.webrtc {
    stroke: var(--good);
  }
  circle {
    fill: var(--raised);
    stroke: var(--accent);
    stroke-width: 2;
  }
  circle.own,
  circle.relaying {
    fill: var(--accent);
  }
  text {
    fill: var(--ink);
    font-size: 13px;
    paint-order: stroke;
    stroke: var(--raised);
    stroke-width: 3px;
  }
  text.facts {
    fill: var(--soft);
    font-size: 12px;
  }
`
