import DOMPurify from 'dompurify'
import hljs from 'highlight.js/lib/core'
import bash from 'highlight.js/lib/languages/bash'
import css from 'highlight.js/lib/languages/css'
import ini from 'highlight.js/lib/languages/ini'
import javascript from 'highlight.js/lib/languages/javascript'
import json from 'highlight.js/lib/languages/json'
import markdown from 'highlight.js/lib/languages/markdown'
import python from 'highlight.js/lib/languages/python'
import rust from 'highlight.js/lib/languages/rust'
import sql from 'highlight.js/lib/languages/sql'
import typescript from 'highlight.js/lib/languages/typescript'
import xml from 'highlight.js/lib/languages/xml'
import yaml from 'highlight.js/lib/languages/yaml'

const languages = { bash, css, ini, javascript, json, markdown, python, rust, sql, typescript, xml, yaml }
for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language)

const byExtension = new Map<string, keyof typeof languages>(
  Object.entries({
    sh: 'bash',
    css: 'css',
    toml: 'ini',
    js: 'javascript',
    mjs: 'javascript',
    json: 'json',
    md: 'markdown',
    py: 'python',
    rs: 'rust',
    sql: 'sql',
    rq: 'sql',
    ts: 'typescript',
    html: 'xml',
    xml: 'xml',
    svg: 'xml',
    yaml: 'yaml',
    yml: 'yaml',
  } as const),
)

/** Of a text in colours, and of a line of it. Patterns of highlight.js take quadratic time and more for what only a hostile text holds: within these bounds less than a second. */
const maxLength = 30_000
const maxLineLength = 1000

/** Text in colours by its file's name, a template's by what it makes (`x.rs.tera`). Undefined for what is not known, or too long. */
export function highlight(path: string, text: string): DocumentFragment | undefined {
  const extensions = path.toLowerCase().split('.').slice(1).reverse()
  const language = extensions.map((extension) => byExtension.get(extension)).find((found) => found !== undefined)
  return language === undefined ? undefined : highlightCode(language, text)
}

/** Text in colours by its language, as people name it. Undefined for what is not known, or too long. */
export function highlightCode(language: string, text: string): DocumentFragment | undefined {
  if (text.length > maxLength || hljs.getLanguage(language) === undefined) return undefined
  if (text.split('\n').some((line) => line.length > maxLineLength)) return undefined
  const { value } = hljs.highlight(text, { language, ignoreIllegals: true })
  return DOMPurify.sanitize(value, { ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'], RETURN_DOM_FRAGMENT: true })
}
