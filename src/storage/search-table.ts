import type { SearchIndex } from '../core/ports.ts'
import { editDistance } from '../core/search/edit-distance.ts'
import { rankDocuments } from '../core/search/rank.ts'
import type { PackageDocument } from '../core/search/types.ts'

/** A SearchIndex over documents in memory, which the core's own ranking goes through one by one: for what a browser tab or a test knows. */
export function createSearchTable(): SearchIndex {
  const documents = new Map<string, PackageDocument>()
  const keyOf = ({ publisher, name }: { publisher: string; name: string }): string => `${publisher}/${name}`
  return {
    async start() {},
    async stop() {},
    async upsert(added) {
      for (const document of added) documents.set(keyOf(document), document)
    },
    async remove(keys) {
      for (const key of keys) documents.delete(keyOf(key))
    },
    search: async (query, limit) =>
      rankDocuments(query, [...documents.values()], limit).map(({ document }) => document),
    get: async (publisher, name) => documents.get(keyOf({ publisher, name })),
    async similarNames(name, limit) {
      const slack = Math.max(1, Math.floor(name.length / 4))
      return [...new Set([...documents.values()].map((document) => document.name))]
        .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate) }))
        .filter(({ distance }) => distance <= slack)
        .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
        .slice(0, limit)
        .map(({ candidate }) => candidate)
    },
  }
}
