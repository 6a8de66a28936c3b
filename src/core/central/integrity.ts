import { RegistryError } from '../errors.ts'

const algorithms: Record<string, string> = { sha512: 'SHA-512', sha384: 'SHA-384', sha256: 'SHA-256', sha1: 'SHA-1' }
const strongestFirst = Object.keys(algorithms)

/**
 * Checks bytes against a Subresource Integrity text (https://www.w3.org/TR/SRI/): the strongest of its hashes must fit. Throws `VERIFICATION_FAILED`; also when none of its
 * algorithms is known.
 */
export async function checkIntegrity(label: string, bytes: Uint8Array, integrity: string): Promise<void> {
  const hashes = integrity
    .trim()
    .split(/\s+/)
    .map((part) => /^(\w+)-([A-Za-z0-9+/=]+)/.exec(part))
  for (const algorithm of strongestFirst) {
    const wanted = hashes.filter((hash) => hash?.[1] === algorithm).map((hash) => hash?.[2])
    if (wanted.length === 0) continue
    const digest = new Uint8Array(await crypto.subtle.digest(algorithms[algorithm]!, bytes as Uint8Array<ArrayBuffer>))
    if (wanted.includes(btoa(String.fromCharCode(...digest)))) return
    throw mismatch(label)
  }
  throw new RegistryError(
    'VERIFICATION_FAILED',
    `The registry gives no checksum of ${label} that can be checked ("${integrity.slice(0, 40)}").`,
    { hint: 'Nothing was installed.' },
  )
}

export function mismatch(label: string): RegistryError {
  return new RegistryError(
    'VERIFICATION_FAILED',
    `What was downloaded as ${label} is not what the registry's checksum says.`,
    {
      hint: 'Nothing was installed. The download was damaged or tampered with, or the registry is out of date: tell it.',
    },
  )
}
