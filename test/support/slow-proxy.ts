import type { Server } from 'node:http'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SlowProxy {
  url: string
  /** From now on accepts requests for these paths and answers nothing; `release` answers them all. */
  hold(isHeld: (path: string) => boolean): void
  release(): void
  close(): Promise<void>
}

/** Stands in front of a web server, as a network does that connects and then delivers nothing. */
export async function startSlowProxy(target: string): Promise<SlowProxy> {
  let isHeld = (_path: string): boolean => false
  let waiting: (() => void)[] = []
  const server: Server = createServer(async (incoming, outgoing) => {
    const path = incoming.url ?? '/'
    if (isHeld(path)) await new Promise<void>((resolve) => waiting.push(resolve))
    const { method, headers } = incoming
    const forwarded = request(new URL(path, target), { method, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const release = (): void => {
    isHeld = () => false
    for (const resume of waiting) resume()
    waiting = []
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold(next) {
      isHeld = next
    },
    release,
    close() {
      release()
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
