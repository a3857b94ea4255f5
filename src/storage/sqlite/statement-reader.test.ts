import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StatementReader } from './statement-reader.ts'
import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { migrate } from './migrate.ts'
import { migrations } from '../migrations/index.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { dictionaryTerm, ownerTerm } from '../posting.ts'
import { openWriter } from './connection.ts'
import { tmpdir } from 'node:os'
import type { Connection } from './connection.ts'
import type { CredentialId, LrsId, Seq } from '../../core/ids.ts'

const lrsId = 1 as LrsId
const owner = 7 as CredentialId

describe('a reader of statements', () => {
  let directory: string
  let connection: Connection
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'claviger-reader-'))
    connection = openWriter(join(directory, 'claviger.db'))
    migrate(connection.handle, migrations)
  })
  afterEach(() => {
    connection.close()
    rmSync(directory, { recursive: true, force: true })
  })

  it('gives who reads its own only a cursor that tells nothing of others', () => {
    const { handle } = connection
    handle.prepare('insert into term values (1, 1, ?, ?, ?)').run('verb', hash('sha256', 'v', 'buffer'), 'v')
    // Runs of ten, in turn: the owner's postings at seqs ending on 3, the others' postings of the verb on 8.
    const post = handle.prepare(`with recursive n(n) as (select 0 union all select n + 1 from n where n < 99999)
      insert into posting select 1, ?, n * 10 + ? from n where (n / 10) % 2 = ?`)
    post.run(ownerTerm(owner), 3, 0)
    post.run(dictionaryTerm(1), 8, 1)
    const reader = new StatementReader(handle)
    for (const [isAscending, includeRelated] of [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ] as const) {
      const query = { filters: [{ kind: 'verb', value: 'v', includeRelated } as const], isAscending, limit: 100, owner }
      let next = reader.list(lrsId, query, false).next
      expect(next).toBeDefined()
      for (let pages = 0; next !== undefined; pages++) {
        expect(pages).toBeLessThan(20)
        // Just short of a posting of the owner's.
        expect((next + (isAscending ? 1 : -1)) % 10).toBe(3)
        next = reader.list(lrsId, { ...query, cursor: next as Seq }, false).next
      }
    }
  })

  it('holds no more than a page of bodies at a time, however many and large they are', { timeout: 60_000 }, () => {
    connection.handle.exec(`with recursive n(n) as (select 1 union all select n + 1 from n where n < 101)
      insert into statement (lrs_id, seq, id, owner, timestamp, is_voiding, terms, body)
      select 1, n, randomblob(16), 7, n, 0, '', replace(hex(zeroblob(2000000)), '00', 'x') from n`)
    const source = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)
    const program = `
      import { CallQueue } from ${source('./call-queue.ts')}
      import { Reader } from ${source('./reader.ts')}
      import { openReader } from ${source('./connection.ts')}
      const pages = []
      const note = (answers) => void pages.push(...answers.map(({ value }) => value.rows.length))
      const queue = new CallQueue(new Reader(openReader(process.argv[1])), note)
      const query = { filters: [], isAscending: false, limit: 100 }
      queue.add(Array.from({ length: 12 }, (_, id) => ({ id, method: 'statements.list', args: [1, query, false] })))
      await queue.run()
      console.log(pages.join())`
    const flags = ['--max-old-space-size=96', '--import', 'tsx', '--input-type=module', '-e', program]
    const output = execFileSync(process.execPath, [...flags, join(directory, 'claviger.db')], { encoding: 'utf8' })
    expect(output).toBe(`${Array(12).fill(8).join()}\n`)
  })
})
