import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createDatabase, run } from '../../../test/support/postgres.ts'
import { createServer } from 'node:net'
import { DomainError } from '../../core/errors.ts'
import { inspect } from 'node:util'
import { openPostgres } from './index.ts'
import type { AddressInfo } from 'node:net'
import type { PostgresOptions } from './index.ts'

const password = 'a-password-nobody-may-see'

let database: Awaited<ReturnType<typeof createDatabase>>
let empty: string

beforeAll(async () => {
  database = await createDatabase(inject('postgresUrl'))
  empty = `start_${process.pid}`
  await run(inject('postgresUrl'), `create database ${empty}`)
  // Up to version 14 everybody may create tables there.
  await run(urlWith({ pathname: `/${empty}` }), 'revoke create on schema public from public')
  await run(inject('postgresUrl'), `create role start_poor login password '${password}'`)
})
afterAll(async () => {
  await database.drop()
  await run(inject('postgresUrl'), `drop database ${empty} with (force)`, 'drop role start_poor')
})

function urlWith(change: Partial<Pick<URL, 'username' | 'password' | 'port' | 'pathname' | 'search'>>): string {
  return Object.assign(new URL(inject('postgresUrl')), change).href
}

/** What the start says; fails when it starts after all, or when it says more than it may. */
async function refusal(url: string, options: Partial<PostgresOptions> = {}): Promise<string> {
  const openPlace = () => Promise.reject(new Error('it got as far as the blobs'))
  const opened = await openPostgres({ url, openPlace, ...options }).catch((error: unknown) => error)
  if (!(opened instanceof DomainError)) throw new Error('it started, or failed without words', { cause: opened })
  expect(opened.code).toBe('unavailable')
  // With causes, as a log has it.
  expect(inspect(opened, { depth: 10 })).not.toContain(password)
  return opened.message
}

describe('what keeps a database from being opened', () => {
  it('nobody listens there', async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => probe.once('listening', resolve))
    const port = String((probe.address() as AddressInfo).port)
    await new Promise((resolve) => probe.close(resolve))
    expect(await refusal(urlWith({ port, password }))).toContain(`127.0.0.1:${port} cannot be reached (ECONNREFUSED)`)
  })

  it('the host is not known', async () => {
    const url = `postgres://claviger:${password}@no-such-host.invalid/claviger`
    expect(await refusal(url)).toMatch(/host of the database server no-such-host\.invalid is not known/)
  })

  it('the database is missing', async () => {
    expect(await refusal(urlWith({ pathname: '/nowhere' }))).toContain('There is no database "nowhere"')
  })

  it('the password or the role is wrong', async () => {
    expect(await refusal(urlWith({ password }))).toContain('does not accept the password of "claviger"')
    expect(await refusal(urlWith({ username: 'nobody_here', password }))).toContain('"nobody_here"')
  })

  it('the role may create no tables', async () => {
    const url = urlWith({ username: 'start_poor', password, pathname: `/${empty}` })
    expect(await refusal(url)).toContain('grant create on schema public to "start_poor"')
  })

  it('the server speaks no TLS', async () => {
    expect(await refusal(urlWith({ search: '?sslmode=verify-full' }))).toContain('No encrypted connection')
  })

  it('a command sets nothing up', async () => {
    const url = urlWith({ pathname: `/${empty}` })
    expect(await refusal(url, { mayMigrate: false })).toContain('There is nothing of Claviger in the database')
    expect(await refusal(url, { mayMigrate: false })).toContain('There is nothing of Claviger in the database')
  })

  it('the texts of the database are not Unicode', async () => {
    const name = `latin_${process.pid}`
    await run(inject('postgresUrl'), `create database ${name} encoding 'SQL_ASCII' template template0`)
    expect(await refusal(urlWith({ pathname: `/${name}` }))).toContain('must have the encoding UTF8, not SQL_ASCII')
    await run(inject('postgresUrl'), `drop database ${name} with (force)`)
  })

  it('a newer program has changed it', async () => {
    await run(database.url, `insert into schema_migration values (999, 'future', 'x', 0, 999)`)
    expect(await refusal(database.url)).toContain('written by a newer version')
    expect(await refusal(database.url, { mayMigrate: false })).toContain('written by a newer version')
  })
})
