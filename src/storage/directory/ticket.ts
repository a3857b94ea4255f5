// Queries on tickets: what lets somebody into a launch once. Each runs inside a transaction of the engine.

import { compiled } from './compiled.ts'
import { toLaunch } from './launch-record.ts'
import { DomainError } from '../../core/errors.ts'
import type { Db } from './change.ts'
import type { LaunchRow } from './launch-record.ts'
import type { LaunchStore, NewTicket, TicketKind } from '../../core/storage.ts'

type Args<M extends keyof LaunchStore> = Parameters<LaunchStore[M]>

export async function insertTickets(db: Db, launchNumber: number, tickets: readonly NewTicket[]): Promise<void> {
  for (const { hash, kind, until } of tickets) {
    const inserted = await insert(db, { hash, launch_number: launchNumber, kind, until })
    if (inserted.length === 0) throw new DomainError('conflict', 'This ticket was issued before.')
  }
}

interface Row {
  readonly hash: string
  readonly launch_number: number
  readonly kind: string
  readonly until: number
}

const insert = compiled((db, { hash, launch_number, kind, until }: Row) =>
  db
    .insertInto('ticket')
    .values({ hash, launch_number, kind, until, used_at: null })
    .onConflict((of) => of.column('hash').doNothing())
    .returning('hash'),
)

/** Of a kind only the last unused one lets anybody in. */
export async function replaceTickets(db: Db, launchNumber: number, tickets: readonly NewTicket[]): Promise<void> {
  for (const kind of new Set(tickets.map((ticket) => ticket.kind))) await removeUnused(db, { launchNumber, kind })
  await insertTickets(db, launchNumber, tickets)
}

const removeUnused = compiled((db, { launchNumber, kind }: { readonly launchNumber: number; readonly kind: string }) =>
  db
    .deleteFrom('ticket')
    .where('launch_number', '=', launchNumber)
    .where('kind', '=', kind)
    .where('used_at', 'is', null)
    .returning('hash'),
)

interface Presented {
  readonly hash: string
  readonly kind: TicketKind
  readonly at: number
}

export async function findTicket(
  db: Db,
  ...[hash, kind, at]: Args<'findTicket'>
): ReturnType<LaunchStore['findTicket']> {
  const [row] = await find(db, { hash, kind, at })
  return row && { launch: toLaunch(row), isUsed: row.used_at !== null }
}

export async function useTicket(
  db: Db,
  ...[hash, kind, at, handed]: Args<'useTicket'>
): ReturnType<LaunchStore['useTicket']> {
  const isFirst = (await mark(db, { hash, kind, at })).length > 0
  const [row] = await find(db, { hash, kind, at })
  if (row === undefined) return undefined
  const isTheirs = handed !== undefined && (isFirst || row.cookie === handed.cookie)
  if (!isTheirs || row.ended_at !== null) return { launch: toLaunch(row), isFirst }
  return { launch: toLaunch(await hand(db, row, handed)), isFirst }
}

async function hand(
  db: Db,
  row: LaunchRow,
  { cookie, tickets }: NonNullable<Args<'useTicket'>[3]>,
): Promise<LaunchRow> {
  if (row.cookie !== cookie) await know(db, { number: row.number, cookie })
  await replaceTickets(db, row.number, tickets)
  return { ...row, cookie }
}

const know = compiled((db, { number, cookie }: { readonly number: number; readonly cookie: string }) =>
  db.updateTable('launch').set({ cookie }).where('number', '=', number).where('ended_at', 'is', null),
)

const mark = compiled((db, { hash, kind, at }: Presented) =>
  db
    .updateTable('ticket')
    .set({ used_at: at })
    .where('hash', '=', hash)
    .where('kind', '=', kind)
    .where('until', '>', at)
    .where('used_at', 'is', null)
    .returning('hash'),
)

const find = compiled((db, { hash, kind, at }: Presented) =>
  db
    .selectFrom('ticket')
    .innerJoin('launch', 'launch.number', 'ticket.launch_number')
    .selectAll('launch')
    .select('ticket.used_at')
    .where('ticket.hash', '=', hash)
    .where('ticket.kind', '=', kind)
    .where('ticket.until', '>', at),
)
