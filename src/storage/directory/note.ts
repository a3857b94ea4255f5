// Queries on notes: what all nodes know until it is over.

import type { Db } from './change.ts'
import type { Note } from '../../core/storage.ts'

/** Those that are over go with new ones, a few more than come. */
const removedAtOnce = 20

// By name, so that two nodes wait for each other in one order only (PostgreSQL).
export async function remember(db: Db, notes: readonly Note[], now: number): Promise<readonly (string | undefined)[]> {
  const before = new Map<Note, string | undefined>()
  for (const note of notes.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name, value, until } = note
    const written = await db
      .insertInto('note')
      .values({ name, value, until })
      .onConflict((on) => on.column('name').doUpdateSet({ value, until }).where('note.until', '<=', now))
      .returning('name')
      .executeTakeFirst()
    before.set(note, written === undefined ? await valueOf(db, name) : undefined)
  }
  await removeOver(db, now)
  return notes.map((note) => before.get(note))
}

export async function recall(db: Db, names: readonly string[], now: number): Promise<readonly (string | undefined)[]> {
  if (names.length === 0) return []
  const rows = await db.selectFrom('note').selectAll().where('name', 'in', names).where('until', '>', now).execute()
  const values = new Map(rows.map(({ name, value }) => [name, value]))
  return names.map((name) => values.get(name))
}

async function valueOf(db: Db, name: string): Promise<string> {
  return (await db.selectFrom('note').select('value').where('name', '=', name).executeTakeFirstOrThrow()).value
}

async function removeOver(db: Db, now: number): Promise<void> {
  const over = await db
    .selectFrom('note')
    .select('name')
    .where('until', '<=', now)
    .orderBy('until')
    .limit(removedAtOnce)
    .execute()
  if (over.length === 0) return
  const names = over.map(({ name }) => name).sort()
  // Entered again meanwhile by another node, it lasts (PostgreSQL).
  await db.deleteFrom('note').where('name', 'in', names).where('until', '<=', now).execute()
}
