import { expect, test } from 'vitest'
import { treeRows } from '../../../src/browser/ui/file-tree.ts'

const files = ['README.md', 'src/a/deep.txt', 'src/main.ts', 'test/x.ts'].map((path) => ({
  path,
  size: 1,
  exec: false,
  content: '',
}))
const shown = (open: string[]) => treeRows(files, new Set(open)).map(({ path, level }) => `${level} ${path}`)

test('closed folders hide what is in them, at every depth', () => {
  expect(shown([])).toEqual(['1 README.md', '1 src', '1 test'])
  expect(shown(['src'])).toEqual(['1 README.md', '1 src', '2 src/a', '2 src/main.ts', '1 test'])
  expect(shown(['src', 'src/a'])).toEqual([
    '1 README.md',
    '1 src',
    '2 src/a',
    '3 src/a/deep.txt',
    '2 src/main.ts',
    '1 test',
  ])
  // A folder that is open inside a closed one shows nothing.
  expect(shown(['src/a'])).toEqual(['1 README.md', '1 src', '1 test'])
})
