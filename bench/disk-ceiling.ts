// The disk ceiling: raw better-sqlite3, one table (seq, unique id, body), 50 rows a transaction, each transaction synced.
// `node --import tsx bench/disk-ceiling.ts <directory> <seconds> <rows a transaction>` prints rows a second.

import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import Database from 'better-sqlite3'
import { singleBodies } from './statement.ts'

const [directory = '.', seconds = '5', rowsPerTransaction = '50'] = process.argv.slice(2)
const database = new Database(path.join(directory, `ceiling-${rowsPerTransaction}.db`))
database.pragma('journal_mode = WAL')
database.pragma('synchronous = FULL')
database.exec('create table statement (seq integer primary key, id text not null unique, body text not null)')
const insert = database.prepare('insert into statement (id, body) values (?, ?)')
const bodies = singleBodies(512)
const size = Number(rowsPerTransaction)
let rows = 0
const commit = database.transaction(() => {
  for (let index = 0; index < size; index++) insert.run(randomUUID(), bodies[rows++ % bodies.length])
})

const start = performance.now()
const end = start + Number(seconds) * 1000
while (performance.now() < end) commit.immediate()
const rowsPerSecond = rows / ((performance.now() - start) / 1000)
database.close()
process.stdout.write(`${JSON.stringify({ rowsPerSecond })}\n`)
