// Two nodes that store into one database at the same time: what one client was told by one of them holds at the other. And
// what a node remembers, or believes to have stored, when the database says otherwise.

import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { BlobDirectory } from '../blobs/directory.ts'
import {
  batch,
  createTenant,
  filter,
  idsOf,
  owners,
  query,
  saying,
  statement,
  term,
} from '../../../test/contract/samples.ts'
import { store as put } from '../../../test/contract/samples.ts'
import { createDatabase } from '../../../test/support/postgres.ts'
import { lockClass } from './locks.ts'
import { openPostgres } from './index.ts'
import { ownerTerm } from '../posting.ts'
import { systemClock } from '../../core/core.ts'
import type { BatchOutcome, Clock, PreparedStatement, Storage } from '../../core/storage.ts'
import type { LrsId, Seq } from '../../core/ids.ts'
import type { TestDatabase } from '../../../test/support/postgres.ts'

const hour = 3_600_000

let directory: string
let database: TestDatabase
let opened: Storage[]
let lrsId: LrsId

async function open(options: { readonly clock?: Clock; readonly url?: string } = {}): Promise<Storage> {
  const { clock, url = database.url } = options
  const place = { path: join(directory, 'blobs'), clock: clock ?? systemClock, isShared: true }
  const openPlace = async () => new BlobDirectory(place)
  const storage = await openPostgres({ url, connections: 4, ...(clock && { clock }), openPlace })
  opened.push(storage)
  return storage
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-nodes-'))
  database = await createDatabase(inject('postgresUrl'))
  opened = []
  lrsId = (await createTenant(await open())).lrsId
})
afterEach(async () => {
  await Promise.all(opened.map((storage) => storage.close()))
  await database.drop()
  rmSync(directory, { recursive: true, force: true })
})

function outcomeOf([outcome]: readonly BatchOutcome[]): string {
  if (outcome?.kind !== 'stored') return outcome?.kind ?? ''
  return outcome.statements[0]?.wasThere === true ? 'there' : 'stored'
}

async function seqsOf({ statements }: Storage): Promise<Seq[]> {
  const seqs: Seq[] = []
  for (let since = 0; ;) {
    const { rows } = await statements.list(lrsId, query({ isAscending: true, since, limit: 1_000 }))
    if (rows.length === 0) return seqs
    seqs.push(...rows.map(({ seq }) => seq))
    since = seqs.at(-1) ?? 0
  }
}

describe('two nodes', () => {
  it('store one of two different statements with one id that come at the same moment', async () => {
    const [a, b] = [await open(), await open()]
    const attempt = async (): Promise<string> => {
      const one = statement()
      const other: PreparedStatement = { ...one, openBody: saying(one.id, 'other') }
      const outcomes = await Promise.all([
        a.statements.store([batch(lrsId, [one])]),
        b.statements.store([batch(lrsId, [other])]),
      ])
      return outcomes.map(outcomeOf).toSorted().join(' ')
    }
    const seen = new Set<string>()
    for (let round = 0; round < 40; round++) {
      for (const outcome of await Promise.all(Array.from({ length: 8 }, attempt))) seen.add(outcome)
    }
    expect([...seen]).toEqual(['conflict stored'])
    expect(await seqsOf(a)).toHaveLength(320)
  })

  it('store one of two equal statements, and tell both of it', async () => {
    const [a, b] = [await open(), await open()]
    for (let round = 0; round < 100; round++) {
      const one = statement({ terms: [term('v')] })
      const outcomes = await Promise.all([a, b].map(({ statements }) => statements.store([batch(lrsId, [one])])))
      expect(outcomes.map(outcomeOf).toSorted()).toEqual(['stored', 'there'])
      const seqs = outcomes.map(([outcome]) => outcome?.kind === 'stored' && outcome.statements[0]?.seq)
      expect(seqs[0]).toBe(seqs[1])
    }
    expect(await idsOf(a, lrsId, { filters: [filter('v')] })).toHaveLength(100)
  })

  it('give each statement a stored time of its own, ascending in the order of commit, and one dictionary id a value', async () => {
    const [a, b] = [await open(), await open()]
    const write = async ({ statements }: Storage): Promise<Seq[]> => {
      const seqs: Seq[] = []
      for (let n = 0; n < 50; n++) {
        // New to both nodes in every round.
        const some = [statement({ terms: [term(`v${n}`), term('all')] }), statement({ terms: [term(`v${n}`)] })]
        const [outcome] = await statements.store([batch(lrsId, some)])
        if (outcome?.kind === 'stored') seqs.push(...outcome.statements.map(({ seq }) => seq))
      }
      return seqs
    }
    const written = await Promise.all([a, b, a, b].map(write))
    for (const seqs of written) expect(seqs).toEqual(seqs.toSorted((x, y) => x - y))
    expect(new Set(written.flat()).size).toBe(400)
    expect(await seqsOf(b)).toEqual(written.flat().toSorted((x, y) => x - y))
    for (const n of [0, 17, 49]) expect(await idsOf(a, lrsId, { filters: [filter(`v${n}`)] })).toHaveLength(8)
    expect(await idsOf(b, lrsId, { filters: [filter('all')] })).toHaveLength(200)
  })

  it('let no follower miss what either of them stores', { timeout: 60_000 }, async () => {
    const [a, b] = [await open(), await open()]
    const written: Seq[] = []
    let writing = 6
    const write = async (storage: Storage, writer: number): Promise<void> => {
      for (let n = 0; n < 100; n++) {
        const some = Array.from({ length: 1 + ((n + writer) % 9) }, () => statement({ terms: [term('v')] }))
        written.push(...(await put(storage, lrsId, some, { owner: writer % 2 === 0 ? owners.ann : owners.bob })))
        // Between them nobody writes, now and then: then the clock is what is announced.
        if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      }
      writing--
    }
    const follow = async ({ statements }: Storage, part: Parameters<typeof query>[0] = {}): Promise<Seq[]> => {
      const seen: Seq[] = []
      let since = 0
      for (let isLast = false; ;) {
        const page = await statements.list(lrsId, query({ ...part, isAscending: true, since, limit: 5_000 }))
        expect(page.consistentThrough).toBeGreaterThanOrEqual(since)
        seen.push(...page.rows.map(({ seq }) => seq).filter((seq) => seq <= page.consistentThrough))
        since = page.consistentThrough
        if (isLast) return seen
        isLast = writing === 0
      }
    }
    const third = await open()
    const followers = [follow(a), follow(b, { filters: [filter('v')] }), follow(third), follow(third)]
    await Promise.all([a, b, a, b, a, b].map(write))
    const expected = written.toSorted((x, y) => x - y)
    expect(expected.length).toBeGreaterThan(2_900)
    for (const seen of await Promise.all(followers)) expect(seen).toEqual(expected)
  })

  it('store later than anything the other one announced, also with a clock that is an hour behind', async () => {
    const now = Date.now()
    const [ahead, behind] = [
      await open({ clock: { now: () => now } }),
      await open({ clock: { now: () => now - hour } }),
    ]
    const [first] = await put(ahead, lrsId, [statement()])
    expect(first).toBe(now * 1_000)
    const other = (await createTenant(ahead)).lrsId
    expect(await ahead.statements.consistentThrough(other)).toBe(now * 1_000)
    // Nothing was ever stored in the other Lrs: only what was announced holds the clock back.
    expect(await put(behind, other, [statement()])).toEqual([now * 1_000 + 1])
    expect(await put(behind, lrsId, [statement(), statement()])).toEqual([now * 1_000 + 1, now * 1_000 + 2])
    expect(await behind.statements.consistentThrough(lrsId)).toBe(now * 1_000 + 2)
    expect(await put(ahead, lrsId, [statement()])).toEqual([now * 1_000 + 3])
  })

  it('announce no clock while anybody writes, and pass it when nobody does, for that Lrs only', async () => {
    const a = await open()
    const [seq] = await put(a, lrsId, [statement()])
    const other = (await createTenant(a)).lrsId
    const writer = new pg.Client({ connectionString: database.url })
    await writer.connect()
    await writer.query(`begin; select pg_advisory_xact_lock(${lockClass.lrs}, ${lrsId})`)
    // This node announced nothing later before.
    const fresh = await open()
    const before = Date.now() * 1_000
    expect(await fresh.statements.consistentThrough(lrsId)).toBe(seq)
    expect((await fresh.statements.list(lrsId, query())).consistentThrough).toBe(seq)
    expect(await fresh.statements.consistentThrough(other)).toBeGreaterThan(before - 100_000)
    await writer.query('commit')
    await writer.end()
    expect(await fresh.statements.consistentThrough(lrsId)).toBeGreaterThan(before - 100_000)
  })
})

describe('what a node remembers', () => {
  it('holds no longer once somebody removed dictionary values', async () => {
    const [a, b] = [await open(), await open()]
    const [gone, kept] = [term('gone'), term('kept')]
    for (const storage of [a, b]) await put(storage, lrsId, [statement({ terms: [gone, kept] })])
    await database.change(`delete from posting p using term t where t.value = '${gone.value}' and p.term = t.id * 4`)
    await database.change(`delete from term where value = '${gone.value}'`)
    await database.change('update lrs_state set epoch = epoch + 1')
    const again = statement({ terms: [gone, kept] })
    await put(b, lrsId, [again])
    expect(await idsOf(a, lrsId, { filters: [filter('gone')] })).toEqual([again.id])
    expect(await idsOf(a, lrsId, { filters: [filter('kept')] })).toHaveLength(3)
  })

  it('holds no longer once another node dropped a description among very many', async () => {
    const [a, b] = [await open(), await open()]
    const about = { kind: 'activity' as const, value: 'https://example.org/a' }
    const naming = (name: string, timestamp: number): PreparedStatement =>
      statement({ timestamp, descriptions: [{ ...about, text: JSON.stringify({ name: { en: name } }) }] })
    await put(a, lrsId, [naming('first', 1_000)])
    const many = Array.from({ length: 1_260 }, (_, n) => naming(`n${n}`, 2_000_000 + n))
    await put(b, lrsId, many)
    const texts = async () => (await b.statements.listDescriptions(lrsId, about)).map(({ text }) => text)
    expect(await texts()).not.toContain('{"name":{"en":"first"}}')
    await put(a, lrsId, [naming('first', 9_000_000)])
    expect((await texts())[0]).toBe('{"name":{"en":"first"}}')
  })

  it('is nothing of what was rolled back', async () => {
    const storage = await open()
    await database.change(`create function refuse() returns trigger language plpgsql as $$ begin
      if new.body like '%poison%' then raise exception 'refused'; end if; return new; end $$`)
    await database.change('create trigger refuse before insert on statement for each row execute function refuse()')
    const terms = [term('v')]
    const poisoned = statement({ terms, openBody: saying(statement().id, 'poison') })
    await expect(put(storage, lrsId, [poisoned])).rejects.toMatchObject({ code: 'internal' })
    const fine = statement({ terms: [term('w'), ...terms] })
    await put(storage, lrsId, [fine])
    expect(await idsOf(storage, lrsId)).toEqual([fine.id])
    for (const name of ['v', 'w']) expect(await idsOf(storage, lrsId, { filters: [filter(name)] })).toEqual([fine.id])
  })
})

/** Between a node and the database; cuts the connection on which a commit is sent, before or after it goes through. */
async function cuttingProxy(target: string) {
  const { hostname, port } = new URL(target)
  let cut: 'before' | 'after' | undefined
  const proxy = createServer((client: Socket) => {
    const server = connect(Number(port), hostname)
    let isMute = false
    for (const socket of [client, server]) socket.on('error', () => {})
    client.on('data', (chunk) => {
      const mode = chunk.includes('commit\0') ? cut : undefined
      if (mode !== undefined) cut = undefined
      if (mode === 'before') {
        client.destroy()
        server.destroy()
        return
      }
      isMute ||= mode === 'after'
      server.write(chunk)
    })
    server.on('data', (chunk) => {
      if (isMute) client.destroy()
      else client.write(chunk)
    })
    client.on('close', () => server.end())
    server.on('close', () => client.end())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const url = new URL(target)
  url.port = String((proxy.address() as AddressInfo).port)
  return {
    url: url.href,
    cutNext: (when: 'before' | 'after') => void (cut = when),
    close: () => proxy.close(),
  }
}

describe('a commit without an answer', () => {
  it.each([
    ['after', 'there'],
    ['before', 'stored'],
  ] as const)('is told as unavailable; cut %s it took place, sending it again is answered: %s', async (when, again) => {
    const proxy = await cuttingProxy(database.url)
    const storage = await open({ url: proxy.url })
    await put(storage, lrsId, [statement({ terms: [term('u')] })])
    const one = statement({ terms: [term('v')] })
    proxy.cutNext(when)
    await expect(storage.statements.store([batch(lrsId, [one])])).rejects.toMatchObject({ code: 'unavailable' })
    expect(outcomeOf(await storage.statements.store([batch(lrsId, [one])]))).toBe(again)
    const next = statement({ terms: [term('v'), term('u')] })
    await put(storage, lrsId, [next])
    expect(await idsOf(await open(), lrsId, { filters: [filter('v')] })).toEqual([next.id, one.id])
    await storage.close()
    proxy.close()
  })
})

it('calls a key that is taken in spite of the lock a defect, not a conflict, and writes nothing', async () => {
  const now = Date.now() + hour
  const storage = await open({ clock: { now: () => now } })
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const values = [lrsId, ownerTerm(owners.ann), now * 1000]
  await client.query('insert into posting (lrs_id, term, seq) values ($1, $2, $3)', values)
  await client.end()
  const one = statement()
  const stored = storage.statements.store([batch(lrsId, [one], { owner: owners.ann })])
  await expect(stored).rejects.toMatchObject({ code: 'internal' })
  expect(await seqsOf(storage)).toEqual([])
})
