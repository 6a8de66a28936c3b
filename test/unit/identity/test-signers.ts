import { createSigner, importSecretKey } from '../../../src/core/identity/key-pair.ts'
import type { Signer } from '../../../src/core/ports.ts'

/** A signer that is the same in every run: its seed is this byte 32 times. */
export async function testSigner(byte: number): Promise<Signer> {
  return createSigner(await importSecretKey(new Uint8Array(32).fill(byte), { extractable: false }))
}

export function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
