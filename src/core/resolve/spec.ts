import semver from 'semver'
import { parseCid } from '../blocks/block.ts'
import { RegistryError } from '../errors.ts'
import { isDid } from '../identity/did-key.ts'
import { isPackageName, packageNameHint } from '../manifest/package-name.ts'

/** Which package is meant. A publisher is as the user wrote it: a did:key, a prefix of one, or a petname; `resolvePublisher` finds out. */
export type Spec =
  | { kind: 'package'; name: string; range: string; publisher?: string }
  | { kind: 'content'; cid: string }

const anyVersion = '*'
const cidPattern = /^b[a-z2-7]{58,}$/
const publisherPattern = /^(did:key:)?[A-Za-z0-9][A-Za-z0-9._-]*$/
const maxSpecLength = 512

/**
 * Reads `name`, `name@range`, `<publisher>/name[@range]` or a manifest CID; a name may have a scope (`@scope/name`). Throws `INVALID_SPEC`.
 */
export function parseSpec(text: string): Spec {
  const spec = text.trim()
  if (spec === '' || spec.length > maxSpecLength) throw invalid(text, 'it is empty or too long')
  if (cidPattern.test(spec)) return { kind: 'content', cid: parseCid(spec).toString() }
  if (/^(\.{0,2}[/\\]|\.{1,2}$|[A-Za-z]:\\)/.test(spec)) {
    throw invalid(
      text,
      'it is a path',
      'Packages are installed by name. To share a folder publish it: ggen marketplace p2p publish <folder>',
    )
  }
  const { publisher, rest } = splitPublisher(spec)
  const at = rest.indexOf('@', 1)
  const name = at === -1 ? rest : rest.slice(0, at)
  const range = at === -1 ? anyVersion : rest.slice(at + 1).trim()
  if (!isPackageName(name)) throw invalid(text, `"${name}" is no package name`, packageNameHint(name))
  if (range === '' || (semver.validRange(range) === null && range !== 'latest')) {
    throw invalid(text, `"${range}" is no version range`, 'Ranges are written like 1.2.3, ^1.2.0, ~1.2 or ">=1 <3".')
  }
  return {
    kind: 'package',
    name,
    range: range === 'latest' ? anyVersion : range,
    ...(publisher === undefined ? {} : { publisher }),
  }
}

export function formatSpec(spec: Spec): string {
  if (spec.kind === 'content') return spec.cid
  const publisher = spec.publisher === undefined ? '' : `${spec.publisher}/`
  return `${publisher}${spec.name}${spec.range === anyVersion ? '' : `@${spec.range}`}`
}

/** What stands before the first slash is a publisher, unless it is a scope. */
function splitPublisher(spec: string): { publisher?: string; rest: string } {
  const slash = spec.indexOf('/')
  if (slash === -1 || spec.startsWith('@')) return { rest: spec }
  // A slash behind the first @ belongs to the range, where none is allowed.
  const publisher = spec.slice(0, slash)
  if (publisher.includes('@') || !publisherPattern.test(publisher))
    throw invalid(spec, `"${publisher}" is no publisher`)
  return { publisher, rest: spec.slice(slash + 1) }
}

function invalid(text: string, why: string, hint?: string): RegistryError {
  return new RegistryError('INVALID_SPEC', `"${text}" names no package: ${why}.`, {
    hint: hint ?? 'Write name, name@range, publisher/name@range or a content ID (bafy…).',
  })
}

/** Finds the publisher a user's text means among the known ones. Throws `PACKAGE_NOT_FOUND` when none or several fit. */
export function matchPublisher(
  text: string,
  candidates: readonly string[],
  petnames: (name: string) => string | undefined,
): string {
  const isWhole: boolean = isDid(text)
  if (isWhole) return text
  const named = petnames(text)
  if (named !== undefined) return named
  const matches = candidates.filter((did) => did.startsWith(text) || did.slice('did:key:'.length).startsWith(text))
  if (text.replace('did:key:', '').length >= minPrefix && matches.length === 1) return matches[0]!
  if (matches.length > 1) {
    throw new RegistryError('NAME_AMBIGUOUS', `"${text}" fits ${matches.length} publishers: ${matches.join(', ')}.`, {
      hint: 'Write more of the key.',
    })
  }
  throw new RegistryError('PACKAGE_NOT_FOUND', `No publisher is known as "${text}".`, {
    hint: `Write a did:key, at least ${minPrefix} characters of one, or a petname (ggen marketplace trust list).`,
  })
}

const minPrefix = 12
