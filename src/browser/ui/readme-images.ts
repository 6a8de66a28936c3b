/** Of one picture, and how many of them a README shows. */
const maxImageBytes = 5_000_000
const maxImages = 50

const types: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  svg: 'image/svg+xml',
}

/** A picture that a README wants shown: its place holds its description until it is. */
export interface ReadmeImage {
  place: HTMLElement
  description: string
  /** Path in the package, or the address of somebody's server. */
  source: { path: string } | { url: string }
  /** As the README wants it: pixels, or a percentage. */
  width: string | null
  height: string | null
}

/**
 * Shows pictures that are files of the package itself. As blobs: the page's policy lets nothing else be loaded, and in an image no script runs, not even in an SVG. One that cannot be had keeps its description.
 */
export async function showOwnImages(
  images: readonly ReadmeImage[],
  read: (path: string) => Promise<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for (const image of images.slice(0, maxImages)) {
    const { source } = image
    if (!('path' in source)) continue
    const type = types[source.path.slice(source.path.lastIndexOf('.') + 1).toLowerCase()]
    if (type === undefined) continue
    const bytes = await read(source.path).catch(() => undefined)
    if (signal.aborted) return
    if (bytes !== undefined && bytes.length <= maxImageBytes)
      show(image, new Blob([bytes as Uint8Array<ArrayBuffer>], { type }))
  }
}

/** Asks other servers for theirs, which thereby learn the visitor's address: only on request. Many let no other site's page have them; returns how many did not come. */
export async function showForeignImages(images: readonly ReadmeImage[], signal: AbortSignal): Promise<number> {
  const wanted = images.map(async (image, at) => {
    const { source } = image
    if (!('url' in source)) return 0
    if (at >= maxImages) return 1
    try {
      const response = await fetch(source.url, { signal, credentials: 'omit', referrerPolicy: 'no-referrer' })
      const type = response.headers.get('content-type')?.split(';')[0] ?? ''
      if (!response.ok || !Object.values(types).includes(type)) return 1
      show(image, new Blob([await readBounded(response)], { type }))
      return 0
    } catch {
      return 1
    }
  })
  return (await Promise.all(wanted)).reduce<number>((sum, missing) => sum + missing, 0)
}

async function readBounded(response: Response): Promise<Blob> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array<ArrayBuffer>>) {
    bytes += chunk.length
    if (bytes > maxImageBytes) throw new Error('The picture is too large.')
    chunks.push(chunk)
  }
  return new Blob(chunks)
}

function show({ place, description, width, height }: ReadmeImage, content: Blob): void {
  const image = new Image()
  const url = URL.createObjectURL(content)
  image.alt = description
  if (width !== null) image.setAttribute('width', width)
  if (height !== null) image.setAttribute('height', height)
  image.onload = () => {
    URL.revokeObjectURL(url)
    place.replaceChildren(image)
  }
  image.onerror = () => URL.revokeObjectURL(url)
  image.src = url
}
