import { describe, expect, it } from 'vitest'
import { createIgnoreRules } from '../../../src/core/manifest/ignore-rules.ts'

describe('createIgnoreRules', () => {
  it.each([
    '.git',
    'sub/.git',
    '.git/config',
    '.hg',
    'node_modules',
    'a/node_modules/b/index.js',
    '.ggen',
    '.DS_Store',
    'a/Thumbs.db',
    'server.pem',
    'publisher.key',
    'certs/SERVER.KEY',
    'id_ed25519',
    'keys/id_rsa',
    'store.p12',
    '.env',
    '.env.local',
    '.ENV.production',
    '.npmrc',
    '.git-credentials',
  ])('always leaves out %s, also when a rule asks for it', (path) => {
    const reason = createIgnoreRules({ ggenignore: '!*\n!**/*\n' })(path, false)
    expect(reason).toMatch(/^always left out: /)
  })

  it.each([
    '.gitignore',
    '.github/x',
    'id_ed25519.pub',
    'monkey.md',
    'key.ts',
    '.env.example',
    '.environment',
    'keys/README',
  ])('keeps %s', (path) => expect(createIgnoreRules({})(path, false)).toBeUndefined())

  it('follows .ggenignore and says by which rule', () => {
    const reasonFor = createIgnoreRules({ ggenignore: '\uFEFF# built\ndist/\n*.log\r\n!keep.log\n/top\n' })
    expect(reasonFor('dist', true)).toBe('.ggenignore: dist/')
    expect(reasonFor('dist', false)).toBeUndefined()
    expect(reasonFor('dist/a.js', false)).toBe('.ggenignore: dist/')
    expect(reasonFor('a/x.log', false)).toBe('.ggenignore: *.log')
    expect(reasonFor('a/keep.log', false)).toBeUndefined()
    expect(reasonFor('X.LOG', false)).toBeUndefined()
    expect(reasonFor('top', false)).toBe('.ggenignore: /top')
    expect(reasonFor('a/top', false)).toBeUndefined()
  })

  it('follows .gitignore only where there is no .ggenignore', () => {
    expect(createIgnoreRules({ gitignore: '*.log' })('a.log', false)).toBe('.gitignore: *.log')
    expect(createIgnoreRules({ gitignore: '*.log', ggenignore: '' })('a.log', false)).toBeUndefined()
  })
})
