// The statement use cases: rights, pins and limits in front of the rules, the rules in front of storage.
// Knows nothing of HTTP; what it returns is text a face passes through.

import { authorise, explain } from './access.ts'
import type { Decision } from './access.ts'
import { receiveAttachments, whileHolding } from './attachments.ts'
import type { SentAttachments } from './attachments.ts'
import type { SentStatement } from './cmi5/rules.ts'
import { DomainError, invalid, inWords, isDomainError, lostBytes } from './errors.ts'
import type { Failure } from './errors.ts'
import type { CredentialId, LrsId, Oid, Seq } from './ids.ts'
import { Ingest } from './ingest.ts'
import type { IngestBounds, IngestState } from './ingest.ts'
import type { LaunchGate } from './launch-gate.ts'
import type { LaunchReach } from './launch-reach.ts'
import type { Meter } from './meter.ts'
import { batchLimitOf } from './limits.ts'
import { readingPins } from './pins.ts'
import type { ActorPin, Pins } from './pins.ts'
import type { Principal } from './principal.ts'
import type { Reach } from './rights.ts'
import { nextSlice } from './slices.ts'
import type {
  AttachmentClaim,
  BlobHold,
  BlobStore,
  Ids,
  PreparedStatement,
  StatementQuery,
  Storage,
  StoredStatement,
  TermFilter,
} from './storage.ts'
import { agentTerm } from './xapi/agent.ts'
import { isSentAgain } from './xapi/equality.ts'
import { readJson, repeatedName } from './xapi/json.ts'
import { normalise } from './xapi/normalise.ts'
import { outsidePin, pinText, pinViolation } from './xapi/pin.ts'
import { prepare } from './xapi/prepare.ts'
import { isObject, refusal } from './xapi/rule.ts'
import { checkStatements } from './xapi/statement.ts'
import type { Statement } from './xapi/statement.ts'
import { parseTimestamp } from './xapi/time.ts'
import type { XapiVersion } from './xapi/version.ts'

export interface StatementsOptions {
  readonly storage: Storage
  readonly ids: Ids
  /** Statements in one request, unless the credential's own limit is lower. */
  readonly batchLimit: number
  readonly ingest?: Partial<IngestBounds>
  readonly meter?: Meter
  /** Statements a pinned read looks at before it answers with a short page. */
  readonly pinnedScanLimit?: number
  /** What else decides about statements of launched sessions. */
  readonly launched?: LaunchGate
  readonly launchReach?: LaunchReach
}

/** One request to store. */
export interface Submission {
  /** The body: one statement or an array of them, as JSON text. */
  readonly text: string
  readonly version: XapiVersion
  /** The id the caller chose outside the body; then the body must be one statement. */
  readonly statementId?: string
  /** The bytes of attachments, which come behind the statements: read when nothing else speaks against those. */
  readonly attachments?: SentAttachments
}

export interface Receipt {
  /** In the order of the submission. */
  readonly ids: readonly string[]
}

/** A submission that nothing but the store's own content can refuse any more. */
export interface CheckedSubmission {
  /** As it was sent: one statement or an array of them. Pointers into an array begin with an index. */
  readonly body: unknown
  /** As they will be stored, in order. */
  readonly statements: readonly Statement[]
  readonly prepared: readonly PreparedStatement[]
  readonly voidReach: Reach | undefined
}

/** What is left of it once it is checked. */
interface ToStore extends Pick<CheckedSubmission, 'prepared' | 'voidReach'> {
  readonly isArray: boolean
}

/** What storing a statement would do. */
export interface Verdict {
  readonly id: string
  /** Stored already: an equal one. Erased: one with this id was, and it is acknowledged, yet not stored. */
  readonly result: 'new' | 'already stored' | 'erased'
  /** As it would be stored, but for what the store itself adds: `stored`, and `timestamp` where there is none. */
  readonly statement: Statement
}

export interface FoundStatement {
  readonly statement: StoredStatement
  readonly consistentThrough: number
}

export interface StatementSlice {
  readonly statements: readonly StoredStatement[]
  /** Where to continue; undefined at the end. May be set with fewer statements than asked for. */
  readonly next: Seq | undefined
  readonly consistentThrough: number
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Characters of JSON whose check takes about a tenth of a millisecond: what is longer waits for its turn. */
const longText = 8 * 1024
/** Statements looked at in one go where most may turn out to be hidden. */
const pinnedPageSize = 100
/** Characters of JSON a pinned read parses before it answers with a short page. */
const pinnedScanCharacters = 8 * 1024 * 1024

export class Statements {
  readonly #storage: Storage
  readonly #ids: Ids
  readonly #batchLimit: number
  readonly #pinnedScanLimit: number
  readonly #launched: LaunchGate | undefined
  readonly #launchReach: LaunchReach | undefined
  readonly #ingest: Ingest

  constructor(options: StatementsOptions) {
    this.#storage = options.storage
    this.#ids = options.ids
    this.#batchLimit = options.batchLimit
    this.#pinnedScanLimit = options.pinnedScanLimit ?? 2_000
    this.#launched = options.launched
    this.#launchReach = options.launchReach
    const { statements } = options.storage
    this.#ingest = new Ingest((batches) => statements.store(batches), options.ingest, options.meter)
  }

  /** What waits to be stored. */
  get waiting(): IngestState {
    return this.#ingest.state
  }

  /** Validates, stamps and stores all or none; resolves when synced. */
  async store(principal: Principal, lrsId: LrsId, submission: Submission): Promise<Receipt> {
    // What others wait for, as the answers of a database, comes between two of them.
    if (submission.text.length > longText) await nextSlice()
    const { attachments: sent } = submission
    if (sent === undefined && principal.launch === undefined)
      return this.#submit(principal, lrsId, submission, this.#checkedToStore(principal, lrsId, submission))
    const checked = this.check(principal, lrsId, submission)
    const admit = (prepared: ToStore['prepared']): Promise<Receipt> =>
      this.#admit(principal, checked, submission, () =>
        this.#submit(principal, lrsId, submission, { ...toStore(checked), prepared }),
      )
    if (sent === undefined) return admit(checked.prepared)
    return whileHolding(this.#storage.blobs, async (hold) => {
      const prepared = await this.#receive(lrsId, checked, submission, { sent, hold })
      await hold.confirm()
      return admit(prepared)
    })
  }

  /** Of a launched session only what its launch lets pass is stored. */
  async #admit(
    principal: Principal,
    checked: CheckedSubmission,
    submission: Submission,
    store: () => Promise<Receipt>,
  ): Promise<Receipt> {
    const { launch } = principal
    if (launch === undefined) return store()
    const sent = sentStatements(checked, submission)
    try {
      await this.#launchReach?.demandOwnContent(principal, launch, sent)
      return await (this.#launched?.admit(principal, launch, sent, store) ?? store())
    } catch (error) {
      throw isDomainError(error) ? withStatements(error, checked.body, submission) : error
    }
  }

  /** Whoever waits for the store must not hold the objects of the body meanwhile: they are most of what a collection would move. */
  #checkedToStore(principal: Principal, lrsId: LrsId, submission: Submission): ToStore {
    return toStore(this.check(principal, lrsId, submission))
  }

  async #submit(
    principal: Principal,
    lrsId: LrsId,
    submission: Submission,
    { prepared, voidReach, isArray }: ToStore,
  ): Promise<Receipt> {
    if (prepared.length > 0) {
      const outcome = await this.#ingest.submit({
        lrsId,
        owner: principal.credentialId,
        readReach: principal.rights.xapi['statements/read'],
        defineReach: principal.rights.xapi.define,
        voidReach: await this.#voidReachInsidePins(principal, lrsId, prepared, voidReach),
        statements: prepared,
      })
      if (outcome.kind === 'conflict') throw conflict({ prepared, isArray }, outcome.index, submission)
    }
    return { ids: prepared.map(({ id }) => id) }
  }

  /** Takes the bytes in; each statement then has its claims. */
  async #receive(
    lrsId: LrsId,
    { body, statements, prepared }: CheckedSubmission,
    submission: Submission,
    { sent, hold }: { readonly sent: SentAttachments; readonly hold: BlobHold },
  ): Promise<readonly PreparedStatement[]> {
    const place = { lrsId, blobs: this.#storage.blobs, hold }
    const pointers = statements.map((_, index) => pointerIn(body, index))
    const claims = await receiveAttachments(place, statements, pointers, sent).catch((error: unknown) => {
      throw isDomainError(error) ? withStatements(error, body, submission) : error
    })
    return prepared.map((statement, index) => ({ ...statement, attachments: claims[index] ?? [] }))
  }

  /** Throws what `store` would, conflicts with what is stored by now included; stores nothing. In the order of the submission. */
  async validate(principal: Principal, lrsId: LrsId, submission: Submission): Promise<readonly Verdict[]> {
    const checked = this.check(principal, lrsId, submission)
    const { launch } = principal
    if (launch) {
      const sent = sentStatements(checked, submission)
      await this.#launchReach?.demandOwnContent(principal, launch, sent)
      await this.#launched?.check(principal, launch, sent)
    }
    const verdicts: Verdict[] = []
    for (const [index, statement] of checked.prepared.entries()) {
      const stored = await this.#findAny(lrsId, statement.id)
      if (stored && !isSame(stored, statement, principal)) throw conflict(toStore(checked), index, submission)
      const whole = JSON.parse(`${statement.openBody}}`) as Statement
      verdicts.push({ id: statement.id, result: await this.#resultOf(lrsId, statement.id, stored), statement: whole })
    }
    return verdicts
  }

  /** Who may store finds out as well by storing two different statements under the id: of an erased one both are accepted. */
  async #resultOf(lrsId: LrsId, id: string, stored: StoredStatement | undefined): Promise<Verdict['result']> {
    if (stored !== undefined) return 'already stored'
    return (await this.#storage.erasures.isErased(lrsId, id)) ? 'erased' : 'new'
  }

  async #findAny(lrsId: LrsId, id: string): Promise<StoredStatement | undefined> {
    const { statement } = await this.#storage.statements.find(lrsId, id, { isVoided: false })
    return statement ?? (await this.#storage.statements.find(lrsId, id, { isVoided: true })).statement
  }

  /** All that decides before anything is stored: throws what `store` would, but for what depends on what is stored already. */
  check(principal: Principal, lrsId: LrsId, submission: Submission): CheckedSubmission {
    authorise(principal, { kind: 'xapi', right: 'statements/write', lrsId })
    const { value: body, failures } = readBody(submission.text)
    try {
      if (failures.length > 0) throw refusal(failures)
      const statements = this.#read(principal, body, submission)
      const mayDefine = principal.rights.xapi.define !== undefined
      const author = mayDefine ? principal : undefined
      const prepared = statements.map((statement, index) => prepare(statement, author, pointerIn(body, index)))
      const voidReach = prepared.some(({ isVoiding }) => isVoiding)
        ? authorise(principal, { kind: 'xapi', right: 'statements/void', lrsId })
        : principal.rights.xapi['statements/void']
      return { body, statements, prepared, voidReach }
    } catch (error) {
      throw isDomainError(error) ? withStatements(error, body, submission) : error
    }
  }

  /** One statement by id, voided or not. `not_found` also for what the principal's reach or pins hide. */
  async get(
    principal: Principal,
    lrsId: LrsId,
    id: string,
    options: { readonly isVoided: boolean; readonly withAttachments?: boolean },
  ): Promise<FoundStatement> {
    const owner = this.#ownerRead(principal, lrsId)
    const { isVoided } = options
    const { statement, consistentThrough } = await this.#storage.statements.find(lrsId, id.toLowerCase(), {
      ...options,
      ...owner,
    })
    if (!statement || !(await this.#readableIn(principal, [statement]))(statement)) throw notFound(isVoided)
    return { statement, consistentThrough }
  }

  /** What `get` would decide and why, for who administers the key: the key itself is not told that there is more. */
  async explainGet(
    principal: Principal,
    lrsId: LrsId,
    id: string,
    { isVoided }: { readonly isVoided: boolean },
  ): Promise<Decision> {
    const decision = explain(principal, { kind: 'xapi', right: 'statements/read', lrsId })
    if (!decision.allowed) return decision
    const { statement } = await this.#storage.statements.find(lrsId, id.toLowerCase(), { isVoided })
    const told = 'it is told that there is no such statement.'
    const refused = { allowed: false, code: 'not_found' } as const
    if (!statement) return { ...refused, decidedBy: 'not_found', reason: `Whichever key asks, ${told}` }
    if (decision.reach === 'mine' && statement.owner !== principal.credentialId) {
      const remedy = `Grant statements/read with reach any to "${principal.name}".`
      const reason = `Another key stored this statement, and this one reads its own only: ${told}`
      return { ...refused, decidedBy: 'statements/read', reason, remedy }
    }
    const pins = readingPins(principal.pins)
    const pin = pinViolation(JSON.parse(statement.body) as Statement, pins)
    if (pin === undefined && !(await this.#readableIn(principal, [statement]))(statement)) {
      const reason = `The key reads what was launched from its own place, and the statement was not: ${told}`
      return { ...refused, decidedBy: 'pin registration', reason }
    }
    if (pin === undefined) return decision
    const reason = `The key is pinned to the ${pin} ${pinText(pin, pins)}, and the statement lies outside: ${told}`
    return { ...refused, decidedBy: `pin ${pin}`, reason }
  }

  /** A page of what the principal may read. An owner that is asked for counts with reach any. */
  async list(principal: Principal, lrsId: LrsId, query: StatementQuery): Promise<StatementSlice> {
    const owned: StatementQuery = { ...query, ...this.#ownerRead(principal, lrsId) }
    if (hasPins(readingPins(principal.pins))) return this.#listInsidePins(principal, lrsId, owned)
    const { rows, next, consistentThrough } = await this.#storage.statements.list(lrsId, owned)
    return { statements: rows, next, consistentThrough }
  }

  /** How many there are, voided ones, too; undefined where the principal does not read them all. */
  async count(principal: Principal, lrsId: LrsId): Promise<number | undefined> {
    const { owner } = this.#ownerRead(principal, lrsId)
    if (owner !== undefined || hasPins(readingPins(principal.pins))) return undefined
    return this.#storage.statements.countStatements(lrsId)
  }

  /** By which id others know the owners of statements that were read; those that are gone have none. At most 1,000. */
  async listOwners(
    principal: Principal,
    lrsId: LrsId,
    ids: readonly CredentialId[],
  ): Promise<ReadonlyMap<CredentialId, Oid>> {
    this.#ownerRead(principal, lrsId)
    if (ids.length === 0) return new Map()
    const slice = { offset: 0, limit: ids.length }
    const { items } = await this.#storage.directory.listCredentials(principal.organisationId, { ids }, slice)
    return new Map(items.map(({ id, oid }) => [id, oid]))
  }

  /** Whose statements are known by this id; undefined where nobody's are. */
  async findOwner(principal: Principal, lrsId: LrsId, oid: Oid): Promise<CredentialId | undefined> {
    this.#ownerRead(principal, lrsId)
    const slice = { offset: 0, limit: 1 }
    const { items } = await this.#storage.directory.listCredentials(principal.organisationId, { oids: [oid] }, slice)
    return items[0]?.id
  }

  /** Throws `internal` when the bytes of a claim are lost, rather than erased since it was read. */
  async requireAttachments(lrsId: LrsId, claims: readonly AttachmentClaim[]): Promise<void> {
    const wanted = claims.map(({ sha2 }) => sha2)
    const sha2s = await this.#storage.blobs.listLost(lrsId, wanted)
    if (sha2s.length === 0) return
    const message = `The data of attachments is missing on the server, ${sha2s[0]} for one: no retry helps, and the request id finds it in the log. Without attachments the statements can be read`
    throw lostBytes(message, { lrsId, sha2s: sha2s.slice(0, 20) })
  }

  /**
   * The bytes behind a claim of a statement that was just read; undefined when it was erased since, `internal` when they are
   * lost. Read them or call `cancel`.
   */
  openAttachment(lrsId: LrsId, { sha2 }: AttachmentClaim): ReturnType<BlobStore['open']> {
    return this.#storage.blobs.open(lrsId, sha2)
  }

  /** Microseconds: everything stored at or before it is visible. Tells nothing of content, so it needs no right. */
  consistentThrough(lrsId: LrsId): Promise<number> {
    return this.#storage.statements.consistentThrough(lrsId)
  }

  /** Refuses what is new, finishes what was accepted. */
  close(): Promise<void> {
    return this.#ingest.close()
  }

  /** From the body to stamped statements inside every pin and limit; nothing is stored unless all of them are. */
  #read(principal: Principal, body: unknown, submission: Submission): Statement[] {
    const { version, statementId, attachments } = submission
    if (statementId !== undefined) checkChosenId(body, statementId)
    const batchLimit = batchLimitOf(principal, this.#batchLimit)
    if (Array.isArray(body) && body.length > batchLimit.most) {
      const { decidedBy, remedy } = batchLimit
      const message = `One request may carry ${batchLimit.most} statements; this one has ${body.length}. ${remedy}`
      const failures = [{ pointer: '', rule: 'claviger/batch', message }]
      throw new DomainError('too_large', message, { detail: { decidedBy, remedy, failures } })
    }
    // Pins look at what will be stored, so that a write and a later read of it decide alike.
    const statements = checkStatements(body, version, { partsFollow: attachments !== undefined }).statements.map(
      (statement) =>
        normalise(statement, {
          ...(statementId !== undefined && { id: statementId }),
          authority: principal.authority,
          mayChooseAuthority: principal.rights.xapi['authority/set'] !== undefined,
          version,
          uuid: () => this.#ids.uuid(),
        }),
    )
    if (hasPins(principal.pins)) {
      statements.forEach((statement, index) => requireInsidePins(statement, principal.pins, pointerIn(body, index)))
    }
    return statements
  }

  /**
   * A pinned principal voids what it could read, nothing else: one voiding statement with a target that is unknown yet or
   * outside the pins, and those of its request are stored without effect. Bodies never change, so looking first is safe.
   */
  async #voidReachInsidePins(
    principal: Principal,
    lrsId: LrsId,
    prepared: readonly PreparedStatement[],
    reach: Reach | undefined,
  ): Promise<Reach | undefined> {
    if (!hasPins(principal.pins) || reach === undefined) return reach
    const owner = reach === 'mine' ? { owner: principal.credentialId } : {}
    const sent = new Set(prepared.map(({ id }) => id))
    for (const { isVoiding, refersTo } of prepared) {
      // The targets in the same request passed the pins already.
      if (!isVoiding || refersTo === undefined || sent.has(refersTo)) continue
      const { statement } = await this.#storage.statements.find(lrsId, refersTo, { isVoided: false, ...owner })
      if (statement === undefined || !isInsidePins(statement, principal.pins)) return undefined
    }
    return reach
  }

  #ownerRead(principal: Principal, lrsId: LrsId): Pick<StatementQuery, 'owner'> {
    const reach = authorise(principal, { kind: 'xapi', right: 'statements/read', lrsId })
    return reach === 'mine' ? { owner: principal.credentialId } : {}
  }

  /** Which of these lie inside what the principal's reads are held to. */
  async #readableIn(
    principal: Principal,
    rows: readonly StoredStatement[],
  ): Promise<(row: StoredStatement) => boolean> {
    const { pins, launch } = principal
    if (launch === undefined || pins.readsOthers === undefined) return (row) => isInsidePins(row, readingPins(pins))
    if (this.#launchReach === undefined) return (row) => isInsidePins(row, pins)
    const readable = await this.#launchReach.listReadable(principal, launch, rows)
    return (row) => readable.has(row)
  }

  // Pins are checked on the statements themselves, page by page, so that a pin means the same on reads as on writes. The
  // filters they imply only spare pages. A budget bounds the work; the page is then short and `next` continues it.
  async #listInsidePins(principal: Principal, lrsId: LrsId, query: StatementQuery): Promise<StatementSlice> {
    const limit = Math.max(query.limit, pinnedPageSize)
    const filters = [...query.filters, ...filtersOf(readingPins(principal.pins))]
    const narrowed = { ...query, limit, filters }
    const statements: StoredStatement[] = []
    let cursor = query.cursor
    let scanned = 0
    let characters = 0
    let consistentThrough: number | undefined
    do {
      const page = await this.#storage.statements.list(lrsId, { ...narrowed, ...(cursor !== undefined && { cursor }) })
      // What the first page saw is what the whole answer vouches for.
      consistentThrough ??= page.consistentThrough
      const isReadable = await this.#readableIn(principal, page.rows)
      for (const row of page.rows) {
        characters += row.body.length
        if (!isReadable(row)) continue
        statements.push(row)
        if (statements.length < query.limit) continue
        const isLast = page.next === undefined && row === page.rows.at(-1)
        return { statements, next: isLast ? undefined : row.seq, consistentThrough }
      }
      cursor = page.next
      scanned += Math.max(page.rows.length, 1)
    } while (cursor !== undefined && scanned < this.#pinnedScanLimit && characters < pinnedScanCharacters)
    return { statements, next: cursor, consistentThrough }
  }
}

// Communication 2.1.1: the id of a PUT is the parameter's; the body is one statement and may repeat it, not contradict it.
function checkChosenId(body: unknown, statementId: string): void {
  if (!uuid.test(statementId)) {
    const failure = { pointer: '?statementId', rule: 'claviger/statement-id', message: 'statementId must be a UUID' }
    throw invalid('statementId must be a UUID', [failure])
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    const failure = { pointer: '', rule: 'claviger/one-statement', message: 'the body must be one statement' }
    throw invalid('The body must be one statement, not an array', [failure])
  }
  const { id } = body as { id?: unknown }
  if (typeof id === 'string' && id.toLowerCase() !== statementId.toLowerCase()) {
    const failure = {
      pointer: '/id',
      rule: 'claviger/statement-id',
      message: 'id differs from the statementId parameter',
    }
    throw invalid('The id in the body differs from the statementId parameter', [failure])
  }
}

function notFound(isVoided: boolean): DomainError {
  const message = `There is no ${isVoided ? 'voided statement' : 'statement'} with this id`
  const failure = { pointer: isVoided ? '?voidedStatementId' : '?statementId', rule: 'claviger/not-found', message }
  return new DomainError('not_found', message, { detail: { failures: [failure] } })
}

/** With what the rules of a launch want to know of how they were sent. */
function sentStatements(checked: CheckedSubmission, { statementId }: Submission): readonly SentStatement[] {
  const { body, statements, prepared } = checked
  return statements.map((statement, index) => {
    const own: unknown = Array.isArray(body) ? body[index] : body
    const hasOwnId = statementId !== undefined || (isObject(own) && own['id'] !== undefined)
    const id = String(statement['id'])
    return { id, statement, pointer: pointerIn(body, index), hasOwnId, at: prepared[index]?.timestamp }
  })
}

function toStore({ prepared, voidReach, body }: CheckedSubmission): ToStore {
  return { prepared, voidReach, isArray: Array.isArray(body) }
}

function conflict(
  { prepared, isArray }: Pick<ToStore, 'prepared' | 'isArray'>,
  index: number,
  { statementId }: Submission,
): DomainError {
  const id = prepared[index]?.id ?? ''
  const message = `A different statement with the id ${id} is already stored; nothing was stored.`
  const pointer = statementId === undefined ? `${isArray ? `/${index}` : ''}/id` : '?statementId'
  const failure = { pointer, rule: 'claviger/conflict', message, statement: { index, id } }
  return new DomainError('conflict', message, { detail: { failures: [failure] } })
}

/** As the store decides. */
function isSame(stored: StoredStatement, sent: PreparedStatement, { credentialId, rights }: Principal): boolean {
  const { timestamp } = JSON.parse(stored.body) as Statement
  const known = { ...stored, timestamp: parseTimestamp(String(timestamp)) }
  return isSentAgain(known, sent, { owner: credentialId, readReach: rights.xapi['statements/read'] })
}

function readBody(text: string): ReturnType<typeof readJson> {
  if (/\S/.test(text)) return readJson(text)
  const message = 'The body is empty: send a statement or an array of statements.'
  throw refusal([{ pointer: '', rule: 'XAPI-00014', message }])
}

/** Where the statement stands in the request. */
function pointerIn(body: unknown, index: number): string {
  return Array.isArray(body) ? `/${index}` : ''
}

/** The same error, each failure with the statement it lies in: its place in the request, and the id it was sent with. */
function withStatements(error: DomainError, body: unknown, { statementId }: Submission): DomainError {
  const { failures } = error.detail
  if (failures === undefined || typeof body !== 'object' || body === null) return error
  // Of an id that was sent twice neither counts.
  const repeated = new Set(failures.filter(({ rule }) => rule === repeatedName).map(({ pointer }) => pointer))
  const statementAt = (pointer: string): Failure['statement'] => {
    const place = (Array.isArray(body) ? /^\/(\d+)(?:\/|$)/ : /^()(?:\/|$)/).exec(pointer)?.[1]
    if (place === undefined) return undefined
    const index = Number(place)
    const sent: unknown = Array.isArray(body) ? body[index] : body
    const id = (isObject(sent) ? sent['id'] : undefined) ?? statementId
    const isKnown = typeof id === 'string' && uuid.test(id) && !repeated.has(`${pointerIn(body, index)}/id`)
    return { index, ...(isKnown && { id }) }
  }
  const located = failures.map((failure) => {
    const statement = failure.statement ?? statementAt(failure.pointer)
    return statement ? { ...failure, statement } : failure
  })
  return new DomainError(error.code, error.message, { detail: { ...error.detail, failures: located } })
}

/** `at`: where the statement lies in the body. */
function requireInsidePins(statement: Statement, pins: Pins, at: string): void {
  const violated = pinViolation(statement, pins)
  if (violated === undefined) return
  const { decidedBy, reason, remedy, pointer } = outsidePin(violated, pins, 'statement')
  const failure = { pointer: at + pointer, rule: 'claviger/pin', message: `${reason} ${remedy}` }
  throw new DomainError('forbidden', inWords(failure), { detail: { decidedBy, remedy, failures: [failure] } })
}

function hasPins(pins: Pins): boolean {
  return pins.actor !== undefined || pins.registration !== undefined || pins.activity !== undefined
}

export function isInsidePins(statement: StoredStatement, pins: Pins): boolean {
  return !hasPins(pins) || pinViolation(JSON.parse(statement.body) as Statement, pins) === undefined
}

/** Filters every statement inside the pins is sure to match. */
function filtersOf(pins: Pins): TermFilter[] {
  const filters: TermFilter[] = []
  if (pins.registration?.mode === 'required') {
    filters.push({ kind: 'registration', value: pins.registration.id.toLowerCase(), includeRelated: false })
  }
  const [actor, ...others] = pins.actor ?? []
  const value = actor && others.length === 0 ? termOf(actor) : undefined
  if (value !== undefined) filters.push({ kind: 'agent', value, includeRelated: false })
  return filters
}

/** Undefined for an account of any homePage. */
function termOf(pin: ActorPin): string | undefined {
  return agentTerm('mbox' in pin ? pin : { account: { homePage: pin.homePage, name: pin.accountName } })
}
