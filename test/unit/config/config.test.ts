import fc from 'fast-check'
import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { formatFault, lineOf, refuseFaults, resolveConfig } from '../../../src/core/config/config.ts'
import { defaultConfigText, readSetting, requireSetting, setInText } from '../../../src/core/config/edit.ts'
import { settingNames, settingOf } from '../../../src/core/config/settings.ts'
import { RegistryError } from '../../../src/core/errors.ts'

const peer = '/ip4/192.0.2.7/tcp/4001/p2p/12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'

describe('resolveConfig', () => {
  test('gives the defaults of the contract when nothing is said', () => {
    const { config, origins, faults } = resolveConfig({})
    expect(faults).toEqual([])
    expect(config.network).toMatchObject({
      bootstrap_nodes: [],
      relay_addresses: [],
      dht_server_mode: true,
      packages_topic: '/ggen/packages/v1',
      mdns: true,
    })
    expect(config.performance).toMatchObject({
      max_peers: 50,
      min_peers: 5,
      dht_query_timeout: 30,
      gossipsub_heartbeat: 1,
    })
    expect(config.storage.max_cache_size).toBe(1024)
    expect(config.security).toMatchObject({ enable_tls: true, min_peer_reputation: 0.7, ban_threshold: 10 })
    expect(config.central.registries).toEqual([])
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']))
  })

  test('lets flags win over the environment, that over the file, that over the defaults', () => {
    const text = '[performance]\nmax_peers = 10\nmin_peers = 1\ndht_query_timeout = 5\n'
    const env = { GGEN_P2P_PERFORMANCE_MAX_PEERS: '20', GGEN_P2P_PERFORMANCE_MIN_PEERS: '2' }
    const { config, origins } = resolveConfig({
      text,
      env,
      flags: { 'performance.max_peers': 30, 'performance.min_peers': undefined },
    })
    expect(config.performance).toMatchObject({
      max_peers: 30,
      min_peers: 2,
      dht_query_timeout: 5,
      gossipsub_heartbeat: 1,
    })
    expect(origins).toMatchObject({
      'performance.max_peers': 'flag',
      'performance.min_peers': 'environment',
      'performance.dht_query_timeout': 'file',
      'performance.gossipsub_heartbeat': 'default',
    })
  })

  test('reads every kind of value from the environment', () => {
    const { config, faults } = resolveConfig({
      env: {
        GGEN_P2P_NETWORK_BOOTSTRAP_NODES: `${peer}, ${peer}`,
        GGEN_P2P_NETWORK_MDNS: 'no',
        GGEN_P2P_SECURITY_MIN_PEER_REPUTATION: '0.25',
        GGEN_P2P_STORAGE_CACHE_DIR: '/tmp/x',
        GGEN_P2P_CENTRAL_REGISTRIES: '[{"name":"main","kind":"ggen","url":"https://example.org/index.json"}]',
      },
    })
    expect(faults).toEqual([])
    expect(config.network).toMatchObject({ bootstrap_nodes: [peer, peer], mdns: false })
    expect(config.security.min_peer_reputation).toBe(0.25)
    expect(config.storage.cache_dir).toBe('/tmp/x')
    expect(config.central.registries[0]?.name).toBe('main')
  })

  test('lists every fault with its line, in order, and keeps the defaults of what is faulty', () => {
    const text = [
      '[network]',
      'mdns = "maybe"',
      'bootstrap_node = []',
      'bootstrap_nodes = ["/ip4/1.2.3.4/tcp/1"]',
      '[performence]',
      'max_peers = 3',
      '[security]',
      'ban_threshold = 1.5',
      '',
    ].join('\n')
    const { config, faults } = resolveConfig({ text, env: { GGEN_P2P_NETWORK_MDNS: 'perhaps' } })
    expect(faults.map(({ line, key }) => [line, key])).toEqual([
      [2, 'network.mdns'],
      [3, 'network.bootstrap_node'],
      [4, 'network.bootstrap_nodes'],
      [5, 'performence'],
      [8, 'security.ban_threshold'],
      [undefined, 'GGEN_P2P_NETWORK_MDNS'],
    ])
    expect(faults[1]?.hint).toContain('network.bootstrap_nodes')
    expect(faults[2]?.message).toContain('does not say whose')
    expect(faults[3]?.hint).toContain('[performance]')
    expect(config.network.mdns).toBe(true)
    expect(() => refuseFaults('f.toml', faults)).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
    expect(() => refuseFaults('f.toml', faults)).toThrow(/6 faults[\s\S]*line 2[\s\S]*line 8/)
  })

  test('says where text is no TOML', () => {
    const { faults } = resolveConfig({ text: '[network]\nmdns = = true\n' })
    expect(faults).toHaveLength(1)
    expect(formatFault(faults[0]!)).toMatch(/^line 2: column \d+: not TOML/)
  })

  test('names a key that stands in the wrong section, and a section that is a value', () => {
    const { faults } = resolveConfig({ text: 'network = 3\n[storage]\nmax_peers = 4\n[central]\nregistry = 1\n' })
    expect(faults.find(({ key }) => key === 'network')?.message).toBe('is no section')
    expect(faults.find(({ key }) => key === 'storage.max_peers')?.hint).toContain('performance.max_peers')
    expect(faults.find(({ key }) => key === 'central.registry')?.hint).toContain('central.registries')
  })

  test.each([
    ['no list', '"x"'],
    ['no name', '[{ kind = "ggen", url = "https://x" }]'],
    ['an unknown kind', '[{ name = "a", kind = "cargo", url = "https://x" }]'],
    ['a bad url', '[{ name = "a", kind = "npm", url = "x" }]'],
    [
      'one name twice',
      '[{ name = "a", kind = "npm", url = "https://x" }, { name = "a", kind = "npm", url = "https://y" }]',
    ],
  ])('refuses registries with %s', (_what, value) => {
    expect(resolveConfig({ text: `[central]\nregistries = ${value}\n` }).faults.map(({ key }) => key)).toEqual([
      'central.registries',
    ])
  })

  test.each([
    ['network.bootstrap_nodes', '3'],
    ['network.listen_addresses', '[3]'],
    ['network.listen_addresses', '["ip4"]'],
    ['network.packages_topic', '"no topic"'],
    ['storage.max_cache_size', '0'],
    ['storage.cache_dir', 'true'],
    ['performance.parallel_fetches', '"many"'],
  ])('refuses %s = %s', (name, value) => {
    const [section, key] = name.split('.')
    expect(resolveConfig({ text: `[${section}]\n${key} = ${value}\n` }).faults.map((fault) => fault.key)).toEqual([
      name,
    ])
  })
})

describe('lineOf', () => {
  test('finds keys in tables, dotted keys, and tables in arrays', () => {
    const text = 'network.mdns = true\n[storage]\n"max_cache_size" = 3\n\n[[central.registries]]\nname = "x"\n'
    expect(lineOf(text, 'network', 'mdns')).toBe(1)
    expect(lineOf(text, 'storage', 'max_cache_size')).toBe(3)
    expect(lineOf(text, 'central', 'registries')).toBe(5)
    expect(lineOf(text, 'central', 'nothing')).toBeUndefined()
  })
})

describe('setInText', () => {
  const text =
    '# top\n[network]\n# why\nmdns = true # here\nbootstrap_nodes = [\n  # old\n  "/ip4/1.2.3.4/tcp/1/p2p/x",\n] # end\n\n[storage]\nmax_cache_size = 5\n'

  test('changes one value and keeps all comments but those inside the old value', () => {
    expect(setInText(text, 'network.mdns', 'false')).toBe(text.replace('mdns = true # here', 'mdns = false # here'))
    const edited = setInText(text, 'network.bootstrap_nodes', peer)
    expect(edited).toContain(`bootstrap_nodes = ["${peer}"] # end\n\n[storage]`)
    expect(edited.startsWith('# top\n[network]\n# why\n')).toBe(true)
  })

  test('adds keys to their section and sections to the file', () => {
    expect(setInText(text, 'storage.cache_dir', '/x')).toContain('[storage]\ncache_dir = "/x"\nmax_cache_size = 5')
    expect(setInText('', 'security.ban_threshold', '3')).toBe('[security]\nban_threshold = 3\n')
    expect(setInText(text, 'security.ban_threshold', '3')).toMatch(
      /max_cache_size = 5\n\n\[security\]\nban_threshold = 3\n$/,
    )
  })

  test('refuses unknown settings with the nearest, and values that do not fit', () => {
    expect(() => setInText(text, 'network.mdn', 'true')).toThrow(
      expect.objectContaining({ code: 'USAGE', hint: expect.stringContaining('network.mdns') }),
    )
    expect(() => setInText(text, 'mdns', 'true')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('network.mdns') }),
    )
    expect(() => setInText(text, 'network.mdns', 'maybe')).toThrow(expect.objectContaining({ code: 'USAGE' }))
    expect(() => setInText(text, 'performance.max_peers', '')).toThrow(RegistryError)
    expect(() => requireSetting('zzzzzzzz')).toThrow(RegistryError)
  })

  test('writes registries as inline tables', () => {
    const edited = setInText('', 'central.registries', '[{"name":"a","kind":"npm","url":"https://x"}]')
    expect(parse(edited)).toEqual({ central: { registries: [{ name: 'a', kind: 'npm', url: 'https://x' }] } })
  })

  test('gives back what was set, whatever stood there before', () => {
    fc.assert(
      fc.property(fc.string(), fc.boolean(), (value, twice) => {
        fc.pre(!value.includes('\0'))
        const once = setInText('[storage] # s\ncache_dir = "a # b" # c\n[network]\n', 'storage.cache_dir', value)
        const edited = twice ? setInText(once, 'storage.cache_dir', value) : once
        expect(resolveConfig({ text: edited }).config.storage.cache_dir).toBe(value)
        expect(edited).toContain('# c')
      }),
    )
  })
})

test('the fresh file names every setting and changes nothing', () => {
  const text = defaultConfigText()
  for (const name of settingNames) expect(text).toContain(`# ${name.split('.')[1]} = `)
  const { config, faults } = resolveConfig({ text })
  expect(faults).toEqual([])
  expect(config).toEqual(resolveConfig({}).config)
  // Each line that is commented out is right when it is not.
  const all = text.split('\n').map((line) => (/^# [a-z_]+ = /.test(line) ? line.slice(2) : line))
  expect(resolveConfig({ text: all.join('\n') }).faults).toEqual([])
  expect(readSetting(config, 'network.mdns')).toBe(true)
  expect(settingOf('network.toString')).toBeUndefined()
  expect(settingOf('toString.x')).toBeUndefined()
})
