import type { GossipSub, Message } from '@libp2p/gossipsub'
import { gossipsub, TopicValidatorResult } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import type { Events } from '../core/events.ts'
import { limits } from '../core/limits.ts'
import type { GossipVerdict, NetworkEvents, PeerGate, PeerNetwork } from '../core/ports.ts'

type Validate = Parameters<PeerNetwork['subscribe']>[1]

const results: Record<GossipVerdict, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

/** A topic carries entries and, after a fork, small proofs; nothing larger than an entry is asked about at all. */
const maxMessageBytes = limits.maxEntryBytes + 1024
/** One frame of gossip may hold several messages: what a peer asked for after missing them. */
const maxFrameBytes = 64 * limits.maxEntryBytes
/** What one peer's subscriptions may cost us: some sixty topics. We use one. */
const maxTopicBytesPerPeer = 64 * 1024

/** At this reputation and above a peer has the same standing as an unknown one: single mishaps must not cost it its place in the mesh. */
const fairReputation = 0.5

/** Gossipsub's application score: 0 for fair peers; below −50 nothing is published to a peer, below −80 nothing taken from it. */
function applicationScore(gate: PeerGate, peerId: string): number {
  if (gate.isBanned(peerId)) return -1000
  return Math.min(0, gate.score(peerId) - fairReputation) * 140
}

export function gossipService({ heartbeatMs, gate }: { heartbeatMs: number; gate: PeerGate }) {
  return gossipsub({
    heartbeatInterval: heartbeatMs,
    globalSignaturePolicy: 'StrictSign',
    fallbackToFloodsub: false,
    // Entries are few and small: a publisher sends its own to all subscribers it knows, not only to its mesh.
    floodPublish: true,
    allowPublishToZeroTopicPeers: true,
    // Peer exchange lets a stranger choose whom we dial; the DHT finds peers without it.
    doPX: false,
    // Who is reached only through a relay hears gossip from the relay, which is a gossip peer itself: a mesh over the circuit would eat its budget.
    runOnLimitedConnection: false,
    maxInboundDataLength: maxFrameBytes,
    maxOutboundBufferSize: 4 * maxFrameBytes,
    maxTopicBytesPerPeer,
    scoreParams: {
      // Many honest peers share one address: a household, an office, a carrier's NAT, a test on loopback. By default the eleventh would silence them all, while an attacker
      // has addresses enough. What a peer says is checked and counted against its own identity.
      IPColocationFactorWeight: 0,
      appSpecificWeight: 1,
      appSpecificScore: (peerId) => applicationScore(gate, peerId),
    },
  })
}

/** Scores within the topic. Rejected messages cost; silence does not, since nothing may be published for days. */
const topicScore = {
  topicWeight: 1,
  timeInMeshWeight: 0.01,
  timeInMeshQuantum: 1000,
  timeInMeshCap: 600,
  firstMessageDeliveriesWeight: 0.5,
  firstMessageDeliveriesDecay: 0.99,
  firstMessageDeliveriesCap: 20,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 100,
  meshMessageDeliveriesThreshold: 20,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 5000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  // The square of the count: the second within a minute or so makes a peer go unheard for a while.
  invalidMessageDeliveriesWeight: -25,
  invalidMessageDeliveriesDecay: 0.99,
}

export interface Gossip extends Pick<PeerNetwork, 'subscribe' | 'publish'> {
  attach(service: GossipSub): void
  detach(): void
  topics(): { topic: string; subscribers: number }[]
}

/** Topics with validators: what a validator does not accept is neither delivered nor passed on, and a rejection costs the peer that passed it to us. */
export function createGossip(emit: Events<NetworkEvents>['emit'], gate: PeerGate): Gossip {
  const validators = new Map<string, Validate>()
  let pubsub: GossipSub | undefined

  async function judge(topic: string, validate: Validate, sender: PeerId, message: Message): Promise<GossipVerdict> {
    const from = sender.toString()
    const author = message.type === 'signed' ? message.from.toString() : from
    // An honest peer may not know yet that the author is banned here: its message is dropped, the bringer not blamed.
    if (gate.isBanned(from) || gate.isBanned(author)) return 'ignore'
    const verdict = message.data.byteLength > maxMessageBytes ? 'reject' : await validate(message.data, from, author)
    if (verdict === 'reject') emit('gossip:rejected', { peerId: from, topic })
    return verdict
  }

  function join(service: GossipSub, topic: string, validate: Validate): void {
    // The score parameters are given when the service is made, the topics come later.
    const { topics } = (service as unknown as { score: { params: { topics: Record<string, typeof topicScore> } } })
      .score.params
    topics[topic] = topicScore
    service.topicValidators.set(topic, async (sender, message) => {
      try {
        return results[await judge(topic, validate, sender, message)]
      } catch {
        // Our own failure must not cost an honest peer its score.
        return TopicValidatorResult.Ignore
      }
    })
    service.subscribe(topic)
  }

  return {
    attach(service) {
      pubsub = service
      for (const [topic, validate] of validators) join(service, topic, validate)
    },
    detach() {
      pubsub = undefined
    },
    topics: () =>
      [...validators.keys()].map((topic) => ({ topic, subscribers: pubsub?.getSubscribers(topic).length ?? 0 })),
    async subscribe(topic, validate) {
      validators.set(topic, validate)
      if (pubsub !== undefined) join(pubsub, topic, validate)
    },
    async publish(topic, message) {
      return (await pubsub?.publish(topic, message))?.recipients.length ?? 0
    },
  }
}
