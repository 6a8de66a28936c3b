const maxTokens = 16

/** Lower case without diacritics: how words are compared everywhere. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
}

/** The words of a query, folded, in order, each once; at most 16. */
export function queryTokens(text: string): string[] {
  return [...new Set(words(text))].slice(0, maxTokens)
}

/** What a package name can be found by: its parts, and the whole of it written together. `graphql-api` gives graphql, api, graphqlapi. */
export function nameTokens(name: string): string[] {
  const parts = words(name)
  return [...new Set(parts.length > 1 ? [...parts, parts.join('')] : parts)]
}

function words(text: string): string[] {
  const separated = text.replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
  return fold(separated).match(/[\p{L}\p{N}]+/gu) ?? []
}
