import type { CID } from 'multiformats/cid'
import { matchesCid } from '../core/blocks/block.ts'
import { fingerprint } from '../core/identity/fingerprint.ts'
import { verifyEntry } from '../core/log/entry.ts'
import { manifestBlocks } from '../core/manifest/manifest.ts'
import type { OperationOptions } from '../core/ports.ts'
import type { RegistryNode } from '../core/registry-node.ts'
import type { CentralOrigin } from './central-packages.ts'

/** What was checked here about one package's content, down to each block. */
export interface Verification {
  cid: string
  signatures: {
    publisher: string
    petname: string | null
    fingerprint: string
    /** Key that signed: another than the publisher's after a rotation. */
    author: string
    valid: boolean
    seq: number
    /** ISO 8601, by the publisher's clock. */
    time: string
    entry: string
    /** Lowest seq at which its log holds two different entries; null: it never forked. */
    forkSeq: number | null
  }[]
  /** Set for what was downloaded here from a central registry: nobody signed it, its bytes are what the registry announced. */
  registry: CentralOrigin | null
  /** In the manifest's order, the manifest first. `ok` is null for a block that is not held here. */
  blocks: {
    cid: string
    size: number | null
    ok: boolean | null
    /** Peer that it came from since this browser's node was started. */
    from: string | null
  }[]
}

/** Checks signatures and hashes again, now: nothing is taken from an earlier check. */
export async function describeVerification(
  { parts, content }: RegistryNode,
  cid: CID,
  from: {
    /** Who gave a block. */
    peerOf(block: string): string | undefined
    /** Which registry the content was downloaded from. */
    registryOf(cid: string): Promise<CentralOrigin | null>
  },
  { signal }: OperationOptions = {},
): Promise<Verification> {
  const signatures: Verification['signatures'] = []
  for (const { envelope, cid: entryCid } of await parts.entries.byManifest(cid)) {
    const checked = await verifyEntry(envelope, { sha256: parts.sha256 }).catch(() => undefined)
    if (checked === undefined) continue
    const { publisher, author, seq, time } = checked.entry
    signatures.push({
      publisher,
      petname: parts.trust.petnameOf(publisher) ?? null,
      fingerprint: fingerprint(publisher),
      author,
      valid: true,
      seq,
      time: new Date(time).toISOString(),
      entry: entryCid.toString(),
      forkSeq: (await parts.entries.log(author))?.forkSeq ?? null,
    })
  }
  const manifest = await content.manifest(cid, { signal })
  const blocks: Verification['blocks'] = []
  for (const block of [cid, ...new Set(manifestBlocks(manifest))]) {
    signal?.throwIfAborted()
    const bytes = await parts.blocks.get(block)
    const ok = bytes === undefined ? null : await matchesCid(block, bytes, parts.sha256)
    const text = block.toString()
    blocks.push({ cid: text, size: bytes?.length ?? null, ok, from: from.peerOf(text) ?? null })
  }
  return { cid: cid.toString(), signatures, registry: await from.registryOf(cid.toString()), blocks }
}
