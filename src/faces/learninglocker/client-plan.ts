// What of a filter on clients the store can answer by itself, so that not all of an organisation's are read: by `_id`, key or
// store. The filter is still applied to each that comes; a plan may only leave out what it would refuse.

import type { CredentialFilter } from '../../core/credential.ts'
import type { LrsId, Oid } from '../../core/ids.ts'
import { checkKey } from '../../core/secret.ts'
import { conjunctsOf, onlyValues } from './query-conjuncts.ts'
import type { Filter } from './query.ts'
import type { Value } from './query-value.ts'

export type ClientPlan = Pick<CredentialFilter, 'oids' | 'keys' | 'homes'>

/** That the store takes at once; what asks for more is looked at one by one. */
const mostNames = 1_000
const mostStores = 100

/** `storeIds`: all that clients may have. */
export function clientPlanOf(filter: Filter, storeIds: ReadonlyMap<LrsId, Oid>): ClientPlan {
  const textsFor = (path: string): readonly string[] | undefined => {
    const named = conjunctsOf(filter).filter((one) => one.path === path)
    return named.map(({ test }) => onlyValues(test)).find((values) => values !== undefined && areTexts(values))
  }
  const [oids, keys, stores] = [textsFor('_id'), textsFor('api.basic_key'), textsFor('lrs_id')]
  const homes = stores && [...storeIds].filter(([, oid]) => stores.includes(oid)).map(([id]) => id)
  return {
    ...(oids !== undefined && oids.length <= mostNames && { oids: oids as readonly Oid[] }),
    ...(keys !== undefined && keys.length <= mostNames && { keys: keys.filter(isPossibleKey) }),
    ...(homes !== undefined && homes.length <= mostStores && { homes }),
  }
}

/** Null is what is missing, too. */
function areTexts(values: readonly Value[]): values is readonly string[] {
  return values.every((value) => typeof value === 'string')
}

/** Nobody has one that may not be made; the store need not be asked for it. */
function isPossibleKey(key: string): boolean {
  return checkKey(key).length === 0
}
