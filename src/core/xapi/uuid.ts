// UUIDs in standard string form. Any variant and version is taken: the specification's own examples are of none.

import type { Rule } from './rule.ts'
import { format } from './rule.ts'

const pattern = /^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$/

export function isUuid(text: string): boolean {
  return pattern.test(text)
}

export function uuid(rule: string, type = rule): Rule {
  return format('a UUID such as 8f87ccde-bb56-4c2e-ab83-44982ef22df0', rule, isUuid, type)
}
