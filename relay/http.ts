import { existsSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { join, relative } from 'node:path'
import type { HttpBindings } from '@hono/node-server'
import { serve } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { etag } from 'hono/etag'
import { RegistryError } from '../src/core/errors.ts'
import { explorerHeaders } from '../src/core/explorer-policy.ts'
import { isBrowserDialable, relayDocumentPath } from '../src/core/relay-document.ts'
import { createRateLimiter } from '../src/core/reputation/rate-limiter.ts'
import { version } from '../src/core/version.ts'
import type { RelayConfig } from './config.ts'
import { mebibytes } from './config.ts'
import { createMetrics } from './metrics.ts'
import type { Relay } from './relay.ts'
import { readCertificate } from './relay.ts'

export interface HttpServer {
  port: number
  close(): Promise<void>
}

/** Beside `dist/relay`, where the bundle of this file lies. */
const builtInExplorer = join(import.meta.dirname, '..', 'explorer')

/** Serves the explorer and the relay's facts over HTTP. Throws `CONNECTION_FAILED` naming a busy port. */
export async function serveHttp(config: RelayConfig, relay: Relay, state: { isReady(): boolean }): Promise<HttpServer> {
  const explorer = config.http.explorer || builtInExplorer
  const app = new Hono<{ Bindings: HttpBindings }>()
  const limiter = createRateLimiter({ perMinute: config.http.requests_per_minute, clock: { now: () => Date.now() } })
  const metrics = createMetrics(relay)

  app.use(async (context, next) => {
    const forwarded = config.http.trust_proxy
      ? context.req.header('x-forwarded-for')?.split(',').at(-1)?.trim()
      : undefined
    const address = forwarded ?? context.env.incoming.socket.remoteAddress ?? ''
    if (limiter.take(address) !== 'ok')
      return context.text('Too many requests; try again in a minute.\n', 429, { 'retry-after': '60' })
    await next()
  })
  app.use(relayDocumentPath, publicly)
  app.get(relayDocumentPath, (context) => {
    context.header('cache-control', 'no-store')
    return context.json(describeRelay(config, relay))
  })
  app.get('/healthz', (context) => context.text('ok\n'))
  app.get('/readyz', (context) => (state.isReady() ? context.text('ready\n') : context.text('not ready\n', 503)))
  app.get('/metrics', async (context) =>
    context.body(await metrics.metrics(), 200, { 'content-type': metrics.contentType }),
  )
  app.use('*', async (context, next) => {
    await next()
    for (const [name, value] of Object.entries(explorerHeaders)) context.header(name, value)
  })
  // Pages ask each time whether there is a newer version. By content: packages' files have no time of their own.
  app.use('*', etag())
  if (existsSync(explorer))
    app.get('*', serveStatic({ root: relative(process.cwd(), explorer) || '.', precompressed: true }))
  app.notFound((context) => context.text('There is nothing here. The explorer is at /.\n', 404))

  const secure = config.tls && { createServer: createHttpsServer, serverOptions: readCertificate(config.tls) }
  const server = serve({
    fetch: app.fetch,
    hostname: config.http.host,
    port: config.http.port,
    ...secure,
  } as Parameters<typeof serve>[0]) as Server
  // A client that sends its headers byte by byte must not hold a socket for long.
  server.headersTimeout = 10_000
  server.requestTimeout = 20_000
  server.maxConnections = config.limits.max_connections
  const port = await listening(server, config)
  return {
    port,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** Pages from elsewhere may use this relay too. */
async function publicly(
  context: { header(name: string, value: string): void },
  next: () => Promise<void>,
): Promise<void> {
  context.header('access-control-allow-origin', '*')
  await next()
}

/** What a page has to know: where the relay is dialled, and what it allows. */
function describeRelay(config: RelayConfig, { network }: Relay): object {
  const { limits } = config
  return {
    version,
    peerId: network.peerId,
    addresses: network.addresses().filter(isBrowserDialable),
    relays: config.relays,
    iceServers: config.ice_servers,
    topic: config.topic,
    limits: {
      maxReservations: limits.max_reservations,
      reservationTtlMs: limits.reservation_ttl * 1000,
      maxRelayedBytes: mebibytes(limits.max_relayed_mb),
      maxRelayedMs: limits.max_relayed_seconds * 1000,
      requestsPerMinute: limits.relay_requests_per_minute,
    },
  }
}

function listening(server: Server, { http }: RelayConfig): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new RegistryError('CONNECTION_FAILED', `Cannot serve HTTP on ${http.host}:${http.port} (${cause.code}).`, {
          hint: 'Choose another port with --http-port, or 0 for any free one.',
          cause,
        }),
      ),
    )
    const ready = (): void => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : http.port)
    }
    if (server.listening) ready()
    else server.once('listening', ready)
  })
}
