import { fold, nameTokens, queryTokens } from './query.ts'
import type { PackageDocument, SearchQuery } from './types.ts'

export interface RankedDocument {
  document: PackageDocument
  /** 0..1, higher is better; comparable within one answer. */
  score: number
}

/** What one word of the query earns where it is found; the best place counts. */
const weights = {
  name: 1,
  namePrefix: 0.75,
  keyword: 0.7,
  keywordPrefix: 0.5,
  category: 0.45,
  description: 0.35,
  descriptionPrefix: 0.25,
}
const exactName = 1
const nameStart = 0.25
const yankedFactor = 0.2
const deprecatedFactor = 0.5

/**
 * Orders candidates by how well they fit: the exact name first, then names, keywords, category and description, each word of the query counting
 * where it fits best. Pure and free of locale, so that every platform and every peer's answer is ranked alike; ties go by name, then publisher.
 * An empty query lists the newest first. Candidates that fit no word are left out.
 */
export function rankDocuments(
  query: SearchQuery,
  documents: readonly PackageDocument[],
  limit: number,
): RankedDocument[] {
  const tokens = queryTokens(query.text)
  const wanted =
    query.category === undefined ? documents : documents.filter(({ category }) => category === query.category)
  if (tokens.length === 0) {
    return [...wanted]
      .sort((a, b) => b.time - a.time || byName(a, b))
      .slice(0, limit)
      .map((document) => ({ document, score: 1 }))
  }
  const whole = fold(query.text.trim())
  return wanted
    .map((document) => ({ document, score: score(whole, tokens, document) }))
    .filter((ranked) => ranked.score > 0)
    .sort((a, b) => b.score - a.score || byName(a.document, b.document))
    .slice(0, limit)
}

/** A document's words, folded. */
interface Words {
  name: string
  names: string[]
  keywords: string[]
  category: string[]
  description: string[]
}

/** An index in memory ranks the same documents again and again: taking them apart is what costs. */
const wordsOf = new WeakMap<PackageDocument, Words>()

function takeApart(document: PackageDocument): Words {
  const known = wordsOf.get(document)
  if (known !== undefined) return known
  const words = {
    name: fold(document.name),
    names: nameTokens(document.name),
    keywords: document.keywords.flatMap((keyword) => queryTokens(keyword)),
    category: queryTokens(document.category),
    description: queryTokensOf(document.description),
  }
  wordsOf.set(document, words)
  return words
}

function score(whole: string, tokens: readonly string[], document: PackageDocument): number {
  const { name, names, keywords, category, description } = takeApart(document)
  let sum = 0
  for (const token of tokens) sum += best(token, names, keywords, category, description)
  if (sum === 0) return 0
  const fit = sum / tokens.length
  const bonus = name === whole || names.at(-1) === tokens.join('') ? exactName : name.startsWith(whole) ? nameStart : 0
  const factor = (document.yanked ? yankedFactor : 1) * (document.deprecated === '' ? 1 : deprecatedFactor)
  return Math.round(((fit + bonus) / 2) * factor * 10_000) / 10_000
}

function best(token: string, names: string[], keywords: string[], category: string[], description: string[]): number {
  if (names.includes(token)) return weights.name
  if (names.some((name) => name.startsWith(token))) return weights.namePrefix
  if (keywords.includes(token)) return weights.keyword
  if (keywords.some((keyword) => keyword.startsWith(token))) return weights.keywordPrefix
  if (category.includes(token)) return weights.category
  if (description.includes(token)) return weights.description
  return description.some((word) => word.startsWith(token)) ? weights.descriptionPrefix : 0
}

/** All words, where `queryTokens` stops after a few. */
function queryTokensOf(text: string): string[] {
  return fold(text).match(/[\p{L}\p{N}]+/gu) ?? []
}

/** By code units: the same order in every locale. */
function byName(a: PackageDocument, b: PackageDocument): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1
  return a.publisher < b.publisher ? -1 : a.publisher > b.publisher ? 1 : 0
}
