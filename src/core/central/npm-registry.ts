import * as v from 'valibot'
import { isPackageName } from '../manifest/package-name.ts'
import { rankDocuments } from '../search/rank.ts'
import { filesBelow, maxUnpackedBytes, toSource, unpack } from './archive.ts'
import type { CentralRegistry, CentralRelease } from './central-registry.ts'
import { toDocument } from './ggen-registry.ts'
import type { CentralHttp } from './http.ts'
import { checkIntegrity } from './integrity.ts'

const maxSearchBytes = 8 * 1024 * 1024
/** Some packages have thousands of versions. */
const maxPackumentBytes = 64 * 1024 * 1024
const abbreviated = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8'

const text = v.fallback(v.string(), '')
const searchSchema = v.object({
  objects: v.array(
    v.object({
      package: v.object({
        name: v.string(),
        version: v.string(),
        description: text,
        keywords: v.fallback(v.array(v.string()), []),
        license: text,
        date: text,
      }),
    }),
  ),
})
const packumentSchema = v.object({
  name: v.string(),
  versions: v.record(
    v.string(),
    v.object({
      deprecated: v.fallback(v.union([v.string(), v.boolean()]), ''),
      description: text,
      license: text,
      dist: v.object({ tarball: v.string(), integrity: text, shasum: text }),
    }),
  ),
  time: v.fallback(v.record(v.string(), v.string()), {}),
})

interface NpmRelease extends CentralRelease {
  tarball: string
}

/** An npm registry: its search, packuments and tarballs, each tarball checked against its SRI text. What an npm package depends on is left to npm. */
export function createNpmRegistry(options: { name: string; url: string; http: CentralHttp }): CentralRegistry {
  const { name, http } = options
  const base = options.url.replace(/\/$/, '')
  return {
    name,
    kind: 'npm',
    async search(query, { signal, limit }) {
      if (query.text.trim() === '') return []
      const answer = await http.json(`${base}/-/v1/search?text=${encodeURIComponent(query.text)}&size=${limit}`, {
        signal,
        maxBytes: maxSearchBytes,
      })
      const parsed = v.parse(searchSchema, answer)
      const found = parsed.objects
        .map(({ package: one }) => release(one.name, one.version, { ...one, timeMs: Date.parse(one.date) || 0 }))
        .filter(isInstallable)
      return rankDocuments(query, found.map(toDocument), limit).map(({ document }) => document)
    },
    async versions(wanted, { signal } = {}) {
      const url = `${base}/${wanted.replace('/', '%2f')}`
      const answer = await http.json(url, {
        signal,
        maxBytes: maxPackumentBytes,
        accept: abbreviated,
        cached: true,
        optional: true,
      })
      const parsed = v.safeParse(packumentSchema, answer)
      if (!parsed.success || parsed.output.name !== wanted) return []
      const { versions, time } = parsed.output
      return Object.entries(versions).map(
        ([version, { dist, deprecated, ...rest }]): NpmRelease => ({
          ...release(wanted, version, { ...rest, keywords: [], timeMs: Date.parse(time[version] ?? '') || 0 }),
          deprecated: typeof deprecated === 'string' ? deprecated : deprecated ? 'deprecated' : '',
          integrity: dist.integrity || (dist.shasum === '' ? '' : `sha1-${hexToBase64(dist.shasum)}`),
          tarball: dist.tarball,
        }),
      )
    },
    async open(wanted, { signal } = {}) {
      const label = `${wanted.name}@${wanted.version}`
      const archive = (await http.bytes((wanted as NpmRelease).tarball, { signal, maxBytes: maxUnpackedBytes }))!
      await checkIntegrity(label, archive, wanted.integrity)
      return toSource(label, filesBelow(await unpack(archive), ''))
    },
  }
}

function release(
  name: string,
  version: string,
  facts: { description: string; keywords: string[]; license: string; timeMs: number },
): CentralRelease {
  return {
    name,
    version,
    category: '',
    authors: [],
    repository: '',
    dependencies: {},
    deprecated: '',
    integrity: '',
    ...facts,
  }
}

/** Some old npm names break today's rules; as a folder they would do harm. */
function isInstallable({ name }: CentralRelease): boolean {
  return isPackageName(name)
}

function hexToBase64(hex: string): string {
  return btoa(String.fromCharCode(...(hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))))
}
