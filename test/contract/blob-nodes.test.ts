// Blobs of several nodes over one database: what one is about to refer to is not removed by another, whatever either does, and what
// nobody refers to goes in the end. On a directory that they share, and on a bucket.

import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { NodeHolds } from '../../src/storage/postgres/blob-holds.ts'
import { Database } from '../../src/storage/postgres/database.ts'
import { openBucket } from '../../src/storage/blobs/bucket.ts'
import { BlobDirectory } from '../../src/storage/blobs/directory.ts'
import { Blobs } from '../../src/storage/blobs/store.ts'
import { startBucket } from '../support/bucket.ts'
import { borrowDatabase } from '../support/postgres.ts'
import type { BlobPlace } from '../../src/storage/blobs/place.ts'
import type { LrsId } from '../../src/core/ids.ts'
import type { Clock } from '../../src/core/storage.ts'

const lrsId = 7 as LrsId
const mostBytes = 1_000_000
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function* source(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

interface Node {
  readonly blobs: Blobs
  readonly place: BlobPlace
  readonly holds: NodeHolds
  readonly database: Database
}

describe.each(['directory', 'bucket'] as const)('blobs of several nodes, in a %s', (kind) => {
  let folder: string
  let url: string
  let now = Date.parse('2026-01-02T03:04:05Z')
  const clock: Clock = { now: () => now }
  let drop: () => Promise<void>
  let bucket: Awaited<ReturnType<typeof startBucket>>
  let one: Node
  let other: Node

  async function openNode(name: string): Promise<Node> {
    const database = new Database({ url, connections: 5 })
    const arrivals = join(folder, name)
    const place =
      kind === 'bucket'
        ? await openBucket({ ...bucket.settings, arrivals, isShared: true })
        : new BlobDirectory({ path: join(folder, 'blobs'), clock, isShared: true })
    const holds = new NodeHolds(database)
    const findReferenced = async (_: LrsId, sha2s: readonly string[]) => {
      const rows = await database.query<{ readonly sha2: string }>(
        'select sha2 from attachment where lrs_id = $1 and sha2 = any($2::text[])',
        [lrsId, sha2s],
      )
      return rows.map(({ sha2 }) => sha2)
    }
    return { database, holds, place, blobs: new Blobs({ place, clock, rows: { holds, findReferenced } }) }
  }
  const close = async ({ blobs, database }: Node) => {
    await blobs.close()
    await database.close()
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'claviger-nodes-'))
    bucket = await startBucket(clock)
    ;({ url, drop } = await borrowDatabase(inject('postgresUrl')))
    one = await openNode('one')
    other = await openNode('other')
  })
  afterAll(async () => {
    await close(one)
    await close(other)
    await bucket.stop()
    await drop()
    rmSync(folder, { recursive: true })
  })
  beforeEach(async () => {
    for (const table of ['attachment', 'blob_hold', 'blob_removal']) await one.database.query(`delete from ${table}`)
    await one.blobs.sweep(0)
  })

  const put = ({ blobs }: Node, bytes: Uint8Array, hold = blobs.hold()) =>
    blobs.put(lrsId, source(bytes), { mostBytes, hold }).then(({ sha2 }) => ({ sha2, hold }))
  let rows = 0
  const refer = async ({ database }: Node, sha2: string) => {
    const seq = ++rows
    const sql = 'insert into attachment (lrs_id, seq, sha2, content_type) values ($1, $2, $3, $4)'
    await database.query(sql, [lrsId, seq, sha2, 'text/plain'])
    return seq
  }
  const isThere = async ({ place }: Node, sha2: string) => (await place.find({ lrsId, sha2 })) !== undefined
  const removeUnused = async ({ blobs }: Node) => {
    let [removed, left] = [0, 0]
    for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
      const part = await blobs.removeUnused(lrsId, after)
      removed += part.removed
      left += part.left
      after = part.next
    }
    return { removed, left }
  }
  const count = async (table: string) =>
    (await one.database.query<{ readonly n: number }>(`select count(*) as n from ${table}`))[0]?.n

  it('are held on every one of them', async () => {
    const { sha2, hold } = await put(one, randomBytes(100))
    now += 100 * 3_600_000
    expect(await removeUnused(other)).toEqual({ removed: 0, left: 0 })
    expect(await other.blobs.sweep(0)).toEqual({ removed: 0, bytes: 0 })
    expect(await isThere(other, sha2)).toBe(true)
    // It was wanted gone: it goes with the hold.
    hold.release()
    await vi.waitFor(async () => expect(await isThere(other, sha2)).toBe(false))
    expect(await count('blob_hold')).toBe(0)
    await vi.waitFor(async () => expect(await count('blob_removal')).toBe(0))
  })

  it('are left where somebody elsewhere has put them again, and go when they let go', async () => {
    const bytes = randomBytes(100)
    ;(await put(one, bytes)).hold.release()
    await vi.waitFor(async () => expect(await count('blob_hold')).toBe(0))
    const { sha2, hold } = await put(one, bytes)
    expect(await removeUnused(other)).toEqual({ removed: 0, left: 1 })
    hold.release()
    await vi.waitFor(async () => expect(await isThere(other, sha2)).toBe(false))
  })

  it('stay once a row refers to them, whoever let go', async () => {
    const { sha2, hold } = await put(one, randomBytes(100))
    await removeUnused(other)
    await refer(one, sha2)
    hold.release()
    await vi.waitFor(async () => expect(await count('blob_hold')).toBe(0))
    expect(await removeUnused(other)).toEqual({ removed: 0, left: 0 })
    expect(await isThere(one, sha2)).toBe(true)
  })

  it('of a killed node are held until that expires, and go at once when they were wanted gone', async () => {
    const killed = await openNode('killed')
    const kept = await put(killed, randomBytes(100))
    const wanted = await put(killed, randomBytes(100))
    await removeUnused(other)
    await close(killed)
    expect(await isThere(one, wanted.sha2)).toBe(true)
    await one.database.query(`update blob_hold set expires_at = clock_timestamp() - interval '1 second'`)
    await one.database.query('update blob_hold set is_wanted = sha2 = $1', [wanted.sha2])
    await other.blobs.sweep(3_600_000)
    expect(await isThere(one, wanted.sha2)).toBe(false)
    expect(await isThere(one, kept.sha2)).toBe(true)
    now += 3_600_000
    expect(await other.blobs.sweep(3_600_000)).toEqual({ removed: 1, bytes: 100 })
  })

  it('are confirmed as long as the hold lives: one that was taken for dead refuses the row', async () => {
    const { hold } = await put(one, randomBytes(100))
    await hold.confirm()
    await one.database.query(`update blob_hold set expires_at = clock_timestamp() + interval '1 second'`)
    await one.holds.renew()
    const [row] = await one.database.query<{ readonly left: number }>(
      `select extract(epoch from expires_at - clock_timestamp())::float8 as left from blob_hold`,
    )
    expect(row?.left).toBeGreaterThan(200)
    vi.useFakeTimers({ toFake: ['performance'], now: 0 })
    try {
      vi.advanceTimersByTime(10 * 60_000)
      await hold.confirm()
      vi.advanceTimersByTime(10 * 60_000)
      await one.database.query('update blob_hold set expires_at = clock_timestamp()')
      await one.holds.renew()
      await expect(hold.confirm()).rejects.toMatchObject({ code: 'unavailable' })
    } finally {
      vi.useRealTimers()
    }
    hold.release()
  })

  it('end by themselves where they are left, or could not be let go: then they are renewed no more, and confirmed neither', async () => {
    const bytes = [randomBytes(100), randomBytes(100), randomBytes(100)] as const
    const left = await put(one, bytes[0])
    const failed = await put(one, bytes[1])
    const goesOn = await put(one, bytes[2])
    left.hold.leave()
    left.hold.release()
    const query = vi.spyOn(one.database, 'query').mockRejectedValue(new Error('lost'))
    failed.hold.release()
    await vi.waitFor(() => expect(query).toHaveBeenCalled())
    query.mockRestore()
    // Whoever's row was committed after all finds its bytes.
    await removeUnused(other)
    expect(await isThere(one, left.sha2)).toBe(true)
    await one.database.query(`update blob_hold set expires_at = clock_timestamp() + interval '10 seconds'`)
    await one.holds.renew()
    const renewed = await one.database.query<{ readonly sha2: string }>(
      `select sha2 from blob_hold where expires_at > clock_timestamp() + interval '100 seconds'`,
    )
    expect(renewed.map(({ sha2 }) => sha2)).toEqual([goesOn.sha2])
    goesOn.hold.release()
    await vi.waitFor(async () => expect(await count('blob_hold')).toBe(2))
    await one.database.query('update blob_hold set expires_at = clock_timestamp()')
    await other.blobs.sweep(3_600_000)
    expect(await isThere(one, left.sha2)).toBe(false)
  })

  it('are not put while another node removes them, nor for good when that node died', async () => {
    const bytes = randomBytes(100)
    const sha2 = hashOf(bytes)
    const removal = await other.holds.beginRemoval(lrsId, [sha2], true)
    expect(removal.free).toEqual([sha2])
    // Nor does a third one remove them.
    expect((await one.holds.beginRemoval(lrsId, [sha2], true)).free).toEqual([])
    let isPut = false
    const putting = put(one, bytes).then((done) => {
      isPut = true
      return done
    })
    await vi.waitFor(async () => expect(await count('blob_removal')).toBe(1))
    expect(isPut).toBe(false)
    await removal.end()
    const { hold } = await putting
    expect(await isThere(other, sha2)).toBe(true)
    hold.release()
    await vi.waitFor(async () => expect(await count('blob_hold')).toBe(0))
    await other.holds.beginRemoval(lrsId, [sha2], true)
    await one.database.query('update blob_removal set expires_at = clock_timestamp()')
    ;(await put(one, bytes)).hold.release()
  })

  it('are never missing where a row refers to them, and never stay where none does, whoever races', async () => {
    const bodies = Array.from({ length: 6 }, (_, index) => Buffer.from(`body ${index}`))
    const rounds = kind === 'bucket' ? 8 : 40
    let isOver = false
    const missing: string[] = []
    /** Every third refers to nothing, every third takes its row away again. */
    const request = async (node: Node, bytes: Buffer, round: number) => {
      const { sha2, hold } = await put(node, bytes)
      await hold.confirm()
      const seq = round % 3 === 0 ? undefined : await refer(node, sha2)
      hold.release()
      if (seq === undefined) return
      // Its own row is there all the time.
      for (let looks = 0; looks < 3; looks++) if (!(await isThere(node, sha2))) missing.push(`${sha2}, round ${round}`)
      if (round % 3 === 1)
        await node.database.query('delete from attachment where lrs_id = $1 and seq = $2', [lrsId, seq])
    }
    const putting = [one, other, one, other].map(async (node, lane) => {
      for (let round = 0; round < rounds; round++)
        await request(node, bodies[(round * 5 + lane) % bodies.length]!, round + lane)
    })
    const removing = [one, other].map(async (node) => {
      while (!isOver) {
        await removeUnused(node)
        await node.blobs.sweep(0)
      }
    })
    await Promise.all(putting).finally(() => (isOver = true))
    await Promise.all(removing)
    expect(missing).toEqual([])
    const referenced = await one.database.query<{ readonly sha2: string }>('select distinct sha2 from attachment')
    for (const { sha2 } of referenced) expect(await isThere(one, sha2)).toBe(true)
    await vi.waitFor(async () => expect(await count('blob_hold')).toBe(0))
    await removeUnused(one)
    for (const bytes of bodies) {
      const sha2 = hashOf(bytes)
      expect(await isThere(other, sha2)).toBe(referenced.some((row) => row.sha2 === sha2))
    }
    expect(await count('blob_removal')).toBe(0)
  }, 60_000)
})
