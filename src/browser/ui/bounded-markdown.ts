import type { Token, Tokens, TokensList } from 'marked'
import { Lexer, Parser, Renderer, Tokenizer } from 'marked'

/** A README larger than this is shown as text. */
const maxLength = 400_000
/** A paragraph, heading or cell longer than this stays text: within one, some of marked's patterns take quadratic time in a single step. */
const maxInlineLength = 20_000
/** marked goes over an item's first line, and copies what it has of the item, for each further line: a longer list goes on as the next one, and a longer line is no item. */
const maxListLength = 100_000
const maxListLineLength = 5_000
const maxTableCells = 20_000
/** Lists in lists, quotes in quotes, emphasis in emphasis. */
const maxNesting = 30
/** Of what links lead to: one definition can be used a hundred thousand times. */
const maxAddressesLength = 2_000_000

const listStart = /^ {0,3}(?:[*+-]|\d{1,9}[.)])/

/** A check that throws once the time is over. Work on the page's only thread cannot be stopped from outside: it is done in small steps, with one between any two. */
export function deadline(ms: number): () => void {
  const end = performance.now() + ms
  return () => {
    if (performance.now() > end) throw new Error('This takes too long.')
  }
}

/** Markdown as markup, in bounded time: throws for what takes longer. Nothing in it is safe to show yet. */
export function boundedMarkdown(text: string, check: () => void): string {
  if (text.length > maxLength) throw new Error('This is too long.')
  const renderer = new BoundedRenderer()
  const lexer = new BoundedLexer(check)
  lexer.blockTokens(text.replace(/\r\n?/g, '\n'), lexer.tokens)
  for (const { src, tokens } of lexer.inlineQueue) {
    lexer.state.inRawBlock = false
    if (src.length > maxInlineLength) tokens.push({ type: 'text', raw: src, text: src, escaped: false })
    else lexer.inlineTokens(src, tokens)
  }
  return Parser.parse(lexer.tokens, { gfm: true, renderer })
}

class BoundedLexer extends Lexer {
  #check: () => void
  #nesting = 0

  constructor(check: () => void) {
    super({ gfm: true, tokenizer: new BoundedTokenizer(check) })
    this.#check = check
  }

  #nested<T>(work: () => T): T {
    if (++this.#nesting > maxNesting) throw new Error('This is nested too deep.')
    this.#check()
    const result = work()
    this.#nesting--
    return result
  }

  override blockTokens(src: string, tokens?: Token[], lastParagraphClipped?: boolean): Token[]
  override blockTokens(src: string, tokens?: TokensList, lastParagraphClipped?: boolean): TokensList
  override blockTokens(src: string, tokens?: Token[], lastParagraphClipped?: boolean): Token[] {
    return this.#nested(() => super.blockTokens(src, tokens, lastParagraphClipped))
  }

  override inlineTokens(src: string, tokens?: Token[]): Token[] {
    return this.#nested(() => super.inlineTokens(src, tokens))
  }
}

class BoundedTokenizer extends Tokenizer {
  #check: () => void

  constructor(check: () => void) {
    super()
    this.#check = check
  }

  /** What the lexer tries first at each block. */
  override space(src: string): Tokens.Space | undefined {
    this.#check()
    return super.space(src)
  }

  /** What it tries first within a text. */
  override escape(src: string): Tokens.Escape | undefined {
    this.#check()
    return super.escape(src)
  }

  override list(src: string): Tokens.List | undefined {
    if (!listStart.test(src)) return undefined
    let end = 0
    while (end < Math.min(src.length, maxListLength)) {
      const lineEnd = src.indexOf('\n', end)
      const next = lineEnd === -1 ? src.length : lineEnd + 1
      if (next - end > maxListLineLength) break
      end = next
    }
    return end === 0 ? undefined : super.list(src.slice(0, end))
  }

  /** Each row has as many cells as the header, whatever it says itself: a table of few bytes can have millions. */
  override table(src: string): Tokens.Table | undefined {
    const end = src.indexOf('\n\n')
    const [header = '', ...rows] = (end === -1 ? src : src.slice(0, end)).split('\n')
    if (header.split('|').length * rows.length > maxTableCells) return undefined
    return super.table(src)
  }
}

class BoundedRenderer extends Renderer {
  #addressesLength = 0

  #count({ href, title }: Tokens.Link | Tokens.Image): void {
    this.#addressesLength += href.length + (title?.length ?? 0)
    if (this.#addressesLength > maxAddressesLength) throw new Error('The links of this are too long.')
  }

  override link(token: Tokens.Link): string {
    this.#count(token)
    return super.link(token)
  }

  override image(token: Tokens.Image): string {
    this.#count(token)
    return super.image(token)
  }

  /** Of a task list: no form element, nothing to click. */
  override checkbox({ checked }: Tokens.Checkbox): string {
    return checked ? '☑ ' : '☐ '
  }
}
