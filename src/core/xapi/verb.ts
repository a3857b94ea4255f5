// Verbs.

import { iri } from './iri.ts'
import { languageMap } from './language-map.ts'
import { record } from './rule.ts'

/** The reserved verb that voids the statement its object refers to. */
export const voidedVerb = 'http://adlnet.gov/expapi/verbs/voided'

export const verb = record({
  what: 'a Verb',
  rule: 'XAPI-00006',
  members: { id: iri('XAPI-00044'), display: languageMap('XAPI-00045') },
  required: { id: 'XAPI-00044' },
})
