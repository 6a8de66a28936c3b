/** A README's headings by the names that GitHub gives them, so that its table of contents works. None becomes an `id`: those are the page's. */
export function slugsOf(content: DocumentFragment): Map<string, HTMLElement> {
  const headings = new Map<string, HTMLElement>()
  const used = new Map<string, number>()
  for (const heading of content.querySelectorAll<HTMLElement>('h3, h4, h5, h6')) {
    const slug = heading.textContent
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-')
    const before = used.get(slug) ?? 0
    used.set(slug, before + 1)
    const name = before === 0 ? slug : `${slug}-${before}`
    if (!headings.has(name)) headings.set(name, heading)
  }
  return headings
}

/** Makes a link go to a heading. `address`: where it leads in another tab. The page's own fragment chooses the page, and stays. */
export function linkToHeading(link: HTMLAnchorElement, heading: HTMLElement | undefined, address: string): void {
  if (heading === undefined) {
    link.removeAttribute('href')
    return
  }
  link.href = address
  link.addEventListener('click', (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    for (let folded = heading.closest('details'); folded !== null; ) {
      folded.open = true
      folded = folded.parentElement?.closest('details') ?? null
    }
    // Where reading goes on, for a screen reader as for the Tab key.
    heading.tabIndex = -1
    heading.focus({ preventScroll: true })
    heading.scrollIntoView()
  })
}
