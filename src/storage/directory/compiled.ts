// Queries that run often: written with Kysely like all others, but compiled to text once per connection. Building one anew
// costs several times what running it does, and so does the way through Kysely where the database is in this thread. Knows no table.

import type { Compilable, CompiledQuery } from 'kysely'
import type { Db } from './change.ts'

const texts = new Set<string>()

/** Whether an engine may keep the statement prepared: there are few of these. */
export function isCompiled(text: string): boolean {
  return texts.has(text)
}

type Ask = (text: string, parameters: readonly unknown[]) => readonly unknown[]

const asks = new WeakMap<Db, Ask>()

/** For an engine that answers at once: compiled queries then do not go through Kysely. */
export function askDirectly(db: Db, ask: Ask): void {
  asks.set(db, ask)
}

/** Stands for an argument while the query is built. */
class Mark {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** `build` must pass its arguments on as values, untouched: what it sees are marks. */
export function compiled<Args extends object, Row>(
  build: (db: Db, args: Args) => Compilable<Row>,
): (db: Db, args: Args) => Promise<readonly Row[]> {
  const marks = new Proxy({} as Args, { get: (_, name) => new Mark(String(name)) })
  const queries = new WeakMap<Db, CompiledQuery<Row>>()
  return async (db, args) => {
    let query = queries.get(db)
    if (query === undefined) {
      query = build(db, marks).compile()
      queries.set(db, query)
      texts.add(query.sql)
    }
    const parameters = query.parameters.map((value) => (value instanceof Mark ? args[value.name as keyof Args] : value))
    const ask = asks.get(db)
    if (ask !== undefined) return ask(query.sql, parameters) as readonly Row[]
    return (await db.executeQuery<Row>({ ...query, parameters })).rows
  }
}
