/** What a visitor has set for this page; small enough for localStorage, and none of it a secret. */
import type { CentralSource } from '../../core/config/settings.ts'
import { requirePageRegistries } from '../central-registries.ts'

const relaysKey = 'ggen-relays'
const bootstrapKey = 'ggen-bootstrap'
const centralKey = 'ggen-central-registries'
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

/** Central registries; none unless the visitor has added them. */
export function loadCentralRegistries(): CentralSource[] {
  try {
    return requirePageRegistries(JSON.parse(read(centralKey) ?? '[]'))
  } catch {
    // What no page can ask must not keep the node from starting.
    return []
  }
}

export function saveCentralRegistries(sources: readonly CentralSource[]): void {
  write(centralKey, JSON.stringify(sources))
}

/** Calls back when another tab has changed what the node is started with. */
export function onNodeSettingsChanged(listener: () => void): void {
  addEventListener('storage', ({ key }) => {
    if (key !== null && [relaysKey, bootstrapKey, centralKey, cacheKey].includes(key)) listener()
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
