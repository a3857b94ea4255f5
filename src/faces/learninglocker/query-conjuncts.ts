// What every document that meets a filter must meet: conditions at its top, so that a store need not be asked for all there is.
// Knows nothing of models.

import type { Filter, Test } from './query.ts'
import type { Value } from './query-value.ts'

/** A condition on a path that every document must meet. */
export interface Conjunct {
  readonly path: string
  readonly test: Test
}

/** A path that leads through an array may be met by one of its members here and by another one there: each holds by itself. */
export function conjunctsOf(filter: Filter): readonly Conjunct[] {
  if (filter.kind === 'and') return filter.filters.flatMap(conjunctsOf)
  if (filter.kind === 'or' && filter.filters.length === 1) return filter.filters.flatMap(conjunctsOf)
  return filter.kind === 'field' ? testsOf(filter.test).map((test) => ({ path: filter.path, test })) : []
}

function testsOf(test: Test): readonly Test[] {
  return test.kind === 'all' ? test.tests.flatMap(testsOf) : [test]
}

/** The one value that meets it; undefined where there may be others. */
export function onlyValue(test: Test): Value {
  const values = onlyValues(test)
  return values?.length === 1 ? values[0] : undefined
}

/** The values that meet it; undefined where there may be others. */
export function onlyValues(test: Test): readonly Value[] | undefined {
  if (test.kind === 'eq') return [test.value]
  return test.kind === 'in' && test.patterns.length === 0 ? test.values : undefined
}

/** Whether there is no condition at all. */
export function isEverything(filter: Filter): boolean {
  return filter.kind === 'and' && filter.filters.every(isEverything)
}
