// The document use cases: rights and pins in front, content received and tagged, then one change inside the store, whose
// outcome becomes the answer or a refusal that says what would be accepted. Knows nothing of HTTP.

import { createHash } from 'node:crypto'
import { authorise, explain } from './access.ts'
import type { Decision, XapiAccess } from './access.ts'
import { whileHolding } from './attachments.ts'
import { launchDataId } from './cmi5/vocabulary.ts'
import { DomainError, lostBytes } from './errors.ts'
import type { Failure } from './errors.ts'
import type { LrsId } from './ids.ts'
import { beyond } from './limits.ts'
import type { RateLimits, SizeLimit } from './limits.ts'
import type { LaunchData } from './launch-plan.ts'
import type { Principal } from './principal.ts'
import type { Reach, XapiRight } from './rights.ts'
import type {
  BlobHold,
  BlobStore,
  DocumentAccess,
  DocumentContent,
  DocumentKey,
  DocumentOutcome,
  DocumentScope,
  DocumentStore,
  LaunchStore,
  Preconditions,
  Storage,
  StoredDocument,
} from './storage.ts'
import { atOnce, inSlices } from './slices.ts'
import { entityTag, failedPrecondition, findJsonFailure, isJsonType } from './xapi/document.ts'
import type { DocumentKind, DocumentTarget } from './xapi/document-query.ts'
import { refusal } from './xapi/rule.ts'
import type { XapiVersion } from './xapi/version.ts'

export interface DocumentsOptions {
  readonly storage: Storage
  readonly limits: RateLimits
}

/** Content on its way in: whole, at most so many bytes, or piece by piece. Asked for once, and only when it may come. */
export interface Arriving {
  /** As announced; undefined where nobody says. */
  readonly length: number | undefined
  whole(limit: SizeLimit): Promise<Uint8Array>
  pieces(limit: SizeLimit): AsyncIterable<Uint8Array>
}

export interface DocumentSubmission {
  /** `merge`: into what is there. */
  readonly kind: 'replace' | 'merge'
  readonly version: XapiVersion
  /** As sent; kept and given back as it is. */
  readonly contentType: string
  readonly content: Arriving
  /** Read once it is clear that the sender may write. Throws `invalid`. */
  readonly preconditions: () => Preconditions
  /** Refuse to replace a profile without one of the two, there or not: the client's version says so (`demandsConditions`). */
  readonly demandsConditions?: boolean
}

/** Longer content goes to the blob store as it arrives, unless it is JSON; nothing longer is looked through at once. */
const inlineBytes = 64 * 1024

/** XAPI-00235, XAPI-00284, XAPI-00314: what a POST of broken JSON breaks. */
const brokenJson: Readonly<Record<DocumentKind, string>> = {
  state: 'XAPI-00235',
  'agent-profile': 'XAPI-00284',
  'activity-profile': 'XAPI-00314',
}
/** What a POST breaks that cannot be merged: either document is not of type application/json, or is no JSON object. */
const notMergeable: Readonly<Record<DocumentKind, Readonly<Record<'type' | 'object', string>>>> = {
  state: { type: 'XAPI-00232', object: 'XAPI-00229' },
  'agent-profile': { type: 'XAPI-00278', object: 'XAPI-00281' },
  'activity-profile': { type: 'XAPI-00309', object: 'XAPI-00313' },
}

export class Documents {
  readonly #documents: DocumentStore
  readonly #launches: LaunchStore
  readonly #blobs: BlobStore
  readonly #limits: RateLimits

  constructor({ storage, limits }: DocumentsOptions) {
    this.#documents = storage.documents
    this.#launches = storage.launches
    this.#blobs = storage.blobs
    this.#limits = limits
  }

  /** What `get` would decide and why, for who administers the key: the key itself is not told that there is more. */
  async explainGet(
    principal: Principal,
    lrsId: LrsId,
    target: DocumentTarget,
  ): Promise<Decision & { isAbsent?: true }> {
    const decision = explain(principal, accessTo(lrsId, target, 'read'))
    if (!decision.allowed || target.id === undefined) return decision
    const { credentialId: owner } = principal
    const find = (reach: Reach) => this.#documents.find(lrsId, keyOf(target), { owner, reach })
    if (await find(decision.reach ?? 'any')) return decision
    // Every first launch looks for what is not there yet: that is an answer, not a refusal.
    if (decision.reach === 'any' || !(await find('any'))) return { ...decision, isAbsent: true }
    const { right } = accessTo(lrsId, target, 'read')
    const reason =
      'There is a shared document with this id, and this key reads its own only: it is answered as if there were none.'
    return { allowed: false, decidedBy: right, code: 'not_found', reason, remedy: `Grant ${right} with reach any.` }
  }

  /** `not_found` also for what the principal's reach hides. */
  async get(principal: Principal, lrsId: LrsId, target: DocumentTarget): Promise<StoredDocument> {
    const access = accessOf(principal, accessTo(lrsId, target, 'read'))
    const document = await this.#documents.find(lrsId, keyOf(target), access)
    if (document === undefined) throw absent(target.scope.kind)
    return document
  }

  /** What a document holds that is not inline. Read it to the end or cancel it. `internal` when it is damaged. */
  async open(lrsId: LrsId, { sha2, length }: Extract<DocumentContent, { readonly kind: 'blob' }>): Promise<OpenBlob> {
    const blob = await this.#blobs.open(lrsId, sha2)
    // Replaced or erased since the row was read: a retry reads what is there.
    if (blob === undefined) {
      const detail = { retryAfterSeconds: 1 }
      throw new DomainError('unavailable', 'The document has changed while it was being read', { detail })
    }
    if (blob.length === length) return blob
    blob.cancel()
    const message = 'The content is damaged on the server: no retry helps, and the request id finds it in the log'
    throw lostBytes(message, { lrsId, sha2s: [sha2] })
  }

  list(principal: Principal, lrsId: LrsId, target: DocumentTarget): ReturnType<DocumentStore['listIds']> {
    const access = accessOf(principal, accessTo(lrsId, target, 'read'))
    return this.#documents.listIds(lrsId, target.scope, access, target.since)
  }

  /** Resolves with the entity tag of what is then there, synced. */
  async store(
    principal: Principal,
    lrsId: LrsId,
    target: DocumentTarget,
    submission: DocumentSubmission,
  ): Promise<string> {
    return whileHolding(this.#blobs, (hold) => this.#storeHolding(principal, { lrsId, hold }, target, submission))
  }

  async #storeHolding(
    principal: Principal,
    place: Place,
    target: DocumentTarget,
    { kind, version, contentType, content, demandsConditions, ...submission }: DocumentSubmission,
  ): Promise<string> {
    const { lrsId } = place
    const access = accessOf(principal, accessTo(lrsId, target, 'write'))
    keepLaunchData(principal, target)
    await this.#keepShared(principal, target)
    const preconditions = submission.preconditions()
    if (demandsConditions && kind === 'replace' && target.scope.kind !== 'state' && !isConditional(preconditions)) {
      const there = await this.#documents.find(lrsId, keyOf(target), access)
      throw there ? refused({ kind: 'exists' }, target.scope.kind) : unconditional(target.scope.kind)
    }
    // Communication 3.1: profiles in 1.0.x, State as well in 2.0. A POST replaces nothing that it does not name.
    const mustBeConditional = kind === 'replace' && (version === '2.0' || target.scope.kind !== 'state')
    const conditions = { ...preconditions, mustBeConditional }
    await this.#refuseEarly(place.lrsId, target, access, conditions, content.length)
    const isJson = isJsonType(contentType)
    const limit = this.#limits.documentLimit(principal, { isJson })
    const { most: mostBytes } = limit
    const received = isJson
      ? inline(await content.whole(limit))
      : await this.#receive(place, content.pieces(limit), mostBytes)
    if (kind === 'merge' && isJson) await requireJson(received.content, target.scope.kind)
    const change = { kind, contentType, ...received } as const
    const options = { preconditions: conditions, mostBytes }
    await place.hold.confirm()
    const outcome = await this.#documents.change(lrsId, keyOf(target), access, change, options)
    if (outcome.kind !== 'done') throw refused(outcome, target.scope.kind, limit)
    return outcome.etag ?? received.etag
  }

  /** What one learner's content writes about the activity, every other's reads: only where the content is set to. */
  async #keepShared({ organisationId, launch: of }: Principal, { scope }: DocumentTarget): Promise<void> {
    if (of === undefined || scope.kind !== 'activity-profile') return
    const launch = await this.#launches.findLaunch(organisationId, of.id)
    const data = launch?.data as unknown as LaunchData | null | undefined
    if (data?.settings.writesActivityProfiles) return
    const message =
      'Profiles of an activity are shared by everybody it is launched for, and this content is not set to write them: keep it in State, or in the profile of the learner.'
    const failures = [{ pointer: '?activityId', rule: 'claviger/launch', message }]
    throw new DomainError('forbidden', message, { detail: { decidedBy: 'launch', failures } })
  }

  /** Nobody sends long content for nothing; what decides is what stands there at its end. */
  async #refuseEarly(
    lrsId: LrsId,
    target: DocumentTarget,
    access: DocumentAccess,
    conditions: Preconditions,
    length: number | undefined,
  ): Promise<void> {
    if (length !== undefined && length <= inlineBytes) return
    if (!isConditional(conditions) && !conditions.mustBeConditional) return
    const there = await this.#documents.find(lrsId, keyOf(target), access)
    const failure = failedPrecondition(conditions, there?.etag)
    if (failure !== undefined) throw refused({ kind: failure }, target.scope.kind)
  }

  /** One document, or all of the scope. Nothing to delete is no failure. */
  async delete(
    principal: Principal,
    lrsId: LrsId,
    target: DocumentTarget,
    readPreconditions: DocumentSubmission['preconditions'],
  ): Promise<void> {
    const access = accessOf(principal, accessTo(lrsId, target, 'write'))
    keepLaunchData(principal, target)
    await this.#keepShared(principal, target)
    const preconditions = readPreconditions()
    if (target.id === undefined) {
      refuseConditions(preconditions)
      await this.#documents.deleteAll(lrsId, target.scope, access)
      return
    }
    const options = { preconditions, mostBytes: 0 }
    const outcome = await this.#documents.change(lrsId, keyOf(target), access, { kind: 'delete' }, options)
    if (outcome.kind !== 'done') throw refused(outcome, target.scope.kind)
  }

  /** Nothing longer than `inlineBytes` is held in memory. */
  async #receive(place: Place, arriving: AsyncIterable<Uint8Array>, mostBytes: number): Promise<Received> {
    const pieces = arriving[Symbol.asyncIterator]()
    const head = Buffer.allocUnsafe(inlineBytes)
    let length = 0
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
      if (length + next.value.byteLength > inlineBytes) {
        return this.#putBlob(place, [head.subarray(0, length), next.value], pieces, mostBytes)
      }
      head.set(next.value, length)
      length += next.value.byteLength
    }
    return inline(new Uint8Array(head.subarray(0, length)))
  }

  /** The bytes first, then the row that refers to them: what is left over when the row is refused is swept. */
  async #putBlob(
    { lrsId, hold }: Place,
    first: readonly Uint8Array[],
    rest: AsyncIterator<Uint8Array>,
    mostBytes: number,
  ): Promise<Received> {
    const sha1 = createHash('sha1')
    async function* whole(): AsyncGenerator<Uint8Array> {
      try {
        for (const piece of first) {
          sha1.update(piece)
          yield piece
        }
        for (let next = await rest.next(); !next.done; next = await rest.next()) {
          sha1.update(next.value)
          yield next.value
        }
      } finally {
        await rest.return?.()
      }
    }
    const blob = await this.#blobs.put(lrsId, whole(), { mostBytes, hold })
    return { content: { kind: 'blob', ...blob }, etag: sha1.digest('hex') }
  }
}

/** Where content goes; held until the row that refers to it is there, or will not be. */
interface Place {
  readonly lrsId: LrsId
  readonly hold: BlobHold
}

type OpenBlob = NonNullable<Awaited<ReturnType<BlobStore['open']>>>

interface Received {
  readonly content: DocumentContent
  readonly etag: string
}

function inline(bytes: Uint8Array): Received {
  return { content: { kind: 'inline', bytes }, etag: entityTag(bytes) }
}

/** The right that decides about documents of this kind. */
export function documentRight(kind: DocumentKind, action: 'read' | 'write'): XapiRight {
  return `${kind === 'state' ? 'state' : 'profile'}/${action}`
}

function accessTo(lrsId: LrsId, { scope, about }: DocumentTarget, action: 'read' | 'write'): XapiAccess {
  return { kind: 'xapi', right: documentRight(scope.kind, action), lrsId, about }
}

function accessOf(principal: Principal, request: XapiAccess): DocumentAccess {
  return { owner: principal.credentialId, reach: authorise(principal, request) }
}

/** cmi5 section 10.2.1: a unit changes nothing of what it is launched with, and does not delete it with everything else. */
function keepLaunchData({ launch }: Principal, { scope, id = launchDataId }: DocumentTarget): void {
  if (launch?.style !== 'cmi5' || scope.kind !== 'state' || id !== launchDataId) return
  const message = `${launchDataId} stays as the launch made it; delete other documents one by one.`
  const failures = [{ pointer: '?stateId', rule: 'cmi5/10.2.1', message }]
  throw new DomainError('forbidden', message, { detail: { decidedBy: 'launch', failures } })
}

function keyOf({ scope, id }: { readonly scope: DocumentScope; readonly id: string | undefined }): DocumentKey {
  if (id === undefined) throw new DomainError('internal', 'A document was asked for without its id')
  return { ...scope, id }
}

function absent(kind: DocumentKind): DomainError {
  const message = 'There is no document with this id here'
  const failures = [{ pointer: idParameter(kind), rule: 'claviger/not-found', message }]
  return new DomainError('not_found', message, { detail: { isRefusal: false, failures } })
}

function idParameter(kind: DocumentKind): string {
  return kind === 'state' ? '?stateId' : '?profileId'
}

/** Only of a POST: the specification asks nothing of what a PUT keeps, and gives back, as it is. */
async function requireJson(content: DocumentContent, kind: DocumentKind): Promise<void> {
  if (content.kind === 'blob') return
  const looking = findJsonFailure(content.bytes, brokenJson[kind])
  const failure = await (content.bytes.byteLength > inlineBytes ? inSlices(looking) : atOnce(looking))
  if (failure !== undefined) throw refusal([failure])
}

function isConditional({ ifMatch, ifNoneMatch }: Preconditions): boolean {
  return ifMatch !== undefined || ifNoneMatch !== undefined
}

function unconditional(kind: DocumentKind): DomainError {
  const message =
    'From 1.0.3 on a PUT of a profile says what it expects: If-None-Match: * where there is none yet, If-Match and its ETag to replace one.'
  const rule = kind === 'agent-profile' ? 'XAPI-00273' : 'XAPI-00287'
  return refusal([{ pointer: 'If-None-Match:', rule, message }])
}

function refuseConditions({ ifMatch, ifNoneMatch }: Preconditions): void {
  const given = ifMatch === undefined ? ifNoneMatch && 'If-None-Match' : 'If-Match'
  if (given === undefined) return
  const message = 'An entity tag is that of one document: name it, or leave this header out to delete all.'
  throw refusal([{ pointer: `${given}:`, rule: 'claviger/condition-on-all', message }])
}

function refused(
  outcome: Exclude<DocumentOutcome, { readonly kind: 'done' }>,
  kind: DocumentKind,
  limit?: SizeLimit,
): DomainError {
  switch (outcome.kind) {
    case 'precondition_failed':
      return new DomainError(
        'precondition_failed',
        'The document is not as If-Match or If-None-Match say; nothing was changed. GET it for its present ETag',
      )
    case 'exists': {
      // The specification asks for this explanation, in these words nearly.
      const message =
        'There is a document here already; nothing was changed. Check its current state with GET, then PUT again with If-Match and the ETag it has.'
      return conflict({ pointer: 'If-Match:', rule: 'XAPI-00322', message })
    }
    case 'not_mergeable': {
      const { stored, lacks } = outcome
      const which = stored ? 'what is stored' : 'what was sent'
      const what = lacks === 'type' ? 'is of another type' : 'is no JSON object'
      const message = `Both must be JSON objects of type application/json to be merged, and ${which} ${what}; nothing was changed. PUT replaces the whole document.`
      const pointer = lacks === 'type' && !stored ? 'Content-Type:' : ''
      return refusal([{ pointer, rule: notMergeable[kind][lacks], message }])
    }
    case 'too_large':
      return beyondMerged(limit)
    case 'full': {
      const message = 'There are as many documents here as there may be; delete some before another is created.'
      return conflict({ pointer: idParameter(kind), rule: 'claviger/documents-full', message })
    }
  }
}

function conflict(failure: Failure): DomainError {
  return new DomainError('conflict', failure.message, { detail: { failures: [failure] } })
}

/** Only what is merged grows inside the store. */
function beyondMerged(limit: SizeLimit | undefined): DomainError {
  if (limit === undefined) return new DomainError('internal', 'A document grew that was not merged')
  return beyond(limit, `Merged, the document would be larger than ${limit.most} bytes; nothing was changed`)
}
