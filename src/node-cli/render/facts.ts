import type { Colours } from './text.ts'

/** Names and values, one a line. */
export function renderFacts(facts: readonly (readonly [string, string])[], colours: Colours): string {
  const width = Math.max(...facts.map(([name]) => name.length))
  return facts.map(([name, value]) => `${colours.dim(name.padEnd(width))}  ${value}`.trimEnd()).join('\n')
}
