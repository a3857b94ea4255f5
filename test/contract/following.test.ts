// What passes on what an Lrs holds reads all of it, in stored order and once: `follow` and `listLatest`.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTenant, statement, store as put } from './samples.ts'
import { engines } from './engines.ts'
import type { LrsId } from '../../src/core/ids.ts'
import type { PreparedStatement, StoredStatement } from '../../src/core/storage.ts'
import type { Store } from './engines.ts'

const mostText = 1_000_000
const idOf = ({ body }: StoredStatement) => (JSON.parse(body) as { id: string }).id
const idsOf = (statements: readonly PreparedStatement[]) => statements.map(({ id }) => id)

describe.each(engines)('what follows an Lrs, $name', (engine) => {
  let store: Store
  let lrsId: LrsId
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())
  beforeEach(async () => void (lrsId = (await createTenant(store.storage)).lrsId))

  const follow = (part: Partial<Parameters<Store['storage']['statements']['follow']>[1]> = {}) =>
    store.storage.statements.follow(lrsId, { after: 0, limit: 1_000, mostText, ...part })

  it('gets voided and voiding statements, with their attachments, as they are stored', async () => {
    const attachments = [{ sha2: 'ab'.repeat(32), contentType: 'text/plain' }]
    const [plain, gone] = [statement({ attachments }), statement()]
    const voiding = statement({ refersTo: gone.id, isVoiding: true })
    const seqs = await put(store.storage, lrsId, [plain, gone, voiding])
    const { rows, consistentThrough } = await follow()
    expect(rows.map(({ seq }) => seq)).toEqual(seqs)
    expect(rows.map(idOf)).toEqual(idsOf([plain, gone, voiding]))
    expect(rows.map((row) => row.attachments)).toEqual([attachments, [], []])
    expect(consistentThrough).toBeGreaterThanOrEqual(seqs[2]!)
  })

  it('gets parts by number and by length, one statement at least', async () => {
    const all = Array.from({ length: 7 }, () => statement())
    const seqs = await put(store.storage, lrsId, all)
    expect((await follow({ limit: 3 })).rows.map(idOf)).toEqual(idsOf(all.slice(0, 3)))
    expect((await follow({ after: seqs[2]!, limit: 3 })).rows.map(idOf)).toEqual(idsOf(all.slice(3, 6)))
    expect((await follow({ mostText: 1 })).rows.map(idOf)).toEqual(idsOf(all.slice(0, 1)))
    const [{ body }] = (await follow({ limit: 1 })).rows as [StoredStatement]
    expect((await follow({ mostText: Math.floor(body.length * 2.5) })).rows).toHaveLength(2)
    expect((await follow({ after: seqs[6]! })).rows).toEqual([])
  })

  it('misses none of those that are stored while it reads', async () => {
    const expected: string[] = []
    const writing = (async () => {
      for (let times = 0; times < 40; times++) {
        const some = Array.from({ length: 5 }, () => statement())
        await put(store.storage, lrsId, some)
        expected.push(...idsOf(some))
      }
    })()
    let isWritten = false
    void writing.then(() => (isWritten = true))
    const got: string[] = []
    for (let after = 0, isOver = false; !isOver;) {
      isOver = isWritten
      const { rows, consistentThrough } = await follow({ after, limit: 7 })
      got.push(...rows.map(idOf))
      // Also where nothing came: up to there nothing ever will.
      after = rows.at(-1)?.seq ?? Math.max(after, consistentThrough)
      if (rows.length > 0) isOver = false
    }
    await writing
    expect(got).toEqual(expected)
  })

  it('is told the highest stored time of many Lrs at once', async () => {
    const other = (await createTenant(store.storage)).lrsId
    expect(await store.storage.statements.listLatest([lrsId, other])).toEqual([0, 0])
    const [, second] = await put(store.storage, lrsId, [statement(), statement()])
    expect(await store.storage.statements.listLatest([other, lrsId])).toEqual([0, second])
    expect(await store.storage.statements.listLatest([])).toEqual([])
  })
})
