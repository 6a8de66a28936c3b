import { expect, test, vi } from 'vitest'
import { GgenCompare } from '../../src/browser/ui/ggen-compare.ts'

type Version = Record<string, Uint8Array>

const versions: Record<string, Version> = {}

/** The element with two versions in place of a node. */
class CompareOfTwo extends GgenCompare {
  protected override get node() {
    const service = {
      files: async ({ cid }: { cid: string }) => ({
        files: Object.entries(versions[cid]!).map(([path, bytes]) => ({
          path,
          size: bytes.length,
          exec: false,
          content: String(bytes),
        })),
      }),
      file: async ({ cid, path }: { cid: string; path: string }) => versions[cid]![path]!,
    }
    return { service, on: () => () => undefined } as unknown as GgenCompare['node']
  }

  protected override async whenReady(): Promise<void> {}
}
customElements.define('compare-of-two', CompareOfTwo)

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

async function compared(before: Version, after: Version): Promise<ShadowRoot> {
  versions.before = before
  versions.after = after
  const element = new CompareOfTwo()
  element.from = 'before'
  element.to = 'after'
  document.body.replaceChildren(element)
  await vi.waitUntil(() => element.shadowRoot!.querySelector('ul') !== null)
  return element.shadowRoot!
}

/** What is shown after the lines of a file were asked for. */
async function linesOf(root: ShadowRoot, path: string): Promise<string> {
  root.querySelector<HTMLButtonElement>(`button[aria-label="Show lines of ${path}"]`)!.click()
  const shown = () => root.querySelector('pre, p[role=status]')
  await vi.waitUntil(() => shown() !== null)
  return shown()!.textContent.trim()
}

test('lines show of changed, added and removed files', async () => {
  const files = (): Promise<ShadowRoot> =>
    compared(
      { changed: bytesOf('a\nb\n'), gone: bytesOf('old\n') },
      { changed: bytesOf('a\nc\n'), fresh: bytesOf('new\n') },
    )
  expect((await files()).querySelector('p')!.textContent).toContain('3 files differ.')
  expect(await linesOf(await files(), 'changed')).toContain('-b+c')
  expect(await linesOf(await files(), 'fresh')).toBe('+new')
  expect(await linesOf(await files(), 'gone')).toBe('-old')
})

test('what has no lines to compare is told in words, and the list stays', async () => {
  const different = (from: number): Uint8Array =>
    new Uint8Array(199_000).map((_, at) => (at % 2 ? 10 : from + (at % 13)))
  const files = (): Promise<ShadowRoot> =>
    compared(
      { binary: new Uint8Array([0, 1]), large: new Uint8Array(300_000), other: different(97) },
      { binary: new Uint8Array([0, 2]), large: new Uint8Array(300_001), other: different(110) },
    )
  expect(await linesOf(await files(), 'binary')).toContain('a binary file of 2 B')
  expect(await linesOf(await files(), 'large')).toContain('300 kB; the lines of files up to 200 kB')
  const root = await files()
  expect(await linesOf(root, 'other')).toContain('differ too much')
  expect(root.querySelector('[role=alert]')).toBeNull()
  expect(root.querySelectorAll('li').length).toBe(3)
})

test('of many files and many lines some show, and how many there are besides', async () => {
  const many = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`file-${at}`, bytesOf(String(at))]))
  const root = await compared({}, { ...many, 'a-long-one': bytesOf('x\n'.repeat(5000)) })
  expect(root.querySelectorAll('li').length).toBe(300)
  expect(root.textContent).toContain('and 101 more.')
  await linesOf(root, 'a-long-one')
  expect(root.querySelectorAll('ins').length).toBe(2000)
  expect(root.textContent).toContain('and 3000 more lines.')
})
