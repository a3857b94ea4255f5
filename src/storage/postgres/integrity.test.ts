import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlobDirectory } from '../blobs/directory.ts'
import { checkIntegrity } from './integrity.ts'
import { openPostgres } from './index.ts'
import { createDatabase } from '../../../test/support/postgres.ts'
import { createTenant, statement, store, term } from '../../../test/contract/samples.ts'
import { systemClock } from '../../core/core.ts'
import type { BlobPlace } from '../blobs/place.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Storage } from '../../core/storage.ts'
import type { TestDatabase } from '../../../test/support/postgres.ts'

let database: TestDatabase
let directory: string
let place: BlobPlace
let storage: Storage
let lrsId: LrsId
const sent = statement({ terms: [term('v'), term('a', 'activity')] })
beforeAll(async () => {
  database = await createDatabase(inject('postgresUrl'))
  directory = mkdtempSync(join(tmpdir(), 'claviger-integrity-'))
  place = new BlobDirectory({ path: join(directory, 'blobs'), clock: systemClock })
  storage = await openPostgres({ url: database.url, connections: 3, openPlace: async () => place })
  lrsId = (await createTenant(storage)).lrsId
  async function* bytes() {
    yield Buffer.from('attached')
  }
  const { sha2 } = await storage.blobs.put(lrsId, bytes(), { mostBytes: 99 })
  const refers = statement({ refersTo: sent.id, attachments: [{ sha2, contentType: 'text/plain' }] })
  await store(storage, lrsId, [sent, refers])
})
afterAll(async () => {
  await storage.close()
  await database.drop()
  rmSync(directory, { recursive: true, force: true })
})
const check = () => checkIntegrity({ url: database.url, place })

it('finds nothing wrong with a sound database, also while it is open', async () => {
  const told: number[] = []
  const found = await checkIntegrity({ url: database.url, place, onChecked: (rows) => void told.push(rows) })
  expect(found).toMatchObject({ faults: [], blobs: { checked: 1, damaged: 0, examples: [] } })
  expect(told.at(-1)).toBeGreaterThan(6)
})

it('finds a count of statements that is none', async () => {
  await database.change('update lrs_state set statements = 3')
  expect((await check()).faults).toEqual([`Lrs ${lrsId} has 2 statements, and 3 by its count`])
  await database.change('update lrs_state set statements = 2')
})

it('finds a statement that lost its index, an index and an attachment that lost their statement', async () => {
  const id = sent.id.replaceAll('-', '')
  const seqOf = `(select seq from statement where id = decode('${id}', 'hex'))`
  expect(await database.change(`delete from posting where seq = ${seqOf} and term < 1000`)).toBe(2)
  expect((await check()).faults).toEqual([`statement ${id} of Lrs ${lrsId} is not found by all that it has`])
  expect(await database.change(`delete from statement where id <> decode('${id}', 'hex')`)).toBe(1)
  const { faults } = await check()
  expect(faults).toContainEqual(
    expect.stringMatching(/^the index of Lrs \d+ has a statement of \d+ that is not there$/),
  )
  expect(faults).toContainEqual(expect.stringMatching(/^attachment [0-9a-f]{64} of Lrs \d+ belongs to no statement$/))
})

it('finds blobs that are gone', async () => {
  rmSync(join(directory, 'blobs'), { recursive: true })
  expect((await check()).blobs).toMatchObject({ checked: 1, damaged: 1, examples: [{ lrsId, fault: 'missing' }] })
})

it('says why there is no answer', async () => {
  const url = new URL('/nowhere', database.url).href
  expect(await checkIntegrity({ url, place })).toEqual({ faults: [expect.any(String)], blobs: undefined })
})
