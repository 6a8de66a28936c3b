import { parseCid } from '../core/blocks/block.ts'
import { changeTrust } from '../core/control/change-trust.ts'
import { peerRows } from '../core/control/peer-rows.ts'
import { withTimeout } from '../core/deadline.ts'
import { RegistryError } from '../core/errors.ts'
import { fingerprint } from '../core/identity/fingerprint.ts'
import { rotationsTo } from '../core/log/rotations.ts'
import { manifestBlocks, manifestBytes } from '../core/manifest/manifest.ts'
import { releasesBy } from '../core/registry/packages.ts'
import { readSourceMetadata } from '../core/registry/publish.ts'
import { ownLogUnknown } from '../core/registry-node.ts'
import { setRecent } from '../core/set-recent.ts'
import { version as nodeVersion } from '../core/version.ts'
import { openPackageFolder } from '../storage/browser.ts'
import { createCentralPackages } from './central-packages.ts'
import type { GgenNode } from './create-node.ts'
import { describeVerification } from './describe-verification.ts'
import { knownPackages } from './known-packages.ts'
import { withPackageFile } from './package-file.ts'
import { exportPublisher, importPublisher } from './publisher-key.ts'
import { fetchRelayDocument } from './relay-document.ts'
import type { BrowserService, CachedPackage, RelayState, ServiceEvents } from './service.ts'

const holdersLookupMs = 3_000
const relayTimeoutMs = 3_000
/** Blocks of which it is remembered who gave them, and contents of which who gave wrong ones. */
const maxRemembered = 50_000

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
  const central = createCentralPackages(registry, storage.state)
  network.on('peer:connected', () => hooks.emit('changed', { what: 'peers' }))
  network.on('peer:disconnected', () => hooks.emit('changed', { what: 'peers' }))
  network.on('addresses:changed', () => hooks.emit('changed', { what: 'addresses' }))
  node.events.on('release:discovered', () => hooks.emit('changed', { what: 'packages' }))
  node.events.on('log:forked', ({ author, seq }) => hooks.emit('log:forked', { author, seq }))
  node.events.on('peer:banned', ({ peerId, reason }) => hooks.emit('peer:banned', { peerId, reason }))

  /** Block → peer that gave it. */
  const cameFrom = new Map<string, string>()
  node.events.on('block:received', ({ cid, peerId }) => setRecent(cameFrom, cid, peerId, maxRemembered))
  /** Manifest → peers that gave wrong bytes for it, and how often. */
  const refused = new Map<string, Map<string, number>>()
  node.events.on('block:rejected', ({ manifest, peerId }) => {
    const peers = refused.get(manifest) ?? new Map<string, number>()
    setRecent(refused, manifest, peers.set(peerId, (peers.get(peerId) ?? 0) + 1), maxRemembered)
    hooks.emit('changed', { what: 'refusals' })
  })

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
        version: nodeVersion,
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
    async peers() {
      const connected = new Map(network.peers().map((peer) => [peer.peerId, peer]))
      const rows = peerRows(network, reputation, registry.packagesAt)
      return {
        peers: rows.map((row) => {
          const { bytesIn = 0, bytesOut = 0, relayLimit } = connected.get(row.peerId) ?? {}
          return { ...row, bytesIn, bytesOut, relayLimit }
        }),
      }
    },
    connect: async ({ target }, options) => ({
      peerId: await network.connect(target, { signal: options?.signal }),
    }),
    search: (request, options) => registry.search(request, options),
    async known(request) {
      const parts = {
        ...storage,
        trust: registry.parts.trust,
        holdersOf: registry.holdersOf,
        central: node.centralHits,
      }
      const { packages, ...rest } = await knownPackages(parts, request)
      return { packages: await central.withKept(packages), ...rest }
    },
    async relays(_request, options) {
      const signal = withTimeout(options?.signal, relayTimeoutMs)
      return Promise.all(node.relays.map((url) => relayState(url, signal)))
    },
    info: ({ spec, ...whom }, options) => central.info(spec, { signal: options?.signal, ...whom }),
    download: (wanted, options) => central.download(wanted, options),
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
    verification: ({ cid }, options) =>
      describeVerification(
        registry,
        parseCid(cid),
        { peerOf: (block) => cameFrom.get(block), registryOf: central.originOf },
        options,
      ),
    async preview({ folder, label, ...overrides }, { signal } = {}) {
      const source = withPackageFile(await openPackageFolder(folder, label), overrides)
      const { name, version, description, category, license, keywords, file } = await readSourceMetadata(
        source,
        overrides,
      )
      const result = await registry.publish(source, { ...overrides, dryRun: true, signal })
      return { ...result, metadata: { name, version, description, category, license, keywords, file } }
    },
    async publish({ folder, label, ...request }, options) {
      if ((await storage.state.read(ownLogUnknown)) === true) {
        throw new RegistryError(
          'CONNECTION_FAILED',
          'The imported key may have published elsewhere; no peer has told yet.',
          {
            hint: 'Stay connected for a moment, then publish again: two statements under one number would make the key worthless.',
          },
        )
      }
      const source = withPackageFile(await openPackageFolder(folder, label), request)
      return registry.publish(source, { ...request, ...options })
    },
    async holders({ cid, offline = false }, options) {
      const signal = withTimeout(options?.signal, holdersLookupMs)
      const peers = new Set(registry.holdersOf(cid))
      if (!offline)
        for await (const peerId of registry.content.announcedBy(parseCid(cid), { signal })) peers.add(peerId)
      peers.delete(network.peerId)
      const wrong = [...(refused.get(cid) ?? [])].map(([peerId, times]) => ({ peerId, times }))
      return { peers: [...peers], refused: wrong }
    },
    trust: (request) => changeTrust(registry, request),
    async key() {
      const publisher = await registry.publisherLog.publisher()
      return { publisher, fingerprint: fingerprint(publisher), key: registry.parts.signer.did }
    },
    async exportKey({ passphrase }) {
      const file = await exportPublisher(storage.keys, passphrase, async (successor) => {
        await registry.publisherLog.handOn(successor)
        return rotationsTo(successor.did, storage.journal, registry.parts.sha256)
      })
      restartSoon()
      return { file }
    },
    async importKey({ file, passphrase }) {
      const publisher = await importPublisher(storage, file, passphrase)
      await storage.state.write(ownLogUnknown, true)
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
