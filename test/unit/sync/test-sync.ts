import type { CID } from 'multiformats/cid'
import { createBlock, encodeNode } from '../../../src/core/blocks/block.ts'
import type { VerifiedEntry } from '../../../src/core/log/types.ts'
import type { EntryStore } from '../../../src/core/ports.ts'
import { nodeSha256 as sha256 } from '../../../src/storage/node-sha256.ts'
import { toHex } from '../identity/test-signers.ts'

/** An envelope without a signature: reconciliation reads no more of an entry than its digest, author and seq. */
export async function plainEntry(number: number, author = 'did:key:plain'): Promise<VerifiedEntry> {
  const { cid, bytes } = await createBlock('dag-cbor', encodeNode({ author, number }), sha256)
  return plain(cid, bytes, author, number)
}

function plain(cid: CID, envelope: Uint8Array, author: string, seq: number): VerifiedEntry {
  return { cid, envelope, entry: { author, seq } } as unknown as VerifiedEntry
}

export interface PlainStore {
  entries: EntryStore
  /** Takes envelopes as they come, like the intake of a node that trusts everybody. */
  accept(envelopes: readonly Uint8Array[]): Promise<VerifiedEntry[]>
  /** Envelopes in the order they came. */
  accepted: Uint8Array[]
  digests(): string[]
}

/** Holds entries by digest: as much of an EntryStore as reconciliation uses. */
export function createPlainStore(initial: readonly VerifiedEntry[] = []): PlainStore {
  const held = new Map(initial.map((entry) => [keyOf(entry.cid), entry]))
  const accepted: Uint8Array[] = []
  const entries: Pick<EntryStore, 'count' | 'cids' | 'get'> = {
    count: async () => ({ entries: held.size, packages: 0, publishers: 0 }),
    cids: async () => [...held.values()].map(({ cid }) => cid.bytes),
    get: async (cid) => held.get(keyOf(cid)),
  }
  return {
    entries: entries as EntryStore,
    accepted,
    digests: () => [...held.keys()].sort(),
    async accept(envelopes) {
      accepted.push(...envelopes)
      for (const envelope of envelopes) {
        const { cid } = await createBlock('dag-cbor', envelope, sha256)
        held.set(keyOf(cid), plain(cid, envelope, 'did:key:plain', 0))
      }
      return []
    },
  }
}

const keyOf = (cid: CID) => toHex(cid.multihash.digest)
