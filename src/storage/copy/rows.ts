// Rows as they are the same on every engine: what a value is, how a row is written down to be hashed, which of two comes first;
// and the few statements that read and write a described table, in words that both engines understand.

import { createHash } from 'node:crypto'
import type { Blob } from '../blobs/place.ts'
import { tables } from './tables.ts'
import type { Table } from './tables.ts'

export type Value = null | number | bigint | string | Uint8Array
export type Row = Readonly<Record<string, Value>>

/** What all rows of a table come to; equal on two stores if and only if the rows are. */
export interface Digest {
  readonly rows: number
  /** Hex SHA-256 over the rows in the order of their keys. */
  readonly checksum: string
}

/** Writes rows down in the order of their keys; whatever the engine, the same rows come to the same text. */
export class Digester {
  readonly #hash = createHash('sha256')
  readonly #columns: readonly string[]
  #rows = 0

  constructor(table: Table) {
    this.#columns = columnsOf(table)
  }

  add(rows: readonly Row[]): void {
    this.#rows += rows.length
    this.#hash.update(rows.map((row) => written(row, this.#columns)).join(''))
  }

  end(): Digest {
    return { rows: this.#rows, checksum: this.#hash.digest('hex') }
  }
}

/** A number and its text may not be taken for each other, nor where one value ends and the next begins. */
function written(row: Row, columns: readonly string[]): string {
  return `${columns.map((column) => writtenValue(row[column] ?? null)).join(',')}\n`
}

function writtenValue(value: Value): string {
  if (value === null) return '~'
  if (typeof value === 'string') return `"${value.length}:${value}`
  if (typeof value === 'object') return `x${hexOf(value)}`
  return String(value)
}

export function isSameRow(table: Table, one: Row, other: Row): boolean {
  const columns = columnsOf(table)
  return written(one, columns) === written(other, columns)
}

/** As both engines sort by the key: below 0 when `one` comes first. */
export function compareKeys({ key }: Table, one: Row, other: Row): number {
  for (const column of key) {
    const order = compareValues(one[column] ?? null, other[column] ?? null)
    if (order !== 0) return order
  }
  return 0
}

function compareValues(one: Value, other: Value): number {
  if (typeof one === 'string' && typeof other === 'string') return Buffer.compare(Buffer.from(one), Buffer.from(other))
  if (isBytes(one) && isBytes(other)) return Buffer.compare(one, other)
  return one === other ? 0 : (one ?? 0) < (other ?? 0) ? -1 : (one ?? 0) > (other ?? 0) ? 1 : 0
}

function isBytes(value: Value): value is Uint8Array {
  return typeof value === 'object' && value !== null
}

/** A key as JSON, for the mark of an unfinished copy. */
export function keyToJson({ key, columns }: Table, row: Row): readonly string[] {
  return key.map((column) => {
    const value = row[column] ?? null
    return columns[column] === 'bytes' ? hexOf(value as Uint8Array) : String(value)
  })
}

export function keyFromJson({ key, columns }: Table, json: readonly string[]): Row {
  const values = key.map((column, index): [string, Value] => {
    const text = json[index] ?? ''
    const kind = columns[column]
    return [column, kind === 'bytes' ? Buffer.from(text, 'hex') : kind === 'integer' ? BigInt(text) : text]
  })
  return Object.fromEntries(values)
}

function hexOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('hex')
}

export function columnsOf({ columns }: Table): readonly string[] {
  return Object.keys(columns)
}

// ---------------------------------------------------------------------------------------------------------------------
// SQL that is the same on both engines but for how a parameter is written

/** Writes the parameter of this number, from 1. */
export type Mark = (number: number) => string

export interface Asked {
  readonly text: string
  readonly values: readonly Value[]
}

/** A name that is a word of SQL, too, is still a name. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ')
}

/** The rows behind a key, in the order of their keys. */
export function selectPage(table: Table, after: Row | undefined, limit: number, mark: Mark): Asked {
  const { key } = table
  const own = ownRows(table, mark, 0)
  const values: Value[] = [...own.values]
  const conditions = own.text === '' ? [] : [own.text]
  if (after !== undefined) {
    const marks = key.map((_, index) => mark(values.length + index + 1)).join(', ')
    conditions.push(key.length === 1 ? `${quoted(key)} > ${marks}` : `(${quoted(key)}) > (${marks})`)
    values.push(...key.map((column) => after[column] ?? null))
  }
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`
  const text = `select ${quoted(columnsOf(table))} from "${table.name}"${where} order by ${quoted(key)} limit ${limit}`
  return { text, values }
}

export function countRows(table: Table, mark: Mark): Asked {
  const { text, values } = ownRows(table, mark, 0)
  return { text: `select count(*) as count from "${table.name}"${text === '' ? '' : ` where ${text}`}`, values }
}

/** Which tables hold anything that a copy would have. */
export function findFilled(mark: Mark): Asked {
  const values: Value[] = []
  const parts = tables.map((table) => {
    const own = ownRows(table, mark, values.length)
    values.push(...own.values)
    const where = own.text === '' ? '' : ` where ${own.text}`
    return `select '${table.name}' as name where exists (select 1 from "${table.name}"${where})`
  })
  return { text: parts.join(' union all '), values }
}

function ownRows({ own = [], key }: Table, mark: Mark, before: number): Asked {
  if (own.length === 0) return { text: '', values: [] }
  return {
    text: `${quoted(key.slice(0, 1))} not in (${own.map((_, i) => mark(before + i + 1)).join(', ')})`,
    values: own,
  }
}

/** What follows an insert so that a row with the key that is there already becomes the new one. */
export function orReplace(table: Table, conflict: readonly string[]): string {
  const others = columnsOf(table).filter((column) => !table.key.includes(column))
  if (others.length === 0) return ` on conflict (${quoted(conflict)}) do nothing`
  const sets = others.map((column) => `"${column}" = excluded."${column}"`).join(', ')
  return ` on conflict (${quoted(conflict)}) do update set ${sets}`
}

export function deleteRow({ name, key }: Table, mark: Mark): string {
  return `delete from "${name}" where ${key.map((column, index) => `"${column}" = ${mark(index + 1)}`).join(' and ')}`
}

/** Every blob that rows refer to, once, in order. */
export function selectBlobs(after: Blob | undefined, limit: number, mark: Mark): Asked {
  const part = (table: string, from: number): string => {
    const behind = after === undefined ? '' : ` and (lrs_id, sha2) > (${mark(from)}, ${mark(from + 1)})`
    const text = `select distinct lrs_id, sha2 from ${table} where sha2 is not null${behind}`
    return `select * from (${text} order by lrs_id, sha2 limit ${limit}) as some_of_${table}`
  }
  const values = after === undefined ? [] : [after.lrsId, after.sha2, after.lrsId, after.sha2]
  const text = `select lrs_id, sha2 from (${part('attachment', 1)} union ${part('document', 3)}) as blob
    order by lrs_id, sha2 limit ${limit}`
  return { text, values }
}
