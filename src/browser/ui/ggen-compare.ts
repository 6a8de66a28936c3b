import type { PropertyValues } from 'lit'
import { css, html, nothing } from 'lit'
import type { PackageFiles } from '../service.ts'
import { bytesText, plainText } from './format.ts'
import type { LineChanges } from './line-changes.ts'
import { lineChanges } from './line-changes.ts'
import { NodeElement } from './node-element.ts'
import { sharedStyles } from './shared-styles.ts'

/** Sizes in bytes; undefined where the version does not have the file. */
interface Change {
  path: string
  kind: 'added' | 'removed' | 'changed'
  before: number | undefined
  after: number | undefined
}

/** A larger file's lines are not compared here. */
const maxComparedBytes = 200_000
const maxListed = 300

/** What changed from one version to another: which files, and in a text the lines. */
export class GgenCompare extends NodeElement {
  static override styles = [
    sharedStyles,
    css`
      ins,
      del {
        display: block;
        text-decoration: none;
      }
      ins {
        color: var(--good);
      }
      del {
        color: var(--bad);
      }
    `,
  ]
  static override properties = {
    ...NodeElement.properties,
    from: { type: String },
    to: { type: String },
    changes: { state: true },
    lines: { state: true },
  }

  /** CIDs of the two contents. */
  declare from: string
  declare to: string
  declare changes: Change[] | undefined
  /** Of one file; a sentence where they cannot be shown. */
  declare lines: { path: string; content: LineChanges | string } | undefined

  constructor() {
    super()
    this.from = ''
    this.to = ''
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('from') && !changed.has('to')) return
    this.changes = undefined
    this.lines = undefined
    if (this.from === '' || this.to === '') return
    this.run(async (signal) => {
      const { service } = this.node
      const [before, after] = await Promise.all([
        service.files({ cid: this.from }, { signal }),
        service.files({ cid: this.to }, { signal }),
      ])
      this.changes = changesBetween(before, after)
    })
  }

  #compare({ path, before, after }: Change): void {
    const size = Math.max(before ?? 0, after ?? 0)
    this.lines = undefined
    this.run(async (signal) => {
      const read = async (cid: string, bytes: number | undefined): Promise<string | undefined> => {
        if (bytes === undefined) return undefined
        return new TextDecoder().decode(await this.node.service.file({ cid, path }, { signal }))
      }
      const texts = size > maxComparedBytes ? [] : await Promise.all([read(this.from, before), read(this.to, after)])
      if (!signal.aborted) this.lines = { path, content: contentOf(size, texts) }
    })
  }

  override render() {
    if (this.from === '' || this.to === '') return nothing
    const { changes } = this
    if (changes === undefined) {
      return html`${this.renderFailure() ?? html`<p role="status" class="soft">Comparing …</p>`}`
    }
    return html`<section aria-label="Changes">
      <p>
        ${changes.length === 0 ? 'Both have the same files.' : `${changes.length} ${changes.length === 1 ? 'file differs' : 'files differ'}.`}
      </p>
      ${this.renderFailure()}
      <ul class="small">
        ${changes.slice(0, maxListed).map((change) => this.#renderChange(change))}
      </ul>
      ${changes.length > maxListed ? html`<p class="soft small">and ${changes.length - maxListed} more.</p>` : nothing}
      ${this.#renderLines()}
    </section>`
  }

  #renderChange(change: Change) {
    const path = plainText(change.path)
    return html`<li>
      ${change.kind} <span class="mono">${path}</span>
      <button aria-label="Show lines of ${path}" @click=${() => this.#compare(change)}>Show lines</button>
    </li>`
  }

  #renderLines() {
    if (this.lines === undefined) return nothing
    const { path, content } = this.lines
    if (typeof content === 'string') {
      return html`<p role="status"><span class="mono">${plainText(path)}</span>: ${content}</p>`
    }
    const { lines, more } = content
    return html`<p class="mono small">${plainText(path)}</p>
      <pre tabindex="0" role="region" aria-label="Changed lines">${lines.map(renderLine)}</pre>
      ${more > 0 ? html`<p class="soft small">and ${more} more lines.</p>` : nothing}`
  }
}

const renderLine = (line: string) =>
  line.startsWith('+') ? html`<ins>${line}</ins>` : line.startsWith('-') ? html`<del>${line}</del>` : `${line}\n`

/** What is shown of two texts, none of them where the file is too large. */
function contentOf(size: number, texts: readonly (string | undefined)[]): LineChanges | string {
  if (size > maxComparedBytes) {
    return `${bytesText(size)}; the lines of files up to ${bytesText(maxComparedBytes)} are compared here.`
  }
  if (texts.some((text) => text?.includes('\0'))) return `a binary file of ${bytesText(size)}; it has no lines to show.`
  const [before, after] = texts.map((text) => (text === undefined ? undefined : plainText(text)))
  return lineChanges(before, after) ?? 'the two differ too much to be compared line by line.'
}

function changesBetween(before: PackageFiles, after: PackageFiles): Change[] {
  const old = new Map(before.files.map((file) => [file.path, file]))
  const changes: Change[] = []
  for (const { path, content, size } of after.files) {
    const was = old.get(path)
    old.delete(path)
    if (was === undefined) changes.push({ path, kind: 'added', before: undefined, after: size })
    else if (was.content !== content) changes.push({ path, kind: 'changed', before: was.size, after: size })
  }
  for (const { path, size } of old.values()) changes.push({ path, kind: 'removed', before: size, after: undefined })
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1))
}
