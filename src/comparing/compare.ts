// Replays recorded requests against two stores and gathers in which way their answers differ. Sends GET and nothing else; knows neither
// files nor the command line.

import type { Outbound, OutboundAnswer } from '../core/outbound.ts'
import {
  compareContent,
  compareHeaders,
  compareParts,
  compareStatus,
  contentOf,
  isContent,
  pageOf,
  resourceOf,
} from './answers.ts'
import type { Content } from './answers.ts'
import { difference, Differences } from './difference.ts'
import type { Difference, DifferenceGroup } from './difference.ts'
import type { RecordedRequest } from './recording.ts'
import { Side } from './side.ts'
import type { SideSettings } from './side.ts'
import { compareLists, compareStatement } from './statements.ts'
import type { Statement, StatementList } from './statements.ts'

export interface CompareSettings {
  readonly outbound: Outbound
  readonly left: SideSettings
  readonly right: SideSettings
  /** Requests at a time; each asks both sides. */
  readonly concurrency: number
  /** Of one list, on each side. */
  readonly pages: number
  readonly signal: AbortSignal
  onProgress?(done: number, total: number): void
}

export interface Comparison {
  readonly compared: number
  /** Without any difference that matters. */
  readonly equal: number
  readonly differing: number
  /** Both answered with content that is not for everybody, as About is: so key and secret are right. */
  readonly answered: number
  /** By status: both refused with the same. Equal, and says nothing of what the stores hold. */
  readonly refused: Readonly<Record<string, number>>
  readonly groups: readonly DifferenceGroup[]
}

/** Rejects with the signal's reason only. */
export async function compareStores(
  requests: readonly RecordedRequest[],
  settings: CompareSettings,
): Promise<Comparison> {
  const { outbound, signal, concurrency, onProgress } = settings
  const stores = new Stores({
    left: new Side(outbound, settings.left, signal),
    right: new Side(outbound, settings.right, signal),
    pages: settings.pages,
  })
  const gathered = new Differences()
  const refused: Record<string, number> = {}
  let [next, done, differing, answered] = [0, 0, 0, 0]
  const work = async (): Promise<void> => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
      const { found, status } = await stores.compare(request)
      gathered.add(`GET ${request.path}`, found)
      if (isContent(status)) answered += resourceOf(request.path) === 'about' ? 0 : 1
      else if (status !== undefined) refused[status] = (refused[status] ?? 0) + 1
      if (found.some(({ matters }) => matters)) differing += 1
      done += 1
      onProgress?.(done, requests.length)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return { compared: done, equal: done - differing, differing, answered, refused, groups: gathered.groups }
}

interface Compared {
  readonly found: readonly Difference[]
  /** Of both, where they answered with the same. */
  readonly status: number | undefined
}

class Stores {
  readonly #left: Side
  readonly #right: Side
  readonly #pages: number

  constructor({ left, right, pages }: { readonly left: Side; readonly right: Side; readonly pages: number }) {
    this.#left = left
    this.#right = right
    this.#pages = pages
  }

  async compare(request: RecordedRequest): Promise<Compared> {
    const { path, headers } = request
    const [left, right] = await Promise.all([this.#left.get(path, headers), this.#right.get(path, headers)])
    const status = left.status === right.status ? left.status : undefined
    const byStatus = compareStatus(left, right)
    if (byStatus !== undefined) return { found: byStatus, status }
    return { found: await this.#compareAnswers(request, left as OutboundAnswer, right as OutboundAnswer), status }
  }

  async #compareAnswers(request: RecordedRequest, ...answers: [OutboundAnswer, OutboundAnswer]) {
    const { path } = request
    try {
      const resource = resourceOf(path)
      const contents = await Promise.all(answers.map(contentOf))
      const [one, other] = contents as [Content, Content]
      const byContent =
        resource === 'statements'
          ? await this.#compareStatements(request, one, other)
          : compareContent(resource, one, other)
      return [...compareHeaders(...answers, resource), ...byContent]
    } catch (error) {
      // Nested beyond what can be walked.
      if (error instanceof RangeError) return [difference('an answer is nested too deeply to be compared')]
      throw error
    }
  }

  async #compareStatements(request: RecordedRequest, left: Content, right: Content): Promise<readonly Difference[]> {
    const { searchParams } = new URL(request.path, 'http://relative.invalid')
    const isCanonical = searchParams.get('format') === 'canonical'
    const byParts = compareParts(left.parts, right.parts)
    if (searchParams.has('statementId') || searchParams.has('voidedStatementId')) {
      const [one, other] = [left.json, right.json]
      if (isStatement(one) && isStatement(other)) return [...byParts, ...compareStatement(one, other, isCanonical)]
      return [difference('one of them answers no statement')]
    }
    const limit = Number(searchParams.get('limit') ?? 0)
    const most = Number.isSafeInteger(limit) && limit > 0 ? limit : Infinity
    const [one, other] = await Promise.all([
      this.#readList(this.#left, request, left.json, most),
      this.#readList(this.#right, request, right.json, most),
    ])
    if (typeof one === 'string') return [difference(`left: ${one}`)]
    if (typeof other === 'string') return [difference(`right: ${other}`)]
    // Further pages may bring further attachments: only of whole first pages they are the same.
    const isOnePage = one.pages === 1 && other.pages === 1
    return [...(isOnePage ? byParts : []), ...compareLists(one, other, isCanonical)]
  }

  /** Until there are as many as were asked for; a text says why there is no list. */
  async #readList(
    side: Side,
    { headers }: RecordedRequest,
    first: unknown,
    most: number,
  ): Promise<(StatementList & { readonly pages: number }) | string> {
    const statements: Statement[] = []
    let page = pageOf(first)
    for (let pages = 1; ; pages++) {
      if (page === undefined)
        return pages === 1 ? 'the answer is no list of statements' : 'a page is no list of statements'
      for (const statement of page.statements) statements.push(statement)
      const isEnough = statements.length >= most
      if (page.more === undefined || isEnough || pages >= this.#pages) {
        const isCut = page.more !== undefined || statements.length > most
        return { statements: statements.slice(0, most), isCut, pages }
      }
      const answer = await side.getMore(page.more, headers)
      if (answer === undefined) return 'more leads to another server'
      if (answer.status === undefined) return `a further page was not reached: ${answer.reason}`
      if (answer.status !== 200) return `a further page was refused with ${answer.status}`
      page = pageOf((await contentOf(answer)).json)
    }
  }
}

function isStatement(value: unknown): value is Statement {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
