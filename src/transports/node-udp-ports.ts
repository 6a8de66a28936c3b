import { createSocket } from 'node:dgram'
import type { Datastore } from 'interface-datastore'
import { Key } from 'interface-datastore'

const anyPort = /^\/(ip[46])\/[^/]+\/udp\/0\/webrtc-direct$/

/**
 * Gives WebRTC addresses with port 0 a port that stays the same over restarts as long as it is free: with the stored certificate it makes the whole address,
 * which browsers learn from others, last.
 */
export async function fixUdpPorts(addresses: readonly string[], datastore: Datastore): Promise<string[]> {
  const fixed: string[] = []
  for (const address of addresses) {
    const family = anyPort.exec(address)?.[1]
    if (family === undefined) {
      fixed.push(address)
      continue
    }
    const key = new Key(`/ggen/webrtc-direct-port/${address.slice(1).replaceAll('/', '-')}`)
    const previous = (await datastore.has(key)) ? Number(new TextDecoder().decode(await datastore.get(key))) : 0
    const port = await freePort(family === 'ip4' ? 'udp4' : 'udp6', previous).catch(() => freePort('udp4', 0))
    await datastore.put(key, new TextEncoder().encode(String(port)))
    fixed.push(address.replace('/udp/0/', `/udp/${port}/`))
  }
  return fixed
}

/** The port itself when it is free, any free one for 0. */
function freePort(type: 'udp4' | 'udp6', port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(type)
    socket.once('error', reject)
    socket.bind(port, () => {
      const bound = socket.address().port
      socket.close(() => resolve(bound))
    })
  })
}
