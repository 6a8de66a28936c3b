import type { TemplateResult } from 'lit'
import { css, html, nothing } from 'lit'
import type { KnownPackage } from '../known-packages.ts'
import { dateText, packageLink, peerCount, plainText, shortDid, sourceText } from './format.ts'

const maxKeywordsShown = 5

/** What peers say about a package, beyond its document. */
export interface Told {
  /** Peers that hold it, this one included. */
  providers: number
  sources: string[]
}

/** One package of a list: a link whose text begins with its name. */
export function renderResult(
  one: KnownPackage,
  told: Told | undefined,
  place: { index: number; total: number },
  explorer: string,
): TemplateResult {
  const { name, version, description, category, keywords, license, publisher, petname, timeMs, yanked, cached } = one
  const holders = Math.max(told?.providers ?? 0, one.holders + (cached ? 1 : 0))
  const own = publisher === null ? [] : ['local']
  const sources = new Set([...(cached ? ['cache'] : []), ...(told?.sources ?? own), ...one.registries])
  const by = publisher === null ? 'not signed' : `by ${petname === null ? shortDid(publisher) : plainText(petname)}`
  return html`<li aria-setsize=${place.total} aria-posinset=${place.index + 1}>
    <a class="result card" href=${explorer + packageLink(publisher, name, version)}
      ><span class="name">${plainText(name)}</span> <span class="soft">${plainText(version)}</span>${yanked ? html` <strong class="bad">yanked</strong>` : nothing}
      ${description === '' ? nothing : html`<p>${plainText(description)}</p>`}
      <span class="row small soft tags">
        ${category === '' ? nothing : html`<span class="tag category">${plainText(category)}</span>`}
        ${keywords.slice(0, maxKeywordsShown).map((keyword) => html`<span class="tag">${plainText(keyword)}</span>`)}
      </span>
      <span class="row small soft facts">
        <span>${by}${timeMs === 0 ? nothing : `, ${dateText(new Date(timeMs).toISOString())}`}</span>
        ${license === '' ? nothing : html`<span>${plainText(license)}</span>`}
        ${one.cid === null ? nothing : html`<span>${holders === 0 ? 'holders not known yet' : `held by ${peerCount(holders)}`}</span>`}
        <span>${`known from ${[...sources].map(sourceText).join(' and ')}`}</span>
      </span></a
    >
  </li>`
}

export const resultStyles = css`
  /* Rows are placed one by one: their gap is inside them. */
  li {
    width: 100%;
    padding-bottom: 0.7rem;
  }
  li .card {
    margin: 0;
  }
  a.result {
    display: block;
    color: inherit;
    text-decoration: none;
  }
  a.result:hover {
    border-color: var(--accent);
  }
  a.result:hover .name {
    text-decoration: underline;
  }
  .name {
    color: var(--accent);
    font-weight: 650;
    font-size: 1.1rem;
  }
  a.result p {
    margin: 0.15rem 0 0.3rem;
    overflow: hidden;
    overflow-wrap: anywhere;
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
  }
  .tags:not(:empty) {
    margin: 0.3rem 0;
  }
  .category {
    background: var(--ground);
    border-color: var(--soft);
  }
  .facts {
    gap: 0.2rem 1.2rem;
  }
`
