import { html, nothing } from 'lit'
import type { CentralSource } from '../../core/config/settings.ts'
import { plainText } from './format.ts'

const kinds = { ggen: 'ggen marketplace', npm: 'npm' } as const

/** The visitor's central registries, and a form for one more, which `add` reads. */
export function renderCentralSettings(
  sources: readonly CentralSource[],
  actions: { add(): void; remove(name: string): void },
) {
  const submit = (event: Event): void => {
    event.preventDefault()
    actions.add()
  }
  return html`<section class="card" aria-label="Central registries">
    <h2>Central registries</h2>
    <p>
      This page asks peers, and none of these, unless you add one. Its server then learns your address and this site’s, everything you search for, as you type it, and which packages you look at. What it offers is signed by
      nobody; what you download from it is checked against the checksum it gives, if it gives one. Some servers let no other site’s page read them: those work with the command line alone.
    </p>
    ${
      sources.length === 0
        ? nothing
        : html`<ul>
            ${sources.map(
              ({ name, kind, url }) => html`<li class="row">
                <strong>${plainText(name)}</strong> <span class="soft">${kinds[kind]}</span> <span class="mono">${plainText(url)}</span>
                <button aria-label=${`Remove the registry ${name}`} @click=${() => actions.remove(name)}>Remove</button>
              </li>`,
            )}
          </ul>`
    }
    <form class="row" novalidate @submit=${submit}>
      <label for="registry-name">Name of the registry</label>
      <input id="registry-name" size="10" autocomplete="off" spellcheck="false" />
      <label for="registry-kind">Its kind</label>
      <select id="registry-kind">
        ${Object.entries(kinds).map(([kind, label]) => html`<option value=${kind}>${label}</option>`)}
      </select>
      <label for="registry-url">Its address (https://…)</label>
      <input id="registry-url" type="url" size="40" autocomplete="off" spellcheck="false" />
      <button type="submit">Add and ask it from now on</button>
    </form>
  </section>`
}
