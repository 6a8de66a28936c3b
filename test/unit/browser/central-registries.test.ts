import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCentralHits } from '../../../src/browser/central-hits.ts'
import { createCentralPackages } from '../../../src/browser/central-packages.ts'
import { openPageRegistries, requirePageRegistries } from '../../../src/browser/central-registries.ts'
import type { CentralServer } from '../../support/central-server.ts'
import { bytes, createCentralServer, json, tgzOf } from '../../support/central-server.ts'
import { createTestNetwork, packageSource } from '../registry/test-network.ts'

let server: CentralServer
beforeEach(async () => {
  server = await createCentralServer()
})
afterEach(() => server.close())

async function offer(version: string, change: Record<string, unknown> = {}): Promise<void> {
  const archive = await tgzOf({ 'tool/README.md': `# tool ${version}`, 'tool/data.txt': 'data' })
  server.routes.set(`/tool-${version}.tgz`, bytes(archive))
  const checksum = createHash('sha256').update(archive).digest('hex')
  const entry = {
    name: 'tool',
    version,
    license: 'MIT',
    description: 'of the server',
    download_url: `tool-${version}.tgz`,
  }
  server.routes.set('/index.json', json({ packages: [{ ...entry, checksum, ...change }] }))
}

const main = () => [{ name: 'main', kind: 'ggen', url: `${server.url}/index.json` }]

test.each([
  ['no list', 'npm'],
  ['no kind', [{ name: 'x', url: 'https://x.example' }]],
  ['a file', [{ name: 'x', kind: 'ggen', url: '/home/me/index.json' }]],
  ['a file: address', [{ name: 'x', kind: 'ggen', url: 'file:///home/me/index.json' }]],
  ['half an address', [{ name: 'x', kind: 'npm', url: 'https://' }]],
])('a page refuses %s as registries, and says what it takes', (_what, value) => {
  expect(() => requirePageRegistries(value)).toThrow(
    expect.objectContaining({ code: 'INVALID_CONFIG', hint: expect.stringContaining('https://') }),
  )
})

describe('a page’s registry', () => {
  test('is asked once for the same search, with plain headers, wherever it redirects to', async () => {
    await offer('1.0.0')
    server.routes.set('/moved', (_request, response) => response.writeHead(302, { location: '/index.json' }).end())
    const hits = createCentralHits()
    const [registry] = openPageRegistries([{ ...main()[0], url: `${server.url}/moved?x.json` }], hits)
    for (let round = 0; round < 3; round++)
      expect(await registry!.search({ text: 'tool' }, { limit: 5 })).toMatchObject([{ name: 'tool', license: 'MIT' }])
    expect(await registry!.search({ text: 'other' }, { limit: 5 })).toEqual([])
    expect(server.requests.map(({ path }) => path)).toEqual(['/moved', '/index.json', '/moved', '/index.json'])
    for (const { headers } of server.requests) {
      expect(headers['if-none-match']).toBeUndefined()
      expect(headers['user-agent']).not.toContain('ggen')
      expect(headers.referer).toBeUndefined()
    }
    expect([...hits.byName().keys()]).toEqual(['tool'])
  })

  test('that cannot be read says so in words, and is left alone for a while', async () => {
    let asked = 0
    server.routes.set('/index.json', (request) => {
      asked++
      request.socket.destroy()
    })
    const [registry] = openPageRegistries(main(), createCentralHits())
    for (let round = 0; round < 3; round++)
      await expect(registry!.search({ text: 'tool' }, { limit: 5 })).rejects.toMatchObject({
        code: 'CENTRAL_UNAVAILABLE',
        message: expect.stringMatching(/lets no other site’s page read it, or it is down/),
      })
    expect(asked).toBe(1)
  })
})

describe('a package of a registry', () => {
  let net: ReturnType<typeof createTestNetwork>
  beforeEach(() => {
    net = createTestNetwork()
  })
  afterEach(() => net.dispose())

  const open = async () => {
    const { node } = await net.add('tab', { central: openPageRegistries(main(), createCentralHits()) })
    return { node, central: createCentralPackages(node, node.parts.state) }
  }

  test('is described, then downloaded and checked, and kept with where it came from', async () => {
    await offer('1.0.0')
    const { node, central } = await open()
    expect(await central.info('tool', {})).toMatchObject({ publisher: null, cid: null, source: 'central:main' })
    const stages: string[] = []
    const { cid, checksum, fetchedBytes } = await central.download(
      { name: 'tool', version: '1.0.0' },
      { onProgress: (event) => event.type === 'stage' && stages.push(event.stage) },
    )
    expect({ checksum, stages }).toEqual({ checksum: 'matched', stages: ['download'] })
    expect(fetchedBytes).toBe('# tool 1.0.0data'.length)
    expect(Buffer.from(await node.content.file((await node.parts.blocks.roots())[0]!.cid, 'data.txt')).toString()).toBe(
      'data',
    )
    expect(await central.originOf(cid)).toEqual({ source: 'central:main', checksum: 'matched' })
    expect(await central.originOf('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')).toBeNull()
    expect(await central.info('tool@1.0.0', {})).toMatchObject({
      cid,
      cached: true,
      files: 2,
      bytes: fetchedBytes,
      description: 'of the server',
      versions: [{ version: '1.0.0', cid }],
    })
    // A new version is not what was downloaded.
    await offer('1.1.0')
    expect(await central.info('tool', {})).toMatchObject({ version: '1.1.0', cid: null, cached: false })
    // With its registry gone, what is kept still shows, also to the next node here.
    server.routes.clear()
    const next = createCentralPackages(node, node.parts.state)
    expect(await next.info('tool@1.0.0', {})).toMatchObject({
      cid,
      cached: true,
      publisher: null,
      source: 'central:main',
    })
    expect(await next.info('tool', {})).toMatchObject({ cid })
    await expect(next.info('tool@1.1.0', {})).rejects.toThrow()
    await node.parts.blocks.clear()
    await expect(next.info('tool@1.0.0', {})).rejects.toThrow()
  })

  test('that is not what its checksum says is refused; without a checksum it says that there is none', async () => {
    await offer('1.0.0', { checksum: 'ab'.repeat(32) })
    const { node, central } = await open()
    await expect(central.download({ name: 'tool', version: '1.0.0' })).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
    })
    expect(await node.parts.blocks.roots()).toEqual([])
    await offer('1.0.0', { checksum: '' })
    const { cid, checksum } = await central.download({ name: 'tool', version: '1.0.0' })
    expect(checksum).toBe('none')
    expect(await central.originOf(cid)).toMatchObject({ checksum: 'none' })
    await expect(central.download({ name: 'tool', version: '9.0.0' })).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
    })
  })

  test('stands in the list with its content ID once it was downloaded', async () => {
    await offer('1.0.0')
    const { node, central } = await open()
    const { cid } = await central.download({ name: 'tool', version: '1.0.0' })
    const row = {
      name: 'tool',
      version: '1.0.0',
      publisher: null,
      registry: 'central:main',
      cid: null,
      cached: false,
    } as Parameters<typeof central.withKept>[0][number]
    const others = [
      { ...row, version: '1.1.0' },
      { ...row, registry: 'central:other' },
    ]
    expect(await central.withKept([row, ...others])).toEqual([{ ...row, cid, cached: true }, ...others])
    await node.parts.blocks.clear()
    expect(await central.withKept([row])).toEqual([row])
  })

  test('of a name that somebody has signed too is downloaded from the registry all the same', async () => {
    await offer('1.0.0')
    const { node, central } = await open()
    await node.publish(packageSource({ name: 'tool', version: '1.0.0' }))
    await expect(central.info('tool', {})).rejects.toMatchObject({ code: 'NAME_AMBIGUOUS' })
    expect(await central.info('tool', { registry: 'central' })).toMatchObject({ publisher: null })
    expect(await central.download({ name: 'tool', version: '1.0.0' })).toMatchObject({ checksum: 'matched' })
  })
})
