// How SQLite would run the queries that grow with an organisation: a wrong index is a scan of all its credentials at every
// sign-in, and no other test would notice.

import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkKeyIsFree } from './credential.ts'
import { findSignInCandidates } from './sign-in.ts'
import { migrate } from '../sqlite/migrate.ts'
import { migrations } from '../migrations/index.ts'
import type { CompiledQuery } from 'kysely'
import type { Db } from './change.ts'
import type { Schema } from '../schema.ts'
import type { OrganisationId } from '../../core/ids.ts'

describe('what a key is looked up by', () => {
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
