import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createBlock, encodeNode } from '../../../src/core/blocks/block.ts'
import { webcryptoSha256 as sha256 } from '../../../src/core/blocks/webcrypto-sha256.ts'
import { RegistryError } from '../../../src/core/errors.ts'
import { signEnvelope } from '../../../src/core/identity/dsse.ts'
import { limits } from '../../../src/core/limits.ts'
import type { EntryFields } from '../../../src/core/log/entry.ts'
import { createEntry, entryPayloadType, restoreEntry, verifyEntry } from '../../../src/core/log/entry.ts'
import type { LogEntry, ReleaseBody } from '../../../src/core/log/types.ts'
import type { Signer } from '../../../src/core/ports.ts'
import { testSigner } from '../identity/test-signers.ts'
import { manifestCid, releaseBody } from './test-entries.ts'

let ada: Signer
let bob: Signer
let release: LogEntry
beforeAll(async () => {
  ada = await testSigner(1)
  bob = await testSigner(2)
  const body = await releaseBody()
  release = { v: 1, publisher: ada.did, author: ada.did, seq: 0, prev: null, time: 1000, type: 'release', body }
})

const refused = (message: string) =>
  expect.objectContaining({
    code: 'VERIFICATION_FAILED',
    message: expect.stringContaining(message),
    hint: expect.any(String),
  })

/** Signs any value as an entry, as a hostile publisher could. */
async function signAnything(value: unknown, signers: Signer[] = [ada], type = entryPayloadType): Promise<Uint8Array> {
  return encodeNode(await signEnvelope(type, encodeNode(value), signers))
}

describe('entries', () => {
  it('of every type verify as what was signed', async () => {
    const manifest = await manifestCid()
    const { cid: raw } = await createBlock('raw', new Uint8Array(), sha256)
    const statements = [
      { type: 'release', body: await releaseBody() },
      {
        type: 'release',
        body: await releaseBody({
          manifest,
          dependencies: { gears: '^1.0', '@scope/wheels': '*' },
          external: { 'rust:tokio': '1' },
          readme: { path: 'README.md', blocks: [raw], bytes: 5 },
        }),
      },
      { type: 'yank', body: { name: 'engine', version: '1.0.0', reason: 'explodes' } },
      { type: 'yank', body: { name: 'engine', version: '1.0.0' } },
      { type: 'unyank', body: { name: 'engine', version: '1.0.0' } },
      { type: 'deprecate', body: { name: 'engine', range: '<2', message: 'too old' } },
      { type: 'profile', body: { name: 'Ada', url: 'https://example.org' } },
      { type: 'revoke', body: { reason: 'stolen' } },
    ] as const
    for (const [seq, statement] of statements.entries()) {
      const fields = {
        publisher: ada.did,
        seq,
        prev: seq === 0 ? null : manifest,
        time: 1000,
        ...statement,
      } as EntryFields
      const created = await createEntry(ada, fields, sha256)
      expect(created.entry).toEqual({ v: 1, author: ada.did, ...fields })
      const verified = await verifyEntry(created.envelope, { sha256, nowMs: 1000 })
      expect(verified).toEqual(created)
      expect(restoreEntry(created.cid, created.envelope)).toEqual(created)
      expect(verified.cid.equals((await createBlock('dag-cbor', created.envelope, sha256)).cid)).toBe(true)
    }
  })

  it('that hand on need both signatures', async () => {
    const fields = { publisher: ada.did, seq: 0, prev: null, time: 1, type: 'rotate', body: { to: bob.did } } as const
    const created = await createEntry([ada, bob], fields, sha256)
    expect(await verifyEntry(created.envelope, { sha256 })).toEqual(created)
    await expect(createEntry(ada, fields, sha256)).rejects.toMatchObject({ code: 'USAGE' })
    await expect(createEntry([bob, ada], fields, sha256)).rejects.toMatchObject({ code: 'USAGE' })
    const entry = { v: 1, author: ada.did, ...fields }
    for (const signers of [[ada], [bob], [bob, ada], [ada, ada]]) {
      await expect(verifyEntry(await signAnything(entry, signers), { sha256 })).rejects.toThrow(
        refused('signed by exactly'),
      )
    }
    const toSelf = { ...entry, body: { to: ada.did } }
    await expect(verifyEntry(await signAnything(toSelf, [ada, ada]), { sha256 })).rejects.toThrow(refused('own key'))
  })

  it('round-trip with any text in them', async () => {
    const text = (maxLength: number) => fc.string({ unit: 'binary', maxLength })
    const texts = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), { maxLength: 5 })
    const change = fc.record<Partial<ReleaseBody>>(
      {
        description: text(200),
        keywords: texts,
        category: text(20),
        license: text(20),
        authors: texts,
        repository: text(50),
        bytes: fc.nat(),
        files: fc.nat(limits.maxFiles),
        external: fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }), text(10), { maxKeys: 4 }),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(change, fc.maxSafeNat(), async (fieldsChange, time) => {
        const body = await releaseBody(fieldsChange)
        fc.pre(!Object.keys(body.external ?? {}).includes('__proto__'))
        const fields = { publisher: ada.did, seq: 0, prev: null, time, type: 'release' as const, body }
        const created = await createEntry(ada, fields, sha256)
        expect(created.entry.body).toEqual(body)
        expect(await verifyEntry(created.envelope, { sha256 })).toEqual(created)
      }),
      { numRuns: 50 },
    )
  })

  it('keep their own copy of the bytes', async () => {
    const bytes = await signAnything(release)
    const verified = await verifyEntry(bytes, { sha256 })
    bytes.fill(0)
    expect(await verifyEntry(verified.envelope, { sha256 })).toEqual(verified)
  })
})

describe('verifyEntry', () => {
  it('throws nothing but VERIFICATION_FAILED on mutated bytes', async () => {
    const bytes = await signAnything(release)
    const mutation = fc.oneof(
      fc.tuple(fc.nat(bytes.byteLength - 1), fc.integer({ min: 1, max: 255 })).map(([index, flip]) => {
        const mutated = bytes.slice()
        mutated[index]! ^= flip
        return mutated
      }),
      fc.nat(bytes.byteLength - 1).map((length) => bytes.slice(0, length)),
      fc.uint8Array({ minLength: 1, maxLength: 8 }).map((tail) => Uint8Array.from([...bytes, ...tail])),
      fc.uint8Array({ maxLength: 100 }),
    )
    await fc.assert(
      fc.asyncProperty(mutation, async (mutated) => {
        const error = await verifyEntry(mutated, { sha256, nowMs: 2000 }).then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
        expect(error).toBeInstanceOf(RegistryError)
        expect((error as RegistryError).code).toBe('VERIFICATION_FAILED')
      }),
      { numRuns: 600 },
    )
  })

  it('throws nothing but VERIFICATION_FAILED on signed nonsense', async () => {
    const junk = fc.oneof(
      fc.constantFrom(null, -1, '', 'x', true, [], {}),
      fc.array(fc.nat(), { maxLength: 3 }),
      // CBOR writes -0 as 0.
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
    )
    const field = fc.constantFrom('v', 'publisher', 'author', 'seq', 'prev', 'time', 'type', 'body', 'extra')
    const bodyField = fc.constantFrom(...Object.keys(release.body), 'readme', 'external', 'extra')
    await fc.assert(
      fc.asyncProperty(field, bodyField, junk, fc.boolean(), async (key, bodyKey, value, inBody) => {
        const changed = inBody
          ? { ...release, body: { ...release.body, [bodyKey]: value } }
          : { ...release, [key]: value }
        const bytes = await signAnything(changed)
        try {
          expect((await verifyEntry(bytes, { sha256 })).entry).toEqual(changed)
        } catch (error) {
          expect(error).toBeInstanceOf(RegistryError)
          expect((error as RegistryError).code).toBe('VERIFICATION_FAILED')
        }
      }),
      { numRuns: 400 },
    )
  })

  it('looks at the size before anything else', async () => {
    await expect(verifyEntry(new Uint8Array(limits.maxEntryBytes + 1), { sha256 })).rejects.toThrow(
      refused('65537 bytes'),
    )
  })

  it('refuses other signers and other payload types', async () => {
    await expect(verifyEntry(await signAnything(release, [bob]), { sha256 })).rejects.toThrow(
      refused('signed by exactly'),
    )
    await expect(verifyEntry(await signAnything(release, [ada, bob]), { sha256 })).rejects.toThrow(
      refused('signed by exactly'),
    )
    const other = await signAnything(release, [ada], 'application/other')
    await expect(verifyEntry(other, { sha256 })).rejects.toThrow(refused('application/other'))
  })

  it('refuses a future beyond clock drift, and only when it knows the time', async () => {
    const time = 1e12
    const bytes = await signAnything({ ...release, time })
    expect(await verifyEntry(bytes, { sha256, nowMs: time - limits.maxClockSkewMs })).toMatchObject({ entry: { time } })
    expect(await verifyEntry(bytes, { sha256 })).toMatchObject({ entry: { time } })
    const early = verifyEntry(bytes, { sha256, nowMs: time - limits.maxClockSkewMs - 1 })
    await expect(early).rejects.toThrow(refused('24 hours in the future'))
  })

  it('takes an author who is not the publisher: authority is decided over the whole log', async () => {
    const bytes = await signAnything({ ...release, author: bob.did }, [bob])
    expect(await verifyEntry(bytes, { sha256 })).toMatchObject({ entry: { author: bob.did, publisher: ada.did } })
  })

  it.each<[string, (body: ReleaseBody) => object, string]>([
    ['an unknown field', (body) => ({ ...body, homepage: 'x' }), 'homepage'],
    ['a missing field', ({ description: _, ...body }) => body, 'description'],
    ['a hostile name', (body) => ({ ...body, name: '../../x' }), 'name'],
    ['a bad version', (body) => ({ ...body, version: '1' }), 'version'],
    ['a manifest that is no node', (body) => ({ ...body, manifest: 'bafy' }), 'manifest'],
    ['too many bytes', (body) => ({ ...body, bytes: limits.maxPackageBytes + 1 }), 'bytes'],
    ['too many files', (body) => ({ ...body, files: limits.maxFiles + 1 }), 'files'],
    [
      'a long description',
      (body) => ({ ...body, description: 'x'.repeat(limits.maxDescriptionLength + 1) }),
      'description',
    ],
    ['too many keywords', (body) => ({ ...body, keywords: Array(65).fill('k') }), 'keywords'],
    ['an empty keyword', (body) => ({ ...body, keywords: [''] }), 'keywords'],
    ['a dependency on a path', (body) => ({ ...body, dependencies: { '../x': '*' } }), 'dependencies'],
    ['a dependency on no range', (body) => ({ ...body, dependencies: { a: 'git+ssh://x' } }), 'dependencies'],
    ['a hidden dependency', (body) => ({ ...body, dependencies: { constructor: '*' } }), 'dependencies'],
    [
      'too many dependencies',
      (body) => ({ ...body, dependencies: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`d${i}`, '*'])) }),
      'dependencies',
    ],
    ['dependencies as a list', (body) => ({ ...body, dependencies: ['a'] }), 'dependencies'],
    ['an external that is no text', (body) => ({ ...body, external: { a: 1 } }), 'external'],
    ['a climbing readme', (body) => ({ ...body, readme: { path: '../README', blocks: [], bytes: 0 } }), 'readme.path'],
    [
      'a readme without its blocks',
      (body) => ({ ...body, readme: { path: 'README', blocks: [], bytes: 7 } }),
      'readme',
    ],
  ])('refuses a release with %s', async (_, change, field) => {
    const changed = { ...release, body: change(release.body as ReleaseBody) }
    await expect(verifyEntry(await signAnything(changed), { sha256 })).rejects.toThrow(refused(field))
    const { v, author, ...fields } = changed
    await expect(createEntry(ada, fields as EntryFields, sha256)).rejects.toMatchObject({ code: 'INVALID_MANIFEST' })
  })

  it.each<[string, object]>([
    ['another format', { v: 2 }],
    ['an unknown type', { type: 'delete' }],
    ['a negative seq', { seq: -1 }],
    ['no prev above 0', { seq: 1 }],
    ['a prev at 0', { prev: 'manifest' }],
    ['a fractional time', { time: 1.5 }],
    ['a negative time', { time: -1 }],
    ['a publisher that is no did', { publisher: 'ada' }],
    ['an author that is no did', { author: 'did:web:example.org' }],
    ['another type with this body', { type: 'yank' }],
    ['a huge seq', { seq: 2 ** 60 }],
  ])('refuses an entry with %s', async (_, change) => {
    const manifest = await manifestCid()
    const changed = { ...release, ...change, ...('prev' in change ? { prev: manifest } : {}) }
    await expect(verifyEntry(await signAnything(changed), { sha256 })).rejects.toThrow(
      refused('A log entry was refused'),
    )
  })

  it('does not repeat what an attacker sent at length', async () => {
    const error = await verifyEntry(await signAnything({ ...release, type: 'x'.repeat(50_000) }), { sha256 }).catch(
      (e: unknown) => e,
    )
    expect((error as Error).message.length).toBeLessThan(400)
  })
})

describe('createEntry', () => {
  it('refuses what does not fit, and names the kind of mistake', async () => {
    const base = { publisher: ada.did, seq: 0, prev: null, time: 1 }
    const external = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`e${index}`, 'x'.repeat(1000)]))
    const large = createEntry(ada, { ...base, type: 'release', body: await releaseBody({ external }) }, sha256)
    await expect(large).rejects.toMatchObject({ code: 'INVALID_MANIFEST', message: expect.stringContaining('65536') })
    const reason = 'x'.repeat(limits.maxReasonLength + 1)
    const yank = createEntry(ada, { ...base, type: 'yank', body: { name: 'a', version: '1.0.0', reason } }, sha256)
    await expect(yank).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('body.reason') })
    const undefinedReason = { name: 'a', version: '1.0.0', reason: undefined } as never
    await expect(createEntry(ada, { ...base, type: 'yank', body: undefinedReason }, sha256)).rejects.toMatchObject({
      code: 'USAGE',
    })
  })
})

describe('restoreEntry', () => {
  it('says so when the store holds garbage', async () => {
    const { cid } = await createBlock('dag-cbor', encodeNode(1), sha256)
    expect(() => restoreEntry(cid, Uint8Array.of(0xff))).toThrow(
      expect.objectContaining({ code: 'STORAGE_CORRUPT', hint: expect.any(String) }),
    )
  })
})
