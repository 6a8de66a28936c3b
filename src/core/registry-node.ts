import type {
  InstallResult,
  PublishResult,
  SearchRequest,
  SearchResult,
  ServiceProgress,
  VerifyResult,
} from './control/service.ts'
import { serveBlocks } from './exchange/serve-blocks.ts'
import type { InstallOptions } from './install/install.ts'
import { installPackages } from './install/install.ts'
import type { LockedPackage } from './install/lock-file.ts'
import { verifyInstalled } from './install/verify.ts'
import { startAll } from './lifecycle.ts'
import type { InstallTarget, Lifecycle, OperationOptions, PackageSource } from './ports.ts'
import { createAnnouncer, nameKey } from './registry/announcer.ts'
import { answerPeers } from './registry/answer.ts'
import { createBackground } from './registry/background.ts'
import type { Discovery } from './registry/discover.ts'
import { createDiscovery, indexHolderName } from './registry/discover.ts'
import type { DownloadedPackage } from './registry/download.ts'
import { downloadPackage } from './registry/download.ts'
import type { ContentFetcher } from './registry/fetch.ts'
import { createContentFetcher } from './registry/fetch.ts'
import { createCandidateFetcher } from './registry/fetch-candidate.ts'
import { createHolders } from './registry/holders.ts'
import type { PackageInfo } from './registry/info.ts'
import { packageInfo } from './registry/info.ts'
import { createIntake } from './registry/intake.ts'
import type { LookupOptions } from './registry/lookup.ts'
import { createLookup } from './registry/lookup.ts'
import { releasesBy, releasesOf, restoreDocuments } from './registry/packages.ts'
import type { RegistryParts } from './registry/parts.ts'
import type { PublishOptions } from './registry/publish.ts'
import { publish } from './registry/publish.ts'
import type { PublisherLog } from './registry/publisher-log.ts'
import { createPublisherLog } from './registry/publisher-log.ts'
import { search } from './registry/search.ts'
import { deprecate, yank } from './registry/statements.ts'
import type { Candidate } from './resolve/candidate.ts'
import { signedCandidate } from './resolve/candidate.ts'
import { parseSpec } from './resolve/spec.ts'
import { createSync, syncProtocol } from './sync/sync-protocol.ts'

const stopDeadlineMs = 3_000
const lookupTimeoutMs = 20_000
/** CID of the own log's head when a full node was last given all of it. */
const handedOverName = 'handed-over'
/** State: true while a light node signs with an imported key whose log it has not yet asked for. To sign then could fork it. */
export const ownLogUnknown = 'own-log-unknown'

export interface RegistryNode extends Lifecycle {
  readonly parts: RegistryParts
  readonly publisherLog: PublisherLog
  readonly content: ContentFetcher
  readonly discovery: Discovery
  publish(source: PackageSource, options?: PublishOptions): Promise<PublishResult>
  search(request: SearchRequest, options?: OperationOptions<ServiceProgress>): Promise<SearchResult>
  /**
   * Installs specs, and what they need, into a project. Throws `INVALID_SPEC`, `PACKAGE_NOT_FOUND`, `VERSION_NOT_FOUND`, `NAME_AMBIGUOUS`, `PUBLISHER_CHANGED`, `YANKED`,
   * `LOG_FORKED`, `NO_PROVIDERS`, `TIMEOUT`, `VERIFICATION_FAILED`; the project then is as it was.
   */
  install(target: InstallTarget, specs: readonly string[], options?: InstallOptions): Promise<InstallResult>
  verify(target: InstallTarget, names?: readonly string[]): Promise<VerifyResult>
  info(spec: string, options?: LookupOptions): Promise<PackageInfo>
  /** What a central registry offers, downloaded, checked and kept. Throws what `downloadPackage` throws. */
  download(spec: string, options?: OperationOptions<ServiceProgress>): Promise<DownloadedPackage>
  /** Withdraws an own version or takes that back; undefined when it was so already. */
  yank(request: Parameters<typeof yank>[2]): ReturnType<typeof yank>
  deprecate(request: Parameters<typeof deprecate>[2]): ReturnType<typeof deprecate>
  /** All that could be installed in place of what a lock file has, after asking its origin unless `offline`. */
  candidates(locked: LockedPackage, options?: LookupOptions): Promise<readonly Candidate[]>
  /** Packages this peer is known to hold. */
  packagesAt(peerId: string): number
  /** Peers known to hold the content with this manifest CID, banned ones left out; a hint, without asking anybody. */
  holdersOf(manifest: string): string[]
}

/**
 * A node of the registry over the parts a platform gives it: the same in the terminal, in a browser tab and in a relay. `start` brings the own
 * log up to its journal, joins the network and begins to serve; without a network the node works from what it holds.
 *
 * @example
 * const node = createRegistryNode(parts)
 * await node.start()
 * const found = await node.search({ query: 'rest api' }, { signal: AbortSignal.timeout(5_000) })
 */
export function createRegistryNode(parts: RegistryParts): RegistryNode {
  const { network, reputation, events, settings } = parts
  const background = createBackground(events)
  const holders = createHolders()
  const announcer = createAnnouncer(parts)
  const intake = createIntake(parts, {
    holders,
    onFork: (proof) =>
      background.run('gossip a fork proof', Promise.all(proof.map((entry) => announcer.gossip(entry)))),
  })
  const publisherLog = createPublisherLog(parts, intake)
  const content = createContentFetcher(parts, {
    holders,
    announcer,
    inBackground: background.run,
    ownPublisher: publisherLog.publisher,
  })
  const discovery = createDiscovery(parts, intake, holders)
  const lookup = createLookup(parts, { discovery, content })
  const fetchCandidate = createCandidateFetcher(parts, content)
  const sync =
    network && createSync({ network, entries: parts.entries, reputation, clock: parts.clock, accept: intake.accept })

  const statements = { log: publisherLog, announcer, inBackground: background.run }

  async function joinNetwork(): Promise<void> {
    if (network === undefined || sync === undefined) return
    await serveBlocks({
      network,
      blocks: parts.blocks,
      reputation,
      clock: parts.clock,
      requestsPerMinute: settings.requestsPerMinute,
    })
    await network.subscribe(settings.topic, intake.judgeGossip)
    network.on('gossip:rejected', ({ peerId }) => reputation.recordFault(peerId, 'bad-gossip'))
    network.on('peer:disconnected', ({ peerId }) => {
      if (reputation.isBanned(peerId)) holders.forget(peerId)
    })
    if (settings.role === 'light') {
      network.on('peer:connected', ({ peerId, protocols }) => {
        if (protocols.includes(syncProtocol))
          background.run('hand over the own log', handOver(peerId, background.signal))
      })
      return
    }
    await sync.serve()
    await answerPeers(parts, { requestsPerMinute: settings.requestsPerMinute })
    network.on('peer:connected', ({ peerId, protocols, direction }) => {
      // Who dialled begins: once is enough, and it goes both ways.
      if (direction === 'outbound' && protocols.includes(syncProtocol))
        background.run('reconcile with a new peer', reconcile(peerId, background.signal))
    })
    background.every('reconcile with a peer', settings.syncIntervalMs, async (signal) => {
      const peers = network.peers().filter(({ protocols }) => protocols.includes(syncProtocol))
      const peer = peers[Math.floor(Math.random() * peers.length)]
      if (peer !== undefined) await reconcile(peer.peerId, signal)
    })
    background.every('announce again what is held', settings.reprovideIntervalMs, provideAll)
  }

  /** With nobody connected an announcement reaches nobody: it is made when the first peer comes, and again after having been alone. */
  function announceOnceConnected(): void {
    let alone = true
    network?.on('peer:connected', () => {
      if (!alone) return
      alone = false
      background.run('announce what is held', provideAll(background.signal))
      background.run('recover own packages', recoverOwnPackages(background.signal))
    })
    network?.on('peer:disconnected', () => {
      alone = network.peers().length === 0
    })
  }

  async function reconcile(peerId: string, signal: AbortSignal): Promise<void> {
    const { received, sent } = await sync!.syncWith(peerId, { signal })
    events.emit('sync:completed', { peerId, received, sent })
  }

  /** A light node's own entries, made while nobody was there to hear of them, reach a full node: once per new entry, because it costs that node's digests. */
  async function handOver(peerId: string, signal: AbortSignal): Promise<void> {
    const head = await publisherLog.head()
    const cid = head?.cid.toString()
    const pull = (await parts.state.read(ownLogUnknown)) === true
    if (!pull && (cid === undefined || (await parts.state.read(handedOverName)) === cid)) return
    await sync!.syncWith(peerId, { signal, pull })
    if (pull) await parts.state.write(ownLogUnknown, false)
    if (cid !== undefined) await parts.state.write(handedOverName, cid)
  }

  /** Everything held whole here, under its manifest and its name; what we published first, so that a crash before its announcement heals. */
  async function provideAll(signal: AbortSignal): Promise<void> {
    if (network === undefined) return
    const withDeadline = () => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(lookupTimeoutMs)]) })
    if (settings.role === 'full') await network.provide(await nameKey(indexHolderName, parts.sha256), withDeadline())
    const head = await publisherLog.head()
    if (head !== undefined) await announcer.putHead(head, withDeadline())
    const roots = await parts.blocks.roots()
    for (const root of roots.sort((a, b) => Number(b.pinned) - Number(a.pinned))) {
      // What came from a central registry has no entry: its manifest says what it is.
      const { name } = await content.manifest(root.cid, { signal, offline: true }).catch(() => ({ name: undefined }))
      signal.throwIfAborted()
      if (name !== undefined) await announcer.provide(root.cid, name, withDeadline())
    }
  }

  /** After a lost cache: what we published is fetched back from whoever has installed it. */
  async function recoverOwnPackages(signal: AbortSignal): Promise<void> {
    for (const release of await releasesBy(parts, await publisherLog.publisher())) {
      // Nobody may have it, and the next one may still be had.
      await content.fetch(release, { signal }).catch(() => undefined)
      signal.throwIfAborted()
    }
  }

  const network$ = {
    name: 'network',
    async start() {
      announceOnceConnected()
      // Everything is in place before the first peer comes.
      await joinNetwork()
      await network?.start()
    },
    stop: async () => network?.stop(),
  }

  const lifecycle = startAll(
    [
      { name: 'blocks', start: () => parts.blocks.start(), stop: () => parts.blocks.stop() },
      { name: 'entries', start: () => parts.entries.start(), stop: () => parts.entries.stop() },
      { name: 'search index', start: () => parts.search.start(), stop: () => parts.search.stop() },
      { name: 'reputation', start: () => reputation.start(), stop: () => reputation.stop() },
      { name: 'trust', start: () => parts.trust.start(), stop: async () => {} },
      { name: 'search documents', start: () => restoreDocuments(parts), stop: async () => {} },
      { name: 'own log', start: async () => void (await publisherLog.restore()), stop: async () => {} },
      network$,
      { name: 'background work', start: async () => {}, stop: () => background.stop(stopDeadlineMs) },
    ],
    { stopDeadlineMs },
  )

  return {
    parts,
    publisherLog,
    content,
    discovery,
    start: lifecycle.start,
    stop: lifecycle.stop,
    publish: (source, options) =>
      publish(parts, { log: publisherLog, announcer, fetcher: content, inBackground: background.run }, source, options),
    search: (request, options) => search(parts, { discovery, fetcher: content, holders }, request, options),
    async install(target, specs, options = {}) {
      const { signal, offline } = options
      const wanted = await Promise.all(specs.map((spec) => lookup.requirementOf(parseSpec(spec), { signal, offline })))
      const { clock, trust, blocks, sha256 } = parts
      return installPackages(
        {
          clock,
          trust,
          minReleaseAgeMs: settings.minReleaseAgeMs,
          store: { blocks, sha256 },
          lookup: lookup.find,
          fetch: fetchCandidate,
        },
        target,
        wanted,
        options,
      )
    },
    verify: (target, names = []) => verifyInstalled({ store: parts, entries: parts.entries }, target, names),
    info: (spec, options = {}) => packageInfo(parts, { lookup, content, holders }, spec, options),
    download: (spec, options) => downloadPackage(parts, { lookup, fetchCandidate }, spec, options),
    yank: (request) => yank(parts, statements, request),
    deprecate: (request) => deprecate(parts, statements, request),
    async candidates(locked, { signal, offline = false } = {}) {
      const { name, publisher } = locked
      if (publisher === null) return (await lookup.find({ name, range: '*' }, { signal, offline, locked })).candidates
      if (!offline) await discovery.learnPackage(name, { signal })
      return (await releasesOf(parts, publisher, name)).map(signedCandidate)
    },
    packagesAt: holders.countFor,
    holdersOf: (manifest) => holders.of(manifest).filter((peerId) => !reputation.isBanned(peerId)),
  }
}
