// Statements of two stores: one and the same as each tells it, and lists of them. Says in words what differs, and whether a client can
// mind: many differences come from what the specification leaves open. Knows nothing of requests.

import { parseTimestamp } from '../core/xapi/time.ts'
import { difference, harmless, leftRight, shown } from './difference.ts'
import type { Difference } from './difference.ts'
import { areEqual, differingPlaces } from './values.ts'

export type Statement = Readonly<Record<string, unknown>>

/** Differences of one statement. `isCanonical`: definitions were asked for as each store puts them together. */
export function compareStatement(left: Statement, right: Statement, isCanonical = false): readonly Difference[] {
  const { stored: ls, timestamp: lt, version: lv, authority: la, ...leftRest } = left
  const { stored: rs, timestamp: rt, version: rv, authority: ra, ...rightRest } = right
  const [plainLeft, plainRight] = [plain(leftRest), plain(rightRest)]
  return [
    ...compareTimes('stored', ls, rs),
    ...compareTimes('timestamp', lt, rt),
    ...compareVersions(lv, rv),
    ...compareAuthority(la, ra),
    ...(areEqual(leftRest, rightRest) || !areEqual(plainLeft, plainRight)
      ? []
      : [harmless('one of them writes out what the other implies (objectType, lists of one activity)')]),
    ...comparePlaces(plainLeft, plainRight, isCanonical),
  ]
}

function comparePlaces(left: unknown, right: unknown, isCanonical: boolean): readonly Difference[] {
  return differingPlaces(left, right).map(({ path, left: one, right: other }) => {
    const detail = `${path}: ${leftRight(one, other)}`
    if (/\/definition(\/|$)/.test(path)) {
      if (isCanonical) return harmless('definitions are merged differently, which stores may', detail)
      return difference(
        'definitions are told differently: one of them merges what it should tell as it was sent',
        detail,
      )
    }
    if (isLikeId(path, one, other)) return difference('ids differ in the case of their letters', detail)
    if (one === undefined) return difference(`only right has ${path}`, shown(other))
    if (other === undefined) return difference(`only left has ${path}`, shown(one))
    return difference(`${path} differs`, detail)
  })
}

function isLikeId(path: string, left: unknown, right: unknown): boolean {
  if (typeof left !== 'string' || typeof right !== 'string') return false
  return /\/(id|registration)$/.test(path) && left.toLowerCase() === right.toLowerCase()
}

function compareTimes(name: 'stored' | 'timestamp', left: unknown, right: unknown): readonly Difference[] {
  if (left === right) return []
  if (typeof left !== 'string' || typeof right !== 'string') {
    return [difference(`only one of them has ${name}`, leftRight(left, right))]
  }
  const [one, other] = [parseTimestamp(left), parseTimestamp(right)]
  const detail = leftRight(left, right)
  if (one === undefined || other === undefined) return [difference(`${name} is no time`, detail)]
  const [leftDigits, rightDigits] = [digitsOf(left), digitsOf(right)]
  if (one === other && leftDigits === rightDigits) {
    return [harmless(`${name} is the same time, written differently`, detail)]
  }
  // The one with fewer digits is the other one cut.
  const unit = 10 ** (6 - Math.min(leftDigits, rightDigits, 6))
  if (leftDigits !== rightDigits && Math.floor(one / unit) === Math.floor(other / unit)) {
    return [harmless(`${name}: right has ${rightDigits} digits of a second, left ${leftDigits}`, detail)]
  }
  return [difference(`${name} is another time`, detail)]
}

function digitsOf(text: string): number {
  return /\.(\d+)/.exec(text)?.[1]?.length ?? 0
}

function compareVersions(left: unknown, right: unknown): readonly Difference[] {
  if (left === right) return []
  const [one, other] = [String(left ?? '1.0.0'), String(right ?? '1.0.0')]
  const isOneFamily = one.split('.').slice(0, 2).join('.') === other.split('.').slice(0, 2).join('.')
  return [(isOneFamily ? harmless : difference)(`version: left ${shown(left)}, right ${shown(right)}`)]
}

function compareAuthority(left: unknown, right: unknown): readonly Difference[] {
  const [one, other] = [plain(left), plain(right)]
  if (areEqual(one, other)) return []
  const names = ({ name: _name, ...identity }: Record<string, unknown>): unknown => identity
  const areAgents = isObject(one) && isObject(other)
  if (areAgents && areEqual(names(one), names(other))) {
    return [harmless('the authority has another name, and is the same', leftRight(left, right))]
  }
  return [difference('the authority is another', leftRight(left, right))]
}

// ---------------------------------------------------------------------------------------------------------------------
// What says the same (xAPI 2.0 Data 4.2.2, 4.2.4): an agent without objectType is an Agent, an object without one an Activity, one
// context activity a list of it; identifiers of statements and registrations are UUIDs, whatever their case

const listed: ReadonlySet<string> = new Set(['parent', 'grouping', 'category', 'other'])

function plain(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => plain(one, name))
  if (!isObject(value)) return value
  const members = Object.entries(value).flatMap(([key, member]): (readonly [string, unknown])[] => {
    if (key === 'objectType' && (member === 'Agent' || member === 'Activity')) return []
    // Nobody looks into them.
    if (key === 'extensions') return [[key, member]]
    const isListed = name === 'contextActivities' && listed.has(key) && !Array.isArray(member)
    return [[key, plain(isListed ? [member] : member, key)]]
  })
  return Object.fromEntries(members)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// ---------------------------------------------------------------------------------------------------------------------
// Lists

export interface StatementList {
  readonly statements: readonly Statement[]
  /** There are more, which were not read. */
  readonly isCut: boolean
}

const mostNamed = 3
/** Statements of one list that are looked into; differences repeat. */
const mostCompared = 1_000

export function compareLists(left: StatementList, right: StatementList, isCanonical = false): readonly Difference[] {
  const [leftById, rightById] = [byId(left.statements), byId(right.statements)]
  const onRight = missingFrom(right, rightById, left)
  const onLeft = missingFrom(left, leftById, right)
  const common = left.statements.map(idOf).filter((id) => rightById.has(id))
  const differences = common.slice(0, mostCompared).flatMap((id) => {
    return compareStatement(leftById.get(id)!, rightById.get(id)!, isCanonical).map(({ what, matters, detail }) => {
      return { what, matters, detail: `statement ${id}${detail === undefined ? '' : `: ${detail}`}` }
    })
  })
  return [
    ...missingWords('right', onRight),
    ...missingWords('left', onLeft),
    ...compareOrder(
      common,
      right.statements.map(idOf).filter((id) => leftById.has(id)),
      leftById,
    ),
    ...differences,
  ]
}

/** Those of `other` that are not here. Behind the last one that both have, they may lie beyond where this list was cut. */
function missingFrom(
  { isCut }: StatementList,
  here: ReadonlyMap<string, Statement>,
  other: StatementList,
): readonly string[] {
  const ids = other.statements.map(idOf)
  const last = ids.findLastIndex((id) => here.has(id))
  return ids.filter((id, at) => !here.has(id) && (!isCut || last < 0 || at < last))
}

function missingWords(side: 'left' | 'right', ids: readonly string[]): readonly Difference[] {
  if (ids.length === 0) return []
  const first = ids.slice(0, mostNamed).join(', ')
  const count = ids.length === 1 ? '1 statement' : `${ids.length} statements`
  return [difference(`statements are missing on the ${side}`, `${count}, the first ${first}`)]
}

/** Of those that both have. */
function compareOrder(
  left: readonly string[],
  right: readonly string[],
  statements: ReadonlyMap<string, Statement>,
): readonly Difference[] {
  const at = left.findIndex((id, index) => right[index] !== id)
  if (at < 0) return []
  const storedOf = (id: string | undefined): unknown => {
    const { stored } = statements.get(id ?? '') ?? {}
    // In milliseconds: more digits than that the old store may not have had.
    return typeof stored === 'string' ? Math.floor((parseTimestamp(stored) ?? 0) / 1000) : undefined
  }
  const detail = `the first at place ${at + 1}: left ${left[at]}, right ${right[at]}`
  const isOfEqual = left.length === right.length && left.every((id, index) => storedOf(id) === storedOf(right[index]))
  if (isOfEqual) return [harmless('the order differs among equal stored times', detail)]
  return [difference('the order of statements differs', detail)]
}

function byId(statements: readonly Statement[]): ReadonlyMap<string, Statement> {
  return new Map(statements.map((statement) => [idOf(statement), statement]))
}

function idOf({ id }: Statement): string {
  return String(id).toLowerCase()
}
