// Queries on launches: how they begin, go on and end, with their sessions. Each runs inside a transaction of the engine. What
// runs once for each launch, or for each statement of one, is compiled.

import { change, claim } from './change.ts'
import { compiled } from './compiled.ts'
import { actorHash, chainOf, chainsOf, toLaunch } from './launch-record.ts'
import { insertSession } from './session.ts'
import { insertTickets, replaceTickets } from './ticket.ts'
import { mostRows } from './organisation.ts'
import { sql } from 'kysely'
import type { LaunchId, OrganisationId } from '../../core/ids.ts'
import type { Db } from './change.ts'
import type {
  LapsedPosition,
  LaunchDebt,
  LaunchEnd,
  LaunchMode,
  LaunchProgress,
  LaunchRecord,
  LaunchStore,
} from '../../core/storage.ts'
import type { LaunchRow } from './launch-record.ts'

type Args<M extends keyof LaunchStore> = Parameters<LaunchStore[M]>

/** Launches of one sweep: some ten milliseconds. */
const sweptAtOnce = 500

export function createLaunch(
  db: Db,
  ...[organisationId, made, event]: Args<'createLaunch'>
): ReturnType<LaunchStore['createLaunch']> {
  return change(db, organisationId, event, async () => {
    const { credentialId } = made.session
    const chain = chainOf(credentialId, made.launch)
    const [before] = await findLatest(db, { organisationId, chain })
    const ended = before && (await end(db, before, { by: 'superseded', at: made.at }))
    const session = await insertSession(db, organisationId, made.session)
    // What is locked by its end is as it is: a statement may have come meanwhile (PostgreSQL).
    const reached = ended?.progress ?? (before && (JSON.parse(before.progress) as LaunchProgress))
    const progress = {
      ...made.launch.progress,
      ...(reached?.registration !== undefined && { registration: reached.registration }),
    }
    const begun = { ...made.launch, progress, organisationId, credentialId, sessionId: session.id, createdAt: made.at }
    const [{ number }] = (await insert(db, { ...fromLaunch(begun), chain })) as [{ number: number }]
    await insertTickets(db, number, made.tickets)
    return { launch: { ...begun, ...notEnded, number, version: 1 }, session, superseded: ended ? [ended] : [] }
  })
}

const notEnded = { endedAt: null, endedBy: null, owes: null }

type Begun = Omit<LaunchRecord, 'number' | 'version' | keyof typeof notEnded>

function fromLaunch(launch: Begun) {
  return {
    id: launch.id,
    organisation_id: launch.organisationId,
    platform_id: launch.platformId,
    content_id: launch.contentId,
    resource: launch.resource,
    credential_id: launch.credentialId,
    home_lrs_id: launch.lrsId,
    session_id: launch.sessionId,
    style: launch.style,
    mode: launch.mode,
    actor: JSON.stringify(launch.actor),
    actor_key: launch.actorKey,
    actor_hash: actorHash(launch.actorKey),
    activity_id: launch.activityId,
    registration: launch.registration,
    data: JSON.stringify(launch.data),
    sealed: launch.sealed,
    progress: JSON.stringify(launch.progress),
    cookie: launch.cookie,
    created_at: launch.createdAt,
    expires_at: launch.expiresAt,
  }
}

type NewRow = ReturnType<typeof fromLaunch> & { readonly chain: string }

const insert = compiled((db, row: NewRow) =>
  db
    .insertInto('launch')
    .values({
      id: row.id,
      organisation_id: row.organisation_id,
      platform_id: row.platform_id,
      content_id: row.content_id,
      resource: row.resource,
      credential_id: row.credential_id,
      home_lrs_id: row.home_lrs_id,
      session_id: row.session_id,
      style: row.style,
      mode: row.mode,
      actor: row.actor,
      actor_key: row.actor_key,
      actor_hash: row.actor_hash,
      activity_id: row.activity_id,
      registration: row.registration,
      chain: row.chain,
      data: row.data,
      sealed: row.sealed,
      progress: row.progress,
      version: 1,
      cookie: row.cookie,
      created_at: row.created_at,
      expires_at: row.expires_at,
    })
    .returning('number'),
)

/** Whatever runs of a chain is the latest of it: each one ends the one before. */
const findLatest = compiled((db, of: { readonly organisationId: number; readonly chain: string }) =>
  db
    .selectFrom('launch')
    .select(['number', 'style', 'session_id', 'progress'])
    .where('organisation_id', '=', of.organisationId)
    .where('chain', '=', of.chain)
    .orderBy('number', 'desc')
    .limit(1),
)

/** With its session, under the organisation's lock. Undefined where it has ended. */
async function end(
  db: Db,
  { number, style, session_id: sessionId }: Pick<LaunchRow, 'number' | 'style' | 'session_id'>,
  { by, at }: { readonly by: LaunchEnd; readonly at: number },
): Promise<LaunchRecord | undefined> {
  const owes = style === 'cmi5' && by !== 'terminated' ? 'word' : null
  const [row] = await markEnded(db, { number, by, at, owes })
  if (row === undefined) return undefined
  if (sessionId !== null) await removeSession(db, { sessionId })
  return toLaunch({ ...row, session_id: null })
}

interface Ended {
  readonly number: number
  readonly by: LaunchEnd
  readonly at: number
  readonly owes: LaunchDebt | null
}

const markEnded = compiled((db, { number, by, at, owes }: Ended) =>
  db
    .updateTable('launch')
    .set({ ended_at: at, ended_by: by, owes, sealed: null })
    .where('number', '=', number)
    .where('ended_at', 'is', null)
    .returningAll(),
)

const removeSession = compiled((db, { sessionId }: { readonly sessionId: number }) =>
  db.deleteFrom('session').where('id', '=', sessionId),
)

interface Wanted {
  readonly organisationId: OrganisationId
  readonly id: LaunchId
}

export async function findLaunch(
  db: Db,
  organisationId: OrganisationId,
  id: LaunchId,
): Promise<LaunchRecord | undefined> {
  const [row] = await find(db, { organisationId, id })
  return row && toLaunch(row)
}

const find = compiled((db, { organisationId, id }: Wanted) =>
  db.selectFrom('launch').selectAll().where('id', '=', id).where('organisation_id', '=', organisationId),
)

export async function listLaunches(
  db: Db,
  ...[organisationId, filter, { before, limit }]: Args<'listLaunches'>
): Promise<readonly LaunchRecord[]> {
  const { platformId, contentId, credentialId, registration, actorKey, isRunning, lrsIds } = filter
  const narrowing = Object.entries({
    actor_hash: actorKey === undefined ? undefined : actorHash(actorKey),
    content_id: contentId,
    credential_id: credentialId,
    platform_id: platformId,
  }).flatMap(([column, value]) => (value === undefined ? [] : [{ column, value }]))
  let query = db.selectFrom('launch').selectAll().where('organisation_id', '=', organisationId)
  if (registration !== undefined) {
    const [from, to] = chainsOf(registration)
    query = query.where('chain', '>', from).where('chain', '<', to)
  }
  for (const [at, { column, value }] of narrowing.entries()) {
    query = query.where(registration === undefined && at === 0 ? sql.ref(column) : unindexed(column), '=', value)
  }
  if (lrsIds !== undefined) {
    const column =
      registration === undefined && narrowing.length === 0 ? sql.ref('home_lrs_id') : unindexed('home_lrs_id')
    query = query.where(column, 'in', lrsIds.length === 0 ? [0] : lrsIds)
  }
  if (isRunning !== undefined) query = query.where('ended_at', isRunning ? 'is' : 'is not', null)
  const number = registration === undefined ? sql.ref<number>('number') : unindexed('number')
  if (before !== undefined) query = query.where(number, '<', before)
  const rows = await query.orderBy(number, 'desc').limit(Math.min(limit, mostRows)).execute()
  return rows.map(toLaunch)
}

/** Of several things that are asked for SQLite goes by whichever; the narrowest comes first, and the others are out of its sight. */
function unindexed(column: string) {
  return sql<number>`coalesce(${sql.ref(column)}, ${sql.ref(column)})`
}

export async function advanceLaunch(
  db: Db,
  ...[organisationId, id, step]: Args<'advanceLaunch'>
): Promise<LaunchRecord | undefined> {
  const { from, progress, owes = null, mode = null, tickets = [], cookie = null } = step
  const set = { progress: JSON.stringify(progress), owes, mode, cookie }
  const [row] = await advance(db, { organisationId, id, from, ...set })
  if (row === undefined) return undefined
  await replaceTickets(db, row.number, tickets)
  return toLaunch(row)
}

interface Step extends Wanted {
  readonly from: number
  readonly progress: string
  readonly owes: LaunchDebt | null
  /** These two null: as it is. */
  readonly mode: LaunchMode | null
  readonly cookie: string | null
}

const advance = compiled((db, { organisationId, id, from, progress, owes, mode, cookie }: Step) =>
  db
    .updateTable('launch')
    .set((eb) => ({
      progress,
      owes,
      mode: sql<string>`coalesce(cast(${mode} as text), mode)`,
      version: eb('version', '+', 1),
      cookie: sql<string | null>`coalesce(cast(${cookie} as text), cookie)`,
    }))
    .where('id', '=', id)
    .where('organisation_id', '=', organisationId)
    .where('version', '=', from)
    .where('ended_at', 'is', null)
    .returningAll(),
)

export async function endLaunch(
  db: Db,
  ...[organisationId, id, { by, at }, event]: Args<'endLaunch'>
): Promise<LaunchRecord | undefined> {
  // Looked at under the lock, before a number of the audit log is taken that no event might get.
  await claim(db, organisationId, 0)
  const [row] = await find(db, { organisationId, id })
  if (row === undefined || row.ended_at !== null) return undefined
  return change(db, organisationId, event, () => end(db, row, { by, at }))
}

export async function settleLaunch(db: Db, organisationId: OrganisationId, id: LaunchId): Promise<void> {
  await db
    .updateTable('launch')
    .set({ owes: null })
    .where('id', '=', id)
    .where('organisation_id', '=', organisationId)
    .where('ended_at', 'is not', null)
    .execute()
}

/** Of whichever organisation: those whose session is gone, and then those whose session's time is over. */
export async function listLapsed(
  db: Db,
  ...[at, { after, limit }]: Args<'listLapsed'>
): ReturnType<LaunchStore['listLapsed']> {
  const most = Math.min(limit, mostRows)
  const isAmongExpired = after !== undefined && after.expiredAt !== null
  const orphans = isAmongExpired ? [] : await listOrphans(db, after?.id ?? 0, most)
  const expired = await listExpired(db, { at, after: { expiredAt: 0, id: 0, ...after } }, most - orphans.length)
  const items = [...orphans, ...expired].map(toLaunch)
  if (items.length < most) return { items, next: undefined }
  const [orphan, last] = [orphans.at(-1), expired.at(-1)]
  if (last !== undefined) return { items, next: { expiredAt: last.expired_at, id: last.session_id ?? 0 } }
  return { items, next: { expiredAt: null, id: orphan?.number ?? 0 } }
}

function listOrphans(db: Db, after: number, limit: number) {
  return db
    .selectFrom('launch')
    .selectAll()
    .where('ended_at', 'is', null)
    .where('session_id', 'is', null)
    .where('number', '>', after)
    .orderBy('number')
    .limit(limit)
    .execute()
}

/** In the order of the index: sessions that end at the same time by their id. */
function listExpired(
  db: Db,
  { at, after: { expiredAt, id } }: { readonly at: number; readonly after: LapsedPosition },
  limit: number,
) {
  const from = expiredAt ?? 0
  return db
    .selectFrom('launch')
    .innerJoin('session', 'session.id', 'launch.session_id')
    .selectAll('launch')
    .select('session.expires_at as expired_at')
    .where('launch.ended_at', 'is', null)
    .where('session.launch', 'is not', null)
    .where('session.expires_at', '<=', at)
    .where('session.expires_at', '>=', from)
    .where((eb) => eb.or([eb('session.expires_at', '>', from), eb('session.id', '>', id)]))
    .orderBy('session.expires_at')
    .orderBy('session.id')
    .limit(limit)
    .execute()
}

export async function listOwing(db: Db, ...[{ after, limit }]: Args<'listOwing'>): Promise<readonly LaunchRecord[]> {
  const owing = db.selectFrom('launch').selectAll().where('owes', 'is not', null).where('number', '>', after)
  const rows = await owing.orderBy('number').limit(Math.min(limit, mostRows)).execute()
  return rows.map(toLaunch)
}

export async function sweepLaunches(db: Db, organisationId: OrganisationId, before: number): Promise<number> {
  const rows = await db
    .selectFrom('launch')
    .select(['number', 'chain', 'actor'])
    .where('organisation_id', '=', organisationId)
    .where('data', 'is not', null)
    .where('ended_at', 'is not', null)
    .where('ended_at', '<', before)
    .orderBy('ended_at')
    .limit(sweptAtOnce)
    .execute()
  if (rows.length === 0) return 0
  const numbers = rows.map(({ number }) => number)
  await db.deleteFrom('ticket').where('launch_number', 'in', numbers).execute()
  await db
    .updateTable('launch')
    .set({ data: null, sealed: null, cookie: null, owes: null })
    .where('number', 'in', numbers)
    .execute()
  await removeFormer(db, organisationId, {
    chains: [...new Set(rows.map(({ chain }) => chain))],
    upTo: Math.max(...numbers),
  })
  for (const { number, actor } of rows) await removeName(db, number, actor)
  return rows.length
}

/** The account stays: what a registration has reached is somebody's. */
async function removeName(db: Db, number: number, actor: string): Promise<void> {
  const { name, ...nameless } = JSON.parse(actor) as { readonly name?: string }
  if (name === undefined) return
  const set = { actor: JSON.stringify(nameless) }
  await db.updateTable('launch').set(set).where('number', '=', number).execute()
}

/** What was swept and is not the latest of its chain. The latest tells what its registration has reached. */
async function removeFormer(
  db: Db,
  organisationId: OrganisationId,
  { chains, upTo }: { readonly chains: readonly string[]; readonly upTo: number },
): Promise<void> {
  await db
    .deleteFrom('launch')
    .where('organisation_id', '=', organisationId)
    .where('chain', 'in', chains)
    .where('number', '<=', upTo)
    .where('data', 'is', null)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('launch as later')
          .select('later.number')
          .whereRef('later.organisation_id', '=', 'launch.organisation_id')
          .whereRef('later.chain', '=', 'launch.chain')
          .whereRef('later.number', '>', 'launch.number'),
      ),
    )
    .execute()
}
