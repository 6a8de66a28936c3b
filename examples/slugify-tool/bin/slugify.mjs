#!/usr/bin/env node
import { realpathSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const writtenOut = { ß: 'ss', æ: 'ae', Æ: 'ae', œ: 'oe', Œ: 'oe', ø: 'o', Ø: 'o', đ: 'd', Đ: 'd', ð: 'd', Ð: 'd', þ: 'th', Þ: 'th', ł: 'l', Ł: 'l', '&': ' and ' }

/** Title → slug. `maxLength` counts characters. */
export function slugify(title, { separator = '-', maxLength = Number.POSITIVE_INFINITY } = {}) {
  const plain = [...title].map((character) => writtenOut[character] ?? character).join('')
  const words = plain.normalize('NFKD').replace(/\p{M}+/gu, '').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  const slug = words.join(separator)
  if (slug.length <= maxLength) return slug
  const cut = slug.slice(0, maxLength)
  const boundary = slug.startsWith(separator, maxLength) ? maxLength : cut.lastIndexOf(separator)
  return boundary >= maxLength / 2 ? cut.slice(0, boundary) : cut
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { separator: { type: 'string', default: '-' }, 'max-length': { type: 'string' } },
  })
  const options = { separator: values.separator, ...(values['max-length'] ? { maxLength: Number(values['max-length']) } : {}) }
  if (positionals.length > 0) console.log(slugify(positionals.join(' '), options))
  else for await (const line of createInterface({ input: process.stdin })) console.log(slugify(line, options))
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main()
