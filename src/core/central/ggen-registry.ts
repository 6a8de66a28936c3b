import semver from 'semver'
import * as v from 'valibot'
import { RegistryError } from '../errors.ts'
import { isDid } from '../identity/did-key.ts'
import { isPackageName } from '../manifest/package-name.ts'
import type { Sha256 } from '../ports.ts'
import { rankDocuments } from '../search/rank.ts'
import type { PackageDocument } from '../search/types.ts'
import { filesBelow, maxUnpackedBytes, toSource, unpack } from './archive.ts'
import type { CentralRegistry, CentralRelease } from './central-registry.ts'
import type { CentralHttp } from './http.ts'
import { isHttp, unavailable } from './http.ts'
import { mismatch } from './integrity.ts'
import { fitsTree, toHex } from './tree-checksum.ts'

const maxIndexBytes = 32 * 1024 * 1024

const texts = v.fallback(v.array(v.string()), [])
const text = v.fallback(v.string(), '')
const packageSchema = v.object({
  name: v.pipe(
    v.string(),
    v.check((name: string) => isPackageName(name)),
  ),
  version: v.pipe(
    v.string(),
    v.check((version: string) => semver.valid(version) !== null),
  ),
  description: text,
  category: text,
  tags: texts,
  keywords: texts,
  author: text,
  license: text,
  repository: text,
  dependencies: v.fallback(
    v.array(v.union([v.string(), v.object({ name: v.string(), version: v.fallback(v.string(), '*') })])),
    [],
  ),
  path: text,
  download_url: text,
  checksum: v.fallback(v.nullish(v.string(), ''), ''),
  deprecated: v.fallback(v.union([v.string(), v.boolean()]), ''),
  published_at: text,
  publisher: text,
  namespace: text,
})
type IndexPackage = v.InferOutput<typeof packageSchema>

interface Located extends CentralRelease {
  path: string
  downloadUrl: string
  namespace: string
}

/** How the adapter reads what is no HTTP address: a path, or a file: URL. */
export type ReadFile = (path: string) => Promise<Uint8Array>

/**
 * The ggen marketplace: its `registry/index.json`, by URL or file path, or, for any other URL, its HTTP API (`/api/v1/packages/…`). Entries that make no sense are passed over: one broken entry
 * must not hide the others.
 */
export function createGgenRegistry(options: {
  name: string
  url: string
  http: CentralHttp
  readFile: ReadFile
  sha256: Sha256
}): CentralRegistry {
  const { name, url, http, readFile, sha256 } = options
  const isIndex = /\.json(\?|$)/.test(url) || !isHttp(url)

  async function load(
    address: string,
    signal: AbortSignal | undefined,
    maxBytes: number,
    cached: boolean,
  ): Promise<Uint8Array> {
    if (isHttp(address)) return (await http.bytes(address, { signal, maxBytes, cached }))!
    try {
      return await readFile(address)
    } catch (error) {
      throw unavailable(address, error)
    }
  }

  async function index(signal: AbortSignal | undefined): Promise<Located[]> {
    const bytes = await load(url, signal, maxIndexBytes, true)
    try {
      return packagesOf(JSON.parse(new TextDecoder().decode(bytes)))
    } catch (error) {
      throw error instanceof RegistryError ? error : unavailable(url, error)
    }
  }

  async function api(path: string, signal: AbortSignal | undefined, known: { name?: string } = {}): Promise<Located[]> {
    const answer = await http.json(`${url.replace(/\/$/, '')}/api/v1/packages/${path}`, {
      signal,
      maxBytes: maxIndexBytes,
      optional: true,
    })
    return answer === undefined ? [] : packagesOf(answer, known)
  }

  /** The API has packages under `<namespace>/<name>`: the scope of a name or `ggen`, else what its search says. */
  async function apiVersions(wanted: string, signal: AbortSignal | undefined): Promise<Located[]> {
    const own = wanted.startsWith('@') ? wanted.slice(1) : `ggen/${wanted}`
    const direct = await api(`${own}/versions`, signal, { name: wanted })
    if (direct.length > 0) return direct
    const found = (await api(`search?q=${encodeURIComponent(wanted)}`, signal)).filter(
      ({ name: one }) => one === wanted,
    )
    const namespace = found.find((one) => one.namespace !== '')?.namespace
    const listed = namespace === undefined ? [] : await api(`${namespace}/${wanted}/versions`, signal, { name: wanted })
    return listed.length > 0 ? listed : found
  }

  return {
    name,
    kind: 'ggen',
    async search(query, { signal, limit }) {
      const found = isIndex ? await index(signal) : await api(`search?q=${encodeURIComponent(query.text)}`, signal)
      return rankDocuments(query, found.map(toDocument), limit).map(({ document }) => document)
    },
    async versions(wanted, { signal } = {}) {
      const found = isIndex ? await index(signal) : await apiVersions(wanted, signal)
      return found.filter((release) => release.name === wanted)
    },
    async open(release, { signal } = {}) {
      const { path, downloadUrl } = release as Located
      if (downloadUrl === '')
        throw new RegistryError(
          'CENTRAL_UNAVAILABLE',
          `${name} does not say where ${release.name} can be downloaded.`,
          { hint: 'Tell the registry.' },
        )
      const address = addressOf(downloadUrl, url)
      const archive = await load(address, signal, maxUnpackedBytes, false)
      const files = filesBelow(await unpack(archive), path)
      const label = `${release.name}@${release.version}`
      if (files.length === 0)
        throw new RegistryError('VERIFICATION_FAILED', `The archive of ${label} holds nothing at ${path}.`, {
          hint: 'Nothing was installed. Tell the registry.',
        })
      if (release.integrity !== '') {
        const wanted = release.integrity.toLowerCase()
        const fits = toHex(await sha256(archive)) === wanted || (await fitsTree(sha256, files, wanted))
        if (!fits) throw mismatch(label)
      }
      return toSource(label, files)
    },
  }
}

/** Where a download is. What a server says is an address on servers: it must not name files of this machine. */
function addressOf(downloadUrl: string, registryUrl: string): string {
  if (!isHttp(registryUrl))
    return /^(https?:|file:|\/)/.test(downloadUrl) ? downloadUrl : new URL(downloadUrl, `file://${registryUrl}`).href
  const address = URL.canParse(downloadUrl, registryUrl) ? new URL(downloadUrl, registryUrl).href : downloadUrl
  if (!isHttp(address)) throw unavailable(address, new Error('it is not on a server'))
  return address
}

/** `known` stands in for what an entry leaves out: a list of one package's versions need not repeat its name. */
function packagesOf(answer: unknown, known: { name?: string } = {}): Located[] {
  const { packages, results, versions } = (answer ?? {}) as Record<string, unknown>
  const list = [answer, packages, results, versions].find(Array.isArray) as unknown[] | undefined
  if (list === undefined) throw new Error('it is no list of packages')
  return list.flatMap((entry) => {
    const parsed = v.safeParse(packageSchema, typeof entry === 'object' ? { ...known, ...entry } : entry)
    return parsed.success ? [toRelease(parsed.output)] : []
  })
}

function toRelease(entry: IndexPackage): Located {
  const dependencies = entry.dependencies.map((dependency): [string, string] =>
    typeof dependency === 'string' ? [dependency, '*'] : [dependency.name, dependency.version],
  )
  return {
    name: entry.name,
    version: entry.version,
    description: entry.description,
    category: entry.category,
    keywords: [...new Set([...entry.keywords, ...entry.tags])],
    license: entry.license,
    authors: entry.author === '' ? [] : [entry.author],
    repository: entry.repository,
    dependencies: Object.fromEntries(
      dependencies.filter(([dependency, range]) => isPackageName(dependency) && semver.validRange(range) !== null),
    ),
    timeMs: Date.parse(entry.published_at) || 0,
    deprecated: typeof entry.deprecated === 'string' ? entry.deprecated : entry.deprecated ? 'deprecated' : '',
    integrity: entry.checksum ?? '',
    path: entry.path,
    downloadUrl: entry.download_url,
    namespace: entry.namespace,
    ...(isDid(entry.publisher) ? { attested: entry.publisher } : {}),
  }
}

export function toDocument(release: CentralRelease): PackageDocument {
  const { name, version, description, keywords, category, license, authors, deprecated } = release
  return {
    publisher: '',
    cid: '',
    entry: '',
    name,
    version,
    description,
    keywords,
    category,
    license,
    authors,
    time: release.timeMs,
    yanked: false,
    deprecated,
  }
}
