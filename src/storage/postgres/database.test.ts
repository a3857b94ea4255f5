// What connections are set to, whatever the server's own settings say.

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
