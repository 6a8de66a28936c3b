import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { multiaddr } from '@multiformats/multiaddr'
import { RegistryError } from '../core/errors.ts'

const addressExample = 'An address looks like /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW…'

export interface DialTarget {
  /** Absent: only the peer is known. */
  address?: Multiaddr
  /** Absent: an address that does not say whose it is. */
  peerId?: PeerId
}

/** What `connect` takes: a multiaddr, or the ID of a peer that is known or can be found. Throws `INVALID_MULTIADDR`. */
export function parseTarget(target: string): DialTarget {
  if (!target.startsWith('/')) return { peerId: parsePeerId(target) }
  const address = parseAddress(target)
  const components = address.getComponents()
  const id = components.findLast(({ name }) => name === 'p2p')?.value
  if (id === undefined) return { address }
  const peerId = parsePeerId(id)
  return components.length === 1 ? { peerId } : { address, peerId }
}

/** Throws `INVALID_MULTIADDR`. */
export function parseAddress(text: string): Multiaddr {
  try {
    return multiaddr(text)
  } catch (cause) {
    throw invalid(text, 'not a multiaddr', cause)
  }
}

/** Throws `INVALID_MULTIADDR`. */
export function parsePeerId(text: string): PeerId {
  try {
    return peerIdFromString(text)
  } catch (cause) {
    throw invalid(text, 'neither a multiaddr nor a peer ID', cause)
  }
}

function invalid(text: string, what: string, cause: unknown): RegistryError {
  const why = cause instanceof Error ? ` (${cause.message})` : ''
  return new RegistryError('INVALID_MULTIADDR', `"${text}" is ${what}${why}.`, { hint: addressExample, cause })
}

export function bannedError(peerId: string): RegistryError {
  return new RegistryError('PEER_BANNED', `${peerId} is banned for breaking the protocol.`, {
    hint: 'A ban ends by itself. See: ggen marketplace p2p peers',
  })
}

/** Why a peer could not be reached, in the registry's terms. An abort is the caller's: its reason is returned as it is. */
export function dialError(target: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof RegistryError) return error
  const { name, message } = firstOf(error)
  if (name === 'NotFoundError' || name === 'NoValidAddressesError') {
    if (target.startsWith('/')) {
      return new RegistryError('INVALID_MULTIADDR', `This node has no transport for ${target}.`, {
        hint: addressExample,
        cause: error,
      })
    }
    return new RegistryError(
      'PEER_NOT_FOUND',
      `No address of ${target} is known, and nobody on the network could name one.`,
      {
        hint: 'Connect with a whole address: /ip4/…/tcp/…/p2p/<peer ID>',
        cause: error,
      },
    )
  }
  if (name === 'InvalidPeerIdError') {
    return new RegistryError('INVALID_MULTIADDR', `${target} is this node itself.`, {
      hint: 'Give the address of another node.',
      cause: error,
    })
  }
  if (name === 'UnsupportedProtocolError') {
    return new RegistryError('CONNECTION_FAILED', `${target} does not speak this protocol.`, {
      hint: 'It may be an older node, or one that does not serve packages.',
      cause: error,
    })
  }
  return new RegistryError('CONNECTION_FAILED', `${target} cannot be reached: ${reason(name, message)}.`, {
    hint: 'Check that the node runs and that its address and port are right.',
    cause: error,
  })
}

/** libp2p gathers the failures of several addresses; the first tells most. */
function firstOf(error: unknown): Error {
  if (error instanceof AggregateError && error.errors.length > 0) return firstOf(error.errors[0])
  // A browser's WebSocket fails with an event, which says nothing.
  return error instanceof Error ? error : new Error(typeof error === 'string' ? error : 'the connection failed')
}

function reason(name: string, message: string): string {
  if (/ECONNREFUSED/.test(message)) return 'the connection was refused'
  if (/EHOSTUNREACH|ENETUNREACH/.test(message)) return 'there is no route to it'
  if (name === 'TimeoutError' || name === 'AbortError' || /ETIMEDOUT|timed? ?out/i.test(message))
    return 'no answer in time'
  return message.replace(/\.$/, '') || name
}

/** A listen address that can't be used: `CONNECTION_FAILED` naming it. libp2p reports it as text, one address a line. */
export function listenError(error: unknown): unknown {
  if (error instanceof RegistryError) return error
  const { message } = firstOf(error)
  const failed = [...message.matchAll(/^ +(\/\S+): (.*)$/gm)]
  if (failed.length === 0) return error
  const reasons = failed.map(([, address, why]) => `${address} (${listenReason(why!)})`)
  return new RegistryError('CONNECTION_FAILED', `Cannot listen on ${reasons.join(', ')}.`, {
    hint: 'Choose another port with --listen, or 0 for any free one: --listen /ip4/0.0.0.0/tcp/0',
    cause: error,
  })
}

function listenReason(why: string): string {
  if (/EADDRINUSE|already a listener|bind/i.test(why)) return 'the port is in use'
  if (/EACCES/.test(why)) return 'this port needs more rights'
  if (/EADDRNOTAVAIL/.test(why)) return 'this machine does not have that address'
  if (/UnsupportedListenAddress/.test(why)) return 'no transport listens there'
  return why.replace(/^\w*Error: /, '').replace(/\.$/, '')
}
