// What connections are set to, whatever the server's own settings say; transactions whose messages go out together; what becomes of a connection
// that answers no more.

import { randomUUID } from 'node:crypto'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { Database } from './database.ts'
import { createDatabase, run } from '../../../test/support/postgres.ts'

let base: Awaited<ReturnType<typeof createDatabase>>
let database: Database
beforeEach(async () => {
  base = await createDatabase(inject('postgresUrl'))
  const name = new URL(base.url).pathname.slice(1)
  await run(base.url, `alter database ${name} set default_transaction_isolation = 'serializable'`)
  await run(base.url, `alter database ${name} set enable_seqscan = on`)
  database = new Database({ url: base.url, connections: 2 })
})
afterEach(async () => {
  await database.close()
  await base.drop()
})

it.each(['transaction_isolation', 'enable_seqscan'])('set %s', async (setting) => {
  const [row] = await database.query<Record<string, string>>(`show ${setting}`)
  expect(row?.[setting]).toBe(setting === 'enable_seqscan' ? 'off' : 'read committed')
})

it('lets what a function calls see what is committed while it runs', async () => {
  await run(
    base.url,
    `create function wait_for_row() returns boolean language plpgsql volatile as $$
     begin
       for n in 1 .. 500 loop
         if exists (select from platform_value where name = 'seen') then return true; end if;
         perform pg_sleep(0.01);
       end loop;
       return false;
     end $$`,
  )
  const seen = database.query<{ readonly seen: boolean }>('select wait_for_row() as seen')
  await database.query(`insert into platform_value (name, value) values ('seen', '1')`)
  expect(await seen).toEqual([{ seen: true }])
})

describe('a transaction in two messages', () => {
  const insert = 'insert into platform_value (name, value) values ($1, $2)'
  const seen = `select value from platform_value where name = 'seen'`
  const opening = { statements: 'select 1', question: { text: seen, values: [], name: 'seen' } }

  it('is committed with its last statement, and gets what was asked at its beginning', async () => {
    await database.query(insert, ['seen', '1'])
    const rows = await database.transactUpon<{ readonly value: string }, readonly object[]>(
      opening,
      async (one, rows) => {
        await one.commitWith(insert, ['other', '2'])
        return rows
      },
    )
    expect(rows).toEqual([{ value: '1' }])
    expect(await database.query('select 1 from platform_value')).toHaveLength(2)
  })

  it('leaves nothing where its last statement fails, and the connection serves on', async () => {
    for (let tries = 0; tries < 4; tries++) {
      const done = database.transactUpon(opening, async (one) => {
        await one.query(insert, ['seen', '1'])
        await one.commitWith(insert, ['seen', '2'])
      })
      await expect(done).rejects.toMatchObject({ code: 'conflict' })
    }
    expect(await database.query(seen)).toEqual([])
    expect(database.load()['connections']).toBe(1)
  })

  it('says why it could not begin, does nothing, and the connection serves on', async () => {
    let isReached = false
    const lost = { ...opening, statements: 'select 1 / 0' }
    const done = database.transactUpon(lost, async () => void (isReached = true))
    await expect(done).rejects.toMatchObject({ code: 'internal', cause: { code: '22012' } })
    expect(isReached).toBe(false)
    expect(await database.transactUpon(opening, async (_, rows) => rows)).toEqual([])
    expect(database.load()['connections']).toBe(1)
  })

  it('is done again from its beginning after a collision', async () => {
    let tries = 0
    const collide = `do $$ begin raise exception 'collided' using errcode = '40001'; end $$`
    await database.transactUpon(opening, async (one) => {
      tries += 1
      await one.query(insert, ['seen', String(tries)])
      await one.commitWith(tries === 1 ? collide : 'select 1', [])
    })
    expect(await database.query(seen)).toEqual([{ value: '2' }])
  })
})

it('is told of U+0000 as what is wrong with the text, not with the store', async () => {
  const insert = 'insert into platform_value (name, value) values ($1, $2)'
  const values = ['zero', 'a\0b']
  await expect(database.query(insert, values)).rejects.toMatchObject({ code: 'invalid', cause: { code: '22021' } })
  const within = database.transact('write', ({ query }) => query(insert, values))
  await expect(within).rejects.toMatchObject({ code: 'invalid' })
  const inJson = database.query('select $1::jsonb', [JSON.stringify('\0')])
  await expect(inJson).rejects.toMatchObject({ code: 'invalid', cause: { code: '22P05' } })
  expect(await database.query('select from platform_value')).toEqual([])
})

it('tells connections that are all in use from a server that cannot be reached', async () => {
  const onFull = vi.fn<() => void>()
  const small = new Database({ url: base.url, connections: 1, onFull })
  await small.transact('read', async () => {
    const message = 'All connections to the database are in use.'
    await expect(small.query('select 1')).rejects.toMatchObject({ code: 'unavailable', message })
  })
  await small.close()
  expect(onFull).toHaveBeenCalledOnce()
  const nowhere = new Database({ url: 'postgres://nobody@127.0.0.1:1/none', connections: 1, onFull })
  const message = 'The database cannot be reached.'
  await expect(nowhere.query('select 1')).rejects.toMatchObject({ code: 'unavailable', message })
  await nowhere.close()
  expect(onFull).toHaveBeenCalledOnce()
}, 10_000)

it('goes on when another node adds a column to what is prepared on every connection', async () => {
  const insert = `insert into platform_value (name, value) values ($1, 'x') returning *`
  const addTwice = async () => {
    const alone = database.query(insert, [randomUUID()], 'add')
    await database.transact('write', ({ query }) => query(insert, [randomUUID()], 'add'))
    await alone
  }
  for (let times = 0; times < 4; times++) await addTwice()
  await run(base.url, 'alter table platform_value add column added_later integer')
  await addTwice()
  expect(await database.query('select count(*) as count from platform_value')).toEqual([{ count: 10 }])
})

it('gives up a transaction that is not answered any more, at once, as one of which nobody knows what became', async () => {
  const way = await openWay(new URL(base.url))
  const cutOff = new Database({ url: way.url, connections: 1, statementTimeoutMs: 1 })
  const asked: string[] = []
  const change = cutOff.transact('write', async ({ query }) => {
    way.block((sent) => asked.push(sent))
    await query('select 1')
  })
  await expect(change).rejects.toMatchObject({ code: 'unavailable', cause: { message: 'Query read timeout' } })
  expect(asked.join(' ')).toContain('select 1')
  expect(asked.join(' ')).not.toContain('rollback')
  way.close()
  await cutOff.close()
})

it('is unavailable to a transaction that the server gave up because its node was held up', async () => {
  const change = database.transact('write', async ({ query }) => {
    await query('set local idle_in_transaction_session_timeout = 10')
    // As a machine that is paused: what the server says meanwhile is read as the answer to the next statement.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    await query('select 1')
  })
  await expect(change).rejects.toMatchObject({ code: 'unavailable', cause: { code: '25P03' } })
  expect(await database.query('select 1 as one')).toEqual([{ one: 1 }])
})

/** To the server, until it is blocked: then what is sent is told, and nothing arrives. */
async function openWay(server: URL) {
  const sockets: Socket[] = []
  let tell: ((sent: string) => void) | undefined
  const relay = createServer((near) => {
    const far = connect(Number(server.port), server.hostname)
    near.on('data', (bytes) => (tell === undefined ? far.write(bytes) : tell(bytes.toString('latin1'))))
    far.on('data', (bytes) => tell === undefined && near.write(bytes))
    for (const socket of [near, far]) socket.on('error', () => {})
    sockets.push(near, far)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => relay.once('listening', resolve))
  const url = new URL(server)
  url.port = String((relay.address() as AddressInfo).port)
  const close = (): void => {
    for (const socket of sockets) socket.destroy()
    relay.close()
  }
  return { url: url.href, block: (to: (sent: string) => void) => void (tell = to), close }
}
