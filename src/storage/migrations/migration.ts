// What a migration is. Numbered, append-only, one transaction each; a released one never changes (its checksum is recorded).

export interface Migration {
  /** 1, 2, 3 … without a gap. */
  readonly number: number
  readonly name: string
  /** SQL per engine. */
  readonly sql: { readonly sqlite: string }
}
