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
const voidTags = new Set(['br', 'hr', 'img'])
/** A parser opens these again in each block until they are closed: a few hundred of them can make millions of elements. */
const formatting = new Set(['a', 'b', 'code', 'em', 'i', 's', 'strong'])
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
/** Which open elements the start of one ends, written or not. */
const ended: Record<string, readonly string[]> = {
  dd: ['dd', 'dt'],
  dt: ['dd', 'dt'],
  li: ['li'],
  p: ['p'],
  td: ['td', 'th'],
  th: ['td', 'th'],
  tr: ['td', 'th', 'tr'],
}

/** Attributes, of which tags, and how their values may look. A span of a thousand columns would stall the page. */
const attributes: Record<string, { of?: readonly string[]; like: RegExp }> = {
  align: { like: /^(left|right|center|justify)$/i },
  alt: { of: ['img'], like: /^[\s\S]{0,4000}$/ },
  colspan: { of: ['td', 'th'], like: /^[1-9]$/ },
  height: { of: ['img'], like: /^\d{1,4}$/ },
  href: { of: ['a'], like: /^[\s\S]{0,4000}$/ },
  rowspan: { of: ['td', 'th'], like: /^[1-9]\d?$/ },
  src: { of: ['img'], like: /^[\s\S]{0,4000}$/ },
  start: { of: ['ol'], like: /^\d{1,9}$/ },
  title: { like: /^[\s\S]{0,4000}$/ },
  width: { of: ['img'], like: /^(\d{1,4}|\d\d?%|100%)$/ },
}

const maxElements = 40_000
const maxOpen = 100

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

/** Keeps what is written well nested, and counts the elements that a parser makes of it, those that it opens again included. */
class MarkupWriter {
  #out: string[] = []
  #open: string[] = []
  #formattingOpen = 0
  #elements = 0

  text(text: string): void {
    this.#out.push(text)
  }

  open(name: string, attributes: string): void {
    while (ended[name]?.includes(this.#open.at(-1) ?? '')) this.#closeLast()
    if (name === 'a') this.close('a')
    if (this.#open.length >= maxOpen) return
    this.#count(name)
    this.#out.push(`<${name}${attributes}>`)
    if (voidTags.has(name)) return
    this.#open.push(name)
    if (formatting.has(name)) this.#formattingOpen++
  }

  close(name: string): void {
    const at = this.#open.lastIndexOf(name)
    while (at !== -1 && this.#open.length > at) this.#closeLast()
  }

  end(): string {
    while (this.#open.length > 0) this.#closeLast()
    return this.#out.join('')
  }

  #closeLast(): void {
    const name = this.#open.pop()!
    if (formatting.has(name)) this.#formattingOpen--
    else this.#elements += this.#formattingOpen
    this.#out.push(`</${name}>`)
  }

  #count(name: string): void {
    this.#elements += 1 + (formatting.has(name) || voidTags.has(name) ? 0 : this.#formattingOpen)
    if (this.#elements > maxElements) throw new Error('This has too many parts.')
  }
}
