import type { CID } from 'multiformats/cid'
import * as v from 'valibot'
import { isOurCid } from '../blocks/block.ts'
import { isDid } from '../identity/did-key.ts'
import { limits } from '../limits.ts'
import {
  descriptionFields,
  externalSchema,
  nameSchema,
  rangeSchema,
  text,
  versionSchema,
} from '../manifest/field-schemas.ts'
import { checkPackagePath } from '../manifest/package-path.ts'
import { describeFault } from '../schema-fault.ts'
import type { LogEntry } from './types.ts'

const didSchema = v.custom<string>(isDid, 'not a did:key')
const nodeCid = v.custom<CID>((value) => isOurCid(value, 'dag-cbor'), 'not the CID of a dag-cbor block')
const rawCid = v.custom<CID>((value) => isOurCid(value, 'raw'), 'not the CID of a raw block')
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const packageBytes = v.pipe(count, v.maxValue(limits.maxPackageBytes))
const reason = text(limits.maxReasonLength)

const readmeSchema = v.pipe(
  v.strictObject({
    path: v.pipe(
      v.string(),
      v.check((path) => checkPackagePath(path) === undefined, 'not a package path'),
    ),
    blocks: v.array(rawCid),
    bytes: packageBytes,
  }),
  v.check(({ blocks, bytes }) => blocks.length === Math.ceil(bytes / limits.maxBlockBytes), 'wrong number of blocks'),
)

const yankBody = v.strictObject({ name: nameSchema, version: versionSchema, reason: v.optional(reason) })

const bodies = {
  release: v.strictObject({
    name: nameSchema,
    version: versionSchema,
    manifest: nodeCid,
    bytes: packageBytes,
    files: v.pipe(count, v.maxValue(limits.maxFiles)),
    ...descriptionFields,
    readme: v.optional(readmeSchema),
    external: v.optional(externalSchema),
  }),
  yank: yankBody,
  unyank: yankBody,
  deprecate: v.strictObject({ name: nameSchema, range: rangeSchema, message: reason }),
  profile: v.strictObject({ name: text(limits.maxNameLength), url: v.optional(text(limits.maxUrlLength)) }),
  rotate: v.strictObject({ to: didSchema }),
  revoke: v.strictObject({ reason }),
}

function entryOf<Type extends keyof typeof bodies>(type: Type) {
  return v.strictObject({
    v: v.literal(1),
    publisher: didSchema,
    author: didSchema,
    seq: count,
    prev: v.nullable(nodeCid),
    time: count,
    type: v.literal(type),
    body: bodies[type],
  })
}

const entrySchema = v.pipe(
  v.variant('type', [
    entryOf('release'),
    entryOf('yank'),
    entryOf('unyank'),
    entryOf('deprecate'),
    entryOf('profile'),
    entryOf('rotate'),
    entryOf('revoke'),
  ]),
  v.check(({ seq, prev }) => (seq === 0) === (prev === null), 'prev must be null exactly when seq is 0'),
  v.check((entry) => entry.type !== 'rotate' || entry.body.to !== entry.author, 'rotates to its own key'),
)

/**
 * A decoded value as an entry, or what is wrong with it, with the field's name first. Its text may hold anything
 * printable or not: renderers strip it.
 */
export function parseEntry(value: unknown): { entry: LogEntry } | { fault: string } {
  const parsed = v.safeParse(entrySchema, value, { abortEarly: true })
  return parsed.success ? { entry: parsed.output as LogEntry } : { fault: describeFault(parsed.issues) }
}
