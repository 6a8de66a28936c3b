import { describe, expect, it } from 'vitest'
import { decodeKeyFile, encodeKeyFile } from '../../../src/core/identity/key-file.ts'
import { testSigner } from './test-signers.ts'

const seed = new Uint8Array(32).fill(7)
const passphrase = 'vier Wörter, eines davon ſeltsam'
const withHint = (code: string) => expect.objectContaining({ code, hint: expect.any(String) })

describe('key files', () => {
  it('round-trip in the clear and say whose key they hold', async () => {
    const text = await encodeKeyFile(seed)
    expect(JSON.parse(text)).toMatchObject({ format: 'ggen-key', v: 1, publisher: (await testSigner(7)).did })
    expect(await decodeKeyFile(text)).toEqual(seed)
    expect(await decodeKeyFile(`\uFEFF${text.replaceAll('\n', '\r\n')}`, { passphrase: 'not needed' })).toEqual(seed)
  })

  it('round-trip encrypted, in whatever Unicode form the passphrase is typed', async () => {
    const text = await encodeKeyFile(seed, { passphrase })
    expect(text).not.toContain('BwcHBwcHBwcHBwcH')
    expect(JSON.parse(text).encryption.iterations).toBeGreaterThanOrEqual(600_000)
    expect(await decodeKeyFile(text, { passphrase: passphrase.normalize('NFD') })).toEqual(seed)
    await expect(decodeKeyFile(text, { passphrase: 'wrong' })).rejects.toThrow(withHint('DENIED'))
    await expect(decodeKeyFile(text)).rejects.toThrow(withHint('DENIED'))
    await expect(decodeKeyFile(text, { passphrase: '' })).rejects.toThrow(withHint('DENIED'))
    const { did } = await testSigner(8)
    const renamed = JSON.stringify({ ...JSON.parse(text), publisher: did })
    await expect(decodeKeyFile(renamed, { passphrase })).rejects.toThrow(withHint('DENIED'))
  })

  it('are salted', async () => {
    const [a, b] = await Promise.all([encodeKeyFile(seed, { passphrase }), encodeKeyFile(seed, { passphrase })])
    expect(JSON.parse(a).secret).not.toBe(JSON.parse(b).secret)
  })

  it('refuse an empty passphrase and a wrong seed when written', async () => {
    await expect(encodeKeyFile(seed, { passphrase: '' })).rejects.toThrow(withHint('USAGE'))
    await expect(encodeKeyFile(new Uint8Array(16))).rejects.toThrow(withHint('USAGE'))
  })

  it('are refused when malformed', async () => {
    const plain = JSON.parse(await encodeKeyFile(seed))
    const encrypted = JSON.parse(await encodeKeyFile(seed, { passphrase }))
    const withEncryption = (change: object) => ({ ...encrypted, encryption: { ...encrypted.encryption, ...change } })
    const wrong = [
      '',
      'not JSON',
      '-----BEGIN PRIVATE KEY-----',
      '{}',
      'null',
      'x'.repeat(5000),
      JSON.stringify({ ...plain, v: 2 }),
      JSON.stringify({ ...plain, extra: true }),
      JSON.stringify({ ...plain, secret: 'AAAA' }),
      JSON.stringify({ ...plain, secret: 'A' }),
      JSON.stringify({ ...plain, secret: 'no base64!' }),
      JSON.stringify({ ...plain, secret: plain.secret.replace('Bw', 'Cw') }),
      JSON.stringify({ ...plain, publisher: 'somebody' }),
      JSON.stringify(withEncryption({ iterations: 1000 })),
      JSON.stringify(withEncryption({ iterations: 1e12 })),
      JSON.stringify(withEncryption({ kdf: 'md5' })),
    ]
    for (const text of wrong) {
      await expect(decodeKeyFile(text, { passphrase }), text.slice(0, 60)).rejects.toThrow(withHint('USAGE'))
    }
  })
})
