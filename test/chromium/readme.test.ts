import { expect, test } from 'vitest'
import { renderMarkdown } from '../../src/browser/ui/markdown.ts'

/** Far above what a bounded rendering takes on a slow machine, far below what an unbounded one takes anywhere. */
const generousMs = 20_000
const size = 400_000

const fill = (unit: string, length = size): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length)

/** Each of these took from eight seconds to hours, threw, or made more elements than a page can hold. */
const hostile: Record<string, string> = {
  'emphasis that is never closed': fill('a*'),
  'strong within emphasis': fill('*a **b ', size / 2) + fill('b** a*', size / 2),
  'quotes in quotes': fill('>'),
  'quotes with lazy lines': fill('>a\nb\n'),
  'lists in lists': fill('- '),
  'a list with lazy lines': `- a\n${fill('b\n')}`,
  'a list with one long line': fill('1) $', size / 2) + fill('{[a]: b\n', size / 2),
  'a table of many cells from few bytes': `|${fill('a|', 4000)}\n|${fill('-|', 4000)}\n${fill('|\n', size - 9000)}`,
  'rows that are no table': fill('a|b\n-|\n'),
  'one long address used often': `[a]: ${fill('x', size / 2)}\n\n${fill('[a] ', size / 2)}`,
  'instructions that are never closed': `x${fill('<?')}`,
  'an address that ends in dots': `http://a.b${fill('.')}`,
  'a mail address that never comes': `${fill('a', size - 1)}@`,
  'rules that are none': `${fill('- - ', size - 1)}x`,
  'formatting that is never closed': `${Array.from({ length: 12_000 }, (_, at) => `<b title=${at}>`).join('')}${fill('<p>x', size / 2)}`,
  'paragraphs in formatting': Array.from({ length: 4000 }, (_, at) => `<p><b title=${at}>`).join('\n\n'),
  'wide cells': `<table><tr>${fill('<td colspan=1000 rowspan=9999>')}`,
  'a wide table that is long, too': `<table><tr>${fill('<td>a', 5000)}${fill('<tr><td>a', 100_000)}`,
  'tables in a row of a table': `<table><tr>${fill('<td><table><tr><td>a</table>', 50_000)}${fill('<tr><td>a', 100_000)}`,
  'quotes that end nowhere': fill('<a b="'),
  'comments that end nowhere': fill('<!--\n\n'),
  details: fill('<details>'),
}

const linkTo = (path: string): string => `#/file/${path}`
const render = (text: string, path = 'README.md') => renderMarkdown(text, path, linkTo)
const shown = (text: string): DocumentFragment => render(text)!.content
const markup = (text: string): string => {
  const holder = document.createElement('div')
  holder.append(shown(text))
  return holder.innerHTML.trim()
}

for (const [name, text] of Object.entries(hostile)) {
  test(`a README of ${name} does not stall the page`, () => {
    const startedMs = performance.now()
    const readme = render(text)
    expect(performance.now() - startedMs).toBeLessThan(generousMs)
    if (readme !== undefined) expect(readme.content.querySelectorAll('*').length).toBeLessThan(100_000)
  })
}

test('an ordinary README of almost 400 kB is rendered whole', () => {
  const section = (at: number): string => `## Part ${at}

It *does* **much** with \`code\`, see [the guide](docs/guide-${at}.md) and <https://example.org/${at}>.

- one thing
  - and another ([link](https://example.org))
- [x] done

| name | value |
|---|---|
| a | ${at} |

\`\`\`js
const answer = ${at}
\`\`\`

`
  const text = Array.from({ length: 1200 }, (_, at) => section(at)).join('')
  expect(text.length).toBeGreaterThan(300_000)
  const content = shown(text)
  expect(content.querySelectorAll('h4').length).toBe(1200)
  expect(content.querySelectorAll('pre').length).toBe(1200)
})

test('a text that is too long, too deep or too much is not rendered', () => {
  expect(render('a'.repeat(400_001))).toBeUndefined()
  expect(render('> '.repeat(1000))).toBeUndefined()
  expect(render('*a*\n\n'.repeat(45_000))).toBeUndefined()
})

test('what an author writes as markup keeps its sense and loses everything else', () => {
  expect(
    markup(
      '<h1 align="center" id="x" class="hljs-string" style="color:red" onclick="alert(1)">Name &amp; <b>more</b></h1>',
    ),
  ).toBe('<h3 align="center">Name &amp; <b>more</b></h3>')
  expect(markup('<p align=center><a href=docs/a.md title=\'say "a"\'>x</a><br/>y')).toBe(
    '<p align="center"><a href="#/file/docs/a.md" title="say &quot;a&quot;">x</a><br>y</p>',
  )
  expect(markup('<ul><li>a<li>b</ul>')).toBe('<ul><li>a</li><li>b</li></ul>')
  expect(markup('<table><tr><td><b>a<td colspan=2>b<tr><td>c</table>')).toBe(
    '<table tabindex="0"><tbody><tr><td><b>a</b></td><td colspan="2">b</td></tr><tr><td>c</td></tr></tbody></table>',
  )
  expect(markup('<div><table><tr><td>a</div></b><td>b</table></div>')).toContain('<td>a</td><td>b</td>')
  expect(markup('<div><td>a</td><tr>b</tr></div>')).toBe('<div>ab</div>')
  expect(markup('<details>\n<summary>More</summary>\n\n**text**\n\n</details>')).toContain('<strong>text</strong>')
  expect(markup('a <!-- hidden --> b <script>c</script>')).toBe('<p>a  b </p>')
  expect(markup('<script>alert(1)</script>\n\n<style>*{}</style>\n\n<svg><text>no</text></svg>')).toBe('<p></p>')
  expect(markup('1 < 2 <3 and <unknown>that</unknown>')).toBe('<p>1 &lt; 2 &lt;3 and that</p>')
  expect(markup('<kbd>a < <i style="x">b</kbd>')).toBe('<p><kbd>a &lt; <i>b</i></kbd></p>')
  expect(markup('<constructor>a</constructor> <a __proto__=x>b</a>')).toBe('<p>a <a>b</a></p>')
})

test('no attribute of an author does anything, however it is written', () => {
  const content =
    shown(`<a href="java&#115;cript:alert(1)">a</a> <a href=" javascript:alert(1)">b</a> [c](javascript:alert(1))
<code class="language-js evil" lang="x">d</code> <span class=evil id=e lang=js>f</span> <img src=x srcset=y onerror=z>
<a title="\`<img src=x onerror=alert(1)>\`">g</a> <a href='"onclick="alert(1)'>h</a> <p/onclick=alert(1)>i</p>`)
  const attributes = [...content.querySelectorAll('*')].flatMap((element) => [...element.attributes])
  expect(attributes.filter(({ name }) => !['title', 'href', 'rel', 'target'].includes(name))).toEqual([])
  for (const link of content.querySelectorAll('a')) expect(link.protocol).not.toBe('javascript:')
  expect(content.querySelectorAll('img, script, span.evil').length).toBe(0)
})

test('tasks are text, not form elements', () => {
  const content = shown('- [x] done\n- [ ] open\n')
  expect([...content.querySelectorAll('li')].map(({ textContent }) => textContent.trim())).toEqual(['☑ done', '☐ open'])
  expect(content.querySelector('input')).toBeNull()
})

test('a fenced block is coloured by its language, and shows what would hide in it', () => {
  const content = shown('```rust\nfn main() {}\n```\n\n```unheard-of\nfn main() {}\n```\n\n```\na\u202eb\n```\n')
  const [rust, unknown, hidden] = content.querySelectorAll('pre code')
  expect(rust!.querySelector('.hljs-keyword')!.textContent).toBe('fn')
  expect(unknown!.childElementCount).toBe(0)
  expect(hidden!.textContent).toBe('a\ufffdb\n')
  for (const code of content.querySelectorAll('code')) expect(code.attributes.length).toBe(0)
})

test('a link to a heading goes there, without an id and without the page’s address', () => {
  const content = shown(
    `- [one](#usage) [again](#usage-1) [odd](README.md#what-it-isnt--höhe_1) [none](#nowhere)

## Usage
## What it *isn't*: \`Höhe_1\`!
## Usage
`.replace("isn't*: ", "isn't* : "),
  )
  document.body.append(content)
  const links = [...document.querySelectorAll('a')]
  const headings = [...document.querySelectorAll('h4')]
  const before = location.href
  for (const [link, heading] of [
    [links[0], headings[0]],
    [links[1], headings[2]],
    [links[2], headings[1]],
  ]) {
    expect(link!.getAttribute('href')).toBe('#/file/README.md')
    link!.focus()
    link!.click()
    expect(document.activeElement).toBe(heading)
  }
  expect(links[3]!.hasAttribute('href')).toBe(false)
  expect(location.href).toBe(before)
  expect(document.querySelectorAll('h4[id]').length).toBe(0)
  document.body.replaceChildren()
})

test('a heading that is folded away is unfolded by a link to it', () => {
  document.body.append(shown('[go](#inside)\n\n<details>\n<summary>More</summary>\n\n## Inside\n\n</details>'))
  document.querySelector('a')!.click()
  expect(document.querySelector('details')!.open).toBe(true)
  expect(document.activeElement).toBe(document.querySelector('h4'))
  document.body.replaceChildren()
})

test('pictures: which file is meant, and how large it is to be', () => {
  const text = `![a](./docs/a.png) ![b](../b.png) ![c](my%20pic.png?raw=true#x) ![d](/docs/d.png) ![e](//evil.example/e.png)
<img src="f.png" width="120" height=40 align="right"> <img src="g.png" width="50%" height="1e9"> <img src="h.png" width="99999">
![no](data:image/png;base64,AAAA) ![no](#usage) ![no](javascript:alert(1))`
  const { images } = render(text, 'README.md')!
  expect(images.map(({ source, width, height }) => ({ ...source, width, height }))).toEqual([
    { path: 'docs/a.png', width: null, height: null },
    { path: 'b.png', width: null, height: null },
    { path: 'my pic.png', width: null, height: null },
    { path: 'docs/d.png', width: null, height: null },
    { url: 'https://evil.example/e.png', width: null, height: null },
    { path: 'f.png', width: '120', height: '40' },
    { path: 'g.png', width: '50%', height: null },
    { path: 'h.png', width: null, height: null },
  ])
})
