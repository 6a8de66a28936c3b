import { html, nothing } from 'lit'
import type { InfoResult } from '../../core/control/service.ts'
import { bytesText, dateText, packageLink, plainText } from './format.ts'

export type Info = Omit<InfoResult, 'installed'>

/** What its publisher says of a package. */
export function renderFacts(info: Info) {
  const external = Object.entries(info.external)
  return html`<section class="card" aria-label="About">
    <h2>About</h2>
    <dl class="small">
      <dt>Version</dt>
      <dd>${info.version}${info.published === '' ? nothing : `, ${dateText(info.published)}`}</dd>
      <dt>Licence</dt>
      <dd>${plainText(info.license) || 'not stated'}</dd>
      <dt>Authors</dt>
      <dd>${plainText(info.authors.join(', ')) || 'not stated'}</dd>
      <dt>Category</dt>
      <dd>${plainText(info.category) || 'none'}</dd>
      ${
        info.keywords.length === 0
          ? nothing
          : html`<dt>Keywords</dt>
            <dd>${plainText(info.keywords.join(', '))}</dd>`
      }
      ${info.repository === '' ? nothing : renderRepository(info.repository)}
      ${
        info.bytes === 0
          ? nothing
          : html`<dt>Size</dt>
            <dd>${bytesText(info.bytes)}</dd>`
      }
    </dl>
    ${
      external.length === 0
        ? nothing
        : html`<details>
            <summary>Needs of other package managers: ${external.length}</summary>
            <ul class="small">
              ${external.map(([name, range]) => html`<li><span class="mono">${plainText(name)}</span> ${plainText(range)}</li>`)}
            </ul>
          </details>`
    }
  </section>`
}

/** A link only where it is an address of the web: whoever published it chose it. */
function renderRepository(repository: string) {
  const isWeb = /^https?:\/\/[^\s]+$/i.test(repository)
  return html`<dt>Repository</dt>
    <dd>
      ${isWeb ? html`<a href=${repository} rel="noopener noreferrer nofollow" target="_blank">${plainText(repository)}</a>` : plainText(repository)}
    </dd>`
}

/** All versions; the newest show, the others are folded away. */
export function renderVersions(info: Info, explorer: string) {
  const rows = info.versions.map(
    ({ version, published, yanked, deprecated }) => html`<li>
      <a href=${explorer + packageLink(info.publisher, info.name, version)} aria-current=${version === info.version ? 'page' : 'false'}>${version}</a>
      <span class="soft">${dateText(published)}${yanked ? ', yanked' : ''}${deprecated === '' ? '' : ', deprecated'}</span>
    </li>`,
  )
  const shown = 10
  return html`<ul class="small">${rows.slice(0, shown)}</ul>
    ${
      rows.length > shown
        ? html`<details>
            <summary>${rows.length - shown} older</summary>
            <ul class="small">${rows.slice(shown)}</ul>
          </details>`
        : nothing
    }`
}
