export interface CentralSource {
  name: string
  kind: 'ggen' | 'npm'
  url: string
}

/** What `p2p-config.toml` can say, with the names it uses there. */
export interface Config {
  network: {
    bootstrap_nodes: string[]
    listen_addresses: string[]
    announce_addresses: string[]
    relay_addresses: string[]
    dht_server_mode: boolean
    packages_topic: string
    mdns: boolean
  }
  performance: {
    max_peers: number
    min_peers: number
    /** Seconds. */
    dht_query_timeout: number
    /** Seconds. */
    gossipsub_heartbeat: number
    parallel_fetches: number
  }
  storage: {
    /** Empty: `p2p-cache` in the home. */
    cache_dir: string
    /** MB (MiB). */
    max_cache_size: number
  }
  security: {
    enable_tls: boolean
    min_peer_reputation: number
    ban_threshold: number
    requests_per_minute: number
    /** Hours. */
    min_release_age: number
  }
  central: { registries: CentralSource[] }
}

/** What is wrong with a value, for a person. */
export interface Refusal {
  refused: string
  hint?: string
}

export interface Setting {
  default: unknown
  help: string
  /** The value as the configuration holds it, or why not. */
  check(value: unknown): { value: unknown } | Refusal
  /** From an environment variable or `config set`. */
  fromText(text: string): unknown
}

const addressHint = 'Addresses look like /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW…'
const addressPattern = /^\/(ip4|ip6|ip6zone|dns|dns4|dns6|dnsaddr|unix|memory)\/[^/\s]+(\/[^/\s]+)*$/

function flag(initial: boolean, help: string): Setting {
  return {
    default: initial,
    help,
    check: (value) => (typeof value === 'boolean' ? { value } : { refused: 'must be true or false' }),
    fromText: (text) => (/^(true|yes|on|1)$/i.test(text) ? true : /^(false|no|off|0)$/i.test(text) ? false : text),
  }
}

function number(initial: number, limits: { min: number; max: number; whole?: boolean }, help: string): Setting {
  const { min, max, whole = false } = limits
  const kind = whole ? 'a whole number' : 'a number'
  return {
    default: initial,
    help,
    check(value) {
      const fits = typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value))
      return fits ? { value } : { refused: `must be ${kind} from ${min} to ${max}` }
    },
    fromText: (text) => (text.trim() === '' ? text : Number.isNaN(Number(text)) ? text : Number(text)),
  }
}

function text(initial: string, pattern: RegExp, wanted: string, help: string): Setting {
  return {
    default: initial,
    help,
    check: (value) => (typeof value === 'string' && pattern.test(value) ? { value } : { refused: `must be ${wanted}` }),
    fromText: (given) => given,
  }
}

function addresses(initial: string[], { withPeer }: { withPeer: boolean }, help: string): Setting {
  const refusal = (value: unknown): Refusal | undefined => {
    if (typeof value !== 'string') return { refused: 'must be a list of texts', hint: addressHint }
    if (!addressPattern.test(value)) return { refused: `"${value}" is not a multiaddr`, hint: addressHint }
    if (withPeer && !value.includes('/p2p/'))
      return {
        refused: `"${value}" does not say whose it is`,
        hint: 'Append /p2p/<peer ID>, as `ggen marketplace p2p status` shows it.',
      }
    return undefined
  }
  return {
    default: initial,
    help,
    check(value) {
      if (!Array.isArray(value)) return { refused: 'must be a list of addresses', hint: 'Write ["/ip4/…", "/dns4/…"].' }
      return value.map(refusal).find((found) => found !== undefined) ?? { value }
    },
    fromText: (given) =>
      given
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
  }
}

function registries(help: string): Setting {
  const example = '{ name = "main", kind = "ggen", url = "https://…/index.json" }'
  return {
    default: [],
    help,
    check(value) {
      if (!Array.isArray(value)) return { refused: 'must be a list of registries', hint: `Write [${example}].` }
      const names = new Set<string>()
      for (const entry of value as Record<string, unknown>[]) {
        const { name, kind, url } = entry ?? {}
        if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9._-]*$/i.test(name))
          return { refused: 'a registry needs a name of letters and digits', hint: example }
        if (names.has(name)) return { refused: `two registries are called ${name}` }
        names.add(name)
        if (kind !== 'ggen' && kind !== 'npm')
          return { refused: `the kind of ${name} must be "ggen" or "npm"`, hint: example }
        if (typeof url !== 'string' || !/^(https?:|file:|\/|\.)/.test(url))
          return { refused: `the url of ${name} must be an https address or a file path`, hint: example }
      }
      return { value }
    },
    fromText(given) {
      try {
        return JSON.parse(given)
      } catch {
        return given
      }
    },
  }
}

export const settings = {
  network: {
    bootstrap_nodes: addresses([], { withPeer: true }, 'Nodes to join the network through.'),
    listen_addresses: addresses(
      ['/ip4/0.0.0.0/tcp/0', '/ip4/0.0.0.0/tcp/0/ws', '/ip4/0.0.0.0/udp/0/webrtc-direct'],
      { withPeer: false },
      'Where peers reach this node. Port 0: any free port, the same one again after a restart.',
    ),
    announce_addresses: addresses(
      [],
      { withPeer: false },
      'Told to peers besides these: what a router forwards here, or a name.',
    ),
    relay_addresses: addresses([], { withPeer: true }, 'Relays that make this node reachable behind a NAT.'),
    dht_server_mode: flag(true, 'Answer DHT queries of others. Turn off on a metered or slow line.'),
    packages_topic: text(
      '/ggen/packages/v1',
      /^\/\S{1,127}$/,
      'a topic like /ggen/packages/v1',
      'Gossip topic for new releases.',
    ),
    mdns: flag(true, 'Find peers on the local network.'),
  },
  performance: {
    max_peers: number(50, { min: 1, max: 10_000, whole: true }, 'Most connections at once.'),
    min_peers: number(5, { min: 0, max: 1_000, whole: true }, 'Below this many, known peers are dialled.'),
    dht_query_timeout: number(30, { min: 0.1, max: 600 }, 'Seconds until a DHT query is given up.'),
    gossipsub_heartbeat: number(1, { min: 0.1, max: 60 }, 'Seconds between gossip heartbeats.'),
    parallel_fetches: number(6, { min: 1, max: 64, whole: true }, 'Peers a package is fetched from at once.'),
  },
  storage: {
    cache_dir: text('', /^[^\0]*$/, 'a path', 'Where packages are cached. Empty: p2p-cache in the home.'),
    max_cache_size: number(
      1024,
      { min: 1, max: 1_000_000_000 },
      'MB of cached packages; what you published or pinned does not count out.',
    ),
  },
  security: {
    enable_tls: flag(true, 'Offer TLS besides Noise between nodes.'),
    min_peer_reputation: number(0.7, { min: 0, max: 1 }, 'Peers below this are asked last.'),
    ban_threshold: number(10, { min: 1, max: 1_000_000, whole: true }, 'Broken rules that ban a peer for a day.'),
    requests_per_minute: number(
      600,
      { min: 1, max: 1_000_000, whole: true },
      'What one peer may ask of this node, per protocol.',
    ),
    min_release_age: number(
      0,
      { min: 0, max: 100_000 },
      'Hours a version must have been out before it is chosen, so that others may notice what is wrong with it. What is locked stays.',
    ),
  },
  central: {
    registries: registries('Central registries that are asked beside the network.'),
  },
} satisfies { [Section in keyof Config]: { [Key in keyof Config[Section]]: Setting } }

export const sections = Object.keys(settings) as (keyof Config)[]

/** `section.key` of every setting, in the order of the file. */
export const settingNames = sections.flatMap((section) =>
  Object.keys(settings[section]).map((key) => `${section}.${key}`),
)

/** The setting of a `section.key`; undefined when there is none. */
export function settingOf(name: string): Setting | undefined {
  const [section = '', key = '', ...rest] = name.split('.')
  if (rest.length > 0 || !Object.hasOwn(settings, section)) return undefined
  const keys: Record<string, Setting> = settings[section as keyof Config]
  return Object.hasOwn(keys, key) ? keys[key] : undefined
}
