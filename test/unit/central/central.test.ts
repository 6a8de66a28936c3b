import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CentralRegistry } from '../../../src/core/central/central-registry.ts'
import { createGgenRegistry } from '../../../src/core/central/ggen-registry.ts'
import type { HttpLimits } from '../../../src/core/central/http.ts'
import { createCentralHttp } from '../../../src/core/central/http.ts'
import { checkIntegrity } from '../../../src/core/central/integrity.ts'
import { createNpmRegistry } from '../../../src/core/central/npm-registry.ts'
import { fitsTree, treeChecksum } from '../../../src/core/central/tree-checksum.ts'
import type { PackageSource } from '../../../src/core/ports.ts'
import { createMemoryState } from '../../../src/storage/memory.ts'
import { nodeSha256 } from '../../../src/storage/node.ts'
import type { CentralServer } from '../../support/central-server.ts'
import { bytes, createCentralServer, json, tgzOf, zipOf } from '../../support/central-server.ts'

let server: CentralServer
let cache: ReturnType<typeof createMemoryState>
const quick: Partial<HttpLimits> = { retries: 1, backOffMs: 1 }

beforeEach(async () => {
  server = await createCentralServer()
  cache = createMemoryState()
})
afterEach(() => server.close())

const httpWith = (limits: Partial<HttpLimits> = quick) =>
  createCentralHttp({ fetch, userAgent: 'ggen-test/1', cache, limits })
const ggen = (url = `${server.url}/index.json`, limits?: Partial<HttpLimits>): CentralRegistry =>
  createGgenRegistry({ name: 'main', url, http: httpWith(limits), readFile, sha256: nodeSha256 })
const npm = (): CentralRegistry => createNpmRegistry({ name: 'npm', url: `${server.url}/`, http: httpWith() })

async function contents({ files }: PackageSource): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const { path, exec, read } of files) {
    const chunks: Uint8Array[] = []
    for await (const chunk of read()) chunks.push(chunk)
    found[path] = `${exec ? 'x ' : ''}${Buffer.concat(chunks)}`
  }
  return found
}

const files = { 'README.md': '# tool', 'src/a.txt': 'a' }
const inRepository = Object.fromEntries(
  Object.entries(files).map(([path, text]) => [`ggen-master/marketplace/packages/tool/${path}`, text]),
)
const entry = {
  name: 'tool',
  version: '1.0.0',
  description: 'A tool for rest',
  category: 'tools',
  tags: ['handy'],
  keywords: ['rest'],
  author: 'Ada',
  license: 'MIT',
  path: 'marketplace/packages/tool',
}

async function index(change: Record<string, unknown> = {}): Promise<void> {
  server.routes.set(
    '/index.json',
    json({
      packages: [
        { ...entry, download_url: `${server.url}/master.zip`, ...change },
        { name: '../evil', version: '1.0.0' },
        { name: 'no-version' },
        'nonsense',
      ],
    }),
  )
  server.routes.set('/master.zip', bytes(zipOf({ ...inRepository, 'ggen-master/other/x.txt': 'x' })))
}

describe('the ggen marketplace', () => {
  test('is searched and its packages are taken out of the repository archive, checked by the tree checksum', async () => {
    const checksum = await treeChecksum(
      nodeSha256,
      Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.from(text) })),
    )
    await index({ checksum })
    const registry = ggen()
    expect(await registry.search({ text: 'handy' }, { limit: 10 })).toMatchObject([
      { name: 'tool', version: '1.0.0', keywords: ['rest', 'handy'] },
    ])
    expect(await registry.search({ text: 'nothing' }, { limit: 10 })).toEqual([])
    expect(await registry.versions('other')).toEqual([])
    const [release] = await registry.versions('tool')
    expect(release).toMatchObject({
      name: 'tool',
      version: '1.0.0',
      license: 'MIT',
      authors: ['Ada'],
      integrity: checksum,
    })
    expect(await contents(await registry.open(release!))).toEqual(files)
    expect(server.requests[0]?.headers['user-agent']).toBe('ggen-test/1')
  })

  test('checks an archive of its own by its own checksum, and refuses another', async () => {
    const archive = await tgzOf(
      Object.fromEntries(Object.entries({ ...files, 'bin/run': '#!' }).map(([path, text]) => [`tool/${path}`, text])),
    )
    server.routes.set('/tool.tgz', bytes(archive))
    await index({
      download_url: 'tool.tgz',
      path: '',
      checksum: createHash('sha256').update(archive).digest('hex').toUpperCase(),
    })
    const [release] = await ggen().versions('tool')
    expect(await contents(await ggen().open(release!))).toEqual({ ...files, 'bin/run': 'x #!' })
    await expect(ggen().open({ ...release!, integrity: 'ab'.repeat(32) })).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
    })
  })

  test('is read from a file, and by its HTTP API', async () => {
    const path = `${import.meta.dirname}/../../fixtures/vectors.json`
    await expect(ggen(path).versions('tool')).rejects.toMatchObject({ code: 'CENTRAL_UNAVAILABLE' })
    await expect(ggen('/nowhere/index.json').versions('tool')).rejects.toMatchObject({ code: 'CENTRAL_UNAVAILABLE' })
    server.routes.set('/api/v1/packages/search', json({ packages: [entry] }))
    server.routes.set(
      '/api/v1/packages/ggen/tool/versions',
      json({ versions: [entry, { ...entry, version: '1.1.0' }] }),
    )
    const registry = ggen(server.url)
    expect(await registry.search({ text: 'tool' }, { limit: 5 })).toHaveLength(1)
    expect((await registry.versions('tool')).map(({ version }) => version)).toEqual(['1.0.0', '1.1.0'])
    expect(await registry.versions('none')).toEqual([])
    server.routes.set('/api/v1/packages/search', json([{ ...entry, name: 'elsewhere', namespace: 'ada' }]))
    server.routes.set('/api/v1/packages/ada/elsewhere/versions', json([{ version: '2.0.0' }, { version: '2.1.0' }]))
    expect((await registry.versions('elsewhere')).map(({ version }) => version)).toEqual(['2.0.0', '2.1.0'])
  })

  test('on a server names downloads on servers, never files of this machine', async () => {
    const here = `${import.meta.dirname}/../../fixtures/vectors.json`
    await index({ download_url: '/master.zip' })
    const [release] = await ggen().versions('tool')
    expect(await contents(await ggen().open(release!))).toEqual(files)
    await index({ download_url: `file://${here}` })
    const [local] = await ggen().versions('tool')
    await expect(ggen().open(local!)).rejects.toMatchObject({
      code: 'CENTRAL_UNAVAILABLE',
      message: expect.stringContaining('not on a server'),
    })
  })

  test('refuses archives without the package, damaged ones, and those with links', async () => {
    await index({ path: 'elsewhere' })
    const [lost] = await ggen().versions('tool')
    await expect(ggen().open(lost!)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    await index()
    const [release] = await ggen().versions('tool')
    for (const body of [
      zipOf(inRepository).subarray(0, 100),
      (await tgzOf(inRepository)).subarray(0, 60),
      Buffer.from('nonsense'),
    ]) {
      server.routes.set('/master.zip', bytes(body))
      await expect(ggen().open(release!)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    }
  })
})

describe('an npm registry', () => {
  async function packument(change: Record<string, unknown> = {}): Promise<Uint8Array> {
    const archive = await tgzOf({ 'package/package.json': '{"name":"tool"}', 'package/index.js': '1' })
    const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`
    server.routes.set('/tool/-/tool-1.0.0.tgz', bytes(archive))
    const dist = {
      tarball: `${server.url}/tool/-/tool-1.0.0.tgz`,
      integrity,
      shasum: createHash('sha1').update(archive).digest('hex'),
      ...change,
    }
    server.routes.set(
      '/tool',
      json({ name: 'tool', versions: { '1.0.0': { dist, deprecated: 'old' } }, 'dist-tags': { latest: '1.0.0' } }),
    )
    return archive
  }

  test('is searched, and tarballs are checked by their SRI text', async () => {
    await packument()
    server.routes.set(
      '/-/v1/search',
      json({
        objects: [
          { package: { name: 'tool', version: '1.0.0', description: 'npm tool' } },
          { package: { name: 'UPPER case', version: '1.0.0' } },
        ],
      }),
    )
    expect(await npm().search({ text: 'tool' }, { limit: 5 })).toMatchObject([
      { name: 'tool', description: 'npm tool' },
    ])
    const [release] = await npm().versions('tool')
    expect(release).toMatchObject({ version: '1.0.0', deprecated: 'old', dependencies: {} })
    expect(await contents(await npm().open(release!))).toEqual({ 'package.json': '{"name":"tool"}', 'index.js': '1' })
    expect(await npm().versions('none')).toEqual([])
  })

  test('falls back on the SHA-1 of old packages, and refuses what does not fit', async () => {
    await packument({ integrity: undefined })
    const [old] = await npm().versions('tool')
    expect(old?.integrity).toMatch(/^sha1-/)
    await npm().open(old!)
    await packument({ integrity: `sha512-${Buffer.alloc(64).toString('base64')}` })
    const [wrong] = await ggenless('tool')
    await expect(npm().open(wrong!)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    await expect(npm().open({ ...wrong!, integrity: '' })).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
  })

  async function ggenless(name: string) {
    cache = createMemoryState()
    return npm().versions(name)
  }
})

test("a tree's checksum fits in any order of its folders, and no other files", async () => {
  const tree = ['z.txt', 'b/1', 'a/1', 'a/c/2', 'a/b/3', '.hidden/x', 'a/.y'].map((path) => ({
    path,
    bytes: Buffer.from(`content of ${path}`),
  }))
  const walk = ['z.txt', 'b/1', 'a/1', 'a/c/2', 'a/b/3']
  const sum = createHash('sha256')
  for (const path of walk) sum.update(path).update(`content of ${path}`)
  const wanted = sum.digest('hex')
  expect(await treeChecksum(nodeSha256, tree)).not.toBe(wanted)
  expect(await fitsTree(nodeSha256, tree, wanted)).toBe(true)
  expect(await fitsTree(nodeSha256, [...tree, { path: 'b/2', bytes: Buffer.from('more') }], wanted)).toBe(false)
  expect(await fitsTree(nodeSha256, tree.slice(1), wanted)).toBe(false)
  // More orders than can be tried: refused in bounded time.
  const wide = Array.from({ length: 12 }, (_, at) => ({ path: `d${at}/x`, bytes: Buffer.alloc(1_000_000, at) }))
  expect(await fitsTree(nodeSha256, wide, wanted)).toBe(false)
})

test('the strongest hash of an SRI text counts', async () => {
  const body = Buffer.from('x')
  const sha = (algorithm: string) => `${algorithm}-${createHash(algorithm).update(body).digest('base64')}`
  await checkIntegrity('x', body, `${sha('sha1')} ${sha('sha512')}`)
  await expect(checkIntegrity('x', body, `${sha('sha256')} sha512-AAAA`)).rejects.toMatchObject({
    code: 'VERIFICATION_FAILED',
  })
  await expect(checkIntegrity('x', body, 'md5-AAAA')).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
})

describe('a registry that misbehaves is unavailable, and says why', () => {
  const versions = (limits?: Partial<HttpLimits>) => ggen(undefined, { ...quick, ...limits }).versions('tool')
  const unavailable = (why: RegExp) =>
    expect.objectContaining({
      code: 'CENTRAL_UNAVAILABLE',
      message: expect.stringMatching(why),
      hint: expect.any(String),
    })

  test('after a retry of what may pass', async () => {
    let failures = 1
    await index()
    const good = server.routes.get('/index.json')!
    server.routes.set('/index.json', (request, response) =>
      failures-- > 0 ? void response.writeHead(503).end() : good(request, response),
    )
    expect(await versions()).toHaveLength(1)
    failures = 100
    await expect(versions()).rejects.toEqual(unavailable(/503/))
    server.routes.set('/index.json', (_request, response) => void response.writeHead(403).end())
    const before = server.requests.length
    await expect(versions()).rejects.toEqual(unavailable(/403/))
    expect(server.requests.length).toBe(before + 1)
  })

  test('for a redirect loop, and for a redirect to another kind of address', async () => {
    server.routes.set(
      '/index.json',
      (_request, response) => void response.writeHead(302, { location: '/index.json' }).end(),
    )
    await expect(versions()).rejects.toEqual(unavailable(/redirects more than/))
    server.routes.set(
      '/index.json',
      (_request, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    )
    await expect(versions()).rejects.toEqual(unavailable(/redirects to file/))
    await index()
    server.routes.set('/moved.json', server.routes.get('/index.json')!)
    server.routes.set(
      '/index.json',
      (_request, response) => void response.writeHead(301, { location: '/moved.json' }).end(),
    )
    expect(await versions()).toHaveLength(1)
  })

  test('for a slow drip, for silence, and for a connection that breaks', async () => {
    server.routes.set('/index.json', (_request, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(drip))
    })
    await expect(versions({ totalTimeoutMs: 200 })).rejects.toEqual(unavailable(/too long/))
    server.routes.set('/index.json', () => undefined)
    await expect(versions({ idleTimeoutMs: 100 })).rejects.toEqual(unavailable(/in time/))
    server.routes.set('/index.json', (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{')
      setImmediate(() => response.destroy())
    })
    await expect(versions()).rejects.toEqual(unavailable(/./))
    await server.close()
    await expect(versions()).rejects.toEqual(unavailable(/./))
  })

  test('for 200 MB of JSON, announced or not', async () => {
    server.routes.set(
      '/index.json',
      (_request, response) => void response.writeHead(200, { 'content-length': String(200_000_000) }).flushHeaders(),
    )
    await expect(versions()).rejects.toEqual(unavailable(/larger/))
    let sent = 0
    server.routes.set('/index.json', (_request, response) => {
      response.writeHead(200)
      const chunk = Buffer.alloc(1_000_000, 0x20)
      const pour = (): void => {
        while (sent < 200_000_000 && !response.destroyed) {
          sent += chunk.length
          if (!response.write(chunk)) return void response.once('drain', pour)
        }
        response.end()
      }
      pour()
    })
    await expect(versions()).rejects.toEqual(unavailable(/larger/))
    expect(sent).toBeLessThan(150_000_000)
  })

  test('for what is no JSON, or no list of packages', async () => {
    server.routes.set('/index.json', bytes(Buffer.from('<html>')))
    await expect(versions()).rejects.toEqual(unavailable(/./))
    server.routes.set('/index.json', json({ hello: 1 }))
    await expect(versions()).rejects.toEqual(unavailable(/no list/))
  })

  test('and an abort rethrows its reason', async () => {
    server.routes.set('/index.json', () => undefined)
    const controller = new AbortController()
    const asking = ggen().versions('tool', { signal: controller.signal })
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(asking).rejects.toBe(reason)
  })
})

test('what has not changed is not sent again', async () => {
  await index()
  const good = server.routes.get('/index.json')!
  let full = 0
  server.routes.set('/index.json', (request, response) => {
    if (request.headers['if-none-match'] === '"v1"') return void response.writeHead(304).end()
    full++
    response.setHeader('etag', '"v1"')
    good(request, response)
  })
  expect(await ggen().versions('tool')).toHaveLength(1)
  expect(await ggen().versions('tool')).toHaveLength(1)
  expect(full).toBe(1)
})
