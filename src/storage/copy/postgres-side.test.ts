// What only the PostgreSQL side of a copy has to get right.

import { afterEach, expect, inject, it, vi } from 'vitest'
import { openDatabase } from './postgres-side.ts'
import { tables } from './tables.ts'
import { borrowDatabase } from '../../../test/support/postgres.ts'

afterEach(() => void vi.restoreAllMocks())

it('waits for the count of a large table, longer than requests wait for anything', async () => {
  const database = await borrowDatabase(inject('postgresUrl'))
  const side = await openDatabase({ url: database.url, blobs: {} as never })
  await side.read(async (snapshot) => {
    const waits = vi.spyOn(globalThis, 'setTimeout')
    await snapshot.countRows(tables[0]!)
    // What the driver waits for an answer; what the server does is what it asks for.
    expect(waits.mock.calls.map(([, milliseconds]) => milliseconds)).toEqual([3_605_000])
  })
  await side.close()
  await database.drop()
})
