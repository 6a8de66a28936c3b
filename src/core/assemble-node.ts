import type { Lifecycle, PeerNetwork } from './ports.ts'
import type { RegistryParts } from './registry/parts.ts'
import type { RegistryNode } from './registry-node.ts'
import { createRegistryNode } from './registry-node.ts'
import type { Reputation } from './reputation/reputation.ts'
import { createReputation } from './reputation/reputation.ts'
import { createTrust } from './trust/trust.ts'

export interface AssembledNode<Network extends PeerNetwork | undefined> extends Lifecycle {
  registry: RegistryNode
  network: Network
  reputation: Reputation
}

/**
 * What the terminal, the tab and the relay put together alike: reputation that hangs up on whom it bans, the network that asks it whom to let in, and the registry over both. `store` is what a platform has to
 * open before, and close after.
 */
export async function assembleNode<Network extends PeerNetwork | undefined>(
  options: Omit<RegistryParts, 'network' | 'reputation' | 'trust'> & {
    banThreshold: number
    store: Lifecycle
    openNetwork(reputation: Reputation): Promise<Network>
  },
): Promise<AssembledNode<Network>> {
  const { banThreshold, store, openNetwork, ...parts } = options
  let opened: Network | undefined
  const reputation = createReputation({
    state: parts.state,
    clock: parts.clock,
    banThreshold,
    onBan(ban) {
      parts.events.emit('peer:banned', ban)
      opened?.disconnect(ban.peerId).catch(() => undefined)
    },
  })
  const network = await openNetwork(reputation)
  opened = network
  const registry = createRegistryNode({ ...parts, network, reputation, trust: createTrust(parts.state) })
  return {
    registry,
    network,
    reputation,
    async start() {
      await store.start()
      await registry.start()
    },
    async stop() {
      // First what must not be lost: a network that hangs while it stops takes the process with it.
      await reputation.stop()
      await registry.stop().finally(() => store.stop())
    },
  }
}
