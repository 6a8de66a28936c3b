import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { version } from '../../src/core/version.ts'

const root = join(import.meta.dirname, '../..')

/** What a module hands out besides types, read from its text: the browser's cannot be loaded here. */
function exportedNames(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const lists = [...text.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, names]) => names!.split(','))
  const declared = [...text.matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm)].map(([, name]) => name!)
  return [...lists.map((name) => name.trim()), ...declared].filter((name) => name !== '').sort()
}

test('the roots for Node and for browsers export the same names', () => {
  const names = exportedNames('src/node-cli/index.ts')
  expect(names).toEqual(['RegistryError', 'createNode', 'createSharedNode', 'openPackageFolder', 'openProjectFolder'])
  expect(exportedNames('src/browser/index.ts')).toEqual(names)
})

test('the version peers are told is the package’s', () => {
  expect(version).toBe(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version)
})
