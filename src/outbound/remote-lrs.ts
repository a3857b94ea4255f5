// A Learning Record Store elsewhere, over HTTP: posts statements to it, asks which it has, reads what it has. What it answers becomes
// what a pipe should do next, with a reason that says where it was and what it said, never a password.

import { randomBytes } from 'node:crypto'
import { isDomainError } from '../core/errors.ts'
import { writeParts } from '../core/multipart-writer.ts'
import type { PartToWrite } from '../core/multipart-writer.ts'
import { OutboundError, retryAfterMs } from '../core/outbound.ts'
import type { Outbound, OutboundAnswer, OutboundRequest } from '../core/outbound.ts'
import type {
  Delivery,
  Endpoint,
  Later,
  OutgoingPart,
  OutgoingStatement,
  ReadPage,
  ReadStatement,
  Refused,
  RemoteLrs,
  RemoteLrsDoor,
} from '../core/remote-lrs.ts'
import { readPage, readPartsOf, readSingle } from './remote-page.ts'
import type { XapiVersion } from '../core/xapi/version.ts'

const timeoutMs = 60_000
/** What a store says to a POST: as many ids as were sent, or why not. */
const mostAnswered = 1024 * 1024
/** A page of statements, or one statement with its attachments. */
const mostRead = 32 * 1024 * 1024
/** Parts that are put together in memory, so that their length can be told before; longer ones are sent as they are read. */
const mostInMemory = 8 * 1024 * 1024
/** Of what a store says when it refuses. */
const mostSaid = 300

/** Stores whose versions are known, and for how long. */
const mostRemembered = 1_000
const rememberedMs = 3_600_000

const latest: Record<XapiVersion, string> = { '1.0': '1.0.3', '2.0': '2.0.0' }

/** Statuses after which a later attempt may pass. */
const passing: ReadonlySet<number> = new Set([408, 423, 425, 429])
/** What refuses everything alike: fewer statements would not help. */
const refusingAll: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 410, 421])

export function remoteLrsDoor(outbound: Outbound): RemoteLrsDoor {
  const spoken = new SpokenVersions()
  return {
    open: (endpoint, known = {}) => new HttpLrs({ outbound, spoken }, endpoint, known.isBare === true),
    problemWith: (url) => outbound.problemWith(url),
  }
}

/** Which versions a store says it speaks: asked again after a while, for it may learn. */
class SpokenVersions {
  readonly #known = new Map<string, { readonly versions: readonly string[]; readonly until: number }>()

  find(root: string): readonly string[] | undefined {
    const known = this.#known.get(root)
    return known !== undefined && known.until > performance.now() ? known.versions : undefined
  }

  learn(root: string, versions: readonly string[]): readonly string[] {
    if (this.#known.size >= mostRemembered) this.#known.clear()
    this.#known.set(root, { versions, until: performance.now() + rememberedMs })
    return versions
  }
}

interface Parts {
  readonly outbound: Outbound
  readonly spoken: SpokenVersions
}

class HttpLrs implements RemoteLrs {
  readonly #outbound: Outbound
  readonly #spoken: SpokenVersions
  readonly #endpoint: Endpoint
  readonly #root: string
  #isBare: boolean

  constructor({ outbound, spoken }: Parts, endpoint: Endpoint, isBare: boolean) {
    this.#outbound = outbound
    this.#spoken = spoken
    this.#endpoint = endpoint
    this.#root = endpoint.url.replace(/\/+$/, '')
    this.#isBare = isBare
  }

  get isBare(): boolean {
    return this.#isBare
  }

  async deliver(statements: readonly OutgoingStatement[], signal: AbortSignal): Promise<Delivery> {
    try {
      return await this.#deliver(statements, signal)
    } catch (error) {
      return this.#failureOf(error, signal)
    }
  }

  async #deliver(statements: readonly OutgoingStatement[], signal: AbortSignal): Promise<Delivery> {
    const answer = await this.#post(statements, signal)
    const { status } = answer
    if (status === 409) return this.#settle(statements, answer, signal)
    if (status === 200 || status === 204) return this.#acknowledged(statements, answer)
    if (status === 413) return { kind: 'fewer', reason: this.#said(answer) }
    if (!this.#isBare && (status === 400 || status === 403) && /authority|stored/i.test(textOf(answer))) {
      this.#isBare = true
      return this.#deliver(statements, signal)
    }
    const refusal = this.#refusalOf(answer)
    const isForOne = refusal.kind === 'refused' && status >= 400 && !refusingAll.has(status)
    if (!isForOne) return refusal
    const which = statements.length === 1 ? ` (statement ${statements[0]?.id})` : ''
    return { kind: 'fewer', reason: `${refusal.reason}${which}` }
  }

  /** A web page that answers everything with 200 must not swallow statements. */
  #acknowledged(statements: readonly OutgoingStatement[], answer: OutboundAnswer): Delivery {
    if (answer.status === 204) return { kind: 'delivered', alreadyThere: 0 }
    const ids = idsIn(answer)
    if (statements.every(({ id }) => ids.has(id))) return { kind: 'delivered', alreadyThere: 0 }
    const reason = `${this.#root} does not answer as a store of statements does: ${this.#said(answer)}`
    return { kind: 'refused', reason }
  }

  /**
   * It has other statements with some of the ids, or ones that it does not recognise as the same: those count as delivered, each only
   * after it said so. The others are sent again, without them.
   */
  async #settle(
    statements: readonly OutgoingStatement[],
    conflict: OutboundAnswer,
    signal: AbortSignal,
  ): Promise<Delivery> {
    const missing: OutgoingStatement[] = []
    for (const statement of statements) {
      const has = await this.#has(statement, signal)
      // It lets nobody look: alone, the conflict can only be about this one.
      if (has === 'hidden') {
        return statements.length === 1
          ? { kind: 'delivered', alreadyThere: 1 }
          : { kind: 'fewer', reason: this.#said(conflict) }
      }
      if (typeof has !== 'boolean') return has
      if (!has) missing.push(statement)
    }
    const alreadyThere = statements.length - missing.length
    if (missing.length === 0) return { kind: 'delivered', alreadyThere }
    if (alreadyThere === 0) {
      const which = statements.length === 1 ? `, but it has no statement ${statements[0]?.id}` : ''
      return { kind: 'fewer', reason: `${this.#said(conflict)}${which}` }
    }
    const rest = await this.#deliver(missing, signal)
    return rest.kind === 'delivered' ? { ...rest, alreadyThere: rest.alreadyThere + alreadyThere } : rest
  }

  async #has(statement: OutgoingStatement, signal: AbortSignal): Promise<boolean | 'hidden' | Later | Refused> {
    for (const parameter of ['statementId', 'voidedStatementId']) {
      const path = `/statements?${parameter}=${encodeURIComponent(statement.id)}`
      const answer = await this.#get(path, statement.version, signal)
      if (answer.status === 200) return true
      if (answer.status === 401 || answer.status === 403) return 'hidden'
      if (answer.status !== 404) return this.#refusalOf(answer)
    }
    return false
  }

  async #post(statements: readonly OutgoingStatement[], signal: AbortSignal): Promise<OutboundAnswer> {
    const version = await this.#versionFor(statements[0]?.version ?? '1.0', signal)
    const texts = statements.map(({ text }) => (this.#isBare ? bare(text) : text))
    const json = Buffer.from(`[${texts.join(',')}]`)
    const parts = new Map(statements.flatMap((statement) => statement.parts.map((part) => [part.sha2, part])))
    const { contentType, body } = await bodyOf(json, [...parts.values()])
    const url = `${this.#root}/statements`
    return this.#ask({ method: 'POST', url, body, headers: { 'Content-Type': contentType } }, version, signal)
  }

  #get(path: string, family: XapiVersion, signal: AbortSignal): Promise<OutboundAnswer> {
    const url = path.startsWith('http') ? path : `${this.#root}${path}`
    return this.#ask({ method: 'GET', url, mostBytes: mostRead }, latest[family], signal)
  }

  #ask(
    request: Pick<OutboundRequest, 'method' | 'url' | 'body' | 'headers'> & { readonly mostBytes?: number },
    version: string,
    signal: AbortSignal,
  ): Promise<OutboundAnswer> {
    const { user, password } = this.#endpoint
    const pair = user === '' && password === '' ? undefined : Buffer.from(`${user}:${password}`).toString('base64')
    const headers = {
      'X-Experience-API-Version': version,
      Accept: 'application/json, multipart/mixed',
      ...(pair && { Authorization: `Basic ${pair}` }),
      ...request.headers,
    }
    return this.#outbound.request({ timeoutMs, mostBytes: mostAnswered, ...request, headers, signal })
  }

  /** The statements' own family where the store speaks it; else what it does, for it may take them all the same. */
  async #versionFor(family: XapiVersion, signal: AbortSignal): Promise<string> {
    const versions = await this.#versions(signal)
    const isSpoken = versions.length === 0 || versions.some((one) => one.startsWith(`${family}.`))
    const own = versions.filter((one) => one.startsWith(isSpoken ? `${family}.` : '')).toSorted()
    return (isSpoken ? undefined : own.at(-1)) ?? latest[family]
  }

  async #versions(signal: AbortSignal): Promise<readonly string[]> {
    const known = this.#spoken.find(this.#root)
    if (known !== undefined) return known
    const answer = await this.#ask({ method: 'GET', url: `${this.#root}/about` }, latest['1.0'], signal)
    // It may be that it cannot say so now.
    if (answer.status >= 500) return []
    const { version } = (parsed(answer) ?? {}) as { readonly version?: unknown }
    const versions = textsIn(version).filter((one) => /^[12]\.0(\.\d+)?$/.test(one))
    return this.#spoken.learn(this.#root, versions)
  }

  async read(
    { since, more, limit }: Parameters<RemoteLrs['read']>[0],
    signal: AbortSignal,
  ): Promise<ReadPage | Later | Refused> {
    const from = since === undefined ? '' : `&since=${encodeURIComponent(since)}`
    const path = `/statements?ascending=true&limit=${limit}${from}`
    try {
      const next = more === undefined ? path : this.#moreUrl(more)
      if (next === undefined) return { kind: 'refused', reason: `${this.#root} says that another server goes on` }
      const answer = await this.#get(next, await this.#readingVersion(signal), signal)
      if (answer.status !== 200) return this.#refusalOf(answer)
      const page = readPage(answer)
      return page ?? { kind: 'refused', reason: `${this.#root} does not answer as a store of statements does` }
    } catch (error) {
      return this.#failureOf(error, signal)
    }
  }

  async find(
    id: string,
    { isVoided }: { readonly isVoided: boolean },
    signal: AbortSignal,
  ): ReturnType<RemoteLrs['find']> {
    try {
      const path = `/statements?${isVoided ? 'voidedStatementId' : 'statementId'}=${encodeURIComponent(id)}`
      const answer = await this.#get(path, await this.#readingVersion(signal), signal)
      if (answer.status === 404) return { kind: 'found', statement: undefined }
      if (answer.status !== 200) return this.#refusalOf(answer)
      const statement = readSingle(answer)
      if (statement?.id !== id.toLowerCase()) {
        return { kind: 'refused', reason: `${this.#root} does not answer as a store of statements does` }
      }
      return { kind: 'found', statement: isVoided ? { ...statement, isVoided } : statement }
    } catch (error) {
      return this.#failureOf(error, signal)
    }
  }

  async readParts(statement: ReadStatement, signal: AbortSignal): ReturnType<RemoteLrs['readParts']> {
    const { id, sha2s, version, isVoided } = statement
    try {
      const name = isVoided === true ? 'voidedStatementId' : 'statementId'
      const answer = await this.#get(`/statements?${name}=${id}&attachments=true`, version, signal)
      if (answer.status !== 200) return this.#refusalOf(answer)
      return { kind: 'parts', parts: await readPartsOf(answer, sha2s) }
    } catch (error) {
      if (isDomainError(error)) return { kind: 'refused', reason: `${this.#root}: ${error.message}` }
      return this.#failureOf(error, signal)
    }
  }

  /** The newest it speaks: what it has of that may not be told in an older one. */
  async #readingVersion(signal: AbortSignal): Promise<XapiVersion> {
    const versions = await this.#versions(signal)
    return versions.some((one) => one.startsWith('2.')) ? '2.0' : '1.0'
  }

  /** Credentials go to no other server than the one they were given for. */
  #moreUrl(more: string): string | undefined {
    if (!URL.canParse(more, this.#root)) return undefined
    const url = new URL(more, this.#root)
    return url.origin === new URL(this.#root).origin ? url.href : undefined
  }

  #refusalOf(answer: OutboundAnswer): Later | Refused {
    const { status } = answer
    const reason = this.#said(answer)
    if (status < 500 && !passing.has(status)) return { kind: 'refused', reason }
    const afterMs = retryAfterMs(answer)
    return { kind: 'later', reason, ...(afterMs !== undefined && { afterMs }) }
  }

  #failureOf(error: unknown, signal: AbortSignal): Later | Refused {
    signal.throwIfAborted()
    if (!(error instanceof OutboundError)) throw error
    if (error.kind === 'refused-address') return { kind: 'refused', reason: error.message }
    return { kind: 'later', reason: error.message, ...(error.kind === 'too-large' && { isTooLong: true }) }
  }

  /** Where, which status, and what the store said, without what we told it. */
  #said(answer: OutboundAnswer): string {
    const { user, password } = this.#endpoint
    const secrets = [password, Buffer.from(`${user}:${password}`).toString('base64'), encodeURIComponent(password)]
    let text = textOf(answer)
      .replaceAll(/[\p{C}\s]+/gu, ' ')
      .trim()
    for (const secret of password === '' ? [] : secrets) text = text.replaceAll(secret, '…')
    const said = text.length > mostSaid ? `${text.slice(0, mostSaid)}…` : text
    return `${this.#root} answered ${answer.status}${said === '' ? '' : `: ${said}`}`
  }
}

async function bodyOf(
  json: Buffer,
  parts: readonly OutgoingPart[],
): Promise<{ readonly contentType: string; readonly body: Uint8Array | AsyncIterable<Uint8Array> }> {
  if (parts.length === 0) return { contentType: 'application/json', body: json }
  const boundary = randomBytes(24).toString('hex')
  const first: PartToWrite = { headers: { 'Content-Type': 'application/json' }, bytes: [json] }
  const written = writeParts(boundary, [first, ...parts.map(toPart)])
  const contentType = `multipart/mixed; boundary=${boundary}`
  const isLong = parts.reduce((sum, { length }) => sum + length, 0) > mostInMemory
  if (isLong) return { contentType, body: written }
  const pieces: Uint8Array[] = []
  for await (const piece of written) pieces.push(piece)
  return { contentType, body: Buffer.concat(pieces) }
}

function toPart({ sha2, contentType, length, ...part }: OutgoingPart): PartToWrite {
  return {
    headers: {
      'Content-Type': /^[\x20-\x7e]+$/.test(contentType) ? contentType : 'application/octet-stream',
      'Content-Length': String(length),
      'Content-Transfer-Encoding': 'binary',
      'X-Experience-API-Hash': sha2,
    },
    bytes: { [Symbol.asyncIterator]: () => part.bytes()[Symbol.asyncIterator]() },
  }
}

/** Without what only the receiver may set. */
function bare(text: string): string {
  const { authority: _, stored: _stored, ...statement } = JSON.parse(text) as Record<string, unknown>
  return JSON.stringify(statement)
}

function textOf(answer: OutboundAnswer): string {
  return Buffer.from(answer.body.subarray(0, 16 * 1024)).toString()
}

function parsed(answer: OutboundAnswer): unknown {
  try {
    return JSON.parse(Buffer.from(answer.body).toString()) as unknown
  } catch {
    return undefined
  }
}

function idsIn(answer: OutboundAnswer): ReadonlySet<string> {
  const ids = parsed(answer)
  return new Set(textsIn(ids).map((id) => id.toLowerCase()))
}

/** Of a list; anything else in it is nobody's. */
function textsIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []
}
