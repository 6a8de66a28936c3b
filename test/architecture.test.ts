import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

/** What the pure core may import besides itself: libraries without platform, network or files of their own. */
const pureLibraries = [
  'multiformats',
  '@ipld/dag-cbor',
  'smol-toml',
  'semver',
  'valibot',
  'ignore',
  'fflate',
  'modern-tar',
]
const platformGlobals = /\b(window|indexedDB|localStorage|process|Buffer|__dirname)\b\s*[.[(]/
const maxLines = 350

interface SourceFile {
  /** Relative to the root, with slashes. */
  path: string
  text: string
}

interface Rule {
  name: string
  applies(path: string): boolean
  mayImport(target: string): boolean
}

const below = (folder: string) => (path: string) => path.startsWith(folder)
const isOneOf = (path: string, ...files: string[]) => files.includes(path)

/** Targets are paths in the repository, or the names of packages. */
const rules: Rule[] = [
  {
    name: 'core imports only core and pure libraries',
    applies: below('src/core/'),
    mayImport: (target) => target.startsWith('src/core/') || pureLibraries.includes(packageOf(target)),
  },
  {
    name: 'storage imports core and itself',
    applies: below('src/storage/'),
    mayImport: (target) => !isOurs(target) || /^src\/(core|storage)\//.test(target),
  },
  {
    name: 'transports import core and themselves',
    applies: below('src/transports/'),
    mayImport: (target) => !isOurs(target) || /^src\/(core|transports)\//.test(target),
  },
  {
    name: 'the command line imports core, itself and the two roots for Node',
    applies: below('src/node-cli/'),
    mayImport: (target) =>
      !isOurs(target) ||
      /^src\/(core|node-cli)\//.test(target) ||
      isOneOf(target, 'src/storage/node.ts', 'src/transports/node.ts', 'package.json'),
  },
  {
    name: 'the browser imports core, itself and the two roots for browsers',
    applies: below('src/browser/'),
    mayImport: (target) =>
      !isOurs(target) ||
      /^src\/(core|browser)\//.test(target) ||
      isOneOf(target, 'src/storage/browser.ts', 'src/transports/browser.ts'),
  },
  {
    name: 'the relay imports core, itself, its transport and the storage for Node',
    applies: below('relay/'),
    mayImport: (target) =>
      !isOurs(target) ||
      /^(src\/core|relay)\//.test(target) ||
      isOneOf(target, 'src/storage/node.ts', 'src/transports/relay.ts'),
  },
]

function isOurs(target: string): boolean {
  return target.startsWith('src/') || target.startsWith('relay/') || target === 'package.json'
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function importsOf({ path, text }: SourceFile): string[] {
  const specifiers = [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"]+)\1/g)].map((match) => match[2]!)
  return specifiers.map((specifier) =>
    specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(path), specifier)).replaceAll('\\', '/')
      : specifier,
  )
}

/** Each broken rule in a sentence. */
function violations(file: SourceFile): string[] {
  const found: string[] = []
  for (const { name, applies, mayImport } of rules) {
    if (!applies(file.path)) continue
    for (const target of importsOf(file)) if (!mayImport(target)) found.push(`${file.path} imports ${target}: ${name}`)
  }
  const code = file.text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|`[^`]*`|'[^'\n]*'/g, '')
  if (file.path.startsWith('src/core/') && platformGlobals.test(code)) {
    found.push(`${file.path} uses ${platformGlobals.exec(code)?.[1]}, which not every platform has`)
  }
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*$/.test(file.path.split('/').at(-1)!))
    found.push(`${file.path} is not in kebab-case`)
  if (file.text.split('\n').length > maxLines) found.push(`${file.path} has more than ${maxLines} lines`)
  return found
}

function sourceFiles(...folders: string[]): SourceFile[] {
  return folders.flatMap((folder) => {
    let entries: string[]
    try {
      entries = readdirSync(join(root, folder), { recursive: true }) as string[]
    } catch {
      return []
    }
    const paths = entries
      .filter((entry) => entry.endsWith('.ts'))
      .map((entry) => `${folder}/${entry.replaceAll('\\', '/')}`)
    return paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  })
}

test('every source file keeps the rules', () => {
  const files = sourceFiles('src', 'relay')
  expect(files.length).toBeGreaterThan(100)
  expect(files.flatMap(violations)).toEqual([])
})

describe('the checker finds', () => {
  const check = (path: string, text: string) => violations({ path, text })

  test.each([
    ['src/core/a.ts', "import { readFileSync } from 'node:fs'"],
    ['src/core/a.ts', "import type { Libp2p } from '@libp2p/interface'"],
    ['src/core/log/a.ts', "import { x } from '../../storage/node.ts'"],
    ['src/core/a.ts', "const x = await import('hono')"],
    ['src/core/a.ts', 'export const x = window.title'],
    ['src/core/a.ts', 'export const x = process.env'],
    ['src/storage/a.ts', "import { x } from '../transports/node.ts'"],
    ['src/transports/a.ts', "export { x } from '../storage/node.ts'"],
    ['src/transports/a.ts', "import { x } from '../node-cli/main.ts'"],
    ['src/node-cli/a.ts', "import { x } from '../storage/sqlite.ts'"],
    ['src/browser/a.ts', "import { x } from '../storage/node.ts'"],
    ['relay/a.ts', "import { x } from '../src/transports/node.ts'"],
    ['src/core/camelCase.ts', ''],
    ['src/core/long.ts', '\n'.repeat(maxLines)],
  ])('what is wrong in %s: %s', (path, text) => {
    expect(check(path, text)).toHaveLength(1)
  })

  test('nothing in what is allowed', () => {
    expect(
      check(
        'src/core/a/b.ts',
        "import { CID } from 'multiformats/cid'\nimport { x } from '../errors.ts'\n// window.title in words",
      ),
    ).toEqual([])
    expect(check('src/node-cli/a.ts', "import { x } from '../storage/node.ts'\nimport fs from 'node:fs'")).toEqual([])
  })
})
