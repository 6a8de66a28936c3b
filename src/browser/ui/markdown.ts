import DOMPurify from 'dompurify'
import { boundedMarkdown, deadline } from './bounded-markdown.ts'
import { plainText } from './format.ts'
import { highlightCode } from './highlight.ts'
import { linkToHeading, slugsOf } from './readme-headings.ts'
import type { ReadmeImage } from './readme-images.ts'
import { textTags, tidyMarkup } from './tidy-markup.ts'

const renderTimeoutMs = 2000
/** For the colours of all its code, which it can do without. */
const highlightTimeoutMs = 300
const maxHighlightedLength = 60_000

/** Images are taken out again before they can load: they would tell somebody's server who reads this. */
const allowed = {
  ALLOWED_TAGS: textTags,
  ALLOWED_ATTR: [
    'href',
    'src',
    'alt',
    'title',
    'colspan',
    'rowspan',
    'align',
    'start',
    'width',
    'height',
    // Of code, and taken out again.
    'lang',
  ],
  // These schemes, or none: an address within the package.
  ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
}

export interface Readme {
  content: DocumentFragment
  images: ReadmeImage[]
}

type Target = { path: string } | { url: string } | { heading: string }

/**
 * A package's README as a fragment that can do nothing: hostile until cleaned, whoever signed it. Headings move below the page's own, links leave without a referrer or, within the package, go where `linkTo`
 * says; an image is its description, and listed. `path`: of the README itself. Undefined when that would take too long or too much: hostile or not, it must not stall the page.
 */
export function renderMarkdown(text: string, path: string, linkTo: (path: string) => string): Readme | undefined {
  try {
    return render(text, path, linkTo)
  } catch {
    return undefined
  }
}

function render(text: string, path: string, linkTo: (path: string) => string): Readme {
  const check = deadline(renderTimeoutMs)
  const markup = tidyMarkup(boundedMarkdown(text, check), check)
  // Of a document that is not shown: nothing loads in it.
  const content = DOMPurify.sanitize(markup, { ...allowed, RETURN_DOM_FRAGMENT: true })
  // Before its pictures are text.
  const headings = slugsOf(content)
  const images = [...content.querySelectorAll('img')].map((image) => withoutImage(image, path))
  for (const link of content.querySelectorAll('a')) {
    const target = targetOf(link.getAttribute('href'), path)
    if (target === undefined) link.removeAttribute('href')
    else if ('path' in target) link.href = linkTo(target.path)
    else if ('heading' in target) linkToHeading(link, headings.get(target.heading), linkTo(path))
    else {
      link.rel = 'noopener noreferrer nofollow'
      link.target = '_blank'
    }
  }
  colourCode(content)
  for (const scrolling of content.querySelectorAll('pre, table')) scrolling.setAttribute('tabindex', '0')
  return { content, images: images.filter((image) => image !== undefined) }
}

/** Code is shown with what would hide in it, and in colours after everything was cleaned: their classes are the only ones. */
function colourCode(content: DocumentFragment): void {
  const end = performance.now() + highlightTimeoutMs
  let left = maxHighlightedLength
  for (const code of content.querySelectorAll('code')) {
    const language = code.getAttribute('lang')
    code.removeAttribute('lang')
    if (code.childElementCount > 0) continue
    const text = plainText(code.textContent)
    left -= language === null ? 0 : text.length
    const coloured =
      language === null || left < 0 || performance.now() > end ? undefined : highlightCode(language, text)
    code.replaceChildren(coloured ?? text)
  }
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
  if (source === undefined || 'heading' in source) return undefined
  if ('url' in source && !/^https?:/.test(source.url)) return undefined
  return { place, description, source, width: image.getAttribute('width'), height: image.getAttribute('height') }
}

/** Where a reference in a README leads: to a file of the package, to one of its own headings, or elsewhere. Undefined for none. */
function targetOf(reference: string | null, readme: string): Target | undefined {
  const inside = 'https://package.invalid/'
  const url = reference === null ? null : URL.parse(reference, inside + encodeURI(readme))
  if (url === null) return undefined
  if (!url.href.startsWith(inside)) return { url: url.href }
  try {
    const path = decodeURIComponent(url.pathname.slice(1))
    return path === readme ? { heading: decodeURIComponent(url.hash.slice(1)).toLowerCase() } : { path }
  } catch {
    return undefined
  }
}
