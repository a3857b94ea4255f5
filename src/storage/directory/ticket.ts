// Queries on tickets: what lets somebody into a launch once. Each runs inside a transaction of the engine.

import { compiled } from './compiled.ts'
import { toLaunch } from './launch-record.ts'
import type { Db } from './change.ts'
import type { LaunchStore, NewTicket, TicketKind } from '../../core/storage.ts'

export async function insertTickets(db: Db, launchNumber: number, tickets: readonly NewTicket[]): Promise<void> {
  for (const { hash, kind, until } of tickets) await insert(db, { hash, launch_number: launchNumber, kind, until })
}

interface Row {
  readonly hash: string
  readonly launch_number: number
  readonly kind: string
  readonly until: number
}

const insert = compiled((db, { hash, launch_number, kind, until }: Row) =>
  db.insertInto('ticket').values({ hash, launch_number, kind, until, used_at: null }),
)

interface Presented {
  readonly hash: string
  readonly kind: TicketKind
  readonly at: number
}

export async function useTicket(
  db: Db,
  hash: string,
  kind: TicketKind,
  at: number,
): ReturnType<LaunchStore['useTicket']> {
  const isFirst = (await mark(db, { hash, kind, at })).length > 0
  const [row] = await find(db, { hash, kind, at })
  return row && { launch: toLaunch(row), isFirst }
}

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
    .where('ticket.hash', '=', hash)
    .where('ticket.kind', '=', kind)
    .where('ticket.until', '>', at),
)
