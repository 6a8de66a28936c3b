import type { Sha256 } from '../ports.ts'

/** SHA-256 wherever WebCrypto is: browsers (secure contexts only) and Node. */
export const webcryptoSha256: Sha256 = async (bytes) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
