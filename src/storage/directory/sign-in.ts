// The one query of sign-in: whoever presents a key, known or not, causes exactly this much.

import { compiled } from './compiled.ts'
import { sql } from 'kysely'
import { toCredential, toOrganisation, toSession } from './records.ts'
import type { CredentialRow, OrganisationRow, SecretRow, SessionRow } from './records.ts'
import type { Compilable } from 'kysely'
import type { Db } from './change.ts'
import type { OrganisationId } from '../../core/ids.ts'
import type { SignInCandidate } from '../../core/storage.ts'

/** More than a handful means somebody plants keys; sign-in tries each. */
const mostCandidates = 16

const columns = {
  organisation: [
    ...['id', 'oid', 'name', 'default_lrs_id', 'wrapped_key', 'switches', 'closed_lrs_ids', 'expires_at', 'words'],
    ...['created_at', 'updated_at'],
  ],
  credential: [
    ...['id', 'oid', 'organisation_id', 'kind', 'name', 'key', 'is_enabled', 'rights', 'pins', 'limits', 'lrs_ids'],
    ...['authority', 'oauth', 'words', 'expires_at', 'version', 'created_at', 'updated_at'],
  ],
  session: [
    ...['id', 'oid', 'organisation_id', 'credential_id', 'key', 'sealed', 'rights', 'pins', 'words', 'created_at'],
    ...['expires_at', 'under_secret', 'under_generation', 'launch', 'bound_to'],
  ],
  secret: ['id', 'name', 'sealed', 'generation', 'is_enabled', 'created_at', 'expires_at'],
}
type Part = keyof typeof columns

export async function findSignInCandidates(
  db: Db,
  key: string,
  pair = '',
  within?: OrganisationId,
): Promise<readonly SignInCandidate[]> {
  const rows = await (within === undefined ? findAnywhere(db, { key, pair }) : findWithin(db, { key, pair, within }))
  const byCandidate = new Map<string, Row[]>()
  for (const row of rows) {
    const name = `${String(row['credential.id'])} ${String(row['session.id'])}`
    byCandidate.set(name, [...(byCandidate.get(name) ?? []), row])
  }
  return [...byCandidate.values()].map(toCandidate)
}

interface Presented {
  readonly key: string
  readonly pair: string
}

const findAnywhere = compiled((db, { key, pair }: Presented) => joined(db, candidates(db, { key, pair }, undefined)))
const findWithin = compiled((db, { key, pair, within }: Presented & { readonly within: OrganisationId }) =>
  joined(db, candidates(db, { key, pair }, within)),
)

function joined(db: Db, found: ReturnType<typeof candidates>): Compilable<Row> {
  return db
    .selectFrom(found.as('candidate'))
    .innerJoin('organisation', 'organisation.id', 'candidate.organisation_id')
    .innerJoin('credential', 'credential.id', 'candidate.credential_id')
    .leftJoin('session', 'session.id', 'candidate.session_id')
    .leftJoin('secret', 'secret.credential_id', 'candidate.credential_id')
    .select((Object.keys(columns) as Part[]).flatMap(prefixed))
    .select('candidate.holder')
    .orderBy('candidate.created_at')
    .orderBy('candidate.credential_id')
    .orderBy('candidate.session_id')
    .orderBy('secret.created_at')
    .orderBy('secret.number')
}

/** `session_id` 0: the key is the credential's own. `holder`: null where nobody holds the pair, and for sessions. */
function candidates(db: Db, { key, pair }: Presented, within: OrganisationId | undefined) {
  let ofCredentials = db
    .selectFrom('credential')
    .leftJoin('pair', (join) => join.on('pair.fingerprint', '=', pair))
    .select(['credential.organisation_id', 'credential.id as credential_id', sql<number>`0`.as('session_id')])
    .select(['credential.created_at', 'pair.organisation_id as holder'])
    .where('credential.key', '=', key)
    .where((eb) =>
      eb.or([
        eb('pair.organisation_id', 'is', null),
        eb('pair.organisation_id', '=', eb.ref('credential.organisation_id')),
      ]),
    )
  let ofSessions = db
    .selectFrom('session')
    .select(['organisation_id', 'credential_id', 'id as session_id', 'created_at'])
    .select(sql<number | null>`cast(null as integer)`.as('holder'))
    .where('key', '=', key)
  if (within !== undefined) {
    ofCredentials = ofCredentials.where('credential.organisation_id', '=', within)
    ofSessions = ofSessions.where('organisation_id', '=', within)
  }
  return ofCredentials
    .unionAll(ofSessions)
    .orderBy('created_at')
    .orderBy('credential_id')
    .orderBy('session_id')
    .limit(mostCandidates)
}

type Row = Readonly<Record<string, unknown>>

function prefixed(part: Part) {
  return columns[part].map((column) => sql.ref(`${part}.${column}`).as(`${part}.${column}`))
}

function partOf(row: Row, part: Part): unknown {
  return Object.fromEntries(columns[part].map((column) => [column, row[`${part}.${column}`]]))
}

function toCandidate(rows: readonly Row[]): SignInCandidate {
  const first = rows[0] ?? {}
  const secrets = rows.filter((row) => row['secret.id'] !== null).map((row) => partOf(row, 'secret') as SecretRow)
  const organisation = toOrganisation(partOf(first, 'organisation') as OrganisationRow)
  const credential = toCredential(partOf(first, 'credential') as CredentialRow, secrets)
  if (first['session.id'] === null) return { organisation, credential, holdsPair: first['holder'] !== null }
  return { organisation, credential, holdsPair: false, session: toSession(partOf(first, 'session') as SessionRow) }
}
