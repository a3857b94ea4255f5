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

export interface Dialect {
  /** The list at `place`, made by `listOf`, as a table: one column for each member of an item, in order. */
  list(place: string, columns: Readonly<Record<string, ColumnKind>>): string
  /** The bytes of a text. */
  bytesOf(text: string): string
  /** Keeps others from changing the rows that were read, where there are others. */
  lock(table: string): string
  /** What the index on documents by agent is of. */
  readonly agentKey: string
  agentKeyOf(agent: string): Value
  /** The column of a document's key that is its id, and what it holds. */
  readonly documentId: { readonly column: string; readonly kind: ColumnKind }
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
