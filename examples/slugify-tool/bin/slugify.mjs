#!/usr/bin/env node
import { realpathSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const usage = `Usage: slugify [--separator TEXT] [--max-length N] [TITLE...]

Prints the slug of a title. Without a title, one slug for each line of the standard input.

  -s, --separator TEXT   between words (-)
  -m, --max-length N     longest slug, in characters
  -h, --help             this text
`

/** Letters that Unicode does not take apart, in lower case. */
const writtenOut = new Map(Object.entries({ ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', þ: 'th', ł: 'l', ı: 'i', '&': ' and ' }))
/** Accents of Latin letters. Marks of other scripts make letters what they are: か and が, й and и. */
const latinAccents = /(?<=\p{Script=Latin})\p{M}+/gu
const apostrophes = /(?<=\p{L})['’](?=\p{L})/gu
const word = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu

const lengthOf = (text) => [...text].length
const firstOf = (text, length) => [...text].slice(0, length).join('')

/**
 * The slug of a title; empty when the title has neither letters nor digits. `maxLength` counts characters (code points).
 *
 * @param {string} title
 * @param {{ separator?: string, maxLength?: number }} [options]
 * @returns {string}
 */
export function slugify(title, { separator = '-', maxLength = Number.POSITIVE_INFINITY } = {}) {
  const plain = title.normalize('NFKD').toLowerCase().replace(latinAccents, '').replace(apostrophes, '')
  const text = [...plain].map((character) => writtenOut.get(character) ?? character).join('')
  return fit(text.normalize('NFC').match(word) ?? [], separator, maxLength)
}

/** Whole words as long as there is room; part of the next one only where less than half would be left otherwise. */
function fit(words, separator, maxLength) {
  let slug = ''
  for (const next of words) {
    const start = slug === '' ? '' : slug + separator
    if (lengthOf(start + next) <= maxLength) {
      slug = start + next
      continue
    }
    const room = maxLength - lengthOf(start)
    return room > 0 && lengthOf(slug) * 2 < maxLength ? start + firstOf(next, room) : slug
  }
  return slug
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      separator: { type: 'string', short: 's', default: '-' },
      'max-length': { type: 'string', short: 'm' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const given = values['max-length']
  if (given !== undefined && !/^[1-9]\d*$/.test(given)) throw new Error(`--max-length is a number from 1, not "${given}"`)
  const maxLength = given === undefined ? Number.POSITIVE_INFINITY : Number(given)
  return { help: values.help, title: positionals.join(' '), options: { separator: values.separator, maxLength } }
}

async function main() {
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  let request
  try {
    request = readArguments()
  } catch (error) {
    process.stderr.write(`slugify: ${error.message}\n\n${usage}`)
    process.exitCode = 2
    return
  }
  const { help, title, options } = request
  if (help) process.stdout.write(usage)
  else if (title !== '') process.stdout.write(`${slugify(title, options)}\n`)
  else for await (const line of createInterface({ input: process.stdin })) process.stdout.write(`${slugify(line, options)}\n`)
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main()
