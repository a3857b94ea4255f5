import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openSqlite } from '../sqlite/index.ts'
import { rowsToCheck } from '../sqlite/integrity.ts'
import { checkBlobs } from './check.ts'

let directory: string
let handle: Database.Database
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-check-'))
  await (await openSqlite({ directory, threads: 'inline' })).close()
  handle = new Database(join(directory, 'claviger.db'))
})
afterEach(() => {
  handle.close()
  rmSync(directory, { recursive: true })
})

const nowhere = { find: async () => undefined }
const sha2Of = (number: number) => number.toString(16).padStart(64, '0')

it('counts more than one slice of rows, each blob of each Lrs once', async () => {
  const attach = handle.prepare('insert into attachment (lrs_id, seq, sha2, content_type) values (?, ?, ?, ?)')
  const keep = handle.prepare(
    `insert into document (lrs_id, scope, owner, registration, id, kind, content_type, etag, updated_at, sha2, length)
      values (?, x'00', 0, '', ?, 'state', 'video/mp4', '', 1, ?, 5)`,
  )
  handle.transaction(() => {
    for (let number = 0; number < 1500; number++) {
      for (const lrsId of [1, 2]) attach.run(lrsId, number, sha2Of(number), 'text/plain')
      attach.run(1, 10_000 + number, sha2Of(number), 'text/plain')
      // The first five hundred are attachments, too.
      for (const again of ['', 'again']) keep.run(1, `${number}${again}`, sha2Of(1000 + number))
    }
  })()
  expect(await checkBlobs(rowsToCheck(handle), nowhere)).toMatchObject({ checked: 4000, damaged: 4000 })
})

it('reads no more rows than a slice takes', async () => {
  const plans: string[] = []
  const original = handle.prepare.bind(handle)
  handle.prepare = ((sql: string) => {
    const plan = original(`explain query plan ${sql.replaceAll('?', '1')}`).all() as { detail: string }[]
    plans.push(...plan.map(({ detail }) => detail))
    return original(sql)
  }) as typeof handle.prepare
  await checkBlobs(rowsToCheck(handle), nowhere)
  expect(plans.filter((detail) => /^SCAN|TEMP B-TREE/.test(detail))).toEqual([])
  expect(plans.length).toBeGreaterThan(1)
})
