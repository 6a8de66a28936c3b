import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { packTar } from 'modern-tar'
import { treeChecksum } from '../../src/core/central/tree-checksum.ts'
import { nodeSha256 } from '../../src/storage/node.ts'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A central registry's server on loopback: what each path answers can be changed at any time. */
export interface CentralServer {
  url: string
  routes: Map<string, Answer>
  /** Paths in the order they were asked for, without the query. */
  requests: { method: string; path: string; headers: IncomingMessage['headers'] }[]
  close(): Promise<void>
}

/** With `cors`, any site's page may read it. Like most that allow that, it answers no browser's question for more than plain requests. */
export async function createCentralServer({ cors = false } = {}): Promise<CentralServer> {
  const routes: CentralServer['routes'] = new Map()
  const requests: CentralServer['requests'] = []
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0]!
    requests.push({ method: request.method ?? '', path, headers: request.headers })
    if (cors) response.setHeader('access-control-allow-origin', '*')
    const answer = routes.get(path)
    if (answer !== undefined) answer(request, response)
    else response.writeHead(404).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    routes,
    requests,
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
}

export const json =
  (value: unknown): Answer =>
  (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))

export const bytes =
  (body: Uint8Array): Answer =>
  (_request, response) =>
    void response.writeHead(200, { 'content-length': body.length }).end(body)

export function zipOf(files: Record<string, string>): Uint8Array {
  return zipSync(
    Object.fromEntries(Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)])),
  )
}

export async function tgzOf(files: Record<string, string>): Promise<Uint8Array> {
  const tar = await packTar(
    Object.entries(files).map(([name, text]) => ({
      header: { name, size: new TextEncoder().encode(text).length, mode: name.includes('bin/') ? 0o755 : 0o644 },
      body: text,
    })),
  )
  return new Uint8Array(gzipSync(tar))
}

export const indexPath = '/registry/index.json'
const archivePath = '/main.zip'

/** Packages by name, each its files' texts, as the ggen marketplace offers them: an index, and one archive of all. `change` has the last word about an entry of the index. */
export async function serveMarketplace(
  server: CentralServer,
  packages: Record<string, Record<string, string>>,
  change: (name: string) => object = () => ({}),
): Promise<void> {
  const archive: Record<string, string> = {}
  const entries = []
  for (const [name, files] of Object.entries(packages)) {
    const tree = Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.from(text) }))
    for (const [path, text] of Object.entries(files)) archive[`repo-main/packages/${name}/${path}`] = text
    entries.push({
      name,
      version: '1.0.0',
      description: `The ${name} of the server`,
      category: 'central',
      keywords: ['served'],
      license: 'MIT',
      path: `packages/${name}`,
      download_url: server.url + archivePath,
      checksum: await treeChecksum(nodeSha256, tree),
      ...change(name),
    })
  }
  server.routes.set(indexPath, json({ packages: entries }))
  server.routes.set(archivePath, bytes(zipOf(archive)))
}
