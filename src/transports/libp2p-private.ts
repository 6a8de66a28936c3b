import { removePrivateAddressesMapper } from '@libp2p/kad-dht'
import { parseAddress } from './libp2p-dial.ts'
import { isUrl } from './libp2p-relays.ts'

/** No entrance is configured, or one of these, or an address we listen on, is private. */
export function isPrivateNetwork({
  bootstrapNodes,
  relayAddresses,
  listenAddresses,
}: {
  bootstrapNodes: string[]
  relayAddresses: string[]
  listenAddresses: string[]
}): boolean {
  const entrances = [...bootstrapNodes, ...relayAddresses]
  return entrances.length === 0 || [...entrances, ...listenAddresses].some(isPrivate)
}

/** The unspecified address 0.0.0.0 stands for all interfaces and says nothing. */
export function isPrivate(text: string): boolean {
  if (isUrl(text)) return isPrivate(addressOfHost(new URL(text).hostname))
  if (/^\/ip[46]\/(0\.0\.0\.0|::)\//.test(text)) return false
  const peer = { id: undefined as never, multiaddrs: [parseAddress(text)] }
  return removePrivateAddressesMapper(peer).multiaddrs.length === 0
}

function addressOfHost(host: string): string {
  if (host === 'localhost') return '/ip4/127.0.0.1/tcp/80'
  if (/^[\d.]+$/.test(host)) return `/ip4/${host}/tcp/80`
  return host.startsWith('[') ? `/ip6/${host.slice(1, -1)}/tcp/80` : `/dns/${host}/tcp/80`
}
