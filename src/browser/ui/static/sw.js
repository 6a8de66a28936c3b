/** Keeps the explorer's own files: the newest while there is a network, the last ones without. Packages are kept by the node, not here. */
const cacheName = 'ggen-explorer'
const files = ['./', 'explorer.js', 'page.js', 'page.css', 'icon.svg', 'app.webmanifest']

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll(files))
      .then(() => self.skipWaiting()),
  )
})

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim())
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  const own = new URL('./', self.location.href)
  const path = url.pathname.slice(own.pathname.length)
  if (request.method !== 'GET' || url.origin !== own.origin || !files.includes(path === '' ? './' : path)) return
  event.respondWith(newestOrKept(request))
})

async function newestOrKept(request) {
  const cache = await caches.open(cacheName)
  try {
    const response = await fetch(request)
    if (response.ok) await cache.put(request, response.clone())
    return response
  } catch {
    return (await cache.match(request, { ignoreSearch: true })) ?? Response.error()
  }
}
