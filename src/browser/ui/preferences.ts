/** What a visitor has set for this page; small enough for localStorage, and none of it a secret. */

const relaysKey = 'ggen-relays'
const themeKey = 'ggen-theme'

export type Theme = 'light dark' | 'light' | 'dark'

/** Relays by URL; the page's own origin unless the visitor chose others. */
export function loadRelays(): string[] {
  const stored = read(relaysKey)
  const own = location.protocol.startsWith('http') ? [location.origin] : []
  return stored === null || stored.trim() === '' ? own : stored.split(/\s+/).filter((relay) => relay !== '')
}

export function saveRelays(text: string): void {
  write(relaysKey, text)
}

export function loadTheme(): Theme {
  const stored = read(themeKey)
  return stored === 'light' || stored === 'dark' ? stored : 'light dark'
}

export function applyTheme(theme: Theme): void {
  write(themeKey, theme)
  document.documentElement.dataset.theme = theme
}

/** Storage can be forbidden: preferences then last as long as the page. */
function read(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // As above.
  }
}
