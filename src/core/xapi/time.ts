// Timestamps: ISO 8601 for 1.0.x, its profile RFC 3339 for 2.0, always to the microsecond.

import type { Rule } from './rule.ts'
import { format } from './rule.ts'

/** Code units of a timestamp: what ISO 8601 needs, and a fraction of any sensible length. Longer ones are refused. */
export const maxTimestampLength = 64

// Date and time in extended or basic form (XAPI-00123), seconds and offset optional as 1.0.x leaves them.
const extended = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?([Zz]|[+-]\d\d(?::?\d\d)?)?$/
const basic = /^(\d{4})(\d\d)(\d\d)[Tt](\d\d)(\d\d)(?:(\d\d)(?:[.,](\d+))?)?([Zz]|[+-]\d\d(?:\d\d)?)?$/
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/

interface Moment {
  /** Milliseconds since the Unix epoch of the whole second, in UTC. */
  readonly ms: number
  /** Digits of the fraction, as written. */
  readonly fraction: string
  readonly isUtc: boolean
}

/** Microseconds since the Unix epoch, further digits cut off. Beyond the year 2255 only as exact as a double is. */
export function parseTimestamp(text: string): number | undefined {
  const moment = parseMoment(text)
  return moment && moment.ms * 1000 + Number(moment.fraction.slice(0, 6).padEnd(6, '0'))
}

function parseMoment(text: string): Moment | undefined {
  if (text.length > maxTimestampLength) return undefined
  const match = extended.exec(text) ?? basic.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second = '0', fraction = '', zone] = match
  const offset = parseOffset(zone)
  const midnight = parseDate(Number(year), Number(month), Number(day))
  // :60 is a leap second and counts as the first of the next minute.
  if (offset === undefined || midnight === undefined || Number(hour) > 23 || Number(minute) > 59) return undefined
  if (Number(second) > 60) return undefined
  const seconds = Number(hour) * 3600 + (Number(minute) - offset) * 60 + Number(second)
  return { ms: midnight + seconds * 1000, fraction, isUtc: zone === 'Z' }
}

function parseDate(year: number, month: number, day: number): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined
}

/** Minutes. An offset of minus zero means `unknown` in RFC 3339 and nothing in ISO 8601; it is refused. */
function parseOffset(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z' || zone === 'z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', ''))
  if (hours > 23 || minutes > 59) return undefined
  const total = hours * 60 + minutes
  if (zone.startsWith('+')) return total
  return total === 0 ? undefined : -total
}

/** The same moment with `Z`, every digit of the fraction kept; unchanged where UTC leaves the years 0000 to 9999. */
export function toUtc(text: string): string {
  const moment = parseMoment(text)
  if (moment === undefined || moment.isUtc) return text
  const seconds = new Date(moment.ms).toISOString()
  if (seconds.length !== 24) return text
  return `${seconds.slice(0, 19)}${moment.fraction && `.${moment.fraction}`}Z`
}

/** A text equal for equal moments, whatever offset or number of digits they were written with. */
export function canonicalTimestamp(text: string): string {
  const moment = parseMoment(text)
  return moment === undefined ? text : `${moment.ms}.${withoutZeros(moment.fraction)}`
}

/** Not by /0+$/, which tries every run of zeros to its end: quadratic in their number. */
function withoutZeros(digits: string): string {
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

/** Up to the second, of the stored time printed last: thousands of statements a second are stored. */
let printed = { second: Number.NaN, text: '' }

/** The stored time with six digits, as `stored` prints it. */
export function formatStored(seq: number): string {
  const second = Math.floor(seq / 1_000_000)
  if (second !== printed.second) printed = { second, text: new Date(second * 1000).toISOString().slice(0, -4) }
  return `${printed.text}${String(seq - second * 1_000_000).padStart(6, '0')}Z`
}

const loose = 'an ISO 8601 timestamp such as 2026-01-31T12:00:00.000Z (an offset of -00:00 is not valid)'
const strict = 'an RFC 3339 timestamp such as 2026-01-31T12:00:00.000Z (an offset of -00:00 is not valid)'

/** A future time is accepted: clocks err. */
export function timestamp(type: string, rule = 'XAPI-00123'): Rule {
  const version1 = format(loose, rule, (value) => parseMoment(value) !== undefined, type)
  const version2 = format(strict, rule, (value) => rfc3339.test(value) && parseMoment(value) !== undefined, type)
  return (value, check) => {
    if (typeof value === 'string' && value.length > maxTimestampLength) {
      return check.refuse('claviger/timestamp-length', `A timestamp has at most ${maxTimestampLength} characters.`)
    }
    return (check.version === '1.0' ? version1 : version2)(value, check)
  }
}
