import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/core/limits.ts'
import { metadataFiles, readMetadata } from '../../../src/core/manifest/metadata.ts'

type Overrides = Parameters<typeof readMetadata>[1]
const toml = (text: string, overrides: Overrides = {}) => readMetadata([{ path: 'package.toml', text }], overrides)
const json = (value: unknown, overrides: Overrides = {}) =>
  readMetadata([{ path: 'package.json', text: typeof value === 'string' ? value : JSON.stringify(value) }], overrides)
const head = '[package]\nname = "a"\nversion = "1.0.0"\n'
const fails = (message: string | RegExp, hint: string | RegExp = /./, code = 'INVALID_MANIFEST') =>
  expect.objectContaining({ code, message: expect.stringMatching(message), hint: expect.stringMatching(hint) })

describe('package.toml', () => {
  it('reads every field, and keeps what it does not know', () => {
    const metadata = toml(`
      [package]
      name = "engine"
      full_name = "ada/engine"
      version = "1.2.3"
      description = """
      Counts. """
      category = "tools"
      tags = ["fast", "small"]
      keywords = ["small", "counting", ""]
      author = "Ada"
      authors = ["Ada", { name = "Charles", email = "c@example.org" }]
      license = "MIT"
      repository = "https://example.org/engine"
      dependencies = ["gears"]
      production = true
      [ggen-dependencies]
      wheels = "^1.2"
      [dependencies]
      tokio = { version = "1", features = ["full"] }
      [ontology]
      classes = 60
      [metadata]
      repository = "https://example.org/other"
    `)
    expect(metadata).toEqual({
      name: 'engine',
      version: '1.2.3',
      description: 'Counts.',
      category: 'tools',
      keywords: ['fast', 'small', 'counting'],
      license: 'MIT',
      authors: ['Ada', 'Charles <c@example.org>'],
      repository: 'https://example.org/engine',
      dependencies: { gears: '*', wheels: '^1.2' },
      external: { tokio: '{"version":"1","features":["full"]}' },
      other: {
        package: { full_name: 'ada/engine', production: true },
        ontology: { classes: 60 },
        metadata: { repository: 'https://example.org/other' },
      },
      file: 'package.toml',
    })
  })

  it('is content with name and version', () => {
    expect(toml(head)).toEqual({
      name: 'a',
      version: '1.0.0',
      description: '',
      category: '',
      keywords: [],
      license: '',
      authors: [],
      repository: '',
      dependencies: {},
      external: {},
      other: {},
      file: 'package.toml',
    })
  })

  it('takes lists from tables that hold them', () => {
    const metadata = toml(`${head}[package.tags]\ntags = ["x", "y"]\n[package.keywords]\nkeywords = ["z"]\n`)
    expect(metadata.keywords).toEqual(['x', 'y', 'z'])
  })

  it('takes the first category, and keeps the others', () => {
    expect(toml(`${head}categories = ["cli", "rdf"]\n`)).toMatchObject({
      category: 'cli',
      other: { package: { categories: ['cli', 'rdf'] } },
    })
    expect(toml(`${head}categories = ["cli"]\n`)).toMatchObject({ category: 'cli', other: {} })
  })

  it('takes the repository from [metadata] where [package] has none', () => {
    expect(toml(`${head}[metadata]\nrepository = "https://x"\n`).repository).toBe('https://x')
    expect(toml(`${head}[metadata]\nrepository = 1\n`).repository).toBe('')
  })

  it('flattens dependencies of other package managers, by group', () => {
    const metadata = toml(`${head}
      [dependencies.rust]
      sqlx = { version = "0.7", features = ["postgres"] }
      tokio = "1"
      [dependencies.typescript]
      "@apollo/server" = "^4.9.5"
      [dependencies.kafka]
      version = "0.10"
      [dependencies.local]
      path = "../local"
      [dependencies]
      globs = "templates/*.sparql"
      many = ["a", "b"]
    `)
    expect(metadata.external).toEqual({
      'rust:sqlx': '{"version":"0.7","features":["postgres"]}',
      'rust:tokio': '1',
      'typescript:@apollo/server': '^4.9.5',
      kafka: '{"version":"0.10"}',
      local: '{"path":"../local"}',
      globs: 'templates/*.sparql',
      many: '["a","b"]',
    })
    expect(metadata.other).toEqual({})
  })

  it('leaves dependencies that are no table among the other fields', () => {
    expect(toml(`dependencies = ["x"]\n${head}`)).toMatchObject({ external: {}, other: { dependencies: ['x'] } })
  })

  it('prefers a valid id to a title, and proposes a name where there is none', () => {
    const titled = '[package]\nid = "org.example.app"\nname = "My App"\nversion = "1.0.0"\n'
    expect(toml(titled)).toMatchObject({ name: 'org.example.app', other: { package: { name: 'My App' } } })
    expect(toml(titled.replace('My App', 'my-app'))).toMatchObject({
      name: 'my-app',
      other: { package: { id: 'org.example.app' } },
    })
    const bad = titled.replace('org.example.app', 'Org App')
    expect(() => toml(bad)).toThrow(fails('package.toml: "My App" is not a package name', '--name my-app'))
    expect(toml(bad, { name: 'chosen' }).name).toBe('chosen')
  })

  it('tolerates a byte order mark and Windows line ends', () => {
    expect(toml(`\uFEFF${head.replaceAll('\n', '\r\n')}`).name).toBe('a')
  })

  it.each([
    ['tags = "one"', 'package.toml: package.tags must be a list of texts', 'tags = \\["rest", "api"\\]'],
    ['keywords = [1]', 'package.toml: package.keywords must be', ''],
    ['description = 1', 'package.toml: package.description must be a text', ''],
    ['author = 1', 'package.toml: package.author must be a name', ''],
    ['authors = [{ email = "x" }]', 'package.toml: package.authors must be', ''],
    ['license = ["MIT"]', 'package.toml: package.license must be', ''],
    ['repository = 1', 'package.toml: package.repository must be an address', ''],
    ['dependencies = { a = "1" }', 'package.toml: package.dependencies must be a list of package names', ''],
    ['dependencies = ["a@1"]', 'package.toml: dependencies: "a@1" is not a package name', 'ggen-dependencies'],
    ['[ggen-dependencies]\nb = "newest"', 'package.toml: ggen-dependencies.b: "newest" is not a version range', ''],
    ['[ggen-dependencies]\nb = 1', 'package.toml: ggen-dependencies.b: 1 is not a version range', ''],
    ['[ggen-dependencies]\n"B b" = "1"', 'package.toml: ggen-dependencies: "B b" is not a package name', ''],
    [
      `description = "${'x'.repeat(limits.maxDescriptionLength + 1)}"`,
      'package.toml: description: longer than 4096',
      'README',
    ],
    [
      `tags = ${JSON.stringify(Array.from({ length: 65 }, (_, i) => `k${i}`))}`,
      'package.toml: keywords: more than 64',
      '',
    ],
    [`tags = ["${'x'.repeat(65)}"]`, 'package.toml: keywords.0: longer than 64', ''],
    ['[dependencies]\n"__proto__" = "x"', 'package.toml: external: not a table', ''],
  ])('refuses %.60s, naming file and key', (lines, message, hint) => {
    expect(() => toml(`${head}${lines}\n`)).toThrow(fails(message, hint))
  })

  it('refuses a missing or invalid table, name or version', () => {
    expect(() => toml('')).toThrow(fails('no \\[package\\] table'))
    expect(() => toml('package = 1')).toThrow(fails('package must be a table'))
    expect(() => toml('[package]\nversion = "1.0.0"')).toThrow(fails('gives no name', '--name'))
    expect(() => toml('[package]\nname = "a"')).toThrow(fails('gives no version', '--version'))
    expect(() => toml('[package]\nname = "a"\nversion = "1.0"')).toThrow(
      fails('"1.0" is not a semantic version', '--version'),
    )
    expect(() => toml('[package]\nname = "a"\nversion = 1')).toThrow(fails('package.version must be a text'))
    expect(() => toml('[package')).toThrow(fails(/^package\.toml:1:2: /))
  })

  it('lets the command line choose name and version, and holds them to the same rules', () => {
    expect(toml('[package]', { name: 'b', version: '2.0.0' })).toMatchObject({ name: 'b', version: '2.0.0' })
    expect(() => toml(head, { name: 'No Name' })).toThrow(fails('"No Name"', '--name no-name', 'USAGE'))
    expect(() => toml(head, { version: 'v1' })).toThrow(fails('"v1"', '--version', 'USAGE'))
  })
})

describe('ggen.toml', () => {
  const ggen = (text: string) => readMetadata([{ path: 'ggen.toml', text }], {})

  it.each(['project', 'package'])('reads the table [%s]', (table) => {
    const metadata = ggen(`[${table}]\nname = "a"\nversion = "1.0.0"\nauthor = "Ada"\n[ai]\nmodel = "x"\n`)
    expect(metadata).toMatchObject({ name: 'a', authors: ['Ada'], other: { ai: { model: 'x' } }, file: 'ggen.toml' })
  })

  it('is passed over when it only configures the tool', () => {
    const files = [
      { path: 'ggen.toml', text: '[ai]\nmodel = "x"\n' },
      { path: 'package.json', text: '{"name":"a","version":"1.0.0"}' },
    ]
    expect(readMetadata(files, {}).file).toBe('package.json')
    expect(() => readMetadata(files.slice(0, 1), {})).toThrow(fails('without a \\[project\\]'))
  })
})

describe('package.json', () => {
  it('reads the shapes of npm', () => {
    const metadata = json({
      name: '@ada/engine',
      version: '1.0.0',
      description: 'Counts',
      keywords: ['small'],
      author: { name: 'Ada', email: 'a@example.org', url: 'https://x' },
      license: { type: 'MIT', url: 'https://x' },
      repository: { type: 'git', url: 'git+https://example.org/engine.git' },
      dependencies: { react: '^18' },
      'ggen-dependencies': { gears: '1.x' },
      devDependencies: { vitest: '*' },
      private: true,
    })
    expect(metadata).toEqual({
      name: '@ada/engine',
      version: '1.0.0',
      description: 'Counts',
      category: '',
      keywords: ['small'],
      license: 'MIT',
      authors: ['Ada <a@example.org>'],
      repository: 'git+https://example.org/engine.git',
      dependencies: { gears: '1.x' },
      external: { react: '^18' },
      other: { devDependencies: { vitest: '*' }, private: true },
      file: 'package.json',
    })
  })

  it('tells where it is not JSON', () => {
    expect(() => json('{\n  "name": "a",\n  oops\n}')).toThrow(fails(/^package\.json:3:3: /))
    expect(() => json('{\n  "name": "a"')).toThrow(fails(/^package\.json:2:14: /))
    expect(() => json('[]')).toThrow(fails('no JSON object'))
    expect(() => json({ keywords: 'x' })).toThrow(fails('package.json: keywords must be', 'keywords: \\["rest"'))
  })
})

describe('readMetadata', () => {
  it('prefers package.toml to ggen.toml to package.json', () => {
    const files = [
      { path: 'package.json', text: '{"name":"c","version":"1.0.0"}' },
      { path: 'ggen.toml', text: '[project]\nname = "b"\nversion = "1.0.0"\n' },
      { path: 'package.toml', text: head },
    ]
    expect(metadataFiles.map((_, index) => readMetadata(files.slice(0, files.length - index), {}).file)).toEqual(
      metadataFiles,
    )
  })

  it('says what it looked for', () => {
    expect(() => readMetadata([{ path: 'README.md', text: '' }], {})).toThrow(
      fails('package.toml, ggen.toml, package.json', 'package.toml'),
    )
  })
})
