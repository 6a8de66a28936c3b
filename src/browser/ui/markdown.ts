import DOMPurify from 'dompurify'
import { marked } from 'marked'
import type { ReadmeImage } from './readme-images.ts'

/** A README larger than this is shown as text: rendering it would stall the page. */
const maxMarkdownLength = 400_000

/** Tags that text needs; no forms, no frames, no styles. Images are taken out again before they can load: they would tell somebody's server who reads this. */
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
  ],
  ALLOWED_ATTR: ['href', 'src', 'alt', 'title', 'colspan', 'rowspan', 'align', 'start'],
  // These schemes, or none: an address within the package.
  ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
}

export interface Readme {
  content: DocumentFragment
  images: ReadmeImage[]
}

/**
 * A package's README as a fragment that can do nothing: hostile until cleaned, whoever signed it. Headings move below the page's own, links leave without a referrer or, within the package, go where `linkTo`
 * says; an image is its description, and listed. `path`: of the README itself. Undefined when it is too long to render.
 */
export function renderMarkdown(text: string, path: string, linkTo: (path: string) => string): Readme | undefined {
  if (text.length > maxMarkdownLength) return undefined
  const renderer = new marked.Renderer()
  const plainHeading = renderer.heading
  renderer.heading = function heading(token) {
    return plainHeading.call(this, { ...token, depth: Math.min(6, token.depth + 2) })
  }
  const dirty = marked.parse(text, { renderer, async: false, gfm: true })
  // Of a document that is not shown: nothing loads in it.
  const content = DOMPurify.sanitize(dirty, { ...allowed, RETURN_DOM_FRAGMENT: true })
  const images = [...content.querySelectorAll('img')].map((image) => withoutImage(image, path))
  for (const link of content.querySelectorAll('a')) {
    const target = targetOf(link.getAttribute('href'), path)
    if (target === undefined) link.removeAttribute('href')
    else if ('path' in target) link.href = linkTo(target.path)
    else {
      link.rel = 'noopener noreferrer nofollow'
      link.target = '_blank'
    }
  }
  for (const scrolling of content.querySelectorAll('pre, table')) scrolling.setAttribute('tabindex', '0')
  return { content, images: images.filter((image) => image !== undefined) }
}

/** Puts a picture's description in its place. */
function withoutImage(image: HTMLImageElement, readme: string): ReadmeImage | undefined {
  const description = image.getAttribute('alt') ?? ''
  const place = image.ownerDocument.createElement('span')
  const text = image.ownerDocument.createElement('em')
  text.textContent = `[image: ${description || 'without description'}]`
  place.append(text)
  const source = targetOf(image.getAttribute('src'), readme)
  image.replaceWith(place)
  const isShowable = source !== undefined && ('path' in source || /^https?:/.test(source.url))
  return isShowable ? { place, description, source } : undefined
}

/** Where a reference in a README leads: to a file of the package, or elsewhere. Undefined for one to the README itself, and for none. */
function targetOf(reference: string | null, readme: string): { path: string } | { url: string } | undefined {
  const inside = 'https://package.invalid/'
  const url = reference === null ? null : URL.parse(reference, inside + encodeURI(readme))
  if (url === null) return undefined
  if (!url.href.startsWith(inside)) return { url: url.href }
  try {
    const path = decodeURIComponent(url.pathname.slice(1))
    return path === readme ? undefined : { path }
  } catch {
    return undefined
  }
}
