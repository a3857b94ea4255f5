// The `_id` of a statement, derived and stored nowhere: 8 hex digits of the second it was stored in, as MongoDB's own ids have
// them, 5 of the microsecond within it, 11 of its Lrs. They sort as stored times do, and lead back to both.

import type { LrsId, Oid, Seq } from '../../core/ids.ts'

const perSecond = 1_000_000

export interface StatementPlace {
  readonly seq: Seq
  readonly lrsId: LrsId
}

export function statementId({ seq, lrsId }: StatementPlace): Oid {
  const second = Math.floor(seq / perSecond)
  return (hex(second, 8) + hex(seq - second * perSecond, 5) + hex(lrsId, 11)) as Oid
}

/** Undefined for ids that no statement has. */
export function statementPlace(id: Oid): StatementPlace | undefined {
  const [second, micros, lrs] = numbersIn(id)
  if (micros >= perSecond || lrs === 0 || lrs > 2 ** 31 - 1) return undefined
  return { seq: (second * perSecond + micros) as Seq, lrsId: lrs as LrsId }
}

/** The last stored time with an id up to this one, whatever its Lrs; any 24 hex digits will do, as `ObjectId.createFromTime` makes them. */
export function storedUpTo(id: Oid): number {
  const [second, micros] = numbersIn(id)
  return second * perSecond + Math.min(micros, perSecond - 1)
}

/** The first stored time with an id from this one on. */
export function storedFrom(id: Oid): number {
  const [second, micros] = numbersIn(id)
  return second * perSecond + Math.min(micros, perSecond)
}

function numbersIn(id: Oid): readonly [second: number, micros: number, lrs: number] {
  return [Number.parseInt(id.slice(0, 8), 16), Number.parseInt(id.slice(8, 13), 16), Number.parseInt(id.slice(13), 16)]
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
