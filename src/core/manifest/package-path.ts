import { limits } from '../limits.ts'

/** A path inside a package and, in words that complete "the path …", why no package may hold it. */
export interface PathFault {
  path: string
  fault: string
}

const windowsReserved = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])$/i
/** Control characters, and the formatting characters that make text read in another order than it is stored. */
const controlCharacter = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u
const windowsForbidden = /[<>:"|?*]/
/**
 * Git runs what a folder of this name tells it to; no publisher of ours ever packs one. `git~1` is its short name on
 * Windows.
 */
const gitFolder = /^(\.git|git~1)$/i

/** Names that stand for devices on Windows, with any extension. */
export function isWindowsReserved(segment: string): boolean {
  return windowsReserved.test(segment.split('.', 1)[0]?.trimEnd() ?? '')
}

/**
 * What is wrong with a path, undefined when it can be created as it is on every platform: relative, `/`-separated, NFC,
 * no segment that is empty, `.` or `..`, holds a control character or what Windows forbids or reserves. The path comes
 * from strangers and decides where files are written.
 */
export function checkPackagePath(path: string): string | undefined {
  if (path === '') return 'is empty'
  if (!path.isWellFormed()) return 'is not valid Unicode'
  if (isLonger(path, limits.maxPathBytes)) return `is longer than ${limits.maxPathBytes} bytes`
  if (path.startsWith('/')) return 'is absolute'
  if (path.includes('\\')) return 'holds a backslash'
  if (path.normalize('NFC') !== path) return 'is not in Unicode normal form NFC'
  const segments = path.split('/')
  if (segments.length > limits.maxPathDepth) return `is nested more than ${limits.maxPathDepth} levels deep`
  for (const segment of segments) {
    const fault = checkSegment(segment)
    if (fault !== undefined) return fault
  }
  return undefined
}

function checkSegment(segment: string): string | undefined {
  if (segment === '') return 'holds an empty segment'
  if (segment === '.' || segment === '..') return `holds a "${segment}" segment`
  if (controlCharacter.test(segment)) return 'holds a control character'
  if (windowsForbidden.test(segment)) return 'holds a character that Windows forbids (one of < > : " | ? *)'
  if (segment.endsWith('.') || segment.endsWith(' '))
    return 'has a segment that ends with a dot or space, which Windows drops'
  if (isWindowsReserved(segment)) return `holds "${segment}", a device name on Windows`
  if (gitFolder.test(segment)) return `holds "${segment}", the folder that Git trusts`
  if (isLonger(segment, limits.maxPathSegmentBytes))
    return `has a segment longer than ${limits.maxPathSegmentBytes} bytes`
  return undefined
}

/**
 * The first fault among the paths of one package: of a path by itself, or two that cannot stand side by side where case
 * does not count, be it that they are equal then, that one is a file and the other a folder, or that their folders are
 * spelt differently.
 */
export function checkPackagePaths(paths: readonly string[]): PathFault | undefined {
  const spellings = new Map<string, { spelling: string; isFile: boolean }>()
  for (const path of paths) {
    const fault = checkPackagePath(path) ?? clash(path, spellings)
    if (fault !== undefined) return { path, fault }
  }
  return undefined
}

function clash(path: string, spellings: Map<string, { spelling: string; isFile: boolean }>): string | undefined {
  let folded = ''
  let end = 0
  for (const segment of path.split('/')) {
    end += segment.length
    folded += foldCase(segment)
    const spelling = path.slice(0, end)
    const isFile = end === path.length
    const other = spellings.get(folded)
    if (other === undefined) spellings.set(folded, { spelling, isFile })
    else if (other.spelling !== spelling) return `clashes with "${other.spelling}" where case does not count`
    else if (isFile && other.isFile) return 'is there twice'
    else if (isFile !== other.isFile) return `makes "${spelling}" both a file and a folder`
    folded += '/'
    end += 1
  }
  return undefined
}

/**
 * There and back, since one way misses pairs: ẞ has only a lower case, ß and ſ change by their upper case, and final
 * sigma depends on what precedes it.
 */
function foldCase(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().normalize('NFC')
}

/** Order of the paths' UTF-8 bytes, which is code point order; JavaScript's own order differs beyond U+FFFF. */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index)
    const y = b.charCodeAt(index)
    if (x === y) continue
    if (isSurrogate(x) !== isSurrogate(y)) return isSurrogate(x) ? 1 : -1
    return x - y
  }
  return a.length - b.length
}

function isSurrogate(codeUnit: number): boolean {
  return codeUnit >= 0xd800 && codeUnit <= 0xdfff
}

/** In UTF-8, where one UTF-16 unit takes at most three bytes: nearly every path is short enough not to be encoded. */
function isLonger(text: string, maxBytes: number): boolean {
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).byteLength > maxBytes
}
