// ISO 8601 durations (section 4.4.3.2 of the 2004 edition, not the alternative format). XAPI-00124.

import type { Rule } from './rule.ts'
import { format } from './rule.ts'

/** Code units of a duration. Longer ones are refused. */
export const maxDurationLength = 128

// Weeks stand alone; otherwise years to seconds, at least one of them, and one after T.
const pattern =
  /^P(?:\d+(?:[.,]\d+)?W|(?=\d|T\d)(?:\d+(?:[.,]\d+)?Y)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?D)?(?:T(?=\d)(?:\d+(?:[.,]\d+)?H)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?S)?)?)$/
const fractionOnlyAtTheEnd = /^[^.,]*(?:[.,]\d+[A-Z])?$/

export function isDuration(text: string): boolean {
  return text.length <= maxDurationLength && pattern.test(text) && fractionOnlyAtTheEnd.test(text)
}

/** Without what lies beyond 0.01 s, which does not count in comparisons. Otherwise a duration compares as a string. */
export function canonicalDuration(text: string): string {
  return text.replace(/([.,]\d\d)\d+S$/, '$1S')
}

/** `type` is broken by what is no string. */
export function duration(type: string): Rule {
  const wellFormed = format('an ISO 8601 duration such as PT1H30M or P2W', 'XAPI-00124', isDuration, type)
  return (value, check) => {
    if (typeof value !== 'string' || value.length <= maxDurationLength) return wellFormed(value, check)
    return check.refuse('claviger/duration-length', `A duration has at most ${maxDurationLength} characters.`)
  }
}
