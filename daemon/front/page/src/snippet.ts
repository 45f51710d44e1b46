// Files inside of a link: JSON, deflated, in the alphabet of addresses. Nothing of it reaches a server.
import {readFiles} from "./local_files"
import type {SavedFiles} from "./local_files"

export const MAX_LINK = 60_000
const MAX_TEXT = 4 << 20

async function through(bytes: Uint8Array<ArrayBuffer>, transform: GenericTransformStream, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(transform as ReadableWritablePair<Uint8Array<ArrayBuffer>, BufferSource>).getReader()
  const parts: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  for (;;) {
    const {done, value} = await reader.read()
    if (done) break
    parts.push(value)
    if ((size += value.length) > limit) throw new RangeError("too large")
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

export async function toFragment(files: SavedFiles): Promise<string> {
  const packed = await through(new TextEncoder().encode(JSON.stringify(files)), new CompressionStream("deflate-raw"), MAX_TEXT)
  let binary = ""
  for (const byte of packed) binary += String.fromCharCode(byte)
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")
}

/** Rejects, or null, when it is no such thing. */
export async function fromFragment(fragment: string): Promise<SavedFiles | null> {
  const binary = atob(fragment.replace(/-/g, "+").replace(/_/g, "/"))
  const packed = Uint8Array.from(binary, character => character.charCodeAt(0))
  const text = new TextDecoder().decode(await through(packed, new DecompressionStream("deflate-raw"), MAX_TEXT))
  return readFiles(JSON.parse(text))
}
