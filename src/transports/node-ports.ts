import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import type { Datastore } from 'interface-datastore'
import { Key } from 'interface-datastore'

const anyPort = /^\/(ip[46])\/([^/]+)\/(tcp|udp)\/0(\/|$)/

/**
 * Gives addresses with port 0 a port that stays the same over restarts as long as it is free: with the stored identity and certificate it makes the whole address, which
 * others have learnt and configured, last.
 */
export async function fixPorts(addresses: readonly string[], datastore: Datastore): Promise<string[]> {
  const fixed: string[] = []
  for (const address of addresses) {
    const [, family, host = '', protocol] = anyPort.exec(address) ?? []
    if (family === undefined) {
      fixed.push(address)
      continue
    }
    const key = new Key(`/ggen/listen-port/${address.slice(1).replaceAll('/', '-')}`)
    const previous = (await datastore.has(key)) ? Number(new TextDecoder().decode(await datastore.get(key))) : 0
    const probe = (port: number) =>
      protocol === 'tcp' ? freeTcpPort(host, port) : freeUdpPort(family === 'ip4' ? 'udp4' : 'udp6', port)
    // Not even a free one: the listener itself will say what is wrong with the address.
    const port = await probe(previous).catch(() => probe(0).catch(() => 0))
    await datastore.put(key, new TextEncoder().encode(String(port)))
    fixed.push(address.replace(`/${protocol}/0`, `/${protocol}/${port}`))
  }
  return fixed
}

/** The port itself when it is free, any free one for 0. */
function freeTcpPort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, host, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function freeUdpPort(type: 'udp4' | 'udp6', port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(type)
    socket.once('error', reject)
    socket.bind(port, () => {
      const bound = socket.address().port
      socket.close(() => resolve(bound))
    })
  })
}
