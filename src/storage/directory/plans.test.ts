// How SQLite would run the queries that grow with an organisation: a wrong index is a scan of all its credentials at every
// sign-in, and no other test would notice.

import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { event, launch, platform } from '../../../test/contract/samples.ts'
import { listRegistrations } from './launch-place.ts'
import {
  advanceLaunch,
  createLaunch,
  endLaunch,
  listLapsed,
  listLaunches,
  listOwing,
  settleLaunch,
  sweepLaunches,
} from './launch.ts'
import { bindSession, extendSession } from './session.ts'
import { checkKeyIsFree } from './credential.ts'
import { createPlatform } from './platform.ts'
import { findSignInCandidates } from './sign-in.ts'
import { migrate } from '../sqlite/migrate.ts'
import { migrations } from '../migrations/index.ts'
import { findTicket, useTicket } from './ticket.ts'
import type { CompiledQuery } from 'kysely'
import type { Db } from './change.ts'
import type { Schema } from '../schema.ts'
import type { CredentialId, LrsId, Oid, OrganisationId, PlatformId } from '../../core/ids.ts'
import type { LaunchFilter, LaunchRecord } from '../../core/storage.ts'
import type { Tenant } from '../../../test/contract/samples.ts'

const organisationId = 1 as OrganisationId
let database: Database.Database
let db: Db
let queries: CompiledQuery[]
beforeEach(() => {
  database = new Database(':memory:')
  migrate(database, migrations)
  queries = []
  db = new Kysely<Schema>({ dialect: new SqliteDialect({ database }), log: ({ query }) => void queries.push(query) })
})
afterEach(() => db.destroy())

const plan = (): string =>
  queries
    .flatMap(({ sql, parameters }) => database.prepare(`explain query plan ${sql}`).all(...parameters))
    .map((step) => (step as { detail: string }).detail)
    .join('\n')

describe('what a key is looked up by', () => {
  it.each([
    ['everywhere', () => findSignInCandidates(db, 'k'), 'key=?'],
    [
      'in one organisation',
      () => findSignInCandidates(db, 'k', undefined, organisationId),
      'key=? AND organisation_id=?',
    ],
    ['to see whether it is free', () => checkKeyIsFree(db, organisationId, 'k'), 'key=? AND organisation_id=?'],
  ])('%s: the key', async (_, look, by) => {
    await look()
    expect(plan()).toMatch(
      new RegExp(`SEARCH credential USING .*INDEX credential_key \\(${by.replaceAll('?', '\\?')}\\)`),
    )
    expect(plan()).toMatch(new RegExp(`SEARCH session USING .*INDEX session_key \\(${by.replaceAll('?', '\\?')}\\)`))
    expect(plan()).not.toMatch(/SCAN (credential|session|secret|organisation)\b/)
  })
})

describe('what launches are looked up by', () => {
  const of = (filter: LaunchFilter) => () => listLaunches(db, organisationId, filter, { before: 9, limit: 20 })
  const oid = 'a' as Oid
  const platformId = 'p' as PlatformId
  const chained = { credentialId: 1 as CredentialId, activityId: 'a' }

  it.each([
    ['of an organisation', of({}), 'launch_organisation (organisation_id=? AND number<?)'],
    ['that run', of({ isRunning: true }), 'launch_running (organisation_id=? AND number<?)'],
    ['of a platform', of({ platformId }), 'launch_platform (organisation_id=? AND platform_id=? AND number<?)'],
    [
      'of a platform, that run',
      of({ platformId, isRunning: true }),
      'launch_platform (organisation_id=? AND platform_id=?',
    ],
    ['of content', of({ contentId: oid }), 'launch_content (organisation_id=? AND content_id=? AND number<?)'],
    [
      'of a key',
      of({ credentialId: 1 as CredentialId }),
      'launch_credential (organisation_id=? AND credential_id=? AND number<?)',
    ],
    [
      'of a person, by a platform, that run',
      of({ platformId, actorKey: 'a', isRunning: true }),
      'launch_actor (organisation_id=? AND actor_hash=? AND number<?)',
    ],
    [
      'of a registration, and more',
      of({ registration: 'r', credentialId: 1 as CredentialId, lrsIds: [1 as LrsId] }),
      'launch_chain (organisation_id=? AND chain>? AND chain<?)',
    ],
    ['in an Lrs', of({ lrsIds: [1 as LrsId] }), 'launch_lrs (home_lrs_id=? AND number<?)'],
    ['of a registration', of({ registration: 'r' }), 'launch_chain (organisation_id=? AND chain>? AND chain<?)'],
    ['of a person', of({ actorKey: 'a' }), 'launch_actor (organisation_id=? AND actor_hash=? AND number<?)'],
    [
      'of some registrations at a place',
      () => listRegistrations(db, organisationId, { ...chained, resource: 'r' }, ['a', 'b']),
      'launch_chain (organisation_id=? AND chain=?)',
    ],
    ['whose session is gone', () => listLapsed(db, 1, { limit: 100 }), 'launch_lapsed (number>?)'],
    [
      'whose session has ended',
      () => listLapsed(db, 1, { limit: 100, after: { expiredAt: 0, id: 1 } }),
      'session_lapsed (expires_at>? AND expires_at<?)',
    ],
    ['that owe something', () => listOwing(db, { after: 1, limit: 100 }), 'launch_owing (number>?)'],
    [
      'to be swept',
      () => sweepLaunches(db, organisationId, 9),
      'launch_ended (organisation_id=? AND ended_at>? AND ended_at<?)',
    ],
    ['a ticket', () => findTicket(db, 'h', 'fetch', 1), 'ticket'],
    ['by a ticket', () => useTicket(db, 'h', 'fetch', 1), 'ticket'],
  ])('%s: an index, that gives them in order where there may be many', async (_, look, index) => {
    await look()
    expect(plan()).toContain(index)
    expect(plan()).not.toMatch(/SCAN (session|ticket)\b|SCAN launch(?! USING INDEX launch_lapsed)/)
    expect(plan().includes('TEMP B-TREE')).toBe(index.startsWith('launch_chain'))
  })

  it('when one begins, goes on, ends and is swept, nothing is read through', async () => {
    const columns = 'id, oid, name, wrapped_key, switches, created_at, audit_number, audit_hash'
    database.exec(`insert into organisation (${columns}) values (1, 'o', 'O', 'k', '{}', 1, 1, 'h')`)
    database.exec(`insert into lrs (id, oid, organisation_id, name, created_at) values (1, 'l', 1, 'L', 1)`)
    const tenant = { id: organisationId, lrsId: 1 as LrsId } as Tenant
    const { credentialId } = await createPlatform(db, organisationId, platform(tenant), event('x'))
    queries = []
    const ticket = { hash: 'h', kind: 'fetch', until: 5 } as const
    for (const tickets of [[], [ticket]]) {
      await createLaunch(db, organisationId, launch(tenant, credentialId, { tickets }), event('x'))
    }
    const [{ id, sessionId }] = (await listLaunches(db, organisationId, {}, { limit: 1 })) as [LaunchRecord]
    await advanceLaunch(db, organisationId, id, { from: 1, progress: {} })
    await extendSession(db, organisationId, sessionId!, 9e12)
    await bindSession(db, organisationId, sessionId!, 'b')
    await endLaunch(db, organisationId, id, { by: 'idle', at: 1 }, event('x'))
    await settleLaunch(db, organisationId, id)
    await sweepLaunches(db, organisationId, 9e12)
    expect(plan()).not.toMatch(/SCAN (launch|session|ticket|credential|organisation)\b/)
  })
})
