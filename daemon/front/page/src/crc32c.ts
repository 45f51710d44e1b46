// CRC-32C (Castagnoli) of a text's UTF-8, as the divergence alarm has it on the wire.
import type {Text} from "@codemirror/state"

const table = new Uint32Array(256)
for (let i = 0; i < 256; i++) {
  let value = i
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? value >>> 1 ^ 0x82f63b78 : value >>> 1
  table[i] = value >>> 0
}

export function hashOf(text: Text): string {
  const encoder = new TextEncoder()
  let crc = 0xffffffff
  for (const part of text.iter()) // lines and line breaks: no pair of surrogates is cut
    for (const byte of encoder.encode(part)) crc = crc >>> 8 ^ table[(crc ^ byte) & 255]!
  return "crc32c:" + ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0")
}
