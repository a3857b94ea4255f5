// Random bytes for ids, keys and secrets: asked of the system for many at once, because asking costs more than what is made of them.

import { randomBytes, randomFillSync } from 'node:crypto'

const supply = Buffer.alloc(8192)
let taken = supply.length

/** As `randomBytes` of node:crypto. Nothing given out stays here. */
export function takeRandom(bytes: number): Buffer {
  if (bytes > supply.length) return randomBytes(bytes)
  if (taken + bytes > supply.length) {
    randomFillSync(supply)
    taken = 0
  }
  const piece = Buffer.from(supply.subarray(taken, taken + bytes))
  supply.fill(0, taken, taken + bytes)
  taken += bytes
  return piece
}
