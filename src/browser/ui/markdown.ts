import DOMPurify from 'dompurify'
import { marked } from 'marked'

/** A README larger than this is shown as text: rendering it would stall the page. */
const maxMarkdownLength = 400_000

/** Tags that text needs; no forms, no frames, no styles, nothing that loads. Images are left out: they would tell somebody's server who reads this. */
const allowed = {
  ALLOWED_TAGS: [
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
  ],
  ALLOWED_ATTR: ['href', 'title', 'colspan', 'rowspan', 'align', 'start'],
  ALLOWED_URI_REGEXP: /^(https?:|mailto:|#)/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
}

/**
 * A package's README as a fragment that can do nothing: hostile until cleaned, whoever signed it. Headings move below the page's own, links leave without a referrer, an image is its description. Undefined when
 * it is too long to render.
 */
export function renderMarkdown(text: string): DocumentFragment | undefined {
  if (text.length > maxMarkdownLength) return undefined
  const renderer = new marked.Renderer()
  renderer.image = ({ text: description }) => `<em>[image: ${escapeHtml(description || 'without description')}]</em>`
  const plainHeading = renderer.heading
  renderer.heading = function heading(token) {
    return plainHeading.call(this, { ...token, depth: Math.min(6, token.depth + 2) })
  }
  const dirty = marked.parse(text, { renderer, async: false, gfm: true })
  const fragment = DOMPurify.sanitize(dirty, { ...allowed, RETURN_DOM_FRAGMENT: true })
  for (const link of fragment.querySelectorAll('a')) {
    if (link.getAttribute('href')?.startsWith('#')) link.removeAttribute('href')
    link.rel = 'noopener noreferrer nofollow'
    link.target = '_blank'
  }
  for (const scrolling of fragment.querySelectorAll('pre, table')) scrolling.setAttribute('tabindex', '0')
  return fragment
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
