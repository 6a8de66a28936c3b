import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeNode } from '../../../src/core/blocks/block.ts'
import { limits } from '../../../src/core/limits.ts'
import { metadataFiles, readMetadata } from '../../../src/core/manifest/metadata.ts'
import { checkPackagePaths } from '../../../src/core/manifest/package-path.ts'

/** Real packages beside the checkout; the project does not carry them along. */
const corpus = join(import.meta.dirname, '../../../../shared/corpus/ggen')
const present = existsSync(corpus)
if (!present) console.warn(`Skipped: no corpus of real packages at ${corpus}.`)

const entries = present
  ? readdirSync(corpus, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  : []
const paths = entries.map((entry) => relative(corpus, join(entry.parentPath, entry.name)))
const folders = [...new Set(paths.filter((path) => metadataFiles.includes(path.split('/').at(-1) ?? '')).map(dirname))]
const read = (folder: string) => {
  const held = metadataFiles.filter((file) => existsSync(join(corpus, folder, file)))
  return readMetadata(
    held.map((path) => ({ path, text: readFileSync(join(corpus, folder, path), 'utf8') })),
    {},
  )
}
const readable = folders.filter((folder) => folder !== 'rest-api-template')

describe.skipIf(!present)('the corpus', () => {
  it('is what these tests expect', () => {
    expect(readable.length).toBeGreaterThanOrEqual(15)
    expect(folders).toContain('rest-api-template')
  })

  it.each(readable)('%s has metadata that fits a log entry', (folder) => {
    const metadata = read(folder)
    expect(metadata.version).toMatch(/^\d+\.\d+\.\d+$/)
    expect(metadata.description).not.toBe('')
    expect(encodeNode({ ...metadata, other: null, file: null }).byteLength).toBeLessThan(limits.maxEntryBytes / 2)
    const expected =
      folder === 'notification-messaging-hub' ? '@ggen/notification-messaging-hub' : folder.split('/').at(-1)
    expect(metadata.name).toBe(expected)
  })

  it.each(readable)('%s holds only paths that install everywhere', (folder) => {
    const own = paths.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1))
    expect(own.length).toBeGreaterThan(0)
    expect(checkPackagePaths(own)).toBeUndefined()
  })

  it('rest-api-template fails with line and column', () => {
    expect(() => read('rest-api-template')).toThrow(
      expect.objectContaining({ code: 'INVALID_MANIFEST', message: expect.stringMatching(/^package\.toml:35:\d+: /) }),
    )
  })

  it.each(['data-warehouse-etl', 'healthcare'])('%s has no package file at its root', (folder) => {
    expect(() => read(folder)).toThrow(expect.objectContaining({ code: 'INVALID_MANIFEST', hint: expect.any(String) }))
  })

  it('shows the odd shapes', () => {
    expect(read('agent-editor').keywords).toEqual(
      expect.arrayContaining(['ai', 'production', 'ai-editor', 'rdf-ontology']),
    )
    expect(read('banking-core').external).toMatchObject({
      sparql_templates: 'templates/*.sparql',
      rust_impl: 'src/rust/',
    })
    expect(read('shacl-cli')).toMatchObject({ category: 'command-line-utilities', authors: ['ggen contributors'] })
    expect(read('shacl-cli').external).toMatchObject({ colored: '2.1' })
    expect(read('workflow-engine-cli').external.kafka).toBe('{"version":"0.10","optional":true}')
    expect(read('graphql-api-template').external).toMatchObject({
      'python:asyncpg': '^0.29.0',
      'typescript:graphql': '^16.8.1',
    })
    expect(read('chatman-businessos-platform')).toMatchObject({ file: 'ggen.toml', license: '' })
    expect(read('notification-messaging-hub').file).toBe('package.json')
    expect(read('io.ggen.nextjs.ontology-crud')).toMatchObject({
      repository: 'https://github.com/seanchatmangpt/ggen',
      external: { ggen: '>=2.6.0' },
      other: { package: { name: 'Next.js Ontology-Driven CRUD' } },
    })
  })
})
