import type { CID } from 'multiformats/cid'
import type { PublishResult, ServiceProgress } from '../control/service.ts'
import { RegistryError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Release } from '../log/history.ts'
import type { ReleaseBody, ReleaseEntry, VerifiedEntry } from '../log/types.ts'
import { buildManifest } from '../manifest/build.ts'
import { manifestBlocks } from '../manifest/manifest.ts'
import type { MetadataOverrides } from '../manifest/metadata.ts'
import { metadataFiles, readMetadata } from '../manifest/metadata.ts'
import type { Manifest, PackageMetadata } from '../manifest/types.ts'
import type { OperationOptions, PackageSource, SourceFile } from '../ports.ts'
import type { Announcer } from './announcer.ts'
import type { ContentFetcher } from './fetch.ts'
import { releasesOf } from './packages.ts'
import type { RegistryParts } from './parts.ts'
import type { PublisherLog } from './publisher-log.ts'

export interface PublishOptions extends OperationOptions<ServiceProgress>, MetadataOverrides {
  dryRun?: boolean | undefined
  /** Tell the network now (the default). Otherwise peers learn of it by sync. */
  announce?: boolean | undefined
  /** Resolve when this many other peers hold a verified copy. */
  wait?: number | undefined
  waitTimeoutMs?: number | undefined
}

const replicaPollMs = 500
/** A larger README is not named in the entry, whose own size is bounded; it is in the package all the same. */
const maxReadmeBytes = 16 * limits.maxBlockBytes
const readmePattern = /^readme(\.(md|markdown|txt|rst|adoc))?$/i

export interface PublishCollaborators {
  log: PublisherLog
  announcer: Announcer
  fetcher: ContentFetcher
  inBackground: (task: string, work: Promise<unknown>) => void
}

/**
 * Publishes a folder: content into the block store, a signed release into the own log, then the announcement. Each step is durable before the next
 * begins, so a crash leaves either nothing visible or a release that the next start announces. Publishing the same content again changes nothing.
 */
export async function publish(
  parts: RegistryParts,
  collaborators: PublishCollaborators,
  source: PackageSource,
  options: PublishOptions = {},
): Promise<PublishResult> {
  const startedMs = parts.clock.now()
  const metadata = await readSourceMetadata(source, options)
  const built = await buildManifest({
    name: metadata.name,
    version: metadata.version,
    source,
    sha256: parts.sha256,
    putBlocks: options.dryRun ? async () => {} : (blocks) => parts.blocks.putMany(blocks),
    signal: options.signal,
    onProgress: options.onProgress,
  })
  const { manifest, block } = built
  const own = await collaborators.log.publisher()
  const existing = (await releasesOf(parts, own, metadata.name)).find(
    (release) => release.entry.entry.body.version === metadata.version,
  )
  refuseOtherContent(existing, block.cid, metadata)

  const result = (entry: VerifiedEntry<ReleaseEntry> | undefined, replicas: number): PublishResult => ({
    name: metadata.name,
    version: metadata.version,
    publisher: own,
    cid: block.cid.toString(),
    entry: entry?.cid.toString() ?? null,
    files: manifest.files.length,
    bytes: built.bytes,
    replicas,
    tookMs: parts.clock.now() - startedMs,
    ...(existing === undefined ? {} : { unchanged: true }),
    ...(options.dryRun
      ? { dryRun: { files: manifest.files.map(({ path, size }) => ({ path, size })), ignored: source.ignored } }
      : {}),
    warnings: notActedOn(metadata),
  })
  if (options.dryRun) return result(existing?.entry, 0)

  await parts.blocks.putMany([block])
  await parts.blocks.putRoot(block.cid, [block.cid, ...manifestBlocks(manifest)], { pinned: true })
  options.signal?.throwIfAborted()
  const body = releaseBody(metadata, manifest, block.cid, built.bytes)
  const entry =
    existing?.entry ?? ((await collaborators.log.append({ type: 'release', body })) as VerifiedEntry<ReleaseEntry>)
  parts.events.emit('release:published', {
    publisher: own,
    name: metadata.name,
    version: metadata.version,
    cid: block.cid.toString(),
  })
  if (options.announce !== false) await announce(collaborators, entry, options)
  const replicas = options.wait ? await waitForReplicas(collaborators.fetcher, block.cid, options.wait, options) : 0
  return result(entry, replicas)
}

/** Gossip goes out before this resolves; the DHT, which may take seconds on a large network, is told in the background. */
async function announce(
  { announcer, inBackground }: PublishCollaborators,
  entry: VerifiedEntry<ReleaseEntry>,
  options: PublishOptions,
): Promise<void> {
  options.onProgress?.({ type: 'stage', stage: 'announce' })
  await announcer.gossip(entry)
  inBackground('announce the release in the DHT', announcer.provide(entry.entry.body.manifest, entry.entry.body.name))
  inBackground('store the log head in the DHT', announcer.putHead(entry))
}

/** What the folder's package file says. Throws as `readMetadata` does. */
export async function readSourceMetadata(
  source: PackageSource,
  overrides: MetadataOverrides = {},
): Promise<PackageMetadata> {
  const texts: { path: string; text: string }[] = []
  // The largest file that is read whole is a manifest's size.
  for (const file of source.files.filter(({ path }) => metadataFiles.includes(path))) {
    texts.push({ path: file.path, text: await readText(file) })
  }
  return readMetadata(texts, overrides)
}

async function readText(file: SourceFile): Promise<string> {
  if (file.size > limits.maxManifestBytes) {
    throw new RegistryError(
      'INVALID_MANIFEST',
      `${file.path} is ${file.size} bytes long; a package file is text of a few kilobytes.`,
      {
        hint: 'Check that it is the right file.',
      },
    )
  }
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of file.read()) text += decoder.decode(chunk, { stream: true })
  return text + decoder.decode()
}

function refuseOtherContent(existing: Release | undefined, cid: CID, metadata: PackageMetadata): void {
  if (existing === undefined || existing.entry.entry.body.manifest.equals(cid)) return
  throw new RegistryError(
    'VERSION_EXISTS',
    `You have already published ${metadata.name}@${metadata.version} with other content (${existing.entry.entry.body.manifest}).`,
    { hint: 'Published versions never change. Raise the version in the package file, or pass --version.' },
  )
}

function notActedOn(metadata: PackageMetadata): string[] {
  const external = Object.keys(metadata.external).length
  if (external === 0) return []
  return [
    `${external} dependencies in ${metadata.file} are for other package managers (or are file globs): kept as external, not installed by ggen.`,
  ]
}

function releaseBody(metadata: PackageMetadata, manifest: Manifest, cid: CID, bytes: number): ReleaseBody {
  const readme = manifest.files.find(({ path, size }) => readmePattern.test(path) && size > 0 && size <= maxReadmeBytes)
  return {
    name: metadata.name,
    version: metadata.version,
    manifest: cid,
    bytes,
    files: manifest.files.length,
    description: metadata.description,
    keywords: metadata.keywords,
    category: metadata.category,
    license: metadata.license,
    authors: metadata.authors,
    repository: metadata.repository,
    ...(readme === undefined ? {} : { readme: { path: readme.path, blocks: readme.blocks, bytes: readme.size } }),
    dependencies: metadata.dependencies,
    ...(Object.keys(metadata.external).length === 0 ? {} : { external: metadata.external }),
  }
}

/** Peers announce a package only after they have verified every block of it, so a provider is a verified copy. */
async function waitForReplicas(
  fetcher: ContentFetcher,
  cid: CID,
  wanted: number,
  options: PublishOptions,
): Promise<number> {
  const deadline = AbortSignal.timeout(options.waitTimeoutMs ?? 60_000)
  const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline])
  let replicas = 0
  while (true) {
    const holders = new Set<string>()
    for await (const peerId of fetcher.announcedBy(cid, { signal })) holders.add(peerId)
    if (holders.size !== replicas) options.onProgress?.({ type: 'replica', replicas: holders.size, wanted })
    replicas = holders.size
    if (replicas >= wanted) return replicas
    options.signal?.throwIfAborted()
    if (deadline.aborted) {
      throw new RegistryError(
        'TIMEOUT',
        `${replicas} of ${wanted} peers hold a copy so far. The release is published and stays so.`,
        {
          hint: 'Keep the node running so that peers can fetch it, or wait longer with --timeout.',
        },
      )
    }
    await delay(replicaPollMs, signal)
  }
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
