// Extensions: a map from IRIs to any JSON at all. What a value holds is never judged (XAPI-00119).

import type { Rule } from './rule.ts'
import { isObject, shown } from './rule.ts'
import { isIri } from './iri.ts'

/** `rule` is broken when the value is no object; a name that is no IRI breaks XAPI-00118. */
export function extensions(rule: string): Rule {
  return (value, check) => {
    if (!isObject(value)) {
      const message = `Expected an object whose names are IRIs, got ${shown(value)}.`
      return check.refuse(value === null ? 'XAPI-00001' : rule, message)
    }
    for (const name of Object.keys(value)) {
      if (check.isFull) return
      if (!isIri(name)) check.refuseAt(name, 'XAPI-00118', `The name of an extension must be an absolute IRI.`)
    }
  }
}
