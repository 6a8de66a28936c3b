import type { CID } from 'multiformats/cid'
import type { ServiceProgress } from '../control/service.ts'
import { RegistryError } from '../errors.ts'
import { fetchBlocks } from '../exchange/fetch-blocks.ts'
import type { ReleaseEntry, VerifiedEntry } from '../log/types.ts'
import { manifestBlocks, manifestBytes, parseManifest } from '../manifest/manifest.ts'
import type { Manifest } from '../manifest/types.ts'
import type { OperationOptions } from '../ports.ts'
import type { Announcer } from './announcer.ts'
import type { Holders } from './holders.ts'
import type { RegistryParts } from './parts.ts'

export interface FetchedPackage {
  /** The manifest's CID. */
  cid: CID
  manifest: Manifest
  /** Bytes that came over the network; 0 when everything was held. */
  fetchedBytes: number
  /** Peers that served blocks, the one that served most first; empty when everything was held. */
  sources: string[]
}

export interface ContentFetcher {
  /**
   * Gets the whole content of a release into the block store: from the cache, then from whichever peers hold it. Only blocks not held are
   * asked for, so a retry resumes and an update costs its changed files. Throws `NO_PROVIDERS`, `TIMEOUT`, `VERIFICATION_FAILED`.
   */
  fetch(
    release: VerifiedEntry<ReleaseEntry>,
    options?: OperationOptions<ServiceProgress> & { offline?: boolean },
  ): Promise<FetchedPackage>
  /** The same for content that is known by its ID alone. */
  fetchContent(
    wanted: { cid: CID; name: string; version: string },
    options?: OperationOptions<ServiceProgress> & { offline?: boolean },
  ): Promise<FetchedPackage>
  /** Tells the DHT, in the background, that we hold this content, and under which name. */
  announce(cid: CID, name: string): void
  /** The manifest alone. */
  manifest(cid: CID, options?: OperationOptions & { offline?: boolean }): Promise<Manifest>
  /** One file's bytes, fetched on its own where it is not held. Throws `PACKAGE_NOT_FOUND` for a path the manifest doesn't have. */
  file(cid: CID, path: string, options?: OperationOptions): Promise<Uint8Array>
  /** Where to ask for a package: who said they hold it, then the DHT, then everyone we are connected to. */
  providers(cid: CID, options?: OperationOptions): AsyncIterable<string>
  /** Peers that announced a verified copy in the DHT, banned ones left out. Ends quietly when the lookup fails or the signal aborts. */
  announcedBy(cid: CID, options?: OperationOptions): AsyncIterable<string>
}

export function createContentFetcher(
  parts: RegistryParts,
  collaborators: {
    holders: Holders
    announcer: Announcer
    inBackground: (task: string, work: Promise<unknown>) => void
    ownPublisher: () => Promise<string>
  },
): ContentFetcher {
  const { blocks, network, reputation, clock, sha256, settings, events } = parts
  const { holders, announcer, inBackground, ownPublisher } = collaborators

  async function* announcedBy(cid: CID, options: OperationOptions = {}): AsyncIterable<string> {
    if (network === undefined) return
    try {
      for await (const peerId of network.findProviders(cid, options)) if (!reputation.isBanned(peerId)) yield peerId
    } catch {
      // A failed lookup is an empty one: whoever asks has other peers to try, and asks again.
    }
  }

  async function* providers(cid: CID, options: OperationOptions = {}): AsyncIterable<string> {
    if (network === undefined) return
    const offered = new Set<string>([network.peerId])
    const fresh = (peerId: string) => !offered.has(peerId) && !reputation.isBanned(peerId) && offered.add(peerId)
    for (const peerId of holders.of(cid.toString())) if (fresh(peerId)) yield peerId
    for await (const peerId of announcedBy(cid, options)) if (fresh(peerId)) yield peerId
    for (const { peerId } of network.peers()) if (fresh(peerId)) yield peerId
  }

  async function obtain(
    manifestCid: CID,
    cids: CID[],
    options: OperationOptions<ServiceProgress> & { offline?: boolean },
    label: { package: string; totalBytes: number },
  ): Promise<{ fetchedBytes: number; sources: Map<string, number> }> {
    const missing = (await blocks.has(cids)).filter((held) => !held).length
    if (missing === 0) return { fetchedBytes: 0, sources: new Map() }
    if (network === undefined || options.offline) {
      throw new RegistryError(
        'NO_PROVIDERS',
        `${label.package} is not in the cache (${missing} of ${cids.length} blocks missing).`,
        {
          hint: options.offline
            ? 'Run again without --offline to fetch it from peers.'
            : 'Start a node to fetch it from peers: ggen marketplace p2p start --daemon',
        },
      )
    }
    const { signal, onProgress } = options
    return fetchBlocks(
      { network, blocks, sha256, reputation, clock, minPeerReputation: settings.minPeerReputation },
      {
        cids,
        providers: providers(manifestCid, { signal }),
        parallel: settings.parallelFetches,
        label,
        signal,
        onProgress(event) {
          if (event.type === 'block:received') events.emit('block:received', { cid: event.cid, peerId: event.peerId })
          if (event.type === 'block:rejected') {
            const { peerId, reason } = event
            events.emit('block:rejected', { manifest: manifestCid.toString(), peerId, reason })
          }
          onProgress?.(event)
        },
      },
    )
  }

  async function manifest(cid: CID, options: OperationOptions & { offline?: boolean } = {}): Promise<Manifest> {
    const label = { package: cid.toString(), totalBytes: 0 }
    await obtain(cid, [cid], { signal: options.signal, ...(options.offline ? { offline: true } : {}) }, label)
    const bytes = await blocks.get(cid, { verify: true })
    // Corrupt on disk: thrown away by the store just now, so the next try fetches it.
    if (bytes === undefined) return manifest(cid, options)
    return parseManifest(bytes)
  }

  function announce(cid: CID, name: string): void {
    inBackground(`announce ${name}`, announcer.provide(cid, name))
  }

  async function fetchContent(
    { cid, name, version }: { cid: CID; name: string; version: string },
    options: OperationOptions<ServiceProgress> & { offline?: boolean } = {},
  ): Promise<FetchedPackage> {
    const parsed = await manifest(cid, options)
    if (parsed.name !== name || parsed.version !== version) {
      throw new RegistryError(
        'VERIFICATION_FAILED',
        `What was announced as ${name}@${version} is the content of ${parsed.name}@${parsed.version}.`,
        { hint: 'Whoever announced it made a wrong statement; nothing was installed.' },
      )
    }
    const cids = manifestBlocks(parsed)
    const label = { package: name, totalBytes: manifestBytes(parsed) }
    const { fetchedBytes, sources } = await obtain(cid, cids, options, label)
    // What we published stays, also where somebody else published the same content and that is what is installed.
    const own = await ownPublisher()
    const pinned = (await parts.entries.byManifest(cid)).some(({ entry }) => entry.publisher === own)
    await blocks.putRoot(cid, [cid, ...cids], { pinned })
    if (fetchedBytes > 0) announce(cid, name)
    const bySize = [...sources].sort((a, b) => b[1] - a[1]).map(([peerId]) => peerId)
    return { cid, manifest: parsed, fetchedBytes, sources: bySize }
  }

  return {
    manifest,
    providers,
    announcedBy,
    announce,
    fetchContent,
    fetch(release, options = {}) {
      const { manifest: cid, name, version } = release.entry.body
      return fetchContent({ cid, name, version }, options)
    },
    async file(cid, path, options = {}) {
      const parsed = await manifest(cid, { signal: options.signal })
      const file = parsed.files.find((candidate) => candidate.path === path)
      if (file === undefined) {
        throw new RegistryError('PACKAGE_NOT_FOUND', `${parsed.name}@${parsed.version} has no file ${path}.`)
      }
      await obtain(cid, file.blocks, { signal: options.signal }, { package: parsed.name, totalBytes: file.size })
      const bytes = new Uint8Array(file.size)
      let offset = 0
      for (const block of file.blocks) {
        const chunk = await blocks.get(block, { verify: true })
        if (chunk === undefined) {
          throw new RegistryError(
            'STORAGE_CORRUPT',
            `A block of ${path} was corrupt in the cache and has been thrown away.`,
            {
              hint: 'Try again: it will be fetched anew.',
            },
          )
        }
        bytes.set(chunk, offset)
        offset += chunk.length
      }
      return bytes
    },
  }
}
