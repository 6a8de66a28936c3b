import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { parse, TomlError } from 'smol-toml'
import * as v from 'valibot'
import { RegistryError } from '../src/core/errors.ts'

const MiB = 1024 * 1024

const count = (initial: number, max = 1_000_000_000) =>
  v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max)), initial)
const texts = (initial: string[] = []) => v.optional(v.array(v.string()), initial)

/** Every setting with its default. Sections and keys are those of the TOML file; README.md in this folder explains them. */
const schema = v.strictObject({
  /** Where identity, certificates and index live. */
  home: v.optional(v.string(), join(homedir(), '.ggen-relay')),
  listen: texts(['/ip4/0.0.0.0/tcp/4001', '/ip4/0.0.0.0/tcp/4002/ws', '/ip4/0.0.0.0/udp/4003/webrtc-direct']),
  announce: texts(),
  bootstrap: texts(),
  /** Other relays that clients may use besides, as URLs. */
  relays: texts(),
  topic: v.optional(v.string(), '/ggen/packages/v1'),
  log_level: v.optional(v.picklist(['debug', 'info', 'warn', 'error', 'silent']), 'info'),
  http: v.optional(
    v.strictObject({
      host: v.optional(v.string(), '0.0.0.0'),
      port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)), 8080),
      /** Folder with the explorer's files. Empty: the built-in ones. */
      explorer: v.optional(v.string(), ''),
      requests_per_minute: count(600),
      /** Read the client's address from X-Forwarded-For: only behind a proxy that sets it. */
      trust_proxy: v.optional(v.boolean(), false),
    }),
    {},
  ),
  tls: v.optional(v.strictObject({ key: v.string(), cert: v.string() })),
  limits: v.optional(
    v.strictObject({
      max_connections: count(2_000, 100_000),
      connections_per_second: count(50, 10_000),
      max_reservations: count(1_000, 100_000),
      /** Seconds; clients renew theirs after half a minute at the earliest. */
      reservation_ttl: v.optional(v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(86_400)), 3_600),
      /** MiB that one relayed connection may carry. */
      max_relayed_mb: count(16),
      /** Seconds a relayed connection may last. */
      max_relayed_seconds: count(600),
      relay_requests_per_minute: count(120),
      requests_per_minute: count(600),
      /** MiB of blocks. */
      max_cache_mb: count(64),
      /** Seconds that relayed connections get to end when the service stops. */
      drain_seconds: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(3_600)), 10),
    }),
    {},
  ),
  access: v.optional(
    v.strictObject({
      /** Peer IDs; not empty: nobody else may reserve or dial through this relay. */
      allow_peers: texts(),
      deny_peers: texts(),
      /** IP ranges like 192.0.2.0/24. */
      deny_ranges: texts(),
    }),
    {},
  ),
  /** STUN servers that pages use for connections to each other. They learn the visitors' IP addresses: none unless you name some. */
  ice_servers: texts(),
})

export type RelayConfig = v.InferOutput<typeof schema>

const flagTypes = {
  config: { type: 'string', short: 'c' },
  home: { type: 'string' },
  listen: { type: 'string', multiple: true },
  announce: { type: 'string', multiple: true },
  bootstrap: { type: 'string', multiple: true },
  'http-host': { type: 'string' },
  'http-port': { type: 'string' },
  explorer: { type: 'string' },
  set: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  'print-config': { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

export interface CommandLine {
  config: RelayConfig
  help: boolean
  version: boolean
  printConfig: boolean
  /** Print the ready line as JSON. */
  json: boolean
}

export const usage = `Usage: ggen-relay [options]

Runs a relay: it makes browsers and machines behind a NAT reachable, answers searches, and serves the explorer.

  -c, --config FILE      settings in TOML (every one: relay/README.md)
      --home DIR         identity, certificates and index (~/.ggen-relay)
      --listen ADDRESS   multiaddr to listen on; may be repeated
      --announce ADDRESS told to peers besides these; may be repeated
      --bootstrap ADDR   node to join the network through; may be repeated
      --http-host HOST   of the explorer and the status pages (0.0.0.0)
      --http-port PORT   (8080; 0: any free one)
      --explorer DIR     serve these files instead of the built-in explorer
      --set KEY=VALUE    any other setting: --set limits.max_reservations=200
      --json             print one line of JSON when ready
      --print-config     print what these settings amount to, and end
      --version, --help

Settings come from defaults, the file, the environment (GGEN_RELAY_HTTP_PORT for http.port) and flags, later ones winning.

Example: ggen-relay --home /var/lib/ggen-relay --http-port 8080
`

/** Reads flags, environment and file. Throws `USAGE` for a wrong flag and `INVALID_CONFIG` naming the setting. */
export function readConfig(args: string[], env: NodeJS.ProcessEnv): CommandLine {
  const flags = parseFlags(args)
  const file = flags.config ?? env.GGEN_RELAY_CONFIG
  const merged = file === undefined ? {} : readFile(file)
  for (const [name, text] of environmentSettings(env)) assign(merged, name, text)
  for (const setting of flags.set ?? []) {
    const [, name, text] = /^([\w.]+)=(.*)$/s.exec(setting) ?? []
    if (name === undefined) throw usageError(`--set takes KEY=VALUE, not "${setting}".`)
    assign(merged, name, text!)
  }
  const direct = { home: flags.home, listen: flags.listen, announce: flags.announce, bootstrap: flags.bootstrap }
  for (const [key, value] of Object.entries(direct)) if (value !== undefined) merged[key] = value
  if (flags['http-host'] !== undefined) assign(merged, 'http.host', flags['http-host'])
  if (flags['http-port'] !== undefined) assign(merged, 'http.port', flags['http-port'])
  if (flags.explorer !== undefined) assign(merged, 'http.explorer', flags.explorer)
  return {
    config: check(merged, file),
    help: flags.help === true,
    version: flags.version === true,
    printConfig: flags['print-config'] === true,
    json: flags.json === true,
  }
}

function parseFlags(args: string[]) {
  try {
    return parseArgs({ args, options: flagTypes }).values
  } catch (error) {
    throw usageError((error as Error).message)
  }
}

function usageError(message: string): RegistryError {
  return new RegistryError('USAGE', message, { hint: 'See ggen-relay --help' })
}

type Table = Record<string, unknown>

function readFile(path: string): Table {
  let text: string
  try {
    text = readFileSync(resolve(path), 'utf8')
  } catch (cause) {
    throw new RegistryError('INVALID_CONFIG', `The settings in ${path} cannot be read.`, {
      hint: 'Check the path and its permissions.',
      cause,
    })
  }
  try {
    return parse(text) as Table
  } catch (error) {
    const where = error instanceof TomlError ? `, line ${error.line}, column ${error.column}` : ''
    throw new RegistryError('INVALID_CONFIG', `${path}${where}: not TOML.`, { hint: (error as Error).message })
  }
}

/** GGEN_RELAY_SECTION_KEY: where the section ends is found among the known names. */
function* environmentSettings(env: NodeJS.ProcessEnv): Iterable<[string, string]> {
  const byVariable = new Map(settingNames().map((name) => [`GGEN_RELAY_${name.replace('.', '_').toUpperCase()}`, name]))
  for (const [variable, text] of Object.entries(env)) {
    const name = byVariable.get(variable)
    if (name !== undefined && text !== undefined) yield [name, text]
  }
}

function settingNames(): string[] {
  return Object.entries(schema.entries).flatMap(([key, entry]) => {
    const inner = 'wrapped' in entry ? entry.wrapped : entry
    return 'entries' in inner ? Object.keys(inner.entries).map((name) => `${key}.${name}`) : [key]
  })
}

/** A text as the setting's type; lists are separated by commas. */
function assign(table: Table, name: string, text: string): void {
  if (!settingNames().includes(name)) {
    throw new RegistryError('INVALID_CONFIG', `There is no setting ${name}.`, {
      hint: `There are: ${settingNames().join(', ')}`,
    })
  }
  const [section, key] = name.split('.') as [string, string | undefined]
  const value = fromText(name, text)
  if (key === undefined) table[section] = value
  else table[section] = { ...(table[section] as Table | undefined), [key]: value }
}

const listSettings = [
  'listen',
  'announce',
  'bootstrap',
  'relays',
  'ice_servers',
  'access.allow_peers',
  'access.deny_peers',
  'access.deny_ranges',
]

function fromText(name: string, text: string): unknown {
  if (listSettings.includes(name)) return text.split(',').flatMap((part) => part.trim() || [])
  if (text === 'true' || text === 'false') return text === 'true'
  return text.trim() !== '' && !Number.isNaN(Number(text)) && !name.startsWith('tls') ? Number(text) : text
}

function check(merged: Table, file: string | undefined): RelayConfig {
  const parsed = v.safeParse(schema, merged)
  if (parsed.success) return parsed.output
  const faults = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'settings'}: ${issue.message}`)
  const where = file === undefined ? 'The settings are' : `The settings (${file} among them) are`
  throw new RegistryError('INVALID_CONFIG', `${where} not valid. ${faults.join('; ')}`, {
    hint: 'Every setting with its default: relay/README.md, or ggen-relay --print-config',
  })
}

export const mebibytes = (count: number): number => count * MiB
