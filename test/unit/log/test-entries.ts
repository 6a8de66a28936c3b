import type { CID } from 'multiformats/cid'
import { createBlock, encodeNode } from '../../../src/core/blocks/block.ts'
import { webcryptoSha256 as sha256 } from '../../../src/core/blocks/webcrypto-sha256.ts'
import { createEntry } from '../../../src/core/log/entry.ts'
import type { LogEntry, ReleaseBody, VerifiedEntry } from '../../../src/core/log/types.ts'
import type { Signer } from '../../../src/core/ports.ts'

/** The CID of some manifest. */
export async function manifestCid(seed = 'content'): Promise<CID> {
  return (await createBlock('dag-cbor', encodeNode({ seed }), sha256)).cid
}

export async function releaseBody(change: Partial<ReleaseBody> = {}): Promise<ReleaseBody> {
  return {
    name: 'engine',
    version: '1.0.0',
    manifest: await manifestCid(),
    bytes: 10,
    files: 1,
    description: 'Counts.',
    keywords: ['fast'],
    category: 'tools',
    license: 'MIT',
    authors: ['Ada'],
    repository: '',
    dependencies: {},
    ...change,
  }
}

type Statement = {
  [T in LogEntry['type']]: { type: T; body: Extract<LogEntry, { type: T }>['body'] }
}[LogEntry['type']]

/** Writes one author's log, each entry linked to the one before. */
export function createTestLog(signer: Signer, publisher = signer.did) {
  let previous: VerifiedEntry | undefined
  async function append(statement: Statement, successor?: Signer): Promise<VerifiedEntry> {
    const seq = previous === undefined ? 0 : previous.entry.seq + 1
    const prev = previous?.cid ?? null
    const fields = { publisher, seq, prev, time: 1_700_000_000_000 + seq, ...statement }
    previous = await createEntry(successor === undefined ? signer : [signer, successor], fields, sha256)
    return previous
  }
  return {
    append,
    release: async (version: string, change: Partial<ReleaseBody> = {}) =>
      append({ type: 'release', body: await releaseBody({ version, ...change }) }),
    yank: (version: string, reason?: string) =>
      append({ type: 'yank', body: { name: 'engine', version, ...(reason === undefined ? {} : { reason }) } }),
    unyank: (version: string) => append({ type: 'unyank', body: { name: 'engine', version } }),
    deprecate: (range: string, message: string) =>
      append({ type: 'deprecate', body: { name: 'engine', range, message } }),
    rotate: (successor: Signer) => append({ type: 'rotate', body: { to: successor.did } }, successor),
    revoke: (reason = '') => append({ type: 'revoke', body: { reason } }),
  }
}
