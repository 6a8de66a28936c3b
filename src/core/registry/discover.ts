import type { CID } from 'multiformats/cid'
import { withTimeout } from '../deadline.ts'
import type { OperationOptions, PeerInfo } from '../ports.ts'
import type { PeerQuestion } from '../search/search-protocol.ts'
import { askPeer, searchProtocol } from '../search/search-protocol.ts'
import { nameKey } from './announcer.ts'
import type { Holders } from './holders.ts'
import type { Intake } from './intake.ts'
import type { RegistryParts } from './parts.ts'

/** Index holders asked at once: more would only repeat the others' answers. */
const maxAsked = 6
/** When one peer has answered, the others get this much longer. */
const patienceMs = 400
const defaultTimeoutMs = 3_000

export interface Discovery {
  /** Asks index holders and takes in the entries they answer with. Returns the manifests they named. Throws only `signal.reason`. */
  ask(question: PeerQuestion, options?: DiscoveryOptions): Promise<DiscoveryAnswer>
  /** Learns every release of a name: from index holders, then from whoever the DHT says holds the name. */
  learnPackage(name: string, options?: DiscoveryOptions): Promise<void>
}

export interface DiscoveryOptions extends OperationOptions {
  timeoutMs?: number | undefined
}

export interface DiscoveryAnswer {
  asked: number
  answered: number
  manifests: Set<string>
  /** Why nobody answered, when nobody did. */
  error?: string
}

/** DHT key under which full nodes announce that they answer searches. */
export const indexHolderName = '*index*'

export function createDiscovery(parts: RegistryParts, intake: Intake, holders: Holders): Discovery {
  const { network, reputation, sha256 } = parts

  function indexHolders(): PeerInfo[] {
    return (network?.peers() ?? [])
      .filter(({ peerId, protocols }) => protocols.includes(searchProtocol) && !reputation.isBanned(peerId))
      .sort((a, b) => reputation.score(b.peerId) - reputation.score(a.peerId))
      .slice(0, maxAsked)
  }

  /** Peers the DHT names for a key, dialled; nobody answering is an empty list. */
  async function dialProviders(key: CID, signal: AbortSignal): Promise<string[]> {
    const reached: string[] = []
    try {
      for await (const peerId of network?.findProviders(key, { signal }) ?? []) {
        if (reputation.isBanned(peerId)) continue
        const connected = await network?.connect(peerId, { signal }).catch(() => undefined)
        if (connected !== undefined) reached.push(connected)
        if (reached.length >= maxAsked) break
      }
    } catch {
      // The deadline, or a DHT without peers: whoever was reached by now is asked.
    }
    return reached
  }

  async function askAll(peerIds: string[], question: PeerQuestion, signal: AbortSignal): Promise<DiscoveryAnswer> {
    const answer: DiscoveryAnswer = { asked: peerIds.length, answered: 0, manifests: new Set() }
    if (network === undefined || peerIds.length === 0) return answer
    const patience = new AbortController()
    const until = AbortSignal.any([signal, patience.signal])
    let timer: ReturnType<typeof setTimeout> | undefined
    await Promise.all(
      peerIds.map(async (peerId) => {
        try {
          const { envelopes, held } = await askPeer(network, peerId, question, { signal: until })
          await intake.accept(envelopes, peerId)
          for (const manifest of held) holders.add(manifest, peerId)
          for (const manifest of held) answer.manifests.add(manifest)
          answer.answered++
          timer ??= setTimeout(() => patience.abort(new Error('Overtaken by faster peers.')), patienceMs)
        } catch (error) {
          answer.error = error instanceof Error ? error.message : String(error)
        }
      }),
    )
    clearTimeout(timer)
    return answer
  }

  function deadline(options: DiscoveryOptions): AbortSignal {
    return withTimeout(options.signal, options.timeoutMs ?? defaultTimeoutMs)
  }

  async function ask(question: PeerQuestion, options: DiscoveryOptions = {}): Promise<DiscoveryAnswer> {
    const signal = deadline(options)
    let peerIds = indexHolders().map(({ peerId }) => peerId)
    if (peerIds.length === 0 && network !== undefined && network.peers().length > 0) {
      peerIds = await dialProviders(await nameKey(indexHolderName, sha256), signal)
    }
    const answer = await askAll(peerIds, question, signal)
    options.signal?.throwIfAborted()
    return answer
  }

  return {
    ask,
    async learnPackage(name, options = {}) {
      if (network === undefined) return
      const question: PeerQuestion = { kind: 'package', name }
      await ask(question, options)
      if ((await parts.entries.byPackage(name)).length > 0) return
      const signal = deadline(options)
      await askAll(await dialProviders(await nameKey(name, sha256), signal), question, signal)
      options.signal?.throwIfAborted()
    },
  }
}
