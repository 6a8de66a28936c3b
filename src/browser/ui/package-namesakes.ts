import { html, nothing } from 'lit'
import type { KnownPackage } from '../known-packages.ts'
import { packageLink, plainText, shortDid, sourceText } from './format.ts'

/** Packages of one name by different publishers, and the registries that have the name too: nothing says whose is meant. */
export function renderNamesakes(namesakes: readonly KnownPackage[], explorer: string) {
  if (namesakes.length === 0) return nothing
  const signed = namesakes.filter(({ publisher }) => publisher !== null)
  const registries = new Set(namesakes.flatMap((one) => one.registries))
  const [{ name }] = namesakes as [KnownPackage]
  return html`<section class="card" aria-label="Publishers">
    <h2>Whose do you mean?</h2>
    <ul>
      ${signed.map(
        ({ publisher, petname, version, description }) => html`<li>
          <a href=${explorer + packageLink(publisher, name, '')}>${petname === null ? shortDid(publisher!) : plainText(petname)}</a>:
          ${version}, ${plainText(description)}
        </li>`,
      )}
      ${[...registries].map(
        (source) => html`<li>
          <a href=${explorer + packageLink(source, name, '')}>${sourceText(source)}</a>, where nobody signed it
        </li>`,
      )}
    </ul>
  </section>`
}
