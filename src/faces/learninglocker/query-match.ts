// Whether a document meets a filter, with MongoDB's meaning of arrays, dotted paths and what is missing.

import type { Filter, Test } from './query.ts'
import { compareValues, isDocument, isEqual, rankOf, valuesAt } from './query-value.ts'
import type { Value, Work } from './query-value.ts'

/** Throws `QueryError` where the document is too large for the filter. Call `work.begin` first. */
export function matches(filter: Filter, document: Value, work: Work): boolean {
  work.look()
  switch (filter.kind) {
    case 'and':
      return filter.filters.every((one) => matches(one, document, work))
    case 'or':
      return filter.filters.some((one) => matches(one, document, work))
    case 'nor':
      return !filter.filters.some((one) => matches(one, document, work))
    case 'field':
      return meets(filter.test, valuesAt(document, filter.path.split('.'), work), work)
  }
}

/** Of what a path leads to, as MongoDB has it: one of them is enough; for `$not`, `$ne` and `$nin` none may. */
function meets(test: Test, found: readonly Value[], work: Work): boolean {
  switch (test.kind) {
    case 'all':
      return test.tests.every((one) => meets(one, found, work))
    case 'not':
      return !test.tests.every((one) => meets(one, found, work))
    case 'exists':
      return found.some((value) => value !== undefined) === test.isThere
    case 'elemMatch':
      return found.some((value) => Array.isArray(value) && hasMember(test.tests, value as readonly Value[], work))
    default:
      return found.some((value) => isAny(test, value, work))
  }
}

type Comparison = Exclude<Test, { readonly kind: 'all' | 'not' | 'exists' | 'elemMatch' }>

/** The value itself, or, of an array, one of its members. */
function isAny(test: Comparison, value: Value, work: Work): boolean {
  if (compares(test, value, work)) return true
  return Array.isArray(value) && (value as readonly Value[]).some((member) => compares(test, member, work))
}

function compares(test: Comparison, value: Value, work: Work): boolean {
  work.look()
  switch (test.kind) {
    case 'eq':
      return isEqual(value, test.value, work)
    case 'in':
      if (test.values.some((one) => isEqual(value, one, work))) return true
      return typeof value === 'string' && test.patterns.some((pattern) => pattern.test(value, work))
    case 'regex':
      return typeof value === 'string' && test.pattern.test(value, work)
    case 'gt':
      return isOfOneType(test.value, value) && compareValues(value, test.value, work) > 0
    case 'gte':
      return isOfOneType(test.value, value) && compareValues(value, test.value, work) >= 0
    case 'lt':
      return isOfOneType(test.value, value) && compareValues(value, test.value, work) < 0
    case 'lte':
      return isOfOneType(test.value, value) && compareValues(value, test.value, work) <= 0
  }
}

/** Only what is of one type is compared by size. */
function isOfOneType(one: Value, two: Value): boolean {
  return rankOf(one) === rankOf(two)
}

function hasMember(tests: readonly Test[] | Filter, members: readonly Value[], work: Work): boolean {
  if ('kind' in tests) {
    return members.some((member) => (isDocument(member) || Array.isArray(member)) && matches(tests, member, work))
  }
  return members.some((member) => tests.every((test) => meets(test, [member], work)))
}
