import { parseCid } from '../core/blocks/block.ts'
import { changeTrust } from '../core/control/change-trust.ts'
import { peerRows } from '../core/control/peer-rows.ts'
import { withTimeout } from '../core/deadline.ts'
import { RegistryError } from '../core/errors.ts'
import { fingerprint } from '../core/identity/fingerprint.ts'
import { manifestBlocks, manifestBytes } from '../core/manifest/manifest.ts'
import { releasesBy } from '../core/registry/packages.ts'
import { rankDocuments } from '../core/search/rank.ts'
import { version } from '../core/version.ts'
import { openPackageFolder } from '../storage/browser.ts'
import type { GgenNode } from './create-node.ts'
import { describeVerification } from './describe-verification.ts'
import { exportPublisher, importPublisher } from './publisher-key.ts'
import { fetchRelayDocument } from './relay-document.ts'
import type { BrowserService, CachedPackage, RelayState, ServiceEvents } from './service.ts'

const replicaLookupMs = 3_000
const relayTimeoutMs = 3_000
/** Ranking decides among these. */
const knownCandidates = 400

async function relayState(url: string, signal: AbortSignal): Promise<RelayState> {
  try {
    const { peerId, limits } = await fetchRelayDocument(url, signal)
    return { url, peerId, limits }
  } catch (error) {
    return { url, error: error instanceof Error ? error.message : String(error), limits: undefined }
  }
}

/** The service around a node that runs in this tab. `restart` is called when the publisher's key has changed. */
export function createBrowserService(
  node: GgenNode,
  hooks: {
    emit<E extends keyof ServiceEvents>(event: E, detail: ServiceEvents[E]): void
    restart(): Promise<void>
  },
): BrowserService {
  const { registry, network, storage, reputation, config } = node
  const startedMs = Date.now()
  const { blocks, entries } = storage
  network.on('peer:connected', () => hooks.emit('changed', { what: 'peers' }))
  network.on('peer:disconnected', () => hooks.emit('changed', { what: 'peers' }))
  network.on('addresses:changed', () => hooks.emit('changed', { what: 'addresses' }))
  node.events.on('release:discovered', () => hooks.emit('changed', { what: 'packages' }))
  node.events.on('log:forked', ({ author, seq }) => hooks.emit('log:forked', { author, seq }))
  node.events.on('peer:banned', ({ peerId, reason }) => hooks.emit('peer:banned', { peerId, reason }))

  /** After the answer has gone out: the restart closes the channel it goes through. */
  function restartSoon(): void {
    setTimeout(() => void hooks.restart(), 0)
  }

  async function cachedPackages(): Promise<CachedPackage[]> {
    const roots = await blocks.roots()
    return Promise.all(
      roots.map(async ({ cid, bytes, pinned, lastUsedMs }) => {
        const release = (await entries.byManifest(cid))[0]?.entry
        const body = release?.type === 'release' ? release.body : undefined
        const { name, version: packageVersion } = body ?? (await registry.content.manifest(cid, { offline: true }))
        const publisher = release?.publisher ?? null
        return { name, version: packageVersion, publisher, cid: cid.toString(), bytes, pinned, lastUsedMs }
      }),
    )
  }

  return {
    async status() {
      const publisher = await registry.publisherLog.publisher()
      const [usage, count, own, roots, estimate, persisted] = await Promise.all([
        blocks.usage(),
        entries.count(),
        releasesBy(registry.parts, publisher),
        blocks.roots(),
        navigator.storage.estimate(),
        navigator.storage.persisted(),
      ])
      const { dhtMode, routingTable, topics, bytesIn, bytesOut } = network.stats()
      return {
        peerId: network.peerId,
        publisher,
        version,
        uptimeMs: Date.now() - startedMs,
        addresses: network.addresses(),
        dht: { mode: dhtMode, routingTable },
        peers: {
          connected: network.peers().length,
          max: config.performance.max_peers,
          banned: reputation.bans().length,
        },
        topics,
        packages: {
          published: new Set(own.map(({ entry }) => entry.body.name)).size,
          known: count.packages,
          cached: roots.length,
        },
        cache: { bytes: usage.bytes, maxBytes: usage.maxBytes },
        bandwidth: { in: bytesIn, out: bytesOut },
        quota: { usage: estimate.usage ?? 0, quota: estimate.quota ?? 0, persisted },
      }
    },
    peers: async () => ({ peers: peerRows(network, reputation, registry.packagesAt) }),
    connect: async ({ target }, options) => ({
      peerId: await network.connect(target, { signal: options?.signal }),
    }),
    async search(request, options) {
      const found = await registry.search(request, options)
      const results = found.results.map(async (result) => {
        const known = result.publisher === null ? undefined : await storage.search.get(result.publisher, result.name)
        return { ...result, license: known?.license ?? '', timeMs: known?.time ?? 0 }
      })
      return { ...found, results: await Promise.all(results) }
    },
    async known({ query, limit }) {
      const wanted = { text: query }
      const found = rankDocuments(wanted, await storage.search.search(wanted, knownCandidates), limit)
      return found.map(({ document, score }) => ({
        ...document,
        score,
        providers: 0,
        sources: ['local'],
        disagreements: [],
        timeMs: document.time,
      }))
    },
    async relays(_request, options) {
      const signal = withTimeout(options?.signal, relayTimeoutMs)
      return Promise.all(node.relays.map((url) => relayState(url, signal)))
    },
    info: ({ spec, offline }, options) => registry.info(spec, { signal: options?.signal, offline }),
    async fetch({ cid, ...wanted }, options) {
      const { manifest, fetchedBytes, sources } = await registry.content.fetchContent(
        { cid: parseCid(cid), ...wanted },
        options,
      )
      return { cid, name: manifest.name, version: manifest.version, fetchedBytes, sources }
    },
    async files({ cid }, options) {
      const manifest = await registry.content.manifest(parseCid(cid), { signal: options?.signal })
      return {
        cid,
        name: manifest.name,
        version: manifest.version,
        bytes: manifestBytes(manifest),
        files: manifest.files.map(({ path, size, exec, blocks: own }) => ({
          path,
          size,
          exec: exec === true,
          content: own.join(' '),
        })),
      }
    },
    async dependents({ name }, options) {
      const names = new Set<string>()
      for (const { author } of await entries.logs()) {
        options?.signal?.throwIfAborted()
        for (const { entry } of await entries.entries(author))
          if (entry.type === 'release' && Object.hasOwn(entry.body.dependencies, name)) names.add(entry.body.name)
      }
      return { names: [...names].sort() }
    },
    file: ({ cid, path }, options) => registry.content.file(parseCid(cid), path, { signal: options?.signal }),
    verification: ({ cid }, options) => describeVerification(registry, parseCid(cid), options),
    async publish({ folder, label, ...request }, options) {
      return registry.publish(await openPackageFolder(folder, label), { ...request, ...options })
    },
    async replicas({ cid }, options) {
      const signal = withTimeout(options?.signal, replicaLookupMs)
      const peers: string[] = []
      for await (const peerId of registry.content.announcedBy(parseCid(cid), { signal })) peers.push(peerId)
      return { peers }
    },
    trust: (request) => changeTrust(registry, request),
    async key() {
      const publisher = await registry.publisherLog.publisher()
      return { publisher, fingerprint: fingerprint(publisher), key: registry.parts.signer.did }
    },
    async exportKey({ passphrase }) {
      const file = await exportPublisher(storage.keys, passphrase, registry.publisherLog.handOn)
      restartSoon()
      return { file }
    },
    async importKey({ file, passphrase }) {
      const publisher = await importPublisher(storage.keys, file, passphrase)
      restartSoon()
      return { publisher }
    },
    async cache() {
      const { bytes, maxBytes } = await blocks.usage()
      return { bytes, maxBytes, packages: await cachedPackages() }
    },
    async pin({ cid, pinned }) {
      const root = parseCid(cid)
      const manifest = await registry.content.manifest(root, { offline: true })
      await blocks.putRoot(root, [root, ...manifestBlocks(manifest)], { pinned })
      return undefined
    },
    async evict({ cid }) {
      const own = await registry.publisherLog.publisher()
      const release = (await entries.byManifest(parseCid(cid))).find(({ entry }) => entry.publisher === own)
      if (release !== undefined) {
        throw new RegistryError('DENIED', 'This is a package you published; others may have only your copy.', {
          hint: 'It stays until you clear all data of this site.',
        })
      }
      await blocks.deleteRoot(parseCid(cid))
      return undefined
    },
    clearCache: () => blocks.clear(),
  }
}
