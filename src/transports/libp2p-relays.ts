import type { Libp2p, Listener } from '@libp2p/interface'
import { parseAddress } from './libp2p-dial.ts'
import type { Keeper } from './libp2p-keeper.ts'
import { createKeeper } from './libp2p-keeper.ts'
import type { CoreServices } from './libp2p-services.ts'

const hopProtocol = '/libp2p/circuit/relay/0.2.0/hop'
const reserveTimeoutMs = 15_000

/**
 * Keeps a reservation on each given relay, so that peers reach us through it. libp2p listens on a relay once: a reservation lost with its relay is not made
 * again, and a relay that is down fails the start of the node. Here a lost address is noticed and the reservation made anew, with growing pauses.
 */
export function createRelays(
  node: () => Libp2p<CoreServices>,
  identified: (peerId: string, signal: AbortSignal) => Promise<{ protocols: string[] }>,
): Keeper {
  const listeners = new Map<string, Listener>()
  const isUp = (relay: string): boolean => (listeners.get(relay)?.getAddrs().length ?? 0) > 0

  async function reserve(relay: string): Promise<void> {
    const signal = AbortSignal.timeout(reserveTimeoutMs)
    const connection = await node().dial(parseAddress(relay), { signal })
    // A relay asked before it is ready would be marked as none for good.
    const { protocols } = await identified(connection.remotePeer.toString(), signal)
    if (!protocols.includes(hopProtocol)) throw new Error(`${relay} is no relay.`)
    const circuit = connection.remoteAddr.encapsulate('/p2p-circuit')
    const listener = listeners.get(relay)
    if (listener === undefined) await listen(relay, circuit)
    else await listener.listen(circuit)
  }

  /** libp2p does not hand out the listener it makes; it has added it by the time its `listen` returns the promise. */
  async function listen(relay: string, circuit: ReturnType<typeof parseAddress>): Promise<void> {
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

  const keeper = createKeeper({ isUp, raise: reserve })
  return keeper
}
