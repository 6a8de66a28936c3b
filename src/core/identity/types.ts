/** A WebCrypto key, named so that the types of neither the DOM nor Node are needed. */
export type CryptoKey = Parameters<typeof crypto.subtle.sign>[1]

/** What WebCrypto's `generateKey` returns for Ed25519. */
export interface CryptoKeyPair {
  publicKey: CryptoKey
  privateKey: CryptoKey
}
