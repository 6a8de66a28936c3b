const voidTags = new Set(['br', 'hr', 'img'])
const tableTags = new Set(['table', 'tbody', 'td', 'th', 'thead', 'tr'])
/** A parser opens these again in each block until they are closed: a few hundred of them can make millions of elements. */
const formatting = new Set(['a', 'b', 'code', 'em', 'i', 's', 'strong'])
/** Which open elements the start of one ends, written or not. */
const ended: Record<string, readonly string[]> = {
  dd: ['dd', 'dt'],
  dt: ['dd', 'dt'],
  li: ['li'],
  p: ['p'],
}

const maxElements = 40_000
const maxOpen = 100
/** Rows of all tables by the columns of the widest: a table has a place for each, filled or not, and Chromium has laid out some of a few kilobytes for minutes. */
const maxTablePlaces = 100_000
const maxColumns = 1000

/** Keeps what is written well nested, and counts the elements that a parser makes of it, those that it opens again included. */
export class MarkupWriter {
  #out: string[] = []
  #open: string[] = []
  #formattingOpen = 0
  #elements = 0
  #rows = 0
  #columns = 0
  /** Columns that cells of other rows may take. */
  #columnsTaken = 0
  /** Columns of the rows that are open, of tables in tables. */
  #rowColumns: number[] = []

  text(text: string): void {
    this.#out.push(text)
  }

  open(name: string, attributes: string): void {
    while (ended[name]?.includes(this.#open.at(-1) ?? '')) this.#closeLast()
    if (name === 'a') this.close('a')
    if (this.#open.length >= maxOpen || !this.#makePlace(name)) return
    this.#count(name, attributes)
    this.#out.push(`<${name}${attributes}>`)
    if (voidTags.has(name)) return
    this.#open.push(name)
    if (formatting.has(name)) this.#formattingOpen++
  }

  /** Ends what stands between a table, row or cell and what it belongs in; false where it belongs in nothing. */
  #makePlace(name: string): boolean {
    const table = this.#open.lastIndexOf('table')
    if (name === 'td' || name === 'th') {
      const row = this.#open.lastIndexOf('tr')
      if (row > table) this.#closeAbove(row)
      return row > table
    }
    if (name === 'tr' || name === 'tbody' || name === 'thead') {
      const part = this.#open[table + 1]
      const isInPart = name === 'tr' && (part === 'tbody' || part === 'thead')
      if (table !== -1) this.#closeAbove(isInPart ? table + 1 : table)
      return table !== -1
    }
    return true
  }

  #closeAbove(at: number): void {
    while (this.#open.length > at + 1) this.#closeLast()
  }

  close(name: string): void {
    const at = this.#open.lastIndexOf(name)
    const cell = Math.max(this.#open.lastIndexOf('td'), this.#open.lastIndexOf('th'))
    // What is closed in a cell by mistake must not end its table.
    if (at !== -1 && (at >= cell || tableTags.has(name))) this.#closeAbove(at - 1)
  }

  end(): string {
    this.#closeAbove(-1)
    return this.#out.join('')
  }

  #closeLast(): void {
    const name = this.#open.pop()!
    if (name === 'tr') this.#rowColumns.pop()
    if (formatting.has(name)) this.#formattingOpen--
    else this.#elements += this.#formattingOpen
    this.#out.push(`</${name}>`)
  }

  #count(name: string, attributes: string): void {
    this.#elements += 1 + (formatting.has(name) || voidTags.has(name) ? 0 : this.#formattingOpen)
    if (name === 'tr') {
      this.#rows++
      this.#rowColumns.push(0)
    } else if (name === 'td' || name === 'th') {
      const columns = Number(/ colspan="(\d)"/.exec(attributes)?.[1] ?? 1)
      const row = this.#rowColumns.pop()! + columns
      this.#rowColumns.push(row)
      if (attributes.includes(' rowspan="')) this.#columnsTaken += columns
      this.#columns = Math.max(this.#columns, row + this.#columnsTaken)
    }
    const isTooLarge = this.#columns > maxColumns || this.#rows * this.#columns > maxTablePlaces
    if (isTooLarge || this.#elements > maxElements) throw new Error('This has too many parts.')
  }
}
