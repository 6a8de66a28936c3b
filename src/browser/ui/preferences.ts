/** What a visitor has set for this page; small enough for localStorage, and none of it a secret. */

const relaysKey = 'ggen-relays'
const bootstrapKey = 'ggen-bootstrap'
const cacheKey = 'ggen-cache-megabytes'
/** Read by `static/theme.js` too, before there is anything to see. */
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

/** Addresses of peers that are kept connected besides the relays. */
export function loadBootstrap(): string[] {
  return (read(bootstrapKey) ?? '').split(/\s+/).filter((address) => address !== '')
}

export function saveBootstrap(text: string): void {
  write(bootstrapKey, text)
}

/** Most that is kept of packages; undefined: as the node has it. */
export function loadCacheMegabytes(): number | undefined {
  const stored = Number(read(cacheKey) ?? '')
  return Number.isInteger(stored) && stored > 0 ? stored : undefined
}

export function saveCacheMegabytes(megabytes: number): void {
  write(cacheKey, String(megabytes))
}

/** Calls back when another tab has changed what the node is started with. */
export function onNodeSettingsChanged(listener: () => void): void {
  addEventListener('storage', ({ key }) => {
    if (key === relaysKey || key === bootstrapKey || key === cacheKey) listener()
  })
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
