import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { verifyEntry } from '../log/entry.ts'
import type { VerifiedEntry } from '../log/types.ts'
import type { OperationOptions, RecordRules, Sha256 } from '../ports.ts'
import type { RegistryParts } from './parts.ts'

const logNamespace = 'ggen-log'
const rawCodec = 0x55
const sha256Code = 0x12

/** DHT key under which holders of any version of a name announce themselves. */
export async function nameKey(name: string, sha256: Sha256): Promise<CID> {
  const digest = await sha256(new TextEncoder().encode(`ggen:name:${name}`))
  return CID.createV1(rawCodec, createDigest(sha256Code, digest))
}

export function logHeadKey(author: string): string {
  return `/${logNamespace}/${author}`
}

/** How DHT servers check log heads: signed by the key the record is named after; the highest `seq` wins. */
export function logHeadRules(sha256: Sha256): RecordRules {
  const parse = (value: Uint8Array) => verifyEntry(value, { sha256 })
  const seqs = new WeakMap<Uint8Array, number>()
  return {
    namespace: logNamespace,
    async validate(key, value) {
      const { entry } = await parse(value)
      if (key !== logHeadKey(entry.author)) throw new Error('The log head is not by the author its key names.')
      seqs.set(value, entry.seq)
    },
    select(_key, values) {
      const best = values.reduce((a, b) => ((seqs.get(b) ?? -1) > (seqs.get(a) ?? -1) ? b : a))
      return values.indexOf(best)
    },
  }
}

export interface Announcer {
  /** Tells connected peers at once. Returns how many it was sent to. */
  gossip(entry: VerifiedEntry | Uint8Array): Promise<number>
  /** Tells the DHT that we hold this content, and under which name. */
  provide(manifest: CID, name: string, options?: OperationOptions): Promise<void>
  /** Stores the head of a log in the DHT. */
  putHead(head: VerifiedEntry, options?: OperationOptions): Promise<void>
}

export function createAnnouncer(parts: RegistryParts): Announcer {
  const { network, settings, sha256 } = parts
  return {
    async gossip(entry) {
      return (await network?.publish(settings.topic, entry instanceof Uint8Array ? entry : entry.envelope)) ?? 0
    },
    async provide(manifest, name, options) {
      if (network === undefined) return
      await Promise.all([network.provide(manifest, options), network.provide(await nameKey(name, sha256), options)])
    },
    async putHead(head, options) {
      await network?.putRecord(logHeadKey(head.entry.author), head.envelope, options)
    },
  }
}
