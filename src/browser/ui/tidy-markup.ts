import { MarkupWriter } from './markup-writer.ts'

/** Tags that text needs; no forms, no frames, no styles. */
export const textTags = [
  'a',
  'abbr',
  'b',
  'blockquote',
  'br',
  'code',
  'dd',
  'del',
  'details',
  'div',
  'dl',
  'dt',
  'em',
  'h3',
  'h4',
  'h5',
  'h6',
  'hr',
  'i',
  'img',
  'kbd',
  'li',
  'ol',
  'p',
  'pre',
  's',
  'span',
  'strong',
  'sub',
  'summary',
  'sup',
  'table',
  'tbody',
  'td',
  'th',
  'thead',
  'tr',
  'ul',
]

const allowed = new Set(textTags)
/** Headings go below those of the page. */
const renamed = new Map([
  ['h1', 'h3'],
  ['h2', 'h4'],
  ['h3', 'h5'],
  ['h4', 'h6'],
  ['h5', 'h6'],
])
/** What they hold is no text. */
const dropped = new Set(
  'audio iframe math noembed noframes noscript object script style svg template textarea title video xmp'.split(' '),
)
/** Attributes, of which tags, and how their values may look. */
const attributes: Record<string, { of?: readonly string[]; like: RegExp }> = {
  align: { like: /^(left|right|center|justify)$/i },
  alt: { of: ['img'], like: /^[\s\S]{0,4000}$/ },
  colspan: { of: ['td', 'th'], like: /^[1-9]$/ },
  height: { of: ['img'], like: /^\d{1,4}$/ },
  href: { of: ['a'], like: /^[\s\S]{0,4000}$/ },
  rowspan: { of: ['td', 'th'], like: /^([1-9]|[12]\d)$/ },
  src: { of: ['img'], like: /^[\s\S]{0,4000}$/ },
  start: { of: ['ol'], like: /^\d{1,9}$/ },
  title: { like: /^[\s\S]{0,4000}$/ },
  width: { of: ['img'], like: /^(\d{1,4}|\d\d?%|100%)$/ },
}

const tagStart = /<(\/?)([a-z][a-z0-9-]*)(?=[\s/>])/iy
const attribute = /[\s/]*([^\s/>=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?/y
const tagEnd = /[\s/]*>/y

/**
 * Markup written anew with nothing but the tags and attributes that text needs, well nested and few. Not what makes it safe (DOMPurify does), but what makes it safe to parse: a parser can be led to make millions of
 * elements out of a few kilobytes, and the page's policy complains of each style in it. Throws for too much.
 */
export function tidyMarkup(markup: string, check: () => void): string {
  const writer = new MarkupWriter()
  let at = 0
  while (at < markup.length) {
    check()
    const next = markup.indexOf('<', at)
    writer.text(markup.slice(at, next === -1 ? undefined : next))
    if (next === -1) break
    const tag = commentAt(markup, next) ?? tagAt(markup, next, check)
    if (tag === undefined) writer.text('&lt;')
    else if (tag.isClosing) writer.close(tag.name)
    else if (allowed.has(tag.name)) writer.open(tag.name, tag.attributes)
    at = tag === undefined ? next + 1 : dropped.has(tag.name) && !tag.isClosing ? contentEnd(markup, tag) : tag.end
  }
  return writer.end()
}

interface Tag {
  name: string
  isClosing: boolean
  attributes: string
  end: number
}

/** A comment or declaration, as a tag that is not known. */
function commentAt(markup: string, at: number): Tag | undefined {
  if (markup[at + 1] !== '!' && markup[at + 1] !== '?') return undefined
  const closer = markup.startsWith('<!--', at) ? '-->' : '>'
  const end = markup.indexOf(closer, at + 2)
  return end === -1 ? undefined : { name: '!', isClosing: false, attributes: '', end: end + closer.length }
}

function tagAt(markup: string, at: number, check: () => void): Tag | undefined {
  const start = execAt(tagStart, markup, at)
  if (start === null) return undefined
  const written = start[2]!.toLowerCase()
  const name = renamed.get(written) ?? written
  let end = at + start[0].length
  let kept = ''
  while (true) {
    check()
    const found = execAt(attribute, markup, end)
    if (found === null) break
    end += found[0].length
    kept += attributeText(name, found[1]!.toLowerCase(), found[2] ?? found[3] ?? found[4] ?? '')
  }
  const last = execAt(tagEnd, markup, end)
  return last === null ? undefined : { name, isClosing: start[1] === '/', attributes: kept, end: end + last[0].length }
}

function attributeText(tag: string, name: string, value: string): string {
  // A code block's language stays as what only this can write; no class does.
  const language = tag === 'code' && name === 'class' ? /^language-([\w+#.-]{1,30})$/.exec(value)?.[1] : undefined
  if (language !== undefined) return ` lang="${language}"`
  const rule = Object.hasOwn(attributes, name) ? attributes[name] : undefined
  if (rule === undefined || !rule.like.test(value) || rule.of?.includes(tag) === false) return ''
  return ` ${name}="${value.replaceAll('"', '&quot;').replaceAll('<', '&lt;')}"`
}

function contentEnd(markup: string, { name, end }: Tag): number {
  const closing = new RegExp(`</${name}[\\s/>]`, 'gi')
  closing.lastIndex = end
  return closing.exec(markup)?.index ?? end
}

function execAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}
