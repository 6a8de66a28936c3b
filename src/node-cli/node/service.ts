import { join } from 'node:path'
import type { Config } from '../../core/config/settings.ts'
import { changeTrust } from '../../core/control/change-trust.ts'
import { peerRows } from '../../core/control/peer-rows.ts'
import type { BootstrapResult, RegistryService, ServiceOptions, StatusResult } from '../../core/control/service.ts'
import { RegistryError } from '../../core/errors.ts'
import { fingerprint } from '../../core/identity/fingerprint.ts'
import { findOutdated, whyInstalled } from '../../core/install/inspect.ts'
import { readLock, uninstallPackages } from '../../core/install/install.ts'
import type { PeerNetwork } from '../../core/ports.ts'
import { isRelease, releasesBy } from '../../core/registry/packages.ts'
import { version } from '../../core/version.ts'
import type { HomePaths } from '../../storage/node.ts'
import { openPackageFolder, openProjectFolder } from '../../storage/node.ts'
import type { OpenedNode } from './open-node.ts'

const bootstrapRetryMs = 500

/** What a node of this home does, whether a daemon holds it or one command. Paths in requests are absolute. */
export function createService(context: {
  opened: OpenedNode
  paths: HomePaths
  config: Config
  startedMs: number
}): RegistryService {
  const { opened, paths, config, startedMs } = context
  const { node, storage, reputation } = opened
  const { blocks, entries } = storage
  const warnings: string[] = []
  const forks = new Set<string>()
  opened.events.on('log:forked', ({ author, seq }) => {
    if (forks.has(author)) return
    forks.add(author)
    warnings.push(`The log of ${author} has forked at entry ${seq}: what came after is refused.`)
  })
  opened.events.on('block:corrupt', ({ cid }) => {
    if (warnings.length < 100) warnings.push(`Block ${cid} was corrupt in the cache and has been thrown away.`)
  })

  function network(): PeerNetwork {
    if (opened.network !== undefined) return opened.network
    throw new RegistryError('NODE_NOT_RUNNING', 'This needs a running node.', {
      hint: 'Start one: ggen marketplace p2p start --daemon',
    })
  }

  async function status(): Promise<StatusResult> {
    const publisher = await node.publisherLog.publisher()
    const [usage, count, own, roots] = await Promise.all([
      blocks.usage(),
      entries.count(),
      releasesBy(node.parts, publisher),
      blocks.roots(),
    ])
    const stats = network().stats()
    return {
      running: true,
      peerId: network().peerId,
      publisher,
      version,
      pid: process.pid,
      uptimeMs: Date.now() - startedMs,
      addresses: network().addresses(),
      dht: { mode: stats.dhtMode, routingTable: stats.routingTable },
      peers: {
        connected: network().peers().length,
        max: config.performance.max_peers,
        banned: reputation.bans().length,
      },
      topics: stats.topics,
      packages: {
        published: new Set(own.map(({ entry }) => entry.body.name)).size,
        known: count.packages,
        cached: roots.length,
      },
      cache: { bytes: usage.bytes, maxBytes: usage.maxBytes },
      bandwidth: { in: stats.bytesIn, out: stats.bytesOut },
      memory: { rss: process.memoryUsage.rss() },
      warnings: [...storage.warnings, ...warnings],
    }
  }

  async function bootstrap(
    request: { nodes?: string[]; wait?: boolean },
    { signal }: ServiceOptions = {},
  ): Promise<BootstrapResult> {
    const startMs = performance.now()
    const nodes = request.nodes?.length ? request.nodes : config.network.bootstrap_nodes
    if (nodes.length === 0) {
      throw new RegistryError('USAGE', 'No bootstrap nodes are configured.', {
        hint: 'Name one with --nodes, or set network.bootstrap_nodes: ggen marketplace p2p config set network.bootstrap_nodes <address>',
      })
    }
    const deadline = AbortSignal.any([
      AbortSignal.timeout(config.performance.dht_query_timeout * 1000),
      ...(signal ? [signal] : []),
    ])
    let failure: unknown
    for (;;) {
      const tries = await Promise.allSettled(nodes.map((target) => network().connect(target, { signal: deadline })))
      signal?.throwIfAborted()
      const connected = tries.filter((one) => one.status === 'fulfilled').length
      const invalid = tries.find(
        (one) =>
          one.status === 'rejected' && one.reason instanceof RegistryError && one.reason.code === 'INVALID_MULTIADDR',
      )
      if (invalid?.status === 'rejected') throw invalid.reason
      failure = tries.find((one) => one.status === 'rejected')?.reason ?? failure
      const { routingTable } = network().stats()
      if (connected > 0 && (!request.wait || routingTable > 0)) {
        return { contacted: nodes.length, connected, routingTable, tookMs: round(performance.now() - startMs) }
      }
      if (!request.wait || deadline.aborted) break
      await new Promise((resolve) => setTimeout(resolve, bootstrapRetryMs))
    }
    const why = failure instanceof Error ? ` ${failure.message}` : ''
    throw new RegistryError('BOOTSTRAP_FAILED', `None of ${nodes.length} bootstrap nodes answers.${why}`, {
      hint: 'Check their addresses, and whether this machine is online. A running node goes on trying.',
      cause: failure,
    })
  }

  return {
    status,
    async connect({ target, persistent }, options) {
      const peerId = await network().connect(target, { signal: options?.signal })
      if (persistent) await network().keepConnected(peerId, true)
      return { peerId }
    },
    async disconnect({ peerId }) {
      if (
        network()
          .peers()
          .every((peer) => peer.peerId !== peerId)
      ) {
        throw new RegistryError('PEER_NOT_FOUND', `No peer ${peerId} is connected.`, {
          hint: 'See who is: ggen marketplace p2p peers',
        })
      }
      await network().keepConnected(peerId, false)
      await network().disconnect(peerId)
      return { peerId }
    },
    peers: async ({ sort }) => ({ peers: peerRows(network(), reputation, node.packagesAt, sort) }),
    bootstrap,
    async publish({ dir, ...request }, options) {
      // Unannounced releases still need the one process that owns the log and serves the content later; a dry run touches nothing.
      if (!request.dryRun && opened.network === undefined) network()
      return node.publish(await openPackageFolder(dir), { ...request, ...options })
    },
    search: (request, options) => node.search(request, options),
    async install({ specs, dir, registry, ...request }, options) {
      if (registry === 'central' && node.parts.central.length === 0) {
        throw new RegistryError('CENTRAL_UNAVAILABLE', 'No central registry is configured.', {
          hint: 'Add one to central.registries (ggen marketplace p2p config edit), or leave out --registry central.',
        })
      }
      return node.install(openProjectFolder(dir), specs, { registry: registry ?? 'all', ...request, ...options })
    },
    uninstall: ({ names, dir }) => uninstallPackages(openProjectFolder(dir), names),
    async list({ dir }) {
      const target = openProjectFolder(dir)
      const present = new Set(await target.listPackages())
      const { packages } = await readLock(target)
      return {
        dir,
        packages: packages.map(({ name, version: locked, publisher, cid }) => ({
          name,
          version: locked,
          publisher,
          cid,
          path: target.packagePath(name),
          present: present.has(name),
        })),
      }
    },
    async info({ spec, dir, offline }, options) {
      const info = await node.info(spec, { signal: options?.signal, offline })
      const locked = dir === undefined ? [] : (await readLock(openProjectFolder(dir))).packages
      return { ...info, installed: locked.find(({ name }) => name === info.name)?.version ?? null }
    },
    verify: ({ names, dir }) => node.verify(openProjectFolder(dir), names),
    async outdated({ dir, offline }, options) {
      const lock = await readLock(openProjectFolder(dir))
      const signal = options?.signal
      return {
        dir,
        packages: await findOutdated(lock, (locked) => node.candidates(locked, { signal, offline })),
      }
    },
    async why({ name, dir }) {
      const lock = await readLock(openProjectFolder(dir))
      const paths = whyInstalled(lock, name)
      return { name, version: lock.packages.find((locked) => locked.name === name)!.version, paths }
    },
    async yank(request) {
      network()
      const entry = await node.yank(request)
      return { name: request.name, versions: [request.version], entry: entry?.cid.toString() ?? null }
    },
    async deprecate(request) {
      network()
      const { entry, versions } = await node.deprecate(request)
      return { name: request.name, versions, entry: entry.cid.toString() }
    },
    async key() {
      const publisher = await node.publisherLog.publisher()
      return { publisher, fingerprint: fingerprint(publisher), key: node.parts.signer.did }
    },
    trust: (request) => changeTrust(node, request),
    async cacheInfo() {
      const usage = await blocks.usage()
      const packages = []
      for (const root of await blocks.roots()) {
        const release = (await entries.byManifest(root.cid)).find(isRelease)?.entry
        packages.push({
          name: release?.body.name ?? '',
          version: release?.body.version ?? '',
          publisher: release?.publisher ?? null,
          cid: root.cid.toString(),
          bytes: root.bytes,
          pinned: root.pinned,
          lastUsed: new Date(root.lastUsedMs).toISOString(),
        })
      }
      const dir = config.storage.cache_dir === '' ? paths.cacheDir : config.storage.cache_dir
      const { bytes, maxBytes, pinnedBytes, blocks: count } = usage
      return { dir: join(dir), bytes, maxBytes, pinnedBytes, blocks: count, packages }
    },
    cacheCollect: (_request, options) => blocks.collectGarbage({ signal: options?.signal }),
    cacheClear: () => blocks.clear(),
  }
}

const round = (value: number): number => Math.round(value * 1000) / 1000
