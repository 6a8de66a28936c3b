import { html, svg } from 'lit'
import { packageLink, plainText } from './format.ts'

const maxDrawn = 8
const rowHeight = 34

/** Who needs this package, and what it needs: a picture, whose boxes are links. */
export function renderDependencies(
  name: string,
  needs: readonly string[],
  neededBy: readonly string[],
  explorer: string,
) {
  if (needs.length === 0 && neededBy.length === 0) {
    return html`<p class="small soft">It needs no other package, and none that is known here needs it.</p>`
  }
  const left = neededBy.slice(0, maxDrawn)
  const right = needs.slice(0, maxDrawn)
  const height = Math.max(left.length, right.length, 1) * rowHeight + 10
  const middle = height / 2
  const y = (index: number, count: number): number => middle + (index - (count - 1) / 2) * rowHeight
  const box = (text: string, x: number, at: number, link: boolean) => {
    const drawn = svg`<rect x=${x} y=${at - 13} width="150" height="26" rx="6" /><text x=${x + 75} y=${at + 4}>${plainText(text).slice(0, 22)}</text>`
    return link
      ? svg`<a href=${explorer + packageLink('-', text, '')} aria-label=${plainText(text)}>${drawn}</a>`
      : drawn
  }
  return html`<svg class="graph" viewBox="0 0 560 ${height}" role="group" aria-label="Dependencies both ways">
      ${left.map((_, index) => svg`<line x1="150" y1=${y(index, left.length)} x2="205" y2=${middle} />`)}
      ${right.map((_, index) => svg`<line x1="355" y1=${middle} x2="410" y2=${y(index, right.length)} />`)}
      ${left.map((one, index) => box(one, 0, y(index, left.length), true))} ${box(name, 205, middle, false)}
      ${right.map((one, index) => box(one, 410, y(index, right.length), true))}
    </svg>
    <p class="small soft">
      Needed by ${neededBy.length} known here; needs ${needs.length}.
    </p>`
}
