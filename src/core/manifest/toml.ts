import { parse, TomlError } from 'smol-toml'
import { RegistryError } from '../errors.ts'

/**
 * A package file's TOML as plain values. Held to TOML 1.0, although the parser knows 1.1: a package must be readable by
 * every tool that reads its file, and most of them refuse an inline table that spans lines. Throws `INVALID_MANIFEST`
 * with `file:line:column` (both from 1).
 */
export function parseToml(file: string, text: string): Record<string, unknown> {
  let document: Record<string, unknown>
  try {
    document = parse(text)
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    const reason = cause.message.split('\n', 1)[0]?.replace('Invalid TOML document: ', '') ?? ''
    throw faulty(
      `${file}:${cause.line}:${cause.column}: ${reason}`,
      'Correct the file at that place, then try again.',
      cause,
    )
  }
  const fault = findInlineTableFault(text)
  if (fault === undefined) return document
  const before = text.slice(0, fault.offset).split('\n')
  throw faulty(`${file}:${before.length}:${(before.at(-1) ?? '').length + 1}: ${fault.reason}`, fault.hint)
}

interface InlineTableFault {
  offset: number
  reason: string
  hint: string
}

/**
 * Strings and comments, whose brackets mean nothing, or one character that does. Applied to text that is known to be
 * valid TOML 1.1.
 */
const tokenPattern =
  /"""(?:\\.|[^\\])*?"{3,5}(?!")|'''.*?'{3,5}(?!')|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[{}[\],\n]|[^\s"'#{}[\],]+/gs

function findInlineTableFault(text: string): InlineTableFault | undefined {
  const open: string[] = []
  let previous = ''
  for (const { 0: token, index } of text.matchAll(tokenPattern)) {
    if (token.startsWith('#')) continue
    const inside = open.at(-1)
    if (inside === '{' && token === '\n') {
      return {
        offset: text[index - 1] === '\r' ? index - 1 : index,
        reason: 'an inline table { … } must stand on one line',
        hint: 'Write it on one line, or as a table of its own under a [heading].',
      }
    }
    if (inside === '{' && token === '}' && previous === ',') {
      return {
        offset: index,
        reason: 'an inline table { … } must not end with a comma',
        hint: 'Remove the comma before the brace.',
      }
    }
    if (token === '{' || token === '[') open.push(token)
    else if (token === '}' || token === ']') open.pop()
    previous = token
  }
  return undefined
}

function faulty(message: string, hint: string, cause?: unknown): RegistryError {
  return new RegistryError('INVALID_MANIFEST', message, { hint, cause })
}
