// A Learning Locker of any size is imported into a running server that is killed on the way, more than once, while others store into
// and follow one of its Lrs. Afterwards everything is compared with what the set says must have become of it.

import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import Database from 'better-sqlite3'
import {
  clientOf,
  documentCount,
  organisationCount,
  statementOf,
  stateOf,
  storeOid,
  storesEach,
  writeSet,
} from '../test/support/learninglocker-set.ts'
import type { SetClient, SetStatement } from '../test/support/learninglocker-set.ts'
import { startProgram, type StartedProgram } from './started-program.ts'

export interface ImportOptions {
  readonly statements: number
  readonly clients: number
  readonly kills: number
  /** How many statements are read back and compared. */
  readonly sample: number
  /** Where the set is, or is to be made; else in a temporary place. */
  readonly set?: string | undefined
  readonly tell?: (line: string) => void
}

export interface ImportProof {
  readonly problems: readonly string[]
  readonly statementsPerSecond: number
  readonly residentMiB: number
}

const xapi = '/data/xAPI/statements'
const atOnce = 8

export async function importUnderFire(options: ImportOptions): Promise<ImportProof> {
  const { statements, clients, kills, sample, tell = () => {} } = options
  const directory = await mkdtemp(path.join(tmpdir(), 'claviger-import-'))
  const dataDirectory = path.join(directory, 'data')
  const set = options.set ?? path.join(directory, 'set')
  const rejects = path.join(directory, 'rejects.jsonl')
  const problems: string[] = []
  let program = await startProgram({ dataDirectory })
  try {
    const made = performance.now()
    if (!existsSync(path.join(set, 'statements.json'))) await writeSet(set, { statements, clients })
    const expected = expect({ statements, clients, sample })
    tell(`the set is there, and what is expected of it is known, after ${seconds(made)}`)
    const memory = watchMemory(() => program)
    const live = startLive(() => program, expected.busy)
    const begunAt = new Date().toISOString()
    let importSeconds = 0
    let cpuSeconds = 0
    let report: Report | undefined
    for (let round = 0; round <= kills; round++) {
      const importing = runImport(program, { set, rejects })
      const part = (round + 1) / (kills + 1)
      const cpuBefore = await program.cpuSeconds()
      const stored = round < kills ? await storedAtLeast(dataDirectory, part * expected.stored, importing) : undefined
      if (round < kills && stored === undefined) problems.push(`the import was done before kill ${round + 1}`)
      if (stored !== undefined) {
        cpuSeconds += (await program.cpuSeconds()) - cpuBefore
        await program.kill()
      }
      const ended = await importing
      importSeconds += ended.seconds
      if (stored === undefined) {
        cpuSeconds += (await program.cpuSeconds()) - cpuBefore
        report = ended.report
        if (report === undefined) problems.push(`the import failed: ${ended.stderr}`)
        break
      }
      tell(`killed when ${stored} statements were there, ${ended.seconds.toFixed(1)} s after the command`)
      program = await startProgram({ dataDirectory })
    }
    const perSecond = Math.round(statements / importSeconds)
    const endedAt = new Date().toISOString()
    const cpuMicros = Math.round((cpuSeconds * 1e6) / statements)
    tell(
      `imported in ${importSeconds.toFixed(1)} s: ${perSecond} statements a second, ${cpuMicros} µs of processor time each`,
    )
    const followed = await live.end()
    tell(`${followed.written.length} statements stored meanwhile; the most memory was ${memory.end()} MiB`)
    if (report !== undefined) {
      problems.push(...checkReport(report, expected, followed.written.length))
      problems.push(...(await checkRejects(rejects, report)))
    }
    const check = async (what: string, found: Promise<readonly string[]>): Promise<void> => {
      const begun = performance.now()
      const wrong = await found
      problems.push(...wrong.map((problem) => `${what}: ${problem}`))
      tell(`${what}: ${wrong.length} problems, ${seconds(begun)}`)
    }
    await check('keys', checkKeys(program, clients))
    await check('own statements', checkMine(program, expected))
    await check('samples', checkSamples(program, expected))
    await check('voided statements', checkVoided(program, expected))
    await check('documents', checkDocuments(program, expected))
    await check('followed', checkFollowed(program, expected, { ...followed, begunAt, endedAt }))
    await check('a second import', checkAgain(program, { set, rejects }, expected))
    const doctor = await program.command('doctor')
    tell(`doctor: exit code ${doctor.code}`)
    return { problems, statementsPerSecond: perSecond, residentMiB: memory.end() }
  } finally {
    await program.kill().catch(() => undefined)
    await rm(directory, { recursive: true, force: true })
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// What is expected

interface Expected {
  readonly stored: number
  readonly there: number
  readonly rejected: number
  readonly clients: Readonly<Record<SetClient['fate'], number>>
  /** By organisation and store. */
  readonly perPlace: ReadonlyMap<string, number>
  readonly readers: ReadonlyMap<string, SetClient>
  /** The Lrs that is stored into and followed meanwhile. */
  readonly busy: SetClient
  /** Those of it that a list gives, with their stored times in microseconds. */
  readonly inBusy: ReadonlyMap<string, number>
  /** Ids of what some clients that read their own may read. */
  readonly mine: ReadonlyMap<number, ReadonlySet<string>>
  readonly voided: readonly SetStatement[]
  readonly samples: readonly SetStatement[]
}

const placeOf = ({ organisation, store }: { readonly organisation: number; readonly store: number | undefined }) =>
  `${organisation} ${store}`
const readsAll = new Set(['all', 'all/read', 'xapi/all', 'xapi/read', 'statements/read'])

function expect({ statements, clients, sample }: Pick<ImportOptions, 'statements' | 'clients' | 'sample'>): Expected {
  const all = Array.from({ length: clients }, (_, number) => clientOf(number))
  const working = all.filter(({ fate, store }) => fate === 'works' && store !== undefined)
  const readers = new Map<string, SetClient>()
  for (const client of working) {
    const isReader = client.scopes.some((scope) => readsAll.has(scope))
    if (isReader && !readers.has(placeOf(client))) readers.set(placeOf(client), client)
  }
  const busy = working.find(
    ({ scopes, organisation, store }) => scopes[0] === 'xapi/all' && store! % organisationCount === organisation,
  )!
  const own = working.filter(({ scopes }) => scopes.includes('statements/read/mine')).slice(0, 50)
  const mine = new Map(own.map(({ number }) => [number, new Set<string>()]))
  const counts = { stored: 0, there: 0, rejected: 0 }
  const perPlace = new Map<string, number>()
  const inBusy = new Map<string, number>()
  const voided: SetStatement[] = []
  const samples: SetStatement[] = []
  for (let number = 0; number < statements; number++) {
    const one = statementOf(number, { clients })
    counts[one.fate]++
    if (one.fate !== 'stored') continue
    const place = placeOf(one)
    perPlace.set(place, (perPlace.get(place) ?? 0) + 1)
    if (one.isVoided) {
      if (voided.length < 2_000) voided.push(one)
    } else {
      if (one.client !== undefined) mine.get(one.client)?.add(one.id)
      if (place === placeOf(busy)) inBusy.set(one.id, micros(String(one.statement['stored'])))
    }
    const isSampled =
      number < 2_000 || Math.floor((number * sample) / statements) !== Math.floor(((number + 1) * sample) / statements)
    if (isSampled && samples.length < sample && !one.isVoided) samples.push(one)
  }
  const fates = { works: 0, disabled: 0, rejected: 0 }
  for (const { fate } of all) fates[fate]++
  return { ...counts, clients: fates, perPlace, readers, busy, inBusy, mine, voided, samples }
}

function micros(text: string): number {
  const [, whole = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(text) ?? []
  return Date.parse(`${whole}Z`) * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'))
}

// ---------------------------------------------------------------------------------------------------------------------
// The import

interface Report {
  readonly kinds: Readonly<
    Record<
      string,
      { readonly read: number; readonly stored: number; readonly there: number; readonly rejected: number }
    >
  >
  readonly lrs: readonly { readonly statements: number }[]
}

interface Ran {
  readonly report: Report | undefined
  readonly stderr: string
  readonly seconds: number
}

async function runImport(
  program: StartedProgram,
  { set, rejects }: { readonly set: string; readonly rejects: string },
): Promise<Ran> {
  const begun = performance.now()
  const storage = path.join(set, 'storage')
  const { code, stdout, stderr } = await program.command(
    ...['import', 'learninglocker', set, '--attachments', storage, '--rejects', rejects, '--json'],
  )
  const took = (performance.now() - begun) / 1000
  return { report: code === 0 ? (JSON.parse(stdout) as Report) : undefined, stderr, seconds: took }
}

/** Undefined where the import ends before. */
async function storedAtLeast(
  dataDirectory: string,
  count: number,
  importing: Promise<unknown>,
): Promise<number | undefined> {
  const database = new Database(path.join(dataDirectory, 'claviger.db'), { readonly: true })
  try {
    let isDone = false
    void importing.finally(() => (isDone = true))
    const sum = database.prepare('select coalesce(sum(statements), 0) as stored from lrs_state')
    while (!isDone) {
      const { stored } = sum.get() as { stored: number }
      if (stored >= count) return stored
      await sleep(50)
    }
    return undefined
  } finally {
    database.close()
  }
}

function watchMemory(program: () => StartedProgram): { end(): number } {
  let most = 0
  const timer = setInterval(() => {
    void program()
      .residentMiB()
      .then(
        (mib) => (most = Math.max(most, Number.isNaN(mib) ? 0 : mib)),
        () => undefined,
      )
  }, 250)
  return {
    end() {
      clearInterval(timer)
      return Math.round(most)
    },
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Live: one stores, one follows

interface Followed {
  /** Acknowledged. */
  readonly written: readonly string[]
  /** As often as they were given, and when that was complete. */
  readonly seen: ReadonlyMap<string, number>
}

function headersOf({ key, secret }: Pick<SetClient, 'key' | 'secret'>): Record<string, string> {
  return {
    authorization: `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`,
    'x-experience-api-version': '1.0.3',
  }
}

function startLive(program: () => StartedProgram, client: SetClient): { end(): Promise<Followed> } {
  const headers = { ...headersOf(client), 'content-type': 'application/json' }
  const written: string[] = []
  const seen = new Map<string, number>()
  let isEnding = false
  const write = async (): Promise<void> => {
    for (let id = randomUUID(); !isEnding; await sleep(20)) {
      const body = {
        id,
        actor: { mbox: 'mailto:live@example.org' },
        verb: { id: 'https://example.org/live' },
        object: { id: 'https://example.org/live' },
      }
      const answer = await fetch(program().url + xapi, { method: 'POST', headers, body: JSON.stringify(body) }).catch(
        () => undefined,
      )
      await answer?.arrayBuffer().catch(() => undefined)
      // The same again until it is acknowledged: the key may not be there yet, or the server.
      if (answer?.status !== 200) continue
      written.push(id)
      id = randomUUID()
    }
  }
  let since: string | undefined
  const follow = async (): Promise<string | undefined> => {
    const first = `${xapi}?ascending=true&limit=500${since === undefined ? '' : `&since=${encodeURIComponent(since)}`}`
    const found: [string, number][] = []
    let through: string | undefined
    for (let next: string | undefined = first; next !== undefined && next !== '';) {
      const answer: Response = await fetch(program().url + next, { headers })
      if (answer.status !== 200) throw new Error(`${answer.status}`)
      // Of the first page.
      through ??= answer.headers.get('x-experience-api-consistent-through') ?? undefined
      const page = (await answer.json()) as { statements: { id: string; stored: string }[]; more: string }
      found.push(...page.statements.map(({ id, stored }) => [id, micros(stored)] as [string, number]))
      // What is later than that is for the next time.
      const isBeyond = micros(page.statements.at(-1)?.stored ?? '') > micros(through ?? '')
      next = isBeyond ? undefined : page.more
    }
    if (through === undefined) throw new Error('no X-Experience-API-Consistent-Through')
    for (const [id, stored] of found) if (stored <= micros(through)) seen.set(id, (seen.get(id) ?? 0) + 1)
    since = through
    return through
  }
  const followOn = async (): Promise<void> => {
    while (!isEnding) {
      await follow().catch(() => undefined)
      await sleep(200)
    }
  }
  const both = Promise.all([write(), followOn()])
  return {
    async end() {
      await sleep(500)
      isEnding = true
      await both
      await sleep(500)
      await follow()
      return { written, seen }
    },
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// What became of it

function checkReport(report: Report, expected: Expected, live: number): readonly string[] {
  const { stored, there, rejected, clients } = expected
  const documents = Array.from({ length: documentCount }, (_, number) => stateOf(number).fate)
  const storedDocuments = 3 * documents.filter((fate) => fate === 'stored').length
  const of = (counts: { readonly stored: number; readonly there: number; readonly rejected: number }) => ({
    ...{ read: counts.stored + counts.there + counts.rejected, ...counts },
  })
  const wanted: Readonly<Record<string, object>> = {
    organisations: of({ stored: organisationCount, there: 0, rejected: 0 }),
    lrs: of({ stored: organisationCount * storesEach, there: 0, rejected: 0 }),
    clients: of({ stored: clients.works + clients.disabled, there: 0, rejected: clients.rejected }),
    statements: of({ stored, there, rejected }),
    documents: of({ stored: storedDocuments, there: 0, rejected: 3 * documentCount - storedDocuments }),
  }
  const wrong = Object.entries(wanted).flatMap(([kind, counts]) => {
    const { checked: _, ...found } = { checked: 0, ...report.kinds[kind] }
    return isDeepStrictEqual(found, counts)
      ? []
      : [`report of ${kind}: ${JSON.stringify(found)}, not ${JSON.stringify(counts)}`]
  })
  const total = report.lrs.reduce((sum, { statements }) => sum + statements, 0)
  // What is stored while the last counts are taken may be in them or not.
  const isTotal = total >= stored && total <= stored + live
  return isTotal ? wrong : [...wrong, `the Lrs hold ${total} statements, not ${stored} and up to ${live} live ones`]
}

async function checkRejects(file: string, report: Report): Promise<readonly string[]> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  const rejects = lines.map((line) => JSON.parse(line) as { kind: string; file: string; line: number; reason: string })
  return ['clients', 'statements', 'documents', 'attachments'].flatMap((kind) => {
    const of = rejects.filter((one) => one.kind === kind)
    const places = new Set(of.map((one) => `${one.file} ${one.line}`))
    const wanted = report.kinds[kind]?.rejected ?? 0
    if (of.some(({ reason }) => reason === '')) return [`rejected ${kind} without a reason`]
    return places.size === wanted && of.length === wanted
      ? []
      : [`rejects of ${kind}: ${of.length} lines of ${places.size}, not ${wanted}`]
  })
}

/** All of them sign in, and are what they were. */
async function checkKeys(program: StartedProgram, count: number): Promise<readonly string[]> {
  const clients = Array.from({ length: count }, (_, number) => clientOf(number))
  // The others last: who fails often is slowed down.
  const works = clients.filter(({ fate }) => fate === 'works')
  const others = clients.filter(({ fate }) => fate !== 'works').slice(0, 10)
  return inParts([...works, ...others], async (client) => {
    const answer = await fetch(`${program.url}/api/auth/client/info`, { headers: headersOf(client) })
    const { fate, number, title, store, scopes } = client
    if (answer.status !== (fate === 'works' ? 200 : 401))
      return `client ${number} (${fate}): ${answer.status} ${await answer.text()}`
    if (fate !== 'works') return undefined
    const info = (await answer.json()) as Record<string, unknown>
    const isOwn = store !== undefined && store % organisationCount === client.organisation
    const isSame =
      isDeepStrictEqual(info['scopes'], scopes) &&
      info['title'] === title &&
      (!isOwn || info['lrs_id'] === storeOid(store))
    return isSame ? undefined : `client ${number}: ${JSON.stringify(info)}`
  })
}

async function checkMine(program: StartedProgram, { mine }: Expected): Promise<readonly string[]> {
  return inParts([...mine], async ([number, ids]) => {
    const found = await listIds(program, clientOf(number), '?limit=500')
    const isSame = found.length === ids.size && found.every((id) => ids.has(id))
    return isSame ? undefined : `client ${number} reads ${found.length} as its own, not ${ids.size}`
  })
}

async function checkSamples(program: StartedProgram, { samples, readers }: Expected): Promise<readonly string[]> {
  return inParts(samples, async (one) => {
    const reader = readers.get(placeOf(one))
    if (reader === undefined) return undefined
    const answer = await fetch(`${program.url}${xapi}?statementId=${one.id}`, { headers: headersOf(reader) })
    const found = (await answer.json()) as Record<string, unknown>
    if (answer.status !== 200) return `statement ${one.number}: ${answer.status}`
    const { authority } = found
    const wanted = 'authority' in one.statement ? one.statement : { ...one.statement, authority }
    if (authority !== undefined && isDeepStrictEqual(found, wanted)) return undefined
    return `statement ${one.number}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`
  })
}

async function checkVoided(program: StartedProgram, { voided, readers }: Expected): Promise<readonly string[]> {
  return inParts(voided, async (one) => {
    const reader = readers.get(placeOf(one))
    if (reader === undefined) return undefined
    const ask = async (name: string): Promise<number> => {
      const answer = await fetch(`${program.url}${xapi}?${name}=${one.id}`, { headers: headersOf(reader) })
      await answer.arrayBuffer()
      return answer.status
    }
    const statuses = [await ask('statementId'), await ask('voidedStatementId')].join()
    return statuses === '404,200' ? undefined : `statement ${one.number}: ${statuses}`
  })
}

async function checkDocuments(program: StartedProgram, { readers }: Expected): Promise<readonly string[]> {
  const numbers = Array.from({ length: documentCount }, (_, number) => number)
  return inParts(numbers, async (number) => {
    const { store, activityId, agent, stateId, content, etag, fate, contentType } = stateOf(number)
    const reader = [...readers.values()].find(
      (one) => one.store === store && one.scopes.some((scope) => /^(all|xapi)/.test(scope)),
    )
    if (reader === undefined || store % organisationCount !== reader.organisation) return undefined
    const registration =
      number % 2 === 0 ? { registration: `6f1b3c52-90aa-4d11-9f00-${number.toString(16).padStart(12, '0')}` } : {}
    const query = new URLSearchParams({ activityId, agent: JSON.stringify(agent), stateId, ...registration })
    const answer = await fetch(`${program.url}/data/xAPI/activities/state?${query.toString()}`, {
      headers: headersOf(reader),
    })
    const text = await answer.text()
    if (fate === 'rejected') return answer.status === 404 ? undefined : `state ${number}: ${answer.status}`
    const isSame =
      contentType === 'application/json' ? isDeepStrictEqual(JSON.parse(text), JSON.parse(content)) : text === content
    const said = answer.headers.get('etag')
    return isSame && said === `"${etag}"`
      ? undefined
      : `state ${number}: ${answer.status} ${said} ${text.slice(0, 100)}`
  })
}

async function checkFollowed(
  program: StartedProgram,
  { busy, inBusy }: Expected,
  { written, seen, begunAt, endedAt }: Followed & { readonly begunAt: string; readonly endedAt: string },
): Promise<readonly string[]> {
  const wanted = new Set([...inBusy.keys(), ...written])
  const missed = [...wanted].filter((id) => !seen.has(id))
  // Consistent-Through goes back when the import begins: who follows gets again what was stored live before that.
  const twice = [...seen].filter(([id, times]) => times > 1 && inBusy.has(id))
  const foreign = [...seen.keys()].filter((id) => !wanted.has(id))
  const during = await listIds(program, busy, `?since=${begunAt}&until=${endedAt}&limit=500`)
  const notLive = during.filter((id) => !written.includes(id))
  const range = [...inBusy.values()].toSorted((one, other) => one - other)
  const [from, to] = [0.3, 0.4].map((part) => Math.floor((range[Math.floor(range.length * part)] ?? 0) / 1000) * 1000)
  const iso = (at: number): string => new Date(at / 1000).toISOString()
  const between = await listIds(program, busy, `?since=${iso(from!)}&until=${iso(to!)}&limit=500`)
  const wantedBetween = range.filter((at) => at > from! && at <= to!).length
  return [
    ...(missed.length > 0 ? [`${missed.length} of ${wanted.size} were never given, such as ${missed[0]}`] : []),
    ...(twice.length > 0 ? [`${twice.length} were given twice, such as ${twice[0]?.[0]}`] : []),
    ...(foreign.length > 1 ? [`${foreign.length} that nobody stored`] : []),
    ...(notLive.length > 1 ? [`${notLive.length} imported ones seem to have been stored during the import`] : []),
    ...(during.length === 0 ? ['nothing was stored during the import'] : []),
    ...(between.length === wantedBetween
      ? []
      : [`since and until give ${between.length} in between, not ${wantedBetween}`]),
  ]
}

async function checkAgain(
  program: StartedProgram,
  where: { readonly set: string; readonly rejects: string },
  { stored, there, rejected, clients }: Expected,
): Promise<readonly string[]> {
  const { report, stderr } = await runImport(program, where)
  if (report === undefined) return [`it failed: ${stderr}`]
  const { statements, clients: keys, organisations, documents } = report.kinds
  const found = [
    statements?.stored,
    statements?.there,
    statements?.rejected,
    keys?.stored,
    keys?.there,
    organisations?.stored,
    documents?.stored,
  ]
  const wanted = [0, stored + there, rejected, 0, clients.works + clients.disabled, 0, 0]
  return isDeepStrictEqual(found, wanted) ? [] : [`${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`]
}

async function listIds(program: StartedProgram, client: SetClient, query: string): Promise<readonly string[]> {
  const ids: string[] = []
  for (let next: string | undefined = xapi + query; next !== undefined && next !== '';) {
    const answer: Response = await fetch(program.url + next, { headers: headersOf(client) })
    const page = (await answer.json()) as { statements: { id: string }[]; more: string }
    if (answer.status !== 200) throw new Error(`${next}: ${answer.status} ${JSON.stringify(page)}`)
    ids.push(...page.statements.map(({ id }) => id))
    next = page.more
  }
  return ids
}

async function inParts<T>(
  items: readonly T[],
  check: (item: T) => Promise<string | undefined>,
): Promise<readonly string[]> {
  const found: string[] = []
  for (let from = 0; from < items.length; from += atOnce) {
    const some = await Promise.all(items.slice(from, from + atOnce).map(check))
    found.push(...some.filter((problem) => problem !== undefined))
  }
  return found
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}
