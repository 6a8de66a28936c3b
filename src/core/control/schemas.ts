import * as v from 'valibot'
import type { ServiceMethods } from './service.ts'

const text = v.string()
const number = v.number()
const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const flag = v.boolean()
const texts = v.array(text)
const orNull = <S extends v.GenericSchema>(schema: S) => v.nullable(schema)
const status = v.picklist(['ok', 'timeout', 'error', 'skipped'])

const removal = v.strictObject({ removedBlocks: count, removedBytes: count })
const peerId = v.strictObject({ peerId: text })
const statement = v.strictObject({ name: text, versions: texts, entry: orNull(text) })

/** The shape of each method's result, which `--json` prints: held to the types by the compiler, to the commands by a test, and published as JSON Schema. */
export const resultSchemas = {
  status: v.strictObject({
    running: v.literal(true),
    peerId: text,
    publisher: text,
    version: text,
    pid: count,
    uptimeMs: number,
    addresses: texts,
    dht: v.strictObject({ mode: v.picklist(['server', 'client']), routingTable: count }),
    peers: v.strictObject({ connected: count, max: count, banned: count }),
    topics: v.array(v.strictObject({ topic: text, subscribers: count })),
    packages: v.strictObject({ published: count, known: count, cached: count }),
    cache: v.strictObject({ bytes: count, maxBytes: count }),
    bandwidth: v.strictObject({ in: count, out: count }),
    memory: v.strictObject({ rss: count }),
    warnings: texts,
  }),
  connect: peerId,
  disconnect: peerId,
  peers: v.strictObject({
    peers: v.array(
      v.strictObject({
        peerId: text,
        address: text,
        transport: text,
        direction: v.picklist(['inbound', 'outbound']),
        reputation: v.pipe(number, v.minValue(0), v.maxValue(1)),
        latencyMs: orNull(number),
        packages: count,
        banned: flag,
        agent: text,
      }),
    ),
  }),
  bootstrap: v.strictObject({ contacted: count, connected: count, routingTable: count, tookMs: number }),
  publish: v.strictObject({
    name: text,
    version: text,
    publisher: text,
    cid: text,
    entry: orNull(text),
    files: count,
    bytes: count,
    replicas: count,
    tookMs: number,
    unchanged: v.optional(flag),
    dryRun: v.optional(
      v.strictObject({
        files: v.array(v.strictObject({ path: text, size: count })),
        ignored: v.array(v.strictObject({ path: text, reason: text })),
      }),
    ),
    warnings: v.optional(texts),
  }),
  search: v.strictObject({
    query: text,
    results: v.array(
      v.strictObject({
        name: text,
        version: text,
        description: text,
        category: text,
        keywords: texts,
        publisher: orNull(text),
        cid: orNull(text),
        score: number,
        providers: count,
        sources: texts,
        disagreements: v.array(v.strictObject({ source: text, version: text })),
        yanked: flag,
      }),
    ),
    tookMs: number,
    sources: v.array(v.strictObject({ source: text, status, results: count, tookMs: number, error: v.optional(text) })),
  }),
  install: v.strictObject({
    installed: v.array(
      v.strictObject({
        name: text,
        version: text,
        publisher: orNull(text),
        cid: orNull(text),
        path: text,
        bytes: count,
        fetchedBytes: count,
        sources: texts,
      }),
    ),
    removed: texts,
    tookMs: number,
    notices: texts,
  }),
  uninstall: v.strictObject({ removed: texts }),
  list: v.strictObject({
    dir: text,
    packages: v.array(
      v.strictObject({ name: text, version: text, publisher: orNull(text), cid: text, path: text, present: flag }),
    ),
  }),
  info: v.strictObject({
    name: text,
    version: text,
    publisher: orNull(text),
    petname: orNull(text),
    cid: orNull(text),
    source: text,
    entry: orNull(text),
    description: text,
    category: text,
    keywords: texts,
    license: text,
    authors: texts,
    repository: text,
    bytes: count,
    files: count,
    published: text,
    yanked: flag,
    deprecated: text,
    dependencies: v.record(text, text),
    external: v.record(text, text),
    versions: v.array(
      v.strictObject({ version: text, cid: orNull(text), published: text, yanked: flag, deprecated: text }),
    ),
    providers: count,
    cached: flag,
    installed: orNull(text),
    forked: flag,
  }),
  verify: v.strictObject({
    ok: flag,
    packages: v.array(
      v.strictObject({
        name: text,
        version: text,
        cid: text,
        publisher: orNull(text),
        ok: flag,
        signature: v.picklist(['valid', 'missing', 'invalid', 'central']),
        files: count,
        faults: v.array(
          v.strictObject({
            path: text,
            fault: v.picklist(['changed', 'missing', 'extra', 'not-executable', 'executable']),
          }),
        ),
        error: v.optional(text),
      }),
    ),
  }),
  outdated: v.strictObject({
    dir: text,
    packages: v.array(
      v.strictObject({ name: text, current: text, wanted: text, latest: text, requested: flag, yanked: flag }),
    ),
  }),
  why: v.strictObject({ name: text, version: text, paths: v.array(texts) }),
  yank: statement,
  deprecate: statement,
  trust: v.strictObject({
    publishers: v.array(
      v.strictObject({ publisher: text, petname: orNull(text), fingerprint: text, blocked: flag, pins: texts }),
    ),
  }),
  key: v.strictObject({ publisher: text, fingerprint: text, key: text }),
  cacheInfo: v.strictObject({
    dir: text,
    bytes: count,
    maxBytes: count,
    pinnedBytes: count,
    blocks: count,
    packages: v.array(
      v.strictObject({
        name: text,
        version: text,
        publisher: orNull(text),
        cid: text,
        bytes: count,
        pinned: flag,
        lastUsed: text,
      }),
    ),
  }),
  cacheCollect: removal,
  cacheClear: removal,
} satisfies { [Method in keyof ServiceMethods]: v.GenericSchema<unknown, ServiceMethods[Method]['result']> }
