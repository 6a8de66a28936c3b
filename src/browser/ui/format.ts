/** Facts as people read them. */

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

export const shortDid = (did: string): string => `${did.slice(8, 16)}…${did.slice(-4)}`
export const dateText = (iso: string): string =>
  iso === '' ? 'unknown' : new Date(iso).toLocaleDateString(undefined, { dateStyle: 'medium' })
export const peerCount = (count: number): string => (count === 1 ? '1 peer' : `${count} peers`)

/** What came from the network must not steer the page's text: control and direction characters show as a replacement. */
export function plainText(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '�')
}

const sourceNames: Record<string, string> = { local: 'this browser', cache: 'the cache', p2p: 'peers' }

/** Where an answer came from, as people say it. */
export const sourceText = (source: string): string =>
  sourceNames[source] ?? (source.startsWith('central:') ? `the registry ${source.slice('central:'.length)}` : source)

/** The deep link of a package, or of a file in it. */
export function packageLink(publisher: string | null, name: string, version: string, path?: string): string {
  const parts = [publisher ?? '-', name, version, ...(path === undefined ? [] : [path])]
  return `#/p/${parts.map(encodeURIComponent).join('/')}`
}

/** What to do in a page; the registry's own hints speak to a terminal. */
const hints: Record<string, string> = {
  PACKAGE_NOT_FOUND: 'Check the name, or search for it. The network page says whether peers are connected.',
  VERSION_NOT_FOUND: 'Choose another version of it, or search for it.',
  NAME_AMBIGUOUS: 'Choose whose you mean: a name alone does not say it.',
  NO_PROVIDERS: 'Those who have it may be offline. This page goes on trying.',
  NO_PEERS: 'The network page says which relays are asked; the settings page, which ones are set.',
  TIMEOUT: 'Try again; the network page says who is connected.',
}

export function errorText(error: unknown): { message: string; hint: string } {
  const { message, hint, code = '' } = error as { message?: string; hint?: string; code?: string }
  const own = hint === undefined || /\bggen /.test(hint) ? 'Try again; if it stays so, look at the network page.' : hint
  return { message: message ?? String(error), hint: hints[code] ?? own }
}

/** Nobody could be asked, or nobody had it; nothing is known to be wrong. */
export function isUnreachable(error: unknown): boolean {
  const { code = '' } = error as { code?: string }
  return ['NO_PROVIDERS', 'NO_PEERS', 'TIMEOUT', 'CONNECTION_FAILED'].includes(code)
}
