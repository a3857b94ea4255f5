// UUIDs made of names (RFC 9562 section 5.5): the same name, the same UUID, wherever it is asked. Knows nothing of what is named.

import { createHash } from 'node:crypto'

/** Of what Claviger names; made once at random. */
const namespace = Buffer.from('6d1f0f0e7c2b4f4f9a0a3e5b8c1d2f47', 'hex')

/** Lower case. The parts stay apart: no two lists of them make the same name. */
export function uuid5(parts: readonly (string | number)[]): string {
  return uuidOfName(JSON.stringify(parts), namespace)
}

/** As RFC 9562 has it, of the bytes of a name. */
export function uuidOfName(name: string, within: Buffer): string {
  const bytes = createHash('sha1').update(within).update(name).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
