import { CID } from 'multiformats/cid'
import { limits } from '../limits.ts'
import type { VerifiedEntry } from '../log/types.ts'
import { rankDocuments } from '../search/rank.ts'
import type { PeerAnswer, PeerQuestion } from '../search/search-protocol.ts'
import { serveSearch } from '../search/search-protocol.ts'
import type { RegistryParts } from './parts.ts'

/** Answers other peers' questions from the own index, always with the signed entries: the asker believes nobody, us included. */
export async function answerPeers(parts: RegistryParts, options: { requestsPerMinute: number }): Promise<void> {
  if (parts.network === undefined) return
  await serveSearch({
    network: parts.network,
    reputation: parts.reputation,
    clock: parts.clock,
    requestsPerMinute: options.requestsPerMinute,
    answer: (question) => answer(parts, question),
  })
}

async function answer(parts: RegistryParts, question: PeerQuestion): Promise<PeerAnswer> {
  const found =
    question.kind === 'package' ? await parts.entries.byPackage(question.name) : await searchIndex(parts, question)
  const releases = withinAnswer(found)
  const manifests = releases.flatMap(({ entry }) => (entry.type === 'release' ? [entry.body.manifest] : []))
  const held = await parts.blocks.has(manifests)
  return {
    envelopes: releases.map(({ envelope }) => envelope),
    held: manifests.filter((_, index) => held[index]).map(String),
  }
}

/** The newest come last in a log and matter most: when not all fit, the oldest are left out. */
function withinAnswer(found: readonly VerifiedEntry[]): VerifiedEntry[] {
  const chosen: VerifiedEntry[] = []
  let bytes = 0
  for (const entry of found.slice(-limits.maxPackageEntries).reverse()) {
    bytes += entry.envelope.length
    if (bytes > limits.maxAnswerBytes) break
    chosen.push(entry)
  }
  return chosen.reverse()
}

async function searchIndex(
  parts: RegistryParts,
  { query, limit }: Extract<PeerQuestion, { kind: 'search' }>,
): Promise<VerifiedEntry[]> {
  const documents = await parts.search.search(query, limits.maxSearchResults)
  const ranked = rankDocuments(query, documents, Math.min(limit, limits.maxSearchResults))
  const entries = await Promise.all(ranked.map(({ document }) => parts.entries.get(CID.parse(document.entry))))
  return entries.filter((entry) => entry !== undefined)
}
