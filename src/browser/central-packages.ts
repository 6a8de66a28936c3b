import { parseCid } from '../core/blocks/block.ts'
import type { ServiceProgress } from '../core/control/service.ts'
import { RegistryError } from '../core/errors.ts'
import type { OperationOptions, StateStore } from '../core/ports.ts'
import type { PackageInfo } from '../core/registry/info.ts'
import type { LookupOptions } from '../core/registry/lookup.ts'
import type { RegistryNode } from '../core/registry-node.ts'
import { parseSpec } from '../core/resolve/spec.ts'
import type { KnownPackage } from './known-packages.ts'
import type { FetchResult } from './service.ts'

/** Where content came from that nobody signed. */
export interface CentralOrigin {
  /** `central:<name>` */
  source: string
  /** `none`: the registry gave no checksum, so that nothing says the bytes are what it meant. */
  checksum: 'matched' | 'none'
}

interface Download extends CentralOrigin {
  /** With its content ID. */
  info: PackageInfo & { cid: string }
}

export interface CentralPackages {
  /** As the node knows it, with the content ID of what was downloaded here; what is kept shows also while its registry cannot be asked. */
  info(spec: string, options: LookupOptions): Promise<PackageInfo>
  download(
    wanted: { name: string; version: string },
    options?: OperationOptions<ServiceProgress>,
  ): Promise<FetchResult & Pick<CentralOrigin, 'checksum'>>
  originOf(cid: string): Promise<CentralOrigin | null>
  /** The same list, in which what was downloaded here has its content ID. */
  withKept(packages: KnownPackage[]): Promise<KnownPackage[]>
}

const stateName = 'central-downloads'
const maxDownloads = 500
const notToBeAsked = ['PACKAGE_NOT_FOUND', 'VERSION_NOT_FOUND', 'CENTRAL_UNAVAILABLE']

/** Packages of central registries in a page: their content has an ID only after it was downloaded, and where it came from must be remembered, because no signature says so. */
export function createCentralPackages(
  registry: Pick<RegistryNode, 'info' | 'download' | 'parts'>,
  state: StateStore,
): CentralPackages {
  let writing: Promise<unknown> = Promise.resolve()
  /** The oldest first; read once, because one node of the site runs at a time. */
  let known: Download[] | undefined

  async function downloads(): Promise<Download[]> {
    if (known === undefined) {
      const stored = await state.read(stateName)
      known ??= Array.isArray(stored) ? (stored as Download[]) : []
    }
    return known
  }

  /** One after the other: two downloads must not lose each other. */
  function remember(download: Download): Promise<void> {
    const written = writing.then(async () => {
      const others = (await downloads()).filter(({ info }) => info.cid !== download.info.cid)
      known = [...others, download].slice(-maxDownloads)
      await state.write(stateName, known)
    })
    writing = written.catch(() => undefined)
    return written
  }

  /** Those whose content is still here. */
  async function held(found: Download[]): Promise<Download[]> {
    const areHeld = await registry.parts.blocks.has(found.map(({ info }) => parseCid(info.cid)))
    return found.filter((_, at) => areHeld[at])
  }

  /** The newest download first. */
  async function keptOf(name: string): Promise<Download[]> {
    return held((await downloads()).filter(({ info }) => info.name === name).reverse())
  }

  async function keptFor(spec: string): Promise<PackageInfo | undefined> {
    const wanted = parseSpec(spec)
    if (wanted.kind !== 'package' || wanted.publisher !== undefined) return undefined
    const kept = await keptOf(wanted.name)
    return kept.find(({ info }) => wanted.range === '*' || info.version === wanted.range)?.info
  }

  return {
    async info(spec, options) {
      let info: PackageInfo
      try {
        info = await registry.info(spec, options)
      } catch (error) {
        options.signal?.throwIfAborted()
        const isGone = error instanceof RegistryError && notToBeAsked.includes(error.code)
        const kept = isGone ? await keptFor(spec) : undefined
        if (kept === undefined) throw error
        return kept
      }
      if (info.publisher !== null) return info
      const kept = (await keptOf(info.name)).filter(({ source }) => source === info.source)
      const at = (version: string) => kept.find((one) => one.info.version === version)?.info
      const versions = info.versions.map((one) => ({ ...one, cid: at(one.version)?.cid ?? one.cid }))
      const { cid, bytes, files, providers, cached } = at(info.version) ?? info
      return { ...info, versions, cid, bytes, files, providers, cached }
    },
    async download({ name, version }, options) {
      const { cid, info, checksum, fetchedBytes, sources } = await registry.download(`${name}@${version}`, options)
      const text = cid.toString()
      await remember({ source: info.source, checksum, info: { ...info, cid: text } })
      return { cid: text, name, version: info.version, fetchedBytes, sources, checksum }
    },
    async withKept(packages) {
      if (packages.every(({ publisher }) => publisher !== null)) return packages
      const kept = await held(await downloads())
      return packages.map((one) => {
        const cid = kept.find(
          ({ source, info }) => source === one.registry && info.name === one.name && info.version === one.version,
        )?.info.cid
        return cid === undefined ? one : { ...one, cid, cached: true }
      })
    },
    async originOf(cid) {
      const found = (await downloads()).find(({ info }) => info.cid === cid)
      return found === undefined ? null : { source: found.source, checksum: found.checksum }
    },
  }
}
