import { existsSync } from 'node:fs'
import type { Server } from 'node:http'
import { dirname, join, relative } from 'node:path'
import { serve } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { etag } from 'hono/etag'
import { RegistryError } from '../core/errors.ts'
import { explorerHeaders } from '../core/explorer-policy.ts'
import { isBrowserDialable, relayDocumentPath } from '../core/relay-document.ts'

/** What the explorer's page is told of the local node, which is its way into the network. */
export interface NodeDocument {
  peerId: string
  /** At which a page dials the node. */
  addresses: string[]
  /** On which the page, too, gets a place where others reach it: the node itself is no relay. */
  relays: string[]
}

const circuit = '/p2p-circuit'
const isLoopback = (address: string): boolean => /^\/(ip4\/127\.|ip6\/::1\/|dns[46]?\/localhost\/)/.test(address)
const hostOf = (address: string): string => address.split('/').slice(1, 3).join('/')
const peerOf = (address: string): string => /\/p2p\/([^/]+)/.exec(address)?.[1] ?? ''

/**
 * `configured`: addresses of relays as the settings have them; those the node has a place on are told by its own addresses, with all of the relay's that a page may dial. `peers`: whom it is connected to,
 * and where: of a relay's addresses the one on that host is known to work from this machine.
 */
export function describeNode(
  { peerId, addresses }: { peerId: string; addresses: readonly string[] },
  peers: readonly { peerId: string; address: string }[],
  configured: readonly string[],
): NodeDocument {
  const reserved = addresses.filter((address) => address.includes(circuit)).map((address) => address.split(circuit)[0]!)
  const worth = (address: string): number => {
    const works = peers.some((peer) => peer.peerId === peerOf(address) && hostOf(peer.address) === hostOf(address))
    return (works ? 4 : 0) + (isLoopback(address) ? 0 : 2) + (/\/wss?\//.test(address) ? 1 : 0)
  }
  const best = new Map<string, string>()
  for (const address of [...reserved, ...configured].filter(isBrowserDialable)) {
    const before = best.get(peerOf(address))
    if (before === undefined || worth(address) > worth(before)) best.set(peerOf(address), address)
  }
  return {
    peerId,
    addresses: addresses.filter((address) => isBrowserDialable(address) && !address.includes(circuit)),
    relays: [...best.values()],
  }
}

/** The explorer's built files: in `dist/explorer`, beside the bundle of whoever asks. */
function explorerFolder(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    for (const candidate of [join(folder, 'explorer'), join(folder, 'dist', 'explorer')])
      if (existsSync(join(candidate, 'explorer.js'))) return candidate
  }
  throw new RegistryError('INTERNAL', 'The explorer is not part of this installation.')
}

/** Serves the explorer on loopback; `describe` says what the page is told of the local node. Throws `CONNECTION_FAILED` for a busy port. */
export async function serveExplorer(
  port: number,
  describe: () => Promise<NodeDocument>,
): Promise<{ url: string; close(): Promise<void> }> {
  const app = new Hono()
  app.get(relayDocumentPath, async (context) => context.json(await describe()))
  app.use('*', async (context, next) => {
    await next()
    for (const [name, value] of Object.entries(explorerHeaders)) context.header(name, value)
  })
  // The browser asks each time whether there is a newer version.
  app.use('*', etag())
  app.get('*', serveStatic({ root: relative(process.cwd(), explorerFolder()) || '.', precompressed: true }))
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
