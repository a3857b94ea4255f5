// IRIs, by best effort (the specification allows that): a scheme, and no character RFC 3987 excludes.

import type { Rule } from './rule.ts'
import { format, maxIdentifierLength } from './rule.ts'

// Scheme, colon, at least one more character. Excluded: controls, space, "<>\^`{|} and lone surrogates, which the u flag
// matches as code points of their own.
const pattern = /^[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-Z[\]_a-z~\u{a0}-\u{d7ff}\u{e000}-\u{10ffff}]+$/u

export function isIri(text: string): boolean {
  return text.length <= maxIdentifierLength && pattern.test(text)
}

const what = `an absolute IRI (with a scheme such as https:, without spaces, at most ${maxIdentifierLength} characters)`

/** XAPI-00011 applies to all: a scheme is required. `rule` is the more specific requirement. */
export function iri(rule: string): Rule {
  return format(what, rule, isIri)
}
