import { wordlist } from '@scure/bip39/wordlists/english.js'
import { svg } from 'lit'
import { decodeDid } from '../../core/identity/did-key.ts'

const cells = 5
const bitsPerWord = 11

/** A picture of a publisher's key: 5 × 5 cells, mirrored, in one of 360 hues. To be recognised, not to be relied on: compare the fingerprint. */
export function identicon(did: string) {
  const bytes = decodeDid(did)
  const hue = ((bytes[30]! << 8) | bytes[31]!) % 360
  const squares = []
  for (let y = 0; y < cells; y++) {
    for (let x = 0; x < cells; x++) {
      const column = Math.min(x, cells - 1 - x)
      if ((bytes[y * 3 + column]! & 1) === 1) squares.push(svg`<rect x=${x} y=${y} width="1.02" height="1.02" />`)
    }
  }
  return svg`<g fill=${`hsl(${hue} 55% 50%)`}>${squares}</g>`
}

/** Four words from the first 44 bits of the key (BIP-39's English list), easy to say and to remember. */
export function keyWords(did: string): string {
  const bytes = decodeDid(did)
  const words: string[] = []
  let value = 0n
  for (const byte of bytes.subarray(0, 6)) value = (value << 8n) | BigInt(byte)
  for (let at = 0; at < 4; at++) words.push(wordlist[Number((value >> BigInt(48 - bitsPerWord * (at + 1))) & 0x7ffn)]!)
  return words.join(' ')
}
