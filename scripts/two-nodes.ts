// `npm run build && npx tsx scripts/two-nodes.ts [--seconds 120] [--same 10000] [--follow 200000] [--revoke 1000]
// [--only overlap,same,follow,revoke]`: two nodes over one PostgreSQL, and what must hold between them.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { benchStatement } from '../bench/statement.ts'
import { listProblems, listStatements, shownAnswers, startStatementLoad, type Target } from './statement-load.ts'
import { type Proof, runProofs, withNodes } from './proofs.ts'
import type { StartedNodes } from './started-nodes.ts'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    same: { type: 'string', default: '10000' },
    follow: { type: 'string', default: '200000' },
    revoke: { type: 'string', default: '1000' },
    only: { type: 'string', default: 'overlap,same,follow,revoke' },
  },
})

/** 64 writers, half on each node, about the same agents and activities. */
async function overlap({ nodes }: StartedNodes): Promise<readonly string[]> {
  const load = startStatementLoad({ targets: () => nodes, writers: 64 })
  await sleep(Number(options.seconds) * 1000)
  await load.end()
  const rate = Math.round(load.acknowledged.size / Number(options.seconds))
  console.log(
    `overlap: ${load.acknowledged.size} statements acknowledged, ${rate} a second; ${shownAnswers(load.answers)}`,
  )
  const problems = [...load.problems, ...(await listProblems(nodes[0]!, load.acknowledged))]
  for (const status of load.answers.keys()) if (status !== 200) problems.push(`answers of ${status}`)
  return problems
}

/** One id on both nodes at the same moment: one of the two is stored. Every other pair says the same. */
async function same({ nodes }: StartedNodes): Promise<readonly string[]> {
  const [one, other] = [nodes[0]!, nodes[1]!]
  const problems: string[] = []
  const outcomes = new Map<string, number>()
  const stored = new Set<string>()
  await inLanes(Number(options.same), 16, async (number) => {
    const statement = { ...benchStatement(number), id: randomUUID() }
    const isEqual = number % 2 === 0
    const contender = isEqual ? statement : { ...statement, result: { response: 'something else' } }
    const statuses = await Promise.all([put(one, statement), put(other, contender)])
    const outcome = statuses.toSorted().join(' and ')
    const expected = isEqual ? '204 and 204' : '204 and 409'
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    if (outcome !== expected) problems.push(`${statement.id}, ${isEqual ? 'equal' : 'different'}: ${outcome}`)
    stored.add(statement.id)
  })
  console.log(`same id: ${[...outcomes].map(([outcome, count]) => `${count} × ${outcome}`).join(', ')}`)
  return [...problems, ...(await listProblems(one, stored))]
}

async function put({ url, headers }: Target, statement: { readonly id: string }): Promise<number> {
  const response = await fetch(`${url}/xapi/statements?statementId=${statement.id}`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(statement),
  })
  await response.arrayBuffer()
  return response.status
}

/** A reader that keeps to the letter: it takes what is said to be complete, and asks from there on. */
async function follow({ nodes }: StartedNodes): Promise<readonly string[]> {
  const problems: string[] = []
  const seen = new Set<string>()
  let since = (await listStatements(nodes[0]!)).consistentThrough
  const load = startStatementLoad({ targets: () => nodes, writers: 32, most: Number(options.follow) })
  let reads = 0
  const read = async (): Promise<void> => {
    const { statements, consistentThrough } = await listStatements(nodes[0]!, since)
    const through = micros(consistentThrough)
    if (through < micros(since)) problems.push(`Consistent-Through went back from ${since} to ${consistentThrough}`)
    for (const { id } of statements.filter(({ stored }) => micros(stored) <= through)) {
      if (seen.has(id)) problems.push(`${id} came twice`)
      seen.add(id)
    }
    since = consistentThrough
    reads++
  }
  let isOver = false
  const reading = (async () => {
    while (!isOver) await read()
  })()
  const start = performance.now()
  await load.done
  const took = (performance.now() - start) / 1000
  isOver = true
  await reading
  // Idle, it passes the present within 100 ms.
  for (let again = 0; again < 20 && seen.size < load.acknowledged.size; again++) await sleep(50).then(read)
  const missed = [...load.acknowledged].filter((id) => !seen.has(id))
  if (missed.length > 0) problems.push(`${missed.length} statements were missed, as ${missed[0]}`)
  console.log(
    `follow: ${load.acknowledged.size} statements in ${took.toFixed(0)} s, ${seen.size} seen in ${reads} reads, ${missed.length} missed; ${shownAnswers(load.answers)}`,
  )
  return [...problems, ...load.problems]
}

/** Microseconds of an ISO time with up to six digits of a second. */
function micros(time: string): number {
  const [, whole = '', digits = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? []
  return Date.parse(`${whole}Z`) * 1000 + Number(digits.padEnd(6, '0').slice(0, 6))
}

/** A key that node A revokes is refused by node B within a second; every other try with B's listener cut again and again. */
async function revoke({ nodes, ask }: StartedNodes): Promise<readonly string[]> {
  const problems: string[] = []
  const tries = Number(options.revoke)
  for (const isCut of [false, true]) {
    const waits: number[] = []
    const cutting = isCut ? startCutting(ask) : undefined
    await inLanes(tries / 2, 8, async (number) => {
      // From an address each: hundreds of refusals to one address would be answered 429.
      const address = `10.${isCut ? 1 : 0}.${number >> 8}.${number & 255}`
      const other = { ...nodes[1]!, headers: { ...nodes[1]!.headers, 'x-forwarded-for': address } }
      const waited = await revokeOnce(nodes[0]!, other)
      waits.push(waited)
      if (waited >= 1000) problems.push(`a revoked key was taken for ${Math.round(waited)} ms`)
    })
    const cuts = await cutting?.end()
    const sorted = waits.toSorted((one, other) => one - other)
    const at = (part: number) => Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0)
    console.log(
      `revoke${isCut ? `, the listeners cut ${cuts} times` : ''}: ${waits.length} tries, ${at(0.5)} ms median, ${at(0.99)} ms for 99 %, ${at(1)} ms most`,
    )
    if (isCut && cuts === 0) problems.push('no listener was found to cut')
  }
  return problems
}

/** Milliseconds between the answer of the one and the refusal of the other, which had taken the key just before. */
async function revokeOnce(one: Target, other: Target): Promise<number> {
  const api = `${one.url}/api/organizations/1/activity-providers`
  const headers = { ...one.headers, 'content-type': 'application/json' }
  const made = await fetch(api, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name: 'To be revoked', lrsAccess: 'isolated' }),
  })
  const { id, key, secret } = (await made.json()) as { id: number; key: string; secret: string }
  const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
  const status = async (): Promise<number> => {
    const response = await fetch(`${other.url}/xapi/statements?limit=1`, {
      headers: { ...other.headers, authorization },
    })
    await response.arrayBuffer()
    return response.status
  }
  if ((await status()) !== 200) throw new Error('a new key was not taken')
  const revoked = await fetch(`${api}/${id}`, { method: 'DELETE', headers: one.headers })
  await revoked.arrayBuffer()
  if (!revoked.ok) throw new Error(`revoking: ${revoked.status}`)
  const start = performance.now()
  for (let asked = start; ; asked = performance.now()) {
    const answer = await status()
    if (answer === 401) return asked - start
    if (answer !== 200) throw new Error(`a revoked key was answered ${answer}`)
    if (asked - start > 10_000) return asked - start
  }
}

function startCutting(ask: StartedNodes['ask']): { end(): Promise<number> } {
  let isOver = false
  let cuts = 0
  const cutting = (async () => {
    while (!isOver) {
      const cut = await ask(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'claviger listener'`,
      )
      cuts += cut.length
      await sleep(20 + 400 * Math.random())
    }
  })()
  return {
    async end() {
      isOver = true
      await cutting
      return cuts
    },
  }
}

/** `count` calls, `lanes` at a time. */
async function inLanes(count: number, lanes: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** From empty, so that what is listed is what it stored. */
function onTwoNodes(prove: (nodes: StartedNodes) => Promise<readonly string[]>): Proof {
  return () =>
    withNodes({ nodes: 2 }, async (started) => {
      const problems = await prove(started)
      return [...problems, ...started.logProblems().map((line) => `the database logged ${line}`)]
    })
}

await runProofs(
  'two-nodes.ts',
  {
    overlap: onTwoNodes(overlap),
    same: onTwoNodes(same),
    follow: onTwoNodes(follow),
    revoke: onTwoNodes(revoke),
  },
  options.only,
)
