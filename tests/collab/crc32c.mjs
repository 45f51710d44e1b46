// CRC-32C (Castagnoli) of a text's UTF-8, as the rooms' divergence alarm has it on the wire.

const table = new Uint32Array(256)
for (let i = 0; i < 256; i++) {
  let value = i
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? value >>> 1 ^ 0x82f63b78 : value >>> 1
  table[i] = value >>> 0
}

export function hashOf(string) {
  let crc = 0xffffffff
  for (const byte of Buffer.from(string, "utf8")) crc = crc >>> 8 ^ table[(crc ^ byte) & 255]
  return "crc32c:" + ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0")
}
