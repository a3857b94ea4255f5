import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { BlobDirectory } from '../blobs/directory.ts'
import { checkIntegrity } from './integrity.ts'
import { createDatabase, run } from '../../../test/support/postgres.ts'
import { openPostgres } from './index.ts'
import { systemClock } from '../../core/core.ts'
import type { TestDatabase } from '../../../test/support/postgres.ts'

let directory: string
let database: TestDatabase
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-durability-'))
  database = await createDatabase(inject('postgresUrl'))
})
afterEach(async () => {
  await database.drop()
  rmSync(directory, { recursive: true, force: true })
})

// Whether fsync is off is the server's, which is not the same for every run.
it.each(['on', 'off'])(
  'what synchronous_commit = %s means is told when it is opened, and by the check',
  async (value) => {
    await run(
      database.url,
      `alter database ${new URL(database.url).pathname.slice(1)} set synchronous_commit = ${value}`,
    )
    const place = new BlobDirectory({ path: join(directory, 'blobs'), clock: systemClock })
    const told: string[] = []
    const openPlace = async () => place
    const storage = await openPostgres({ url: database.url, openPlace, onRisk: (risk) => void told.push(risk) })
    await storage.close()
    const isTold = value === 'off' ? 1 : 0
    expect(told.filter((risk) => risk.startsWith('synchronous_commit is off'))).toHaveLength(isTold)
    expect((await checkIntegrity({ url: database.url, place })).risks).toEqual(told)
  },
)
