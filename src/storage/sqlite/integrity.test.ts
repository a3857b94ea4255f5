import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openSqlite } from './index.ts'
import { checkIntegrity } from './integrity.ts'
import { createTenant, statement, store } from '../../../test/contract/samples.ts'

let directory: string
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-integrity-'))
  await (await openSqlite({ directory, threads: 'inline' })).close()
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

it('finds nothing wrong with a sound database, also while it is open', async () => {
  const sound = { faults: [], blobs: { checked: 0, damaged: 0, examples: [] } }
  expect(await checkIntegrity(directory)).toEqual(sound)
  const storage = await openSqlite({ directory, threads: 'inline' })
  expect(await checkIntegrity(directory)).toEqual(sound)
  await storage.close()
})

it('finds a count of statements that is none', async () => {
  const storage = await openSqlite({ directory, threads: 'inline' })
  const { lrsId } = await createTenant(storage)
  await store(storage, lrsId, [statement(), statement()])
  await storage.close()
  expect((await checkIntegrity(directory)).faults).toEqual([])
  const file = new Sqlite(join(directory, 'claviger.db'))
  file.exec('update lrs_state set statements = 3')
  file.close()
  expect((await checkIntegrity(directory)).faults).toEqual([`Lrs ${lrsId} has 2 statements, and 3 by its count`])
})

it('finds overwritten pages', async () => {
  const file = join(directory, 'claviger.db')
  const bytes = readFileSync(file)
  bytes.fill(0xa5, 8192, bytes.length - 8192)
  writeFileSync(file, bytes)
  expect((await checkIntegrity(directory)).faults).not.toEqual([])
})

it('finds that there is no database', async () => {
  rmSync(join(directory, 'claviger.db'))
  expect(await checkIntegrity(directory)).toEqual({ faults: [expect.any(String)], blobs: undefined })
})
