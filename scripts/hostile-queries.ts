// What hostile queries do to a server: operators that are not offered, regular expressions made to explode, deep and wide filters,
// names of prototypes, huge limits, over tens of thousands of statements: `npx tsx scripts/hostile-queries.ts [--statements 30000]
// [--engine sqlite|postgres]`. Each is to be answered, by 200 or a 400 that says why, and none may block the event loop of the server
// for 100 ms. The server is a process of its own, so that this one's work is not measured.

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import type { Core } from '../src/core/core.ts'
import { rightsOf } from '../src/faces/learninglocker/words.ts'
import { listen } from '../src/server.ts'
import { startPostgres } from '../test/support/postgres.ts'
import { temporaryDirectory } from '../test/support/program.ts'

const mostBlockedMs = 100
const tickMs = 2

interface Ready {
  readonly url: string
  readonly authorization: string
}

interface Measured {
  /** The longest time in which the server did nothing but one thing, since this was last asked. */
  readonly blockedMs: number
  readonly residentMiB: number
}

// ---------------------------------------------------------------------------------------------------------------------
// The server

async function serve(): Promise<void> {
  const { app, url, stop } = await listen(loadConfig(process.env), createApp)
  const authorization = await makeClients(app.core)
  const measured = watch()
  process.on('message', () => void process.send?.(measured()))
  process.on('disconnect', () => void stop(1).then(() => process.exit()))
  process.send?.({ url, authorization } satisfies Ready)
}

/** One with the scope all, and thousands beside it. */
async function makeClients(core: Core): Promise<string> {
  const { organisation } = await core.organisations.create({ operator: 'script' }, { name: 'Hostile' })
  const operator = core.signIn.operator(organisation.id, 'script')
  for (let n = 0; n < 2_000; n += 1) {
    await core.credentials.create(operator, { name: `Client ${n} ${'ab'.repeat(40)}`, rights: rightsOf(['state']) })
  }
  const { key, secret } = await core.credentials.create(operator, { name: 'Hostile', rights: rightsOf(['all']) })
  return `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
}

function watch(): () => Measured {
  let longest = 0
  let last = { at: performance.now(), waited: waitedMs() }
  const look = (): void => {
    const now = { at: performance.now(), waited: waitedMs() }
    // Where it was others that had the processor, nothing of it was the server's doing.
    longest = Math.max(longest, now.at - last.at - tickMs - (now.waited - last.waited))
    last = now
  }
  setInterval(look, tickMs).unref()
  return () => {
    look()
    const blockedMs = longest
    longest = 0
    return { blockedMs, residentMiB: process.memoryUsage().rss / 2 ** 20 }
  }
}

/** How long the main thread was ready to run and did not, as Linux counts it; 0 elsewhere. */
function waitedMs(): number {
  try {
    const [, waited] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')
    return Number(waited) / 1e6
  } catch {
    return 0
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Who attacks

interface Outcome extends Measured {
  readonly name: string
  readonly status: number
  readonly seconds: number
  readonly text: string
}

async function attack(): Promise<void> {
  const { values } = parseArgs({
    options: {
      statements: { type: 'string', default: '30000' },
      engine: { type: 'string', default: 'sqlite' },
      /** Only queries whose name has this. */
      only: { type: 'string', default: '' },
    },
  })
  const database = values.engine === 'postgres' ? await openDatabase() : undefined
  const directory = temporaryDirectory()
  // Collecting garbage on threads of its own, it waits for those, too, where others have the processors: that would be measured.
  const execArgv = [...process.execArgv, '--single-threaded-gc']
  const child = fork(import.meta.filename, [], {
    execArgv,
    env: {
      ...process.env,
      ...{ CLAVIGER_DATA: directory, CLAVIGER_PORT: '0', CLAVIGER_LOG_LEVEL: 'error' },
      CLAVIGER_MASTER_KEY: randomBytes(32).toString('base64'),
      ...(database && { CLAVIGER_DATABASE_URL: database.url }),
    },
  })
  const [ready] = (await once(child, 'message')) as [Ready]
  await store(ready, Number(values.statements))
  const outcomes: Outcome[] = []
  for (const { name, path } of requests()) {
    if (!name.includes(values.only)) continue
    const outcome = await send(child, ready, { name, path })
    outcomes.push(outcome)
    const { status, seconds, blockedMs, residentMiB, text } = outcome
    const numbers = [
      String(status),
      `${seconds.toFixed(2)} s`,
      `${blockedMs.toFixed(0)} ms`,
      `${residentMiB.toFixed(0)} MiB`,
    ]
    console.log(`${name.padEnd(44)} ${numbers.map((one) => one.padStart(9)).join(' ')}  ${status === 200 ? '' : text}`)
  }
  outcomes.push(await together(child, ready))
  report(outcomes)
  child.disconnect()
  await once(child, 'exit')
  await database?.stop()
  rmSync(directory, { recursive: true, force: true })
}

async function openDatabase(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server = await startPostgres()
  return { url: server.url, stop: () => server.stop() }
}

const longText = 'ab'.repeat(60_000)

/** Most as statements are; some with a long text, some with very many members. */
async function store({ url, authorization }: Ready, count: number): Promise<void> {
  const headers = { authorization, 'content-type': 'application/json', 'x-experience-api-version': '1.0.3' }
  for (let from = 0; from < count; from += 200) {
    const statements = Array.from({ length: Math.min(200, count - from) }, (_, index) => newStatement(from + index))
    const answer = await fetch(`${url}/data/xAPI/statements`, {
      method: 'POST',
      headers,
      body: JSON.stringify(statements),
    })
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    await answer.text()
  }
  console.log(`${count} statements are stored.`)
}

function newStatement(n: number): object {
  const many = Array.from({ length: 5_000 }, (_, index) => ({ a: index, b: [index] }))
  const extensions = n % 5_000 === 1 ? { 'https://example.org/many': many } : {}
  return {
    id: randomUUID(),
    actor: { account: { homePage: 'https://lms.example.org', name: `learner-${n % 997}` } },
    verb: { id: `http://adlnet.gov/expapi/verbs/${['completed', 'experienced', 'passed'][n % 3]}` },
    object: {
      id: `https://example.org/activity/${n % 211}`,
      definition: { name: { en: `Activity ${n % 211} ababababab` } },
    },
    result: { response: n % 3_000 === 2 ? longText : 'ab'.repeat(n % 40), extensions },
    timestamp: new Date(Date.now() - (n % 10_000) * 60_000).toISOString(),
  }
}

async function send(
  child: ChildProcess,
  { url, authorization }: Ready,
  { name, path }: { readonly name: string; readonly path: string },
): Promise<Outcome> {
  await measure(child)
  const begun = performance.now()
  const answer = await fetch(url + path, { headers: { authorization } })
  const text = (await answer.text()).slice(0, 160)
  const seconds = (performance.now() - begun) / 1000
  return { name, status: answer.status, seconds, text, ...(await measure(child)) }
}

async function measure(child: ChildProcess): Promise<Measured> {
  child.send('measure')
  const [measured] = (await once(child, 'message')) as [Measured]
  return measured
}

/** Ten at a time, of those that take longest. */
async function together(child: ChildProcess, ready: Ready): Promise<Outcome> {
  await measure(child)
  const begun = performance.now()
  const path = statements({ 'statement.object.definition.name.en': { $regex: '(a|b)*a(a|b){40}c' } })
  const each = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const answer = await fetch(ready.url + path, { headers: { authorization: ready.authorization } })
      await answer.text()
      return answer.status
    }),
  )
  const outcome = { ...(await measure(child)), seconds: (performance.now() - begun) / 1000 }
  const status = each.every((one) => one === 400 || one === 200 || one === 503) ? 200 : Math.max(...each)
  console.log(
    `ten at once: ${each.join(' ')}, ${outcome.blockedMs.toFixed(0)} ms, ${outcome.residentMiB.toFixed(0)} MiB`,
  )
  return { name: 'ten at once', status, text: '', ...outcome }
}

function report(outcomes: readonly Outcome[]): void {
  const wrong = outcomes.filter(({ status }) => status !== 200 && status !== 400 && status !== 431)
  const slow = outcomes.filter(({ blockedMs }) => blockedMs >= mostBlockedMs)
  for (const { name, status } of wrong) console.error(`${name} was answered by ${status}.`)
  for (const { name, blockedMs } of slow) console.error(`${name} blocked the server for ${blockedMs.toFixed(0)} ms.`)
  const longest = Math.max(...outcomes.map(({ blockedMs }) => blockedMs))
  const resident = Math.max(...outcomes.map(({ residentMiB }) => residentMiB))
  console.log(
    `${outcomes.length} queries; blocked for ${longest.toFixed(0)} ms at most; ${resident.toFixed(0)} MiB resident at most.`,
  )
  if (wrong.length + slow.length > 0) process.exitCode = 1
}

// ---------------------------------------------------------------------------------------------------------------------
// What is sent

function statements(query: unknown, more: Readonly<Record<string, string>> = {}): string {
  return `/api/v2/statement?${new URLSearchParams({ query: JSON.stringify(query), ...more }).toString()}`
}

function connection(asked: Readonly<Record<string, unknown>>, model = 'statement'): string {
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
  const members = Object.entries(asked).map(([name, value]) => [name, text(value)] as const)
  return `/api/connection/${model}?${new URLSearchParams(Object.fromEntries(members)).toString()}`
}

function nested(depth: number, operator: string): unknown {
  let query: unknown = { a: 1 }
  for (let level = 0; level < depth; level += 1) query = operator === '$not' ? { a: query } : { [operator]: [query] }
  return query
}

const bombs = [
  '(a|b)*a(a|b){400}c|Q$',
  '[ab]*a[ab]{500}c',
  '(a+)+$',
  '(a|aa)+$',
  '(.*a){25}',
  '((a{0,30}){0,30}){0,30}',
  '\\b(?:.{0,400}a){2}\\b\\B',
  '(?i)(\\pL?){400}\\pL{400}9',
  '^(?:.?){900}$',
  '(a?){500}a{500}',
]

function* requests(): Generator<{ readonly name: string; readonly path: string }> {
  const injections = [
    '$where',
    '$expr',
    '$function',
    '$accumulator',
    '$jsonSchema',
    '$text',
    '$mod',
    '$size',
    '$type',
    '$all',
  ]
  for (const operator of injections) yield { name: operator, path: statements({ [operator]: 'sleep(10000)' }) }
  yield { name: '$where inside', path: statements({ $and: [{ $or: [{ 'statement.id': { $where: 'sleep(1)' } }] }] }) }
  yield { name: '$function inside a value', path: statements({ statement: { a: { $function: { body: '1' } } } }) }
  for (const bomb of bombs) {
    for (const path of ['statement.result.response', 'statement.object.definition.name.en']) {
      yield { name: `${bomb.slice(0, 22)} on ${path.slice(-12)}`, path: statements({ [path]: { $regex: bomb } }) }
    }
    yield {
      name: `${bomb.slice(0, 22)} on clients`,
      path: connection({ filter: { title: { $regex: bomb } } }, 'client'),
    }
  }
  const many = Array.from({ length: 40 }, (_, n) => ({
    'statement.result.response': { $regex: `(a|b)*${n}(a|b){20}` },
  }))
  yield { name: 'forty patterns', path: statements({ $or: many }) }
  yield { name: 'a pattern of 4,000 characters', path: statements({ a: { $regex: 'a?'.repeat(2_000) } }) }
  for (const operator of ['$and', '$or', '$nor', '$not']) {
    yield { name: `${operator} 19 deep`, path: statements(nested(8, operator)) }
    yield { name: `${operator} 100 deep`, path: statements(nested(100, operator)) }
    yield { name: `${operator} 1,500 deep`, path: statements(nested(700, operator)) }
  }
  yield { name: 'a path of 2,000 names', path: statements({ [Array.from({ length: 2_000 }, () => 'a').join('.')]: 1 }) }
  const wide = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`statement.x${n}`, { $ne: n }]))
  yield { name: '400 conditions', path: statements(wide) }
  const inMany = {
    'statement.result.extensions.https://example.org/many.a': { $in: Array.from({ length: 1_500 }, (_, n) => -n) },
  }
  yield { name: '$in of 1,500 over 5,000', path: statements(inMany) }
  const branch = { 'statement.result.extensions': { $elemMatch: { b: { $elemMatch: { $gt: 4_999 } } } } }
  yield { name: '$elemMatch in $elemMatch', path: statements(branch) }
  for (const name of ['__proto__', 'constructor', 'prototype', 'toString', '__proto__.polluted']) {
    yield { name, path: statements(JSON.parse(`{"${name}":{"$exists":true}}`)) }
    yield { name: `select ${name}`, path: `/api/v2/statement?limit=2&select=${name}` }
    yield { name: `sort ${name}`, path: `/api/v2/statement?limit=2&sort=${name}` }
    yield { name: `project ${name}`, path: connection({ project: JSON.parse(`{"${name}":1}`), first: '2' }) }
  }
  for (const limit of ['1000', '10000', '1e9', '99999999999999999999', '-5', '9007199254740991']) {
    yield { name: `limit ${limit}`, path: `/api/v2/statement?limit=${limit}` }
    yield { name: `first ${limit}`, path: connection({ first: limit }) }
    yield { name: `skip ${limit}`, path: `/api/v2/statement?limit=1&skip=${limit}` }
  }
  yield { name: 'no limit', path: '/api/v2/statement' }
  yield { name: 'count by what no index has', path: `/api/v2/statement/count?query={"statement.result.response":"ab"}` }
  yield { name: 'distinct of everything', path: '/api/v2/statement?distinct=statement' }
  yield { name: 'sorted by what no index has', path: '/api/v2/statement?sort=statement.result.response&limit=10' }
  yield { name: 'sorted by timestamp, newest', path: connection({ sort: { timestamp: -1 }, first: '10' }) }
  yield { name: 'sorted by timestamp, oldest', path: connection({ sort: { timestamp: 1 }, first: '10' }) }
  const keys = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`statement.result.extensions.${n}`, 1]))
  yield { name: 'sorted by 20 keys', path: connection({ sort: keys, first: '1000' }) }
  const forged = Buffer.from(JSON.stringify({ _id: { $gt: '' } })).toString('base64')
  yield { name: 'a forged cursor', path: connection({ after: forged }) }
  yield { name: 'a cursor of an array', path: connection({ after: Buffer.from('[[[[]]]]').toString('base64') }) }
  yield { name: 'clients, all', path: '/api/v2/client' }
  yield { name: 'clients, by 20 keys', path: connection({ sort: keys, first: '1000' }, 'client') }
  yield { name: 'populate', path: '/api/v2/client?populate=organisation,lrs_id,organisation,lrs_id' }
}

if (process.send === undefined) await attack()
else await serve()
