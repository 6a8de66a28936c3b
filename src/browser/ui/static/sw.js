/**
 * Keeps the explorer's own files: the newest where the network answers soon, the last ones where it does not. Always all of one version, so a page is opened when all have come or with all that
 * are kept, and they are replaced together. Packages are kept by the node, not here.
 */
const cacheName = 'ggen-explorer'
const files = [
  './',
  'theme.js',
  'page.css',
  'page.js',
  'explorer.js',
  'app.webmanifest',
  'icon.svg',
  'icon-maskable.svg',
  'icon-180.png',
]
/** A visitor waits so long for a network that accepts and does not answer. */
const patienceMs = 2_500
/** What comes later than that is for the next visit, unless it takes so long. */
const longestMs = 60_000

/** The asking for the newest that is under way. */
let round

self.addEventListener('install', (event) => {
  event.waitUntil(keepNewest().then(() => self.skipWaiting()))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim())
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  const own = new URL('./', self.location.href)
  const file = url.pathname.slice(own.pathname.length) || './'
  if (request.method !== 'GET' || url.origin !== own.origin || !files.includes(file)) return
  if (request.mode !== 'navigate') return event.respondWith(keptOr(request, file))
  const newest = keepNewest().catch(() => undefined)
  event.waitUntil(newest)
  event.respondWith(Promise.race([newest, pause(patienceMs)]).then(() => keptOr(request, file)))
})

/** Replaces what is kept once all of it has come. Tabs opened together share one round; an older one is given up: requests that hang use up the connections that a browser makes to one server. */
function keepNewest() {
  if (round !== undefined && Date.now() - round.startedMs < patienceMs) return round.done
  round?.controller.abort()
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), longestMs)
  const done = fetchAll(controller.signal).finally(() => {
    clearTimeout(timer)
    if (round?.controller === controller) round = undefined
  })
  round = { startedMs: Date.now(), controller, done }
  return done
}

async function fetchAll(signal) {
  const responses = await Promise.all(files.map((file) => fetch(file, { cache: 'no-cache', signal })))
  const wrong = responses.find(({ ok, redirected }) => !ok || redirected)
  if (wrong !== undefined) {
    // Not there any more: whatever is now at this address must not be hidden behind what was.
    if (wrong.status === 404 || wrong.status === 410) await giveUp()
    throw new Error(`${wrong.url}: ${wrong.status}`)
  }
  const bodies = await Promise.all(responses.map((response) => response.blob()))
  const cache = await caches.open(cacheName)
  await Promise.all(files.map((file, at) => cache.put(file, toKeep(bodies[at], responses[at]))))
}

/** As it was before it was compressed for the way. */
function toKeep(body, { headers }) {
  const kept = new Headers(headers)
  for (const name of ['content-encoding', 'content-length', 'vary']) kept.delete(name)
  return new Response(body, { headers: kept })
}

async function giveUp() {
  await caches.delete(cacheName)
  await self.registration.unregister()
}

async function keptOr(request, file) {
  const cache = await caches.open(cacheName)
  return (await cache.match(file)) ?? fetch(request)
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
