import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Writer } from './writer.ts'
import { batch, event, fresh, statement, term } from '../../../test/contract/samples.ts'
import { join } from 'node:path'
import { migrate } from './migrate.ts'
import { migrations } from '../migrations/index.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { openWriter } from './connection.ts'
import { packBatches } from './batch-message.ts'
import { tmpdir } from 'node:os'
import type { Answer, Call } from './engine.ts'
import type { Connection } from './connection.ts'
import type { LrsId } from '../../core/ids.ts'
import type { PreparedStatement } from '../../core/storage.ts'

describe('a group of writes', () => {
  let directory: string
  let connection: Connection
  let writer: Writer
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'claviger-writer-'))
    connection = openWriter(join(directory, 'claviger.db'))
    migrate(connection.handle, migrations)
    writer = new Writer(connection)
  })
  afterEach(() => {
    writer.close()
    rmSync(directory, { recursive: true, force: true })
  })

  let lastId = 0
  const lrsId = 1 as LrsId
  const storing = (...statements: PreparedStatement[]): Call => ({
    id: ++lastId,
    method: 'statements.store',
    args: [packBatches([{ ...batch(lrsId, statements), floor: 1 }], () => [])],
  })
  const creating = (id?: number): Call => ({
    id: ++lastId,
    method: 'platform.createOrganisation',
    args: [
      { id, oid: fresh.oid(), name: 'o', wrappedKey: 'w', switches: {}, createdAt: 1 },
      { oid: fresh.oid(), name: 'l', createdAt: 1 },
      event('organisation.create'),
    ],
  })
  const kinds = (answers: readonly Answer[]) => answers.map((one) => ('error' in one ? one.error.code : 'done'))
  const count = (table: string) => connection.handle.prepare(`select count(*) from ${table}`).pluck().get()

  it('is answered call by call, in one transaction', async () => {
    const calls = [storing(statement()), creating(5), creating(5), storing(statement())]
    const answers = await writer.run(calls)
    expect(answers.map(({ id }) => id)).toEqual(calls.map(({ id }) => id))
    expect(kinds(answers)).toEqual(['done', 'done', 'conflict', 'done'])
    expect([count('statement'), count('organisation'), count('lrs'), count('audit')]).toEqual([2, 1, 1, 1])
  })

  it('does not suffer from one broken call', async () => {
    const twice = statement({ terms: [term('new')] })
    const broken = storing(statement({ terms: [term('other')] }), twice, twice)
    const good = [storing(statement({ terms: [term('new')] })), storing(statement({ terms: [term('new')] }))]
    const answers = await writer.run([good[0]!, broken, good[1]!])
    expect(kinds(answers)).toEqual(['done', 'conflict', 'done'])
    // The dictionary cache must not remember ids of what was rolled back.
    expect(count('statement')).toBe(2)
    expect(count('term')).toBe(1)
    await writer.run([storing(statement({ terms: [term('other')] }))])
    expect(count('term')).toBe(2)
    const dangling = `select count(*) from posting p where term < ${2 ** 52}
      and not exists (select 1 from term t where t.lrs_id = p.lrs_id and t.id = p.term / 4)`
    expect(connection.handle.prepare(dangling).pluck().get()).toBe(0)
  })

  it('is refused as a whole when the disk is full, and the next one works', async () => {
    const { handle } = connection
    const pages = Number(handle.pragma('page_count', { simple: true }))
    handle.pragma(`max_page_count = ${pages + 2}`)
    const large = () => storing(statement({ openBody: `{"x":"${'x'.repeat(50_000)}"`, terms: [term('a')] }))
    expect(kinds(await writer.run([storing(statement()), large(), creating()]))).toEqual(Array(3).fill('unavailable'))
    expect([count('statement'), count('posting'), count('term'), count('organisation')]).toEqual([0, 0, 0, 0])
    handle.pragma('max_page_count = 1000000')
    expect(kinds(await writer.run([large(), creating()]))).toEqual(['done', 'done'])
    expect([count('statement'), count('posting'), count('term')]).toEqual([1, 2, 1])
  })

  it('of an unknown operation is an internal error', async () => {
    for (const method of ['directory.constructor', 'directory.nothing', 'engine.close']) {
      expect(kinds(await writer.run([{ id: 1, method, args: [] }]))).toEqual(['internal'])
    }
  })

  it('has the log copied back by who tends it, and copies the rest', async () => {
    const asked: string[] = []
    const stub = {
      isBusy: false,
      isDone: false,
      canAsk: true,
      takeDone: () => stub.isDone && !(stub.isDone = false),
      ask: () => stub.canAsk && asked.push('ask') > 0,
      close: () => {},
    }
    const tended = new Writer(connection, stub)
    const log = () => {
      const [{ log, checkpointed }] = connection.handle.pragma('wal_checkpoint(noop)') as [Record<string, number>]
      return (log ?? 0) - (checkpointed ?? 0)
    }
    const write = async (times: number) => {
      const large = () => statement({ openBody: `{"x":"${'x'.repeat(4_000_000)}"` })
      for (let n = 0; n < times; n++) await tended.run([storing(large())])
      tended.tend()
    }
    await write(2)
    expect([asked, log() > 1_900]).toEqual([[], true])
    await write(7)
    expect([asked, log() > 8_000]).toEqual([['ask'], true])
    stub.isBusy = true
    await write(1)
    expect([asked, log() > 8_000]).toEqual([['ask'], true])
    stub.isBusy = false
    stub.isDone = true
    await write(0)
    expect([asked, log()]).toEqual([['ask'], 0])
    stub.canAsk = false
    await write(9)
    expect([asked, log()]).toEqual([['ask'], 0])
  })

  it('copies the log back and starts it again', async () => {
    for (let n = 0; n < 16; n++) {
      const body = `{"x":"${'x'.repeat(2_000_000)}"`
      await writer.run([storing(...[1, 2, 3, 4, 5].map(() => statement({ openBody: body })))])
      writer.tend()
    }
    const { log, checkpointed } = connection.handle.prepare('pragma wal_checkpoint(noop)').get() as {
      log: number
      checkpointed: number
    }
    expect(log - checkpointed).toBeLessThan(12_000)
  })
})
