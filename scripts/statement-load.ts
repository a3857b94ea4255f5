// Clients that store statements as fast as they are answered, send again what was not acknowledged, and remember what was; and
// the question whether all of it is there, once.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { benchStatement } from '../bench/statement.ts'

export interface Target {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface LoadOptions {
  /** Asked before each request, for nodes come and go. */
  readonly targets: () => readonly Target[]
  readonly writers: number
  /** In turn. */
  readonly batchSizes?: readonly number[]
  /** No more than this many statements. */
  readonly most?: number
}

export interface Load {
  readonly acknowledged: ReadonlySet<string>
  /** How often which answer came; 0: none. */
  readonly answers: ReadonlyMap<number, number>
  /** The words of each 503, and how often. */
  readonly refusals: ReadonlyMap<string, number>
  readonly problems: readonly string[]
  /** Resolves when `most` are acknowledged, or `end` was called. */
  readonly done: Promise<void>
  /** When the last acknowledgement came, by `performance.now()`. */
  lastAt(): number
  /** What is under way is sent until it is acknowledged. */
  end(): Promise<void>
}

export function startStatementLoad(options: LoadOptions): Load {
  const { targets, writers, batchSizes = [1, 1, 1, 10, 50], most = Number.POSITIVE_INFINITY } = options
  const acknowledged = new Set<string>()
  const answers = new Map<number, number>()
  const refusals = new Map<string, number>()
  const problems: string[] = []
  let isEnding = false
  let sent = 0
  let lastAt = 0

  const send = async (body: string, writer: number): Promise<number> => {
    const nodes = targets()
    const { url = '', headers = {} } = nodes[writer % nodes.length] ?? {}
    try {
      const response = await fetch(`${url}/xapi/statements`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
      })
      const { status } = response
      if (status === 503 && response.headers.get('retry-after') === null) problems.push('503 without Retry-After')
      const text = await response.text().catch(() => '')
      if (status === 503) refusals.set(wordsOf(text), (refusals.get(wordsOf(text)) ?? 0) + 1)
      if (status !== 200 && status !== 503) problems.push(`${status} ${text.slice(0, 300)}`)
      return status
    } catch {
      return 0
    }
  }
  const write = async (writer: number): Promise<void> => {
    for (let turn = 0; !isEnding && sent < most; turn++) {
      const size = Math.min(batchSizes[(turn + writer) % batchSizes.length] ?? 1, most - sent)
      const statements = Array.from({ length: size }, () => overlapping(sent++))
      const body = JSON.stringify(statements)
      for (let status = -1, until = performance.now() + 120_000; status !== 200;) {
        if (status !== -1) await sleep(50 + 100 * Math.random())
        status = await send(body, writer)
        answers.set(status, (answers.get(status) ?? 0) + 1)
        if (status !== 200 && performance.now() > until) throw new Error('not acknowledged within two minutes')
      }
      for (const { id } of statements) acknowledged.add(id)
      lastAt = performance.now()
    }
  }
  const done = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer))).then(
    () => undefined,
    (error: unknown) => void problems.push(String(error)),
  )
  return {
    acknowledged,
    answers,
    refusals,
    problems,
    done,
    lastAt: () => lastAt,
    end: () => {
      isEnding = true
      return done
    },
  }
}

/** Without the request's id, which is another each time. */
function wordsOf(text: string): string {
  return text.replaceAll(/"requestId":"[^"]*"|\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, '…').slice(0, 200)
}

/** What many say at the same time is about the same few, some of whom were never heard of before. */
function overlapping(number: number) {
  const moment = Math.floor(number / 97)
  const statement = benchStatement(number)
  const object = { id: `https://content.example.org/live/${moment}`, definition: { name: { en: `Moment ${moment}` } } }
  const actor = { mbox: `mailto:learner${(number * 7) % 53}.${moment >> 3}@example.org`, name: `Learner ${number % 5}` }
  return { id: randomUUID(), ...statement, actor, object }
}

export interface Listed {
  readonly id: string
  readonly stored: string
}

/** All statements stored after `since`, and the time they are complete through. */
export async function listStatements(
  { url, headers }: Target,
  since?: string,
): Promise<{ readonly statements: readonly Listed[]; readonly consistentThrough: string }> {
  const statements: Listed[] = []
  let consistentThrough = ''
  let next = `/xapi/statements?ascending=true&limit=0${since ? `&since=${encodeURIComponent(since)}` : ''}`
  while (next !== '') {
    const response = await fetch(new URL(next, url), { headers })
    if (response.status !== 200) throw new Error(`list: ${response.status} ${await response.text()}`)
    consistentThrough ||= response.headers.get('x-experience-api-consistent-through') ?? ''
    const page = (await response.json()) as { readonly statements: readonly Listed[]; readonly more?: string }
    for (const { id, stored } of page.statements) statements.push({ id, stored })
    next = page.more ?? ''
  }
  return { statements, consistentThrough }
}

/** What of the acknowledged is missing, what is there twice, and where stored times do not ascend. */
export async function listProblems(target: Target, acknowledged: ReadonlySet<string>): Promise<string[]> {
  const { statements } = await listStatements(target)
  const found = new Set(statements.map(({ id }) => id))
  const problems: string[] = []
  const missing = [...acknowledged].filter((id) => !found.has(id))
  if (missing.length > 0) problems.push(`${missing.length} acknowledged statements are missing, as ${missing[0]}`)
  if (found.size < statements.length) problems.push(`${statements.length - found.size} statements are listed twice`)
  const early = statements.find(({ stored }, index) => index > 0 && stored <= (statements[index - 1]?.stored ?? ''))
  if (early) problems.push(`${early.id} is not later than the one before it: ${early.stored}`)
  return problems
}

export function shownAnswers(answers: ReadonlyMap<number, number>): string {
  const sorted = [...answers].toSorted(([one], [other]) => one - other)
  return sorted.map(([status, count]) => `${count} × ${status === 0 ? 'no answer' : status}`).join(', ')
}
