import * as v from 'valibot'
import { resultSchemas } from '../core/control/schemas.ts'
import { exitCodes } from '../core/errors.ts'

const text = v.string()
const flag = v.boolean()
const errorJson = v.strictObject({
  code: v.picklist(Object.keys(exitCodes) as (keyof typeof exitCodes)[]),
  message: text,
  hint: v.optional(text),
})
const fault = v.strictObject({ line: v.optional(v.number()), key: text, message: text, hint: v.optional(text) })
const check = v.strictObject({
  name: text,
  status: v.picklist(['ok', 'warn', 'fail', 'skipped']),
  message: text,
  hint: v.optional(text),
})
const removal = resultSchemas.cacheClear

/** What a failing command prints under `--json`. */
export const errorSchema = v.strictObject({ error: errorJson })

/** What each command prints under `--json`, by the command's words below `ggen` or `ggen marketplace`. Published as JSON Schema in `dist/schemas/`. */
export const outputSchemas: Record<string, v.GenericSchema> = {
  'p2p start': v.strictObject({
    peerId: text,
    publisher: text,
    addresses: v.array(text),
    pid: v.number(),
    controlSocket: text,
    startupMs: v.number(),
  }),
  'p2p status': v.union([resultSchemas.status, v.strictObject({ running: v.literal(false) })]),
  'p2p stop': v.strictObject({ stopped: v.literal(true) }),
  'p2p connect': resultSchemas.connect,
  'p2p disconnect': v.union([resultSchemas.disconnect, v.strictObject({ stopped: v.literal(true) })]),
  'p2p peers': resultSchemas.peers,
  'p2p bootstrap': resultSchemas.bootstrap,
  'p2p explorer': v.strictObject({ url: text }),
  'p2p config show': v.strictObject({ file: text, config: v.record(text, v.unknown()), origins: v.record(text, text) }),
  'p2p config get': v.strictObject({ key: text, value: v.unknown(), origin: text }),
  'p2p config set': v.strictObject({ key: text, value: v.unknown(), file: text }),
  'p2p config edit': v.strictObject({ file: text, ok: flag }),
  'p2p config reset': v.strictObject({ file: text, backup: v.nullable(text) }),
  'p2p config validate': v.strictObject({ file: text, ok: flag, faults: v.array(fault), error: v.optional(errorJson) }),
  'p2p config path': v.strictObject({ file: text }),
  'p2p search': resultSchemas.search,
  'p2p publish': resultSchemas.publish,
  publish: resultSchemas.publish,
  search: resultSchemas.search,
  info: resultSchemas.info,
  install: resultSchemas.install,
  update: resultSchemas.install,
  uninstall: resultSchemas.uninstall,
  list: resultSchemas.list,
  outdated: resultSchemas.outdated,
  why: resultSchemas.why,
  verify: v.strictObject({ ...resultSchemas.verify.entries, error: v.optional(errorJson) }),
  yank: resultSchemas.yank,
  unyank: resultSchemas.yank,
  deprecate: resultSchemas.deprecate,
  'trust list': resultSchemas.trust,
  'trust add': resultSchemas.trust,
  'trust remove': resultSchemas.trust,
  'trust block': resultSchemas.trust,
  'key show': v.strictObject({ ...resultSchemas.key.entries, path: text }),
  'key export': v.strictObject({ file: text, publisher: text, encrypted: flag }),
  'key import': v.strictObject({ publisher: text, backup: v.nullable(text) }),
  'key rotate': v.strictObject({ publisher: text, key: text, backup: text }),
  'cache info': resultSchemas.cacheInfo,
  'cache gc': removal,
  'cache clear': removal,
  doctor: v.strictObject({ ok: flag, checks: v.array(check) }),
  completion: v.strictObject({ shell: text, script: text }),
}
