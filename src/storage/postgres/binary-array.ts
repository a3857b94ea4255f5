// Arrays as PostgreSQL's binary format has them: how many rows cross in one parameter at the least cost, with no escaping on
// this side and no parsing on the other. pg sends a Buffer as binary. The format is that of `array_recv`
// (src/backend/utils/adt/arrayfuncs.c); numbers are big-endian. No nulls.

const oids = { bytea: 17, int8: 20, int4: 23, text: 25 } as const
const headerBytes = 20

export function int8Array(values: readonly (number | bigint)[]): Buffer {
  const buffer = begin('int8', values.length, values.length * 12)
  let at = headerBytes
  for (const value of values) {
    buffer.writeInt32BE(8, at)
    if (typeof value === 'bigint') buffer.writeBigInt64BE(value, at + 4)
    else {
      buffer.writeInt32BE(Math.floor(value / 2 ** 32), at + 4)
      buffer.writeUInt32BE(value >>> 0, at + 8)
    }
    at += 12
  }
  return buffer
}

export function int4Array(values: readonly number[]): Buffer {
  const buffer = begin('int4', values.length, values.length * 8)
  let at = headerBytes
  for (const value of values) {
    buffer.writeInt32BE(4, at)
    buffer.writeInt32BE(value, at + 4)
    at += 8
  }
  return buffer
}

export function byteaArray(values: readonly Uint8Array[]): Buffer {
  const length = values.reduce((sum, value) => sum + 4 + value.length, 0)
  const buffer = begin('bytea', values.length, length)
  let at = headerBytes
  for (const value of values) {
    buffer.writeInt32BE(value.length, at)
    buffer.set(value, at + 4)
    at += 4 + value.length
  }
  return buffer
}

export function textArray(values: readonly string[]): Buffer {
  const length = values.reduce((sum, value) => sum + 4 + Buffer.byteLength(value), 0)
  const buffer = begin('text', values.length, length)
  let at = headerBytes
  for (const value of values) {
    const written = buffer.write(value, at + 4)
    buffer.writeInt32BE(written, at)
    at += 4 + written
  }
  return buffer
}

/** An empty array has no dimension, and ends with the header's first part. */
function begin(element: keyof typeof oids, count: number, length: number): Buffer {
  const buffer = count === 0 ? Buffer.alloc(12) : Buffer.allocUnsafe(headerBytes + length)
  buffer.writeInt32BE(count === 0 ? 0 : 1, 0)
  buffer.writeInt32BE(0, 4)
  buffer.writeInt32BE(oids[element], 8)
  if (count === 0) return buffer
  buffer.writeInt32BE(count, 12)
  buffer.writeInt32BE(1, 16)
  return buffer
}
