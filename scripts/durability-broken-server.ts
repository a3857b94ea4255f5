// A server that answers before its commit is synced (WAL with synchronous=NORMAL): what durability-syscalls.ts must catch.
// Imitates only what the script asks for: POST and PUT of statements under /xapi/statements.

import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import Database from 'better-sqlite3'

const database = new Database(path.join(process.env['CLAVIGER_DATA'] ?? '.', 'broken.db'))
database.pragma('journal_mode = WAL')
database.pragma('synchronous = NORMAL')
database.exec('create table statement (id text primary key, body text not null)')
const insert = database.prepare('insert into statement (id, body) values (?, ?)')
const store = database.transaction((statements: readonly { id: string }[]) => {
  for (const statement of statements) insert.run(statement.id, JSON.stringify(statement))
})

const server = http.createServer((request, response) => {
  let text = ''
  request.on('data', (chunk: Buffer) => (text += chunk.toString()))
  request.on('end', () => {
    const body = [JSON.parse(text) as { id: string }].flat()
    store(body)
    if (request.method === 'PUT') response.writeHead(204).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body.map(({ id }) => id)))
  })
})
server.listen(0, '127.0.0.1', () => {
  console.log(`listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
process.on('SIGTERM', () => process.exit(0))
