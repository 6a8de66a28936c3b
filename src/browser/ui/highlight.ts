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

const byExtension: Record<string, keyof typeof languages> = {
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
}

/** Text in colours by its file's name, a template's by what it makes (`x.rs.tera`). Undefined for what is not known, or too long. */
export function highlight(path: string, text: string): DocumentFragment | undefined {
  if (text.length > 100_000) return undefined
  const extensions = path.toLowerCase().split('.').slice(1).reverse()
  const language = extensions.map((extension) => byExtension[extension]).find((found) => found !== undefined)
  if (language === undefined) return undefined
  const { value } = hljs.highlight(text, { language, ignoreIllegals: true })
  return DOMPurify.sanitize(value, { ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'], RETURN_DOM_FRAGMENT: true })
}
