// How erasing asks an engine: the same SQL text for all of them, but for the few words a dialect has. Knows no table.

export type Value = number | string | Uint8Array | null

/** Asked inside a transaction, or a snapshot, that the caller holds. Places are $1, $2 …; a list is one of them. */
export interface Sql {
  readonly dialect: Dialect
  all<Row extends object>(text: string, values: readonly Value[]): Promise<readonly Row[]>
  /** As many rows as it changed. */
  run(text: string, values: readonly Value[]): Promise<number>
}

export type ColumnKind = 'integer' | 'text' | 'bytes'

/** Lists are short and tables long: whatever is said here, rows are reached by their keys, from the list. */
export interface Dialect {
  /** The list at `place`, made by `listOf`, as a table: one column for each member of an item, in order. */
  list(place: string, columns: Columns): string
  /** The column is one of what the query finds. */
  isIn(column: string, query: string): string
  /** The columns of a row of `table` in the Lrs ($1), which with that are its key, are an item of the list at `place`. */
  isListed(table: string, place: string, columns: Columns): string
  /** A row of `table` in the Lrs ($1) is one of the first so many (`place`) for which the condition holds. */
  isAmongFirst(table: string, key: string, condition: string, place: string): string
  /** The bytes of a text. */
  bytesOf(text: string): string
  /** Keeps others from changing the rows that were read, where there are others. */
  lock(table: string): string
  /** What the index on documents by agent is of. */
  agentKey(agent: string): string
  agentKeyOf(agent: string): Value
  /** The column of a document's key that is its id, and what it holds. */
  readonly documentId: { readonly column: string; readonly kind: ColumnKind }
}

export type Columns = Readonly<Record<string, ColumnKind>>

/** Of a list of single members. */
export function isOneOf({ isIn, list }: Dialect, column: string, place: string, kind: ColumnKind): string {
  return isIn(column, `select one from ${list(place, { one: kind })} as listed`)
}

export type Item = readonly (number | bigint | string | Uint8Array)[]

export function listOf(items: readonly Item[]): string {
  return JSON.stringify(items.map((item) => item.map(printed)))
}

/** Hashed terms are beyond what a JSON number keeps. */
function printed(member: Item[number]): number | string {
  if (typeof member === 'bigint') return member.toString()
  return member instanceof Uint8Array ? Buffer.from(member).toString('hex') : member
}
