import { limits } from '../limits.ts'
import { isWindowsReserved } from './package-path.ts'

/**
 * `name` or `@scope/name`, each part beginning with a letter or digit: it becomes the folder `.ggen/packages/<name>/`
 * on every platform, stands on command lines after `<publisher>/` and before `@range`, and is a key in objects. Lower
 * case only, so that no two differ by case; ASCII only, so that no two look alike.
 */
const namePattern = /^(?:@([a-z0-9][a-z0-9._-]*)\/)?([a-z0-9][a-z0-9._-]*)$/
/** What a spec would read as a manifest's CID instead. */
const cidLike = /^baf[a-z2-7]{56}$/
/** Would reach into JavaScript's own properties wherever names are keys. */
const objectProperties = new Set(['constructor', 'prototype'])

export function isPackageName(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > limits.maxNameLength || cidLike.test(value)) return false
  const parts = namePattern.exec(value)?.slice(1)
  if (parts === undefined || objectProperties.has(value)) return false
  return parts.every((part) => part === undefined || !(part.endsWith('.') || isWindowsReserved(part)))
}

/** The rule in one sentence, with the nearest valid name where the text suggests one. */
export function packageNameHint(text: string): string {
  const rule =
    'A package name is made of a-z, 0-9, ".", "_" and "-", begins with a letter or digit, and may have a scope: @scope/name.'
  const slug = slugOf(text)
  return isPackageName(slug) ? `${rule} For example: --name ${slug}` : rule
}

function slugOf(text: string): string {
  return text
    .slice(0, limits.maxNameLength * 2)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9._]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, limits.maxNameLength)
    .replace(/[^a-z0-9]+$/, '')
}
