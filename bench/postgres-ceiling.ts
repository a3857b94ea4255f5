// The disk ceiling on PostgreSQL: raw `pg`, one table (seq, unique id, body), every transaction synced by the server.
// `node --import tsx bench/postgres-ceiling.ts <url> <seconds> <bulk|single|grouped>` prints rows a second.

import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import pg from 'pg'
import { singleBodies } from './statement.ts'

const [url = '', seconds = '5', way = 'bulk'] = process.argv.slice(2)
const bodies = singleBodies(512)
const insert = {
  name: 'insert',
  text: 'insert into ceiling (id, body) select * from unnest($1::uuid[], $2::text[])',
}
let rows = 0
let isOver = false

async function store(client: pg.Client, count: number): Promise<void> {
  const ids = Array.from({ length: count }, () => randomUUID())
  const texts = ids.map((_, index) => bodies[(rows + index) % bodies.length])
  await client.query({ ...insert, values: [ids, texts] })
  rows += count
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

/** `lanes` connections, each with so many rows a transaction, one after the other. */
async function separately(lanes: number, size: number): Promise<void> {
  const lane = async (): Promise<void> => {
    const client = await connect()
    while (!isOver) await store(client, size)
    await client.end()
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** 64 who want to store one row each, over and over; whoever waits goes into the next transaction of the one connection. */
async function grouped(): Promise<void> {
  const client = await connect()
  while (!isOver) await store(client, 64)
  await client.end()
}

const setup = await connect()
await setup.query('drop table if exists ceiling')
await setup.query(
  'create table ceiling (seq bigint generated always as identity primary key, id uuid not null unique, body text not null)',
)
const start = performance.now()
setTimeout(() => (isOver = true), Number(seconds) * 1000)
await (way === 'bulk' ? separately(8, 50) : way === 'single' ? separately(64, 1) : grouped())
const rowsPerSecond = rows / ((performance.now() - start) / 1000)
await setup.query('drop table ceiling')
await setup.end()
process.stdout.write(`${JSON.stringify({ rowsPerSecond })}\n`)
