import { structuredPatch } from 'diff'

/** Two texts that differ in more lines are not compared: the time grows with the square of that. */
const maxEditLength = 2000
const timeoutMs = 2000
const maxShownLines = 2000

export interface LineChanges {
  lines: string[]
  /** How many there are besides. */
  more: number
}

/** The changed lines between two texts, with some around them. Of one that is new or gone all of them. Undefined when they differ too much to be compared. */
export function lineChanges(before: string | undefined, after: string | undefined): LineChanges | undefined {
  if (before === undefined || after === undefined) {
    const sign = before === undefined ? '+' : '-'
    return bounded(linesOf(before ?? after ?? '').map((line) => sign + line))
  }
  const patch = structuredPatch('', '', before, after, '', '', { context: 3, maxEditLength, timeout: timeoutMs })
  return patch && bounded(patch.hunks.flatMap(({ oldStart, lines }) => [`@ line ${oldStart}`, ...lines]))
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

const bounded = (lines: string[]): LineChanges => ({
  lines: lines.slice(0, maxShownLines),
  more: Math.max(0, lines.length - maxShownLines),
})
