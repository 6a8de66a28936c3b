import { existsSync } from 'node:fs'
import type { Server } from 'node:http'
import { dirname, join, relative } from 'node:path'
import { serve } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { RegistryError } from '../core/errors.ts'
import { explorerHeaders } from '../core/explorer-policy.ts'
import { relayDocumentPath } from '../core/relay-document.ts'

/** The explorer's built files: in `dist/explorer`, beside the bundle of whoever asks. */
function explorerFolder(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    for (const candidate of [join(folder, 'explorer'), join(folder, 'dist', 'explorer')])
      if (existsSync(join(candidate, 'explorer.js'))) return candidate
  }
  throw new RegistryError('INTERNAL', 'The explorer is not part of this installation.')
}

/** Serves the explorer on loopback; `describe` gives the addresses at which the page dials the local node. Throws `CONNECTION_FAILED` for a busy port. */
export async function serveExplorer(
  port: number,
  describe: () => Promise<{ peerId: string; addresses: string[] }>,
): Promise<{ url: string; close(): Promise<void> }> {
  const app = new Hono()
  app.get(relayDocumentPath, async (context) => context.json(await describe()))
  app.use('*', async (context, next) => {
    await next()
    for (const [name, value] of Object.entries(explorerHeaders)) context.header(name, value)
  })
  app.get('*', serveStatic({ root: relative(process.cwd(), explorerFolder()) || '.' }))
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }) as Server
  await new Promise<void>((resolve, reject) => {
    if (server.listening) resolve()
    server.once('listening', resolve)
    server.once('error', (cause) =>
      reject(
        new RegistryError('CONNECTION_FAILED', `Port ${port} is in use.`, {
          hint: 'Choose another with --port, or leave it out for any free one.',
          cause,
        }),
      ),
    )
  })
  const address = server.address()
  // By name, not by number: browsers trust localhost as a secure context either way, and the name is what people know.
  const url = `http://localhost:${typeof address === 'object' && address !== null ? address.port : port}/`
  return {
    url,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
