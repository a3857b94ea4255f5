// What is signed, and when it was: the MD5 signature of SCORM Cloud's first API (facts 1.4) and its window of 15 minutes.
// Knows nothing of whose secret it is.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { Parameters } from './parameters.ts'

const unsigned: ReadonlySet<string> = new Set(['sig', 'filedata'])
const windowMs = 15 * 60_000

/**
 * What is hashed after the secret: names sorted whatever their case, each once, with its values, sorted too, and nothing between.
 * Clients of other languages sort code units, as this does.
 */
export function signedText(parameters: Parameters): string {
  return [...parameters]
    .filter(([name]) => !unsigned.has(name))
    .map(([name, values]) => ({ folded: name.toLowerCase(), text: name + values.toSorted().join('') }))
    .toSorted((one, other) => (one.folded < other.folded ? -1 : one.folded > other.folded ? 1 : 0))
    .map(({ text }) => text)
    .join('')
}

/** In either case: Java and .NET send upper-case digits. In constant time. */
export function isSignature(sig: string, secret: string, text: string): boolean {
  if (!/^[0-9a-f]{32}$/i.test(sig)) return false
  const expected = createHash('md5').update(secret, 'utf8').update(text, 'utf8').digest()
  return timingSafeEqual(expected, Buffer.from(sig, 'hex'))
}

/** Unix milliseconds of `yyyyMMddHHmmss` in UTC; undefined for what is no such time. */
export function readTimestamp(ts: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(ts)
  if (!parts) return undefined
  const [year = '', month = '', day = '', ...time] = parts.slice(1)
  const read = new Date(`${year}-${month}-${day}T${time.join(':')}Z`)
  // The 30th of February is read as a day of March.
  return Number.isNaN(read.getTime()) || read.getUTCDate() !== Number(day) ? undefined : read.getTime()
}

export function isWithinWindow(time: number, now: number): boolean {
  return Math.abs(now - time) <= windowMs
}
