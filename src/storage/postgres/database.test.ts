// What connections are set to, whatever the server's own settings say; what becomes of one that answers no more.

import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
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
