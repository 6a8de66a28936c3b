import { css, html, nothing, svg } from 'lit'
import { packageLink, plainText } from './format.ts'

/** On each side: the rest is counted. */
const maxDrawn = 20
/** Of a row, in pixels; as in the styles below. */
const rowHeight = 36

interface Neighbour {
  name: string
  range: string
}

/** Who needs this package, and what it needs: a picture whose boxes are links. Where there is no room for lines its columns stand one below the other. */
export function renderDependencies(
  { name, dependencies }: { name: string; dependencies: Readonly<Record<string, string>> },
  neededBy: readonly string[],
  explorer: string,
) {
  const needs = Object.entries(dependencies).map(([needed, range]) => ({ name: needed, range }))
  if (needs.length === 0 && neededBy.length === 0) {
    return html`<p class="small soft">It needs no other package, and none that is known here needs it.</p>`
  }
  const left = neededBy.map((one) => ({ name: one, range: '' }))
  const rows = Math.max(Math.min(left.length, maxDrawn), Math.min(needs.length, maxDrawn), 1)
  return html`<div class="graph">
    ${column('Needed by', left, 'nothing that is known here', explorer)} ${lines(rows, left.length, 'in')}
    <div class="own"><h3>This package</h3><span class="box">${plainText(name)}</span></div>
    ${lines(rows, needs.length, 'out')} ${column('Needs', needs, 'nothing', explorer)}
  </div>`
}

function column(title: string, all: readonly Neighbour[], none: string, explorer: string) {
  const box = ({ name, range }: Neighbour) =>
    html`<li>
      <a class="box" href=${explorer + packageLink('-', name, '')}>${plainText(name)}</a>${range === '' ? nothing : html` <span class="small soft">${plainText(range)}</span>`}
    </li>`
  const more = all.length - maxDrawn
  return html`<div class="side">
    <h3>${title}</h3>
    ${all.length === 0 ? html`<p class="small soft">${none}</p>` : html`<ul>${all.slice(0, maxDrawn).map(box)}</ul>`}
    ${more > 0 ? html`<p class="small soft">and ${more} more</p>` : nothing}
  </div>`
}

/** From each row of a side to the middle; a unit is a row. */
function lines(rows: number, count: number, direction: 'in' | 'out') {
  const drawn = Math.min(count, maxDrawn)
  const side = direction === 'in' ? 0 : 1
  return html`<svg class="lines" height=${rows * rowHeight} viewBox="0 0 1 ${rows}" preserveAspectRatio="none" aria-hidden="true">
    ${Array.from({ length: drawn }, (_, at) => svg`<line x1=${side} y1=${at + 0.5} x2=${1 - side} y2="0.5" />`)}
  </svg>`
}

export const dependencyStyles = css`
  .graph {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 2.5rem minmax(0, auto) 2.5rem minmax(0, 1fr);
  }
  .graph h3 {
    font-size: 0.875rem;
    height: 28px;
    margin: 0;
    color: var(--soft);
  }
  .graph ul {
    list-style: none;
    margin: 0;
    padding: 0;
  }
  .graph li {
    height: 36px;
  }
  .graph p {
    margin: 4px 0;
  }
  .graph .side:first-child {
    text-align: right;
  }
  .graph .box {
    display: inline-block;
    max-width: 100%;
    height: 30px;
    line-height: 28px;
    padding: 0 0.7rem;
    border: 1px solid var(--soft);
    border-radius: 8px;
    background: var(--ground);
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    vertical-align: top;
  }
  .graph .own .box {
    border-color: var(--accent);
  }
  .graph .lines {
    width: 100%;
    margin-top: 25px;
  }
  .graph line {
    stroke: var(--soft);
    vector-effect: non-scaling-stroke;
  }
  .graph li {
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  @media (max-width: 40rem) {
    .graph {
      grid-template-columns: minmax(0, 1fr);
      gap: 0.8rem;
    }
    .graph .lines {
      display: none;
    }
    .graph .side:first-child {
      text-align: left;
    }
  }
`
