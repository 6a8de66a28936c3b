import type { Libp2p, Listener } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { parseAddress, parseTarget } from './libp2p-dial.ts'
import { createKeeper } from './libp2p-keeper.ts'
import type { CoreServices } from './libp2p-services.ts'

const hopProtocol = '/libp2p/circuit/relay/0.2.0/hop'
const reserveTimeoutMs = 15_000
/** Reservations a node keeps where it knows so many relays: one may go down. */
const wantedRelays = 2

/** What a relay says about itself, besides its own addresses. */
export interface RelayDocument {
  addresses: string[]
  /** Other relays, by URL or address. */
  relays: string[]
}

export interface Relays {
  /** Keeps a reservation on a relay, by address or by URL. */
  keep(relay: string): void
  /** A peer told which protocols it speaks: one that relays is used where relays are wanted and too few are known. */
  learn(peerId: string, protocols: readonly string[]): void
  wake(): void
  stop(): void
}

/**
 * Keeps reservations on relays, so that peers reach us through them. libp2p listens on a relay once: a reservation lost with its relay is not made again
 * (js-libp2p #3601), and a relay that is down fails the start of the node. Here a lost address is noticed and the reservation made anew, with growing pauses.
 */
export function createRelays(options: {
  node(): Libp2p<CoreServices>
  identified(peerId: string, signal: AbortSignal): Promise<{ protocols: string[] }>
  /** Asks the relay behind a URL who it is now. */
  resolve?: ((url: string, signal: AbortSignal) => Promise<RelayDocument>) | undefined
}): Relays {
  const { node } = options
  const listeners = new Map<string, Listener>()
  /** Kept relay → its peer ID, where it is known. */
  const peerIds = new Map<string, string | undefined>()
  /** Relays that were met, not asked for: they are given up when they fail. */
  const learnt = new Set<string>()
  /** URLs whose node relays nothing: they are the way into the network, and name relays. */
  const entrances = new Set<string>()
  const isUp = (relay: string): boolean =>
    entrances.has(relay) ? isConnected(relay) : (listeners.get(relay)?.getAddrs().length ?? 0) > 0
  const isConnected = (relay: string): boolean => {
    const peerId = peerIds.get(relay)
    return peerId !== undefined && node().getConnections(parseTarget(peerId).peerId).length > 0
  }
  const countKept = (): number => peerIds.size - entrances.size

  async function documentOf(relay: string, signal: AbortSignal): Promise<RelayDocument> {
    if (!isUrl(relay)) return { addresses: [relay], relays: [] }
    if (options.resolve === undefined) throw new Error(`${relay} is a URL, and only browsers follow those.`)
    return options.resolve(relay, signal)
  }

  function keepOthers({ relays }: RelayDocument): void {
    for (const other of relays) if (countKept() < wantedRelays) keep(other)
  }

  async function reserve(relay: string): Promise<void> {
    const signal = AbortSignal.timeout(reserveTimeoutMs)
    const document = await documentOf(relay, signal)
    keepOthers(document)
    const connection = await node().dial(document.addresses.map(parseAddress), { signal })
    const remote = connection.remotePeer.toString()
    // The same relay under another name: one reservation is enough.
    if ([...peerIds].some(([other, id]) => other !== relay && id === remote)) return release(relay)
    peerIds.set(relay, remote)
    // A relay asked before it is ready would be marked as none for good.
    const { protocols } = await options.identified(remote, signal)
    if (isUrl(relay) && !protocols.includes(hopProtocol)) {
      entrances.add(relay)
      // Its place is free for one of those it has named.
      return keepOthers(document)
    }
    if (!protocols.includes(hopProtocol)) throw new Error(`${relay} is no relay.`)
    entrances.delete(relay)
    const circuit = connection.remoteAddr.encapsulate('/p2p-circuit')
    const listener = listeners.get(relay)
    if (listener === undefined) await listen(relay, circuit)
    else await listener.listen(circuit)
  }

  /** libp2p does not hand out the listener it makes; it has added it by the time its `listen` returns the promise. */
  async function listen(relay: string, circuit: Multiaddr): Promise<void> {
    const { transportManager } = node().services.internals
    const before = new Set(transportManager.getListeners())
    const listening = transportManager.listen([circuit])
    const listener = transportManager.getListeners().find((candidate) => !before.has(candidate))
    if (listener !== undefined) {
      listeners.set(relay, listener)
      listener.addEventListener('listening', () => {
        if (!isUp(relay)) keeper.wake()
      })
    }
    await listening
  }

  const keeper = createKeeper({
    isUp,
    async raise(relay) {
      try {
        await reserve(relay)
      } catch (error) {
        if (learnt.has(relay)) release(relay)
        throw error
      }
    },
  })

  function keep(relay: string): void {
    if (peerIds.has(relay)) return
    peerIds.set(relay, isUrl(relay) ? undefined : parseTarget(relay).peerId?.toString())
    keeper.keep(relay)
  }

  function release(relay: string): void {
    keeper.release(relay)
    peerIds.delete(relay)
    learnt.delete(relay)
    entrances.delete(relay)
    // Not closed: that would cancel the reservations on all relays. One without its relay has no address.
    listeners.delete(relay)
  }

  return {
    keep,
    learn(peerId, protocols) {
      const wanted = peerIds.size > 0 && countKept() < wantedRelays && protocols.includes(hopProtocol)
      if (!wanted || [...peerIds.values()].includes(peerId)) return
      const connection = node().getConnections(parseTarget(peerId).peerId)[0]
      if (connection?.direct !== true) return
      const relay = connection.remoteAddr.toString()
      learnt.add(relay)
      keep(relay)
    },
    wake: keeper.wake,
    stop() {
      keeper.stop()
      listeners.clear()
      peerIds.clear()
      learnt.clear()
      entrances.clear()
    },
  }
}

export const isUrl = (text: string): boolean => /^https?:\/\//.test(text)
