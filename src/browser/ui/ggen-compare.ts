import { structuredPatch } from 'diff'
import type { PropertyValues } from 'lit'
import { css, html, nothing } from 'lit'
import type { PackageFiles } from '../service.ts'
import { plainText } from './format.ts'
import { NodeElement } from './node-element.ts'
import { sharedStyles } from './shared-styles.ts'

type Change = { path: string; kind: 'added' | 'removed' | 'changed' }

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
  declare lines: { path: string; lines: string[] } | undefined

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

  #compare(path: string): void {
    this.run(async (signal) => {
      const read = async (cid: string): Promise<string> => {
        const bytes = await this.node.service.file({ cid, path }, { signal })
        if (bytes.length > maxComparedBytes || bytes.includes(0)) throw new Error(`${path} is too large, or no text.`)
        return plainText(new TextDecoder().decode(bytes))
      }
      const [before, after] = await Promise.all([read(this.from), read(this.to)])
      const { hunks } = structuredPatch(path, path, before, after, '', '', { context: 3 })
      this.lines = { path, lines: hunks.flatMap(({ oldStart, lines }) => [`@ line ${oldStart}`, ...lines]) }
    })
  }

  override render() {
    if (this.from === '' || this.to === '') return nothing
    if (this.changes === undefined) {
      return html`${this.renderFailure() ?? html`<p role="status" class="soft">Comparing …</p>`}`
    }
    return html`<section aria-label="Changes">
      <p>${this.changes.length === 0 ? 'Both have the same files.' : `${this.changes.length} files differ.`}</p>
      ${this.renderFailure()}
      <ul class="small">
        ${this.changes.slice(0, maxListed).map(
          ({ path, kind }) => html`<li>
            ${kind} <span class="mono">${plainText(path)}</span>
            ${kind === 'changed' ? html`<button @click=${() => this.#compare(path)}>Show lines</button>` : nothing}
          </li>`,
        )}
      </ul>
      ${
        this.lines === undefined
          ? nothing
          : html`<pre tabindex="0" role="region" aria-label="Changed lines">${this.lines.lines.map((line) =>
              line.startsWith('+')
                ? html`<ins>${line}</ins>`
                : line.startsWith('-')
                  ? html`<del>${line}</del>`
                  : `${line}\n`,
            )}</pre>`
      }
    </section>`
  }
}

function changesBetween(before: PackageFiles, after: PackageFiles): Change[] {
  const old = new Map(before.files.map((file) => [file.path, file]))
  const changes: Change[] = []
  for (const { path, content } of after.files) {
    const was = old.get(path)
    old.delete(path)
    if (was === undefined) changes.push({ path, kind: 'added' })
    else if (was.content !== content) changes.push({ path, kind: 'changed' })
  }
  for (const path of old.keys()) changes.push({ path, kind: 'removed' })
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1))
}
