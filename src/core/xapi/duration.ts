// ISO 8601 durations (section 4.4.3.2 of the 2004 edition, not the alternative format). XAPI-00124.

// Weeks stand alone; otherwise years to seconds, at least one of them, and one after T.
const pattern =
  /^P(?:\d+(?:[.,]\d+)?W|(?=\d|T\d)(?:\d+(?:[.,]\d+)?Y)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?D)?(?:T(?=\d)(?:\d+(?:[.,]\d+)?H)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?S)?)?)$/
const fractionOnlyAtTheEnd = /^[^.,]*(?:[.,]\d+[A-Z])?$/

export function isDuration(text: string): boolean {
  return pattern.test(text) && fractionOnlyAtTheEnd.test(text)
}

/** Without what lies beyond 0.01 s, which does not count in comparisons. Otherwise a duration compares as a string. */
export function canonicalDuration(text: string): string {
  return text.replace(/([.,]\d\d)\d+S$/, '$1S')
}
