import { base64url } from 'multiformats/bases/base64'
import * as v from 'valibot'
import { RegistryError } from '../errors.ts'
import { describeFault } from '../schema-fault.ts'
import { createSigner, importSecretKey, seedBytes } from './key-pair.ts'
import type { CryptoKey } from './types.ts'

/**
 * An exported key as text, for backups and for carrying a publisher to another machine: JSON with the publisher's did
 * in the clear and the 32-byte seed either as it is or, with a passphrase, under AES-256-GCM with a key from
 * PBKDF2-SHA256. The did is authenticated by the encryption and compared with the seed's own, so a damaged file is
 * noticed.
 */
const format = 'ggen-key'
/** OWASP's figure for PBKDF2-SHA256 (2023). */
const iterations = 600_000
/** A file may ask for more, but not hang whoever opens it for minutes. */
const maxIterations = 10_000_000
const saltBytes = 16
const ivBytes = 12
/** A key file has some 500 characters, and some 700 more for each rotation. */
const maxTextLength = 65_536
const maxRotations = 32

const bytesSchema = (maxLength: number) =>
  v.pipe(
    v.string(),
    v.maxLength(maxLength),
    v.regex(/^[\w-]+$/, 'not base64url'),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        return base64url.baseDecode(dataset.value) as Uint8Array<ArrayBuffer>
      } catch {
        addIssue({ message: 'not base64url' })
        return NEVER
      }
    }),
  )
const secretSchema = bytesSchema(128)

const encryptionSchema = v.strictObject({
  kdf: v.literal('PBKDF2-SHA256'),
  iterations: v.pipe(v.number(), v.integer(), v.minValue(iterations), v.maxValue(maxIterations)),
  salt: secretSchema,
  cipher: v.literal('AES-256-GCM'),
  iv: secretSchema,
})
type Encryption = v.InferOutput<typeof encryptionSchema>

const keyFileSchema = v.strictObject({
  format: v.literal(format),
  v: v.literal(1),
  publisher: v.string(),
  encryption: v.optional(encryptionSchema),
  /** The seed, or its ciphertext with the 16-byte tag. */
  secret: secretSchema,
  /** Signed entries by which earlier keys handed on to this one, the first one first. */
  rotations: v.optional(v.pipe(v.array(bytesSchema(8_192)), v.maxLength(maxRotations))),
})

/**
 * The seed as the text of a key file, readable only with `passphrase` when there is one. Throws `USAGE` for a wrong
 * seed or an empty passphrase.
 */
export async function encodeKeyFile(
  seed: Uint8Array,
  options: { passphrase?: string | undefined; rotations?: readonly Uint8Array[] } = {},
): Promise<string> {
  const { passphrase, rotations = [] } = options
  if (passphrase === '') {
    throw new RegistryError('USAGE', 'An empty passphrase protects nothing.', {
      hint: 'Choose one of several words, or export without a passphrase and keep the file somewhere safe.',
    })
  }
  const publisher = await didOf(seed)
  const handedOn =
    rotations.length === 0 ? {} : { rotations: rotations.map((envelope) => base64url.baseEncode(envelope)) }
  const head = { format, v: 1, publisher, ...handedOn }
  if (passphrase === undefined) return toText({ ...head, secret: base64url.baseEncode(seed) })
  const encryption: Encryption = {
    kdf: 'PBKDF2-SHA256',
    iterations,
    salt: crypto.getRandomValues(new Uint8Array(saltBytes)),
    cipher: 'AES-256-GCM',
    iv: crypto.getRandomValues(new Uint8Array(ivBytes)),
  }
  const key = await deriveKey(passphrase, encryption)
  const secret = await crypto.subtle.encrypt(cipher(encryption, publisher), key, seed as Uint8Array<ArrayBuffer>)
  return toText({
    ...head,
    encryption: { ...encryption, salt: base64url.baseEncode(encryption.salt), iv: base64url.baseEncode(encryption.iv) },
    secret: base64url.baseEncode(new Uint8Array(secret)),
  })
}

/**
 * The 32-byte seed of a key file. Throws `USAGE` when the text is no key file, `DENIED` when it is encrypted and the
 * passphrase is missing or wrong.
 */
export async function decodeKeyFile(
  text: string,
  options: { passphrase?: string | undefined } = {},
): Promise<Uint8Array> {
  const { publisher, encryption, secret } = parseKeyFile(text)
  const seed = encryption === undefined ? secret : await decrypt(secret, encryption, publisher, options.passphrase)
  if (seed.byteLength !== seedBytes || (await didOf(seed)) !== publisher) {
    throw malformed('its secret does not belong to the publisher it names')
  }
  return seed
}

/** The rotations a key file carries besides its seed; they are public, and the caller verifies them. Throws `USAGE`. */
export function rotationsIn(text: string): Uint8Array[] {
  return parseKeyFile(text).rotations ?? []
}

function parseKeyFile(text: string): v.InferOutput<typeof keyFileSchema> {
  if (text.length > maxTextLength) throw malformed(`it is ${text.length} characters long`)
  let json: unknown
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw malformed('it is not JSON', cause)
  }
  const parsed = v.safeParse(keyFileSchema, json)
  if (parsed.success) return parsed.output
  throw malformed(describeFault(parsed.issues))
}

async function decrypt(
  secret: Uint8Array<ArrayBuffer>,
  encryption: Encryption,
  publisher: string,
  passphrase: string | undefined,
): Promise<Uint8Array> {
  if (passphrase === undefined || passphrase === '') {
    throw new RegistryError('DENIED', `The key of ${publisher} is encrypted and no passphrase was given.`, {
      hint: 'Give the passphrase that was chosen when the key was exported.',
    })
  }
  const key = await deriveKey(passphrase, encryption)
  try {
    return new Uint8Array(await crypto.subtle.decrypt(cipher(encryption, publisher), key, secret))
  } catch (cause) {
    throw new RegistryError('DENIED', `The passphrase does not open the key of ${publisher}.`, {
      hint: 'Check the passphrase (and the keyboard layout). A damaged file fails the same way: try another copy of it.',
      cause,
    })
  }
}

/** The same passphrase typed on two systems may reach us in different Unicode forms. */
async function deriveKey(passphrase: string, encryption: Encryption): Promise<CryptoKey> {
  const typed = new TextEncoder().encode(passphrase.normalize('NFKC'))
  const base = await crypto.subtle.importKey('raw', typed, 'PBKDF2', false, ['deriveKey'])
  return crypto.subtle.deriveKey(
    {
      name: 'PBKDF2',
      hash: 'SHA-256',
      salt: encryption.salt as Uint8Array<ArrayBuffer>,
      iterations: encryption.iterations,
    },
    base,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
}

function cipher({ iv }: Encryption, publisher: string) {
  return { name: 'AES-GCM', iv: iv as Uint8Array<ArrayBuffer>, additionalData: new TextEncoder().encode(publisher) }
}

async function didOf(seed: Uint8Array): Promise<string> {
  return (await createSigner(await importSecretKey(seed, { extractable: false }))).did
}

function toText(file: unknown): string {
  return `${JSON.stringify(file, null, 2)}\n`
}

function malformed(reason: string, cause?: unknown): RegistryError {
  return new RegistryError('USAGE', `This is not a key file: ${reason}.`, {
    hint: 'Give the file that `ggen marketplace key export` wrote, unchanged.',
    cause,
  })
}
