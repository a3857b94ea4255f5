// One person among many is erased from a large Lrs while others store, and the server is killed on the way, more than once.
// Afterwards every byte of the data directory is searched for the person, and everybody else's rows are compared with before.

import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { CredentialId, LrsId } from '../src/core/ids.ts'
import type { PreparedStatement, StatementBatch, Storage } from '../src/core/storage.ts'
import { agentTerm } from '../src/core/xapi/agent.ts'
import { prepare } from '../src/core/xapi/prepare.ts'
import { openSqlite } from '../src/storage/sqlite/index.ts'
import { startProgram, type StartedProgram } from './started-program.ts'

export interface ErasureOptions {
  readonly statements: number
  readonly actors: number
  /** At which parts of the person's statements the server is killed. */
  readonly killAt: readonly number[]
  readonly tell?: (line: string) => void
}

export interface ErasureReport {
  readonly problems: readonly string[]
  readonly erased: number
  readonly kills: number
}

const lrsId = 1 as LrsId
const owner = 1 as CredentialId

// Nothing of it is anywhere else.
const word = 'unmistakable'
const ann = { name: `Ann ${word}`, mbox: `mailto:ann.${word}@example.org` }
const account = { homePage: 'https://lms.example.org', name: `${word}-4711` }
const asAccount = { name: `A. ${word}`, account }
const hashed = createHash('sha1').update(ann.mbox).digest('hex')
const terms = [ann, asAccount, { mbox_sha1sum: hashed }].map((agent) => agentTerm(agent) as string)
const needles: readonly Buffer[] = [
  Buffer.from(word),
  Buffer.from(hashed),
  ...terms.map((term) => createHash('sha256').update(term).digest()),
]
const isAbout = (body: string): boolean => body.toLowerCase().includes(word) || body.includes(hashed)

export async function eraseUnderFire({
  statements,
  actors,
  killAt,
  tell = () => {},
}: ErasureOptions): Promise<ErasureReport> {
  const directory = await mkdtemp(path.join(tmpdir(), 'claviger-erasure-'))
  const dataDirectory = path.join(directory, 'data')
  const problems: string[] = []
  let program: StartedProgram | undefined
  try {
    await (await startProgram({ dataDirectory })).stop()
    const loadStart = performance.now()
    const erasedIds = await load(dataDirectory, statements, actors)
    tell(
      `loaded ${statements} statements of ${actors} actors in ${seconds(loadStart)}; ${await megabytes(dataDirectory)}`,
    )
    const before = takeCensus(dataDirectory)
    tell(`the person is in ${before.mentioning} statements and ${before.documents} documents`)
    if (before.mentioning !== erasedIds.length) problems.push(`loaded ${erasedIds.length}, found ${before.mentioning}`)
    const foundBefore = await search(dataDirectory)
    if (foundBefore.length < 3) problems.push(`before, the bytes were found in ${foundBefore.length} places only`)

    program = await startProgram({ dataDirectory })
    const writers = startWriters(() => program)
    await sleep(3_000)
    const calm = writers.take()
    const eraseStart = performance.now()
    const erasing = program.command(
      'erase',
      '--mbox',
      `ann.${word}@example.org`,
      '--account',
      `${account.name}@${account.homePage}`,
      '--yes',
      '--json',
    )
    let kills = 0
    for (const part of killAt) {
      const removed = await progress(dataDirectory, (count) => count >= part * before.mentioning)
      if (removed === undefined) {
        problems.push(`the erasure was done before the kill at ${part}`)
        break
      }
      await program.kill()
      kills++
      tell(`killed when ${removed} statements were gone, after ${seconds(eraseStart)}`)
      const left = takeCensus(dataDirectory)
      if (left.mentioning === 0) problems.push(`kill ${kills} came too late`)
      problems.push(...compare(before, left).map((problem) => `after kill ${kills}: ${problem}`))
      program = await startProgram({ dataDirectory })
    }
    await erasing
    await progress(dataDirectory, () => false)
    tell(`done after ${seconds(eraseStart)}`)
    const busy = writers.take()
    tell(
      `writers: p50 ${calm.p50} ms, p99 ${calm.p99} ms before; p50 ${busy.p50} ms, p99 ${busy.p99} ms, most ${busy.most} ms meanwhile`,
    )

    const whileRunning = await search(dataDirectory)
    problems.push(...whileRunning.map((place) => `still there while the server runs: ${place}`))
    const { acknowledged } = await writers.end()
    problems.push(...(await sendAgain(program, erasedIds[0] ?? '')))
    const receipt = await showReceipt(program)
    await program.stop()
    program = undefined

    const found = await search(dataDirectory)
    problems.push(...found.map((place) => `still there after the end: ${place}`))
    const after = takeCensus(dataDirectory, acknowledged)
    problems.push(...compare(before, after))
    if (after.mentioning > 0 || after.documents > 0)
      problems.push(`${after.mentioning} statements, ${after.documents} documents are left`)
    if (after.missing > 0)
      problems.push(`${after.missing} of ${acknowledged.length} statements acknowledged meanwhile are missing`)
    if (receipt.statements !== erasedIds.length)
      problems.push(`the receipt counts ${receipt.statements} statements, not ${erasedIds.length}`)
    const { integrity } = after
    if (integrity !== 'ok') problems.push(`integrity: ${integrity}`)
    tell(`${acknowledged.length} statements were acknowledged meanwhile, ${after.missing} are missing`)
    tell(`searched ${await megabytes(dataDirectory)}; receipt ${JSON.stringify(receipt)}`)
    return { problems, erased: erasedIds.length, kills }
  } finally {
    await program?.kill()
    await rm(directory, { recursive: true, force: true })
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The data

/** Ids of the statements that mention the person. */
async function load(dataDirectory: string, count: number, actors: number): Promise<readonly string[]> {
  const storage = await openSqlite({ directory: dataDirectory, threads: 'workers' })
  const mentioning: string[] = []
  try {
    const batch: PreparedStatement[] = []
    let previous: string = randomUUID()
    for (let index = 0; index < count; index++) {
      const made = statementOf(index, actors, previous)
      const attachments = index % (actors * 8) === 0 ? [await attach(storage, index)] : []
      if (isAbout(JSON.stringify(made))) mentioning.push(made.id)
      if (index % actors === 0) previous = made.id
      batch.push({ ...prepare(made, { authority: {}, pins: {} }), attachments })
      if (batch.length === 4_000 || index === count - 1) await store(storage, batch.splice(0))
    }
    await storeDocuments(storage)
  } finally {
    await storage.close()
  }
  return mentioning
}

/** Every `actors`-th is the person's; some of others name or refer to them. */
function statementOf(
  index: number,
  actors: number,
  previous: string,
): { readonly id: string } & Record<string, unknown> {
  const who = index % actors
  const isReferring = index % 397 === 1
  const actor =
    who === 0
      ? index % (actors * 3) === 0
        ? asAccount
        : ann
      : { name: `Learner ${who}`, mbox: `mailto:learner${who}@example.org` }
  const course = `https://example.org/courses/${index % 211}`
  const object = isReferring
    ? { objectType: 'StatementRef', id: previous }
    : { id: `${course}/${index % 23}`, definition: { name: { en: `Unit ${index % 23}` } } }
  return {
    id: randomUUID(),
    actor,
    verb: { id: `https://example.org/verbs/${index % 7}`, display: { en: 'did' } },
    object,
    result: { response: who === 0 ? `I am ${word}` : `answer ${index}`, score: { scaled: (index % 100) / 100 } },
    context: {
      registration: randomUUID(),
      contextActivities: { grouping: [{ id: course }] },
      ...(index % 1_999 === 3 && { instructor: { mbox_sha1sum: hashed } }),
      ...(index % 2_503 === 5 && {
        team: { objectType: 'Group', member: [ann, { mbox: 'mailto:tutor@example.org' }] },
      }),
    },
    timestamp: new Date(1_700_000_000_000 + index * 1000).toISOString(),
    authority: { account: { homePage: 'https://lrs.example.org', name: 'load' } },
    version: '1.0.0',
  }
}

async function attach(
  storage: Storage,
  index: number,
): Promise<{ readonly sha2: string; readonly contentType: string }> {
  const bytes = (async function* () {
    yield Buffer.from(`signed by ${word}, number ${index}`)
  })()
  const { sha2 } = await storage.blobs.put(lrsId, bytes, { mostBytes: 1_000 })
  return { sha2, contentType: 'text/plain' }
}

async function store(storage: Storage, statements: readonly PreparedStatement[]): Promise<void> {
  const batches: StatementBatch[] = []
  for (let at = 0; at < statements.length; at += 500) {
    const some = statements.slice(at, at + 500)
    batches.push({ lrsId, owner, readReach: 'any', voidReach: 'any', defineReach: 'any', statements: some })
  }
  const outcomes = await storage.statements.store(batches)
  if (outcomes.some(({ kind }) => kind !== 'stored')) throw new Error('a conflict while loading')
}

/** Written several times, so that old versions lie about. */
async function storeDocuments(storage: Storage): Promise<void> {
  for (let round = 0; round < 5; round++) {
    for (const agent of [...terms, 'mbox mailto:learner7@example.org']) {
      const text = `${agent} ${round} `.repeat(80)
      const content = { kind: 'inline', bytes: Buffer.from(text) } as const
      const etag = createHash('sha1').update(text).digest('hex')
      const key = { kind: 'state', activityId: 'https://example.org/a', agent, id: 'bookmark' } as const
      const change = { kind: 'replace', content, contentType: 'text/plain', etag } as const
      await storage.documents.change(lrsId, key, { owner, reach: 'any' }, change, {
        preconditions: {},
        mostBytes: 100_000,
      })
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// What there is

interface Census {
  readonly mentioning: number
  readonly documents: number
  /** Of statements that neither mention the person nor refer to another: how many, and a sum over every byte. */
  readonly others: number
  readonly othersSum: bigint
  /** Of those, the rows of the index. */
  readonly postings: number
  readonly postingsSum: bigint
  /** Referring statements of others: they stay, whatever they inherited. */
  readonly referring: number
  readonly otherDocuments: number
  readonly missing: number
  readonly integrity: string
}

/** Statements stored while the erasure goes on are only looked up by id. */
function takeCensus(dataDirectory: string, acknowledged: readonly string[] = []): Census {
  const db = new Database(path.join(dataDirectory, 'claviger.db'), { fileMustExist: true })
  try {
    db.pragma('query_only = 1')
    db.defaultSafeIntegers(true)
    const counts = { mentioning: 0, others: 0, referring: 0, postings: 0 }
    let [othersSum, postingsSum] = [0n, 0n]
    const untouched = new Set<bigint>()
    const rows = db.prepare(`select seq, body from statement where body not like '%urn:live%'`).iterate()
    for (const { seq, body } of rows as Iterable<{ seq: bigint; body: string }>) {
      if (isAbout(body)) counts.mentioning++
      else if (body.includes('"StatementRef"')) counts.referring++
      else {
        counts.others++
        othersSum += createHash('sha256').update(body).digest().readBigUInt64BE()
        untouched.add(seq)
      }
    }
    for (const [term, seq] of db.prepare('select term, seq from posting').raw().iterate() as Iterable<
      [bigint, bigint]
    >) {
      if (!untouched.has(seq)) continue
      counts.postings++
      postingsSum += term * 31n + seq
    }
    const documents = db
      .prepare('select count(*) from document where agent in (?, ?, ?)')
      .pluck()
      .get(...terms)
    const all = db.prepare('select count(*) from document').pluck().get() as bigint
    const find = db.prepare('select 1 from statement where lrs_id = 1 and id = ?')
    const missing = acknowledged.filter(
      (id) => find.get(Buffer.from(id.replaceAll('-', ''), 'hex')) === undefined,
    ).length
    const integrity = acknowledged.length > 0 ? String(db.pragma('quick_check', { simple: true })) : 'ok'
    const otherDocuments = Number(all - (documents as bigint))
    return { ...counts, documents: Number(documents), othersSum, postingsSum, otherDocuments, missing, integrity }
  } finally {
    db.close()
  }
}

const untouchedKinds = ['others', 'othersSum', 'postings', 'postingsSum', 'referring', 'otherDocuments'] as const

function compare(before: Census, after: Census): string[] {
  return untouchedKinds
    .filter((kind) => before[kind] !== after[kind])
    .map((kind) => `${kind}: ${before[kind]} before, ${after[kind]} after`)
}

/** Polls until `isEnough` of the counted statements, then their number; undefined once there is a receipt. */
async function progress(dataDirectory: string, isEnough: (statements: number) => boolean): Promise<number | undefined> {
  const db = new Database(path.join(dataDirectory, 'claviger.db'), { readonly: true })
  try {
    const read = db.prepare<[], { counts: string; receipt: string | null }>(
      'select counts, receipt from erasure limit 1',
    )
    for (;;) {
      const row = read.get()
      if (row?.receipt) return undefined
      const { statements = 0 } = JSON.parse(row?.counts ?? '{}') as { statements?: number }
      if (row !== undefined && isEnough(statements)) return statements
      await sleep(5)
    }
  } finally {
    db.close()
  }
}

/** File and place of the first find of each needle, also where it is written in capitals or in parts of a read. */
async function search(dataDirectory: string): Promise<string[]> {
  const found: string[] = []
  const entries = await readdir(dataDirectory, { recursive: true, withFileTypes: true })
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = path.join(entry.parentPath, entry.name)
    let tail = Buffer.alloc(0)
    let offset = 0
    const seen = new Set<number>()
    for await (const chunk of createReadStream(file, { highWaterMark: 8 * 1024 * 1024 }) as AsyncIterable<Buffer>) {
      const bytes = Buffer.concat([tail, chunk])
      for (const [index, needle] of needles.entries()) {
        const at = seen.has(index) ? -1 : bytes.indexOf(needle)
        if (at < 0) continue
        seen.add(index)
        found.push(`${path.relative(dataDirectory, file)} at ${offset - tail.length + at} (needle ${index})`)
      }
      offset += chunk.length
      tail = bytes.subarray(Math.max(0, bytes.length - 128))
    }
  }
  return found
}

// ---------------------------------------------------------------------------------------------------------------------
// The others

interface Writers {
  /** Latencies since the last call. */
  take(): { readonly p50: number; readonly p99: number; readonly most: number }
  end(): Promise<{ readonly acknowledged: readonly string[] }>
}

/** Four clients that store ten statements at a time, and do not mind a server that is gone for a moment. */
function startWriters(program: () => StartedProgram | undefined): Writers {
  let isOver = false
  let latencies: number[] = []
  const acknowledged: string[] = []
  const write = async (client: number): Promise<void> => {
    for (let round = 0; !isOver; round++) {
      const { url = '', headers = {} } = program() ?? {}
      const ids = Array.from({ length: 10 }, () => randomUUID())
      const body = ids.map((id) => ({ id, ...live(client, round) }))
      const start = performance.now()
      try {
        const response = await fetch(`${url}/xapi/statements`, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
        await response.arrayBuffer()
        if (response.status === 200) acknowledged.push(...ids)
        latencies.push(performance.now() - start)
      } catch {
        await sleep(50)
      }
      await sleep(5)
    }
  }
  const writing = [0, 1, 2, 3].map(write)
  return {
    take() {
      const sorted = latencies.toSorted((one, other) => one - other)
      latencies = []
      const at = (part: number) => Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0)
      return { p50: at(0.5), p99: at(0.99), most: at(1) }
    },
    async end() {
      isOver = true
      await Promise.all(writing)
      return { acknowledged }
    },
  }
}

function live(client: number, round: number): object {
  return {
    actor: { mbox: `mailto:learner${1 + ((client * 17 + round) % 90)}@example.org` },
    verb: { id: 'urn:live' },
    object: { id: `https://example.org/courses/${round % 211}/1` },
  }
}

/** A client that never heard of it: its statement is acknowledged, and does not come back. */
async function sendAgain({ url, headers }: StartedProgram, id: string): Promise<string[]> {
  const statement = { actor: ann, verb: { id: 'urn:v' }, object: { id: 'urn:o' } }
  const target = `${url}/xapi/statements?statementId=${id}`
  const sent = { ...headers, 'content-type': 'application/json' }
  const put = await fetch(target, { method: 'PUT', headers: sent, body: JSON.stringify(statement) })
  const read = await fetch(target, { headers })
  await Promise.all([put.arrayBuffer(), read.arrayBuffer()])
  if (put.status === 204 && read.status === 404) return []
  return [`sent again: ${put.status}, and read: ${read.status}`]
}

async function showReceipt(program: StartedProgram): Promise<{ readonly statements: number }> {
  const listed = JSON.parse((await program.command('erase', '--list', '--json')).stdout) as {
    erasures: { readonly counts: { readonly statements: number } }[]
  }
  return listed.erasures[0]?.counts ?? { statements: 0 }
}

async function megabytes(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((one) => one.isFile()).map((one) => stat(path.join(one.parentPath, one.name)))
  const sizes = await Promise.all(files)
  return `${Math.round(sizes.reduce((sum, { size }) => sum + size, 0) / 1e6)} MB in ${sizes.length} files`
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`
}
