import type { Datastore } from 'interface-datastore'
import { Key } from 'interface-datastore'
import * as v from 'valibot'

const prefix = '/ggen/kept-peers'
const addressesSchema = v.array(v.string())

/** The peers whose connection the user wants kept, with where they were last reached: libp2p's own store forgets addresses within the hour. */
export interface KeptPeers {
  load(): Promise<{ peerId: string; addresses: string[] }[]>
  save(peerId: string, addresses: string[]): Promise<void>
  remove(peerId: string): Promise<void>
}

export function createKeptPeers(datastore: Datastore): KeptPeers {
  const keyOf = (peerId: string): Key => new Key(`${prefix}/${peerId}`)
  return {
    async load() {
      const kept: { peerId: string; addresses: string[] }[] = []
      for await (const { key, value } of datastore.query({ prefix })) {
        const addresses = v.safeParse(addressesSchema, JSON.parse(new TextDecoder().decode(value)))
        if (addresses.success) kept.push({ peerId: key.baseNamespace(), addresses: addresses.output })
      }
      return kept
    },
    async save(peerId, addresses) {
      await datastore.put(keyOf(peerId), new TextEncoder().encode(JSON.stringify(addresses)))
    },
    async remove(peerId) {
      await datastore.delete(keyOf(peerId))
    },
  }
}
