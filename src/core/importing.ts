// Bringing in what was stored elsewhere before: checked by the same rules as what arrives, kept with the ids, stored times,
// authorities and owners it had. Resumable: how far an import is stands in the store, in one transaction with what it stored.
// Knows no product and no file.

import { whileHolding } from './attachments.ts'
import { DomainError, invalid } from './errors.ts'
import type { AgentIdentity } from './authority.ts'
import type { CredentialId, LrsId, Oid, OrganisationId } from './ids.ts'
import type { PlatformOperator } from './organisation.ts'
import type { Pins } from './pins.ts'
import type { Reach } from './rights.ts'
import type {
  AttachmentClaim,
  Clock,
  DocumentContent,
  DocumentImportOutcome,
  DocumentKey,
  Ids,
  ImportedDocument,
  ImportedStatement,
  ImportOutcome,
  ImportRecord,
  Json,
  StatementPart,
  Storage,
} from './storage.ts'
import { entityTag } from './xapi/document.ts'
import { parseDocumentQuery } from './xapi/document-query.ts'
import type { DocumentKind } from './xapi/document-query.ts'
import { normalise } from './xapi/normalise.ts'
import { prepare } from './xapi/prepare.ts'
import { isObject, refusal, shown } from './xapi/rule.ts'
import { checkStatements } from './xapi/statement.ts'
import type { Statement } from './xapi/statement.ts'
import { maxTimestampLength, parseTimestamp } from './xapi/time.ts'
import type { XapiVersion } from './xapi/version.ts'

/** Where a statement comes from. */
export interface StatementOrigin {
  /** Whose it is here: reach *mine* goes by it. */
  readonly owner: CredentialId
  /** Of the owner's key there, where the statement names none. */
  readonly authority: AgentIdentity
  readonly isVoided: boolean
  /** What a voiding one takes effect on, as when it was stored; undefined: on nothing. */
  readonly voidReach: Reach | undefined
  /** What it says of activities is everybody's, its owner's alone, or nobody's. */
  readonly defineReach: Reach | undefined
  /** Microseconds: by what it was listed there, where its text says something else, though hardly. */
  readonly listedAt?: number | undefined
}

/** A document as it was found elsewhere. */
export interface DocumentOrigin {
  readonly kind: DocumentKind
  readonly activityId?: string
  /** An xAPI Agent. */
  readonly agent?: unknown
  readonly registration?: string
  /** stateId or profileId. */
  readonly id: string
  /** 0: everybody's with reach any. */
  readonly owner: CredentialId
  readonly contentType: string
  readonly content: DocumentContent
  /** Without quotes; of the content unless given. */
  readonly etag?: string
  /** Microseconds. */
  readonly updatedAt: number
}

/** Bytes that go before the rows which refer to them. */
export interface ImportBlobs {
  /** Resolves when synced. `invalid` where the content has another hash than `sha2`. */
  put(
    bytes: AsyncIterable<Uint8Array>,
    options?: { readonly sha2?: string; readonly mostBytes?: number },
  ): Promise<{ readonly sha2: string; readonly length: number }>
  /** To be called when all are put, before what refers to them is stored. */
  confirm(): Promise<void>
}

/** Of one Lrs, and where the import is in it once they are stored; without `progress` they were handed over before. */
export interface ImportPart {
  readonly importId: Oid
  readonly lrsId: LrsId
  readonly progress?: Json
}

/** Bytes of one attachment or document. */
const mostBlobBytes = 1024 * 1024 * 1024
const noPins: Pins = {}
/** `StatementPart.claim` brings them, once their bytes are put. */
const none: readonly AttachmentClaim[] = []
/** `requireId` has run. */
const noId = (): string => ''

export class Imports {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #ids: Ids

  constructor({ storage, clock, ids }: { readonly storage: Storage; readonly clock: Clock; readonly ids: Ids }) {
    this.#storage = storage
    this.#clock = clock
    this.#ids = ids
  }

  /** The one of this source that was not finished, to go on with, or a new one. `source` holds no secret. */
  begin(operator: PlatformOperator, source: string, progress: Json): Promise<ImportRecord> {
    void operator // As in organisation.ts: a tenant's caller does not fit the type.
    return this.#storage.imports.begin({ id: this.#ids.oid(), source, startedAt: this.#clock.now(), progress })
  }

  /** Latest first, at most 100. */
  list(operator: PlatformOperator): Promise<readonly ImportRecord[]> {
    void operator
    return this.#storage.imports.list()
  }

  async get(operator: PlatformOperator, id: Oid): Promise<ImportRecord> {
    void operator
    const found = await this.#storage.imports.find(id)
    if (found === undefined) throw new DomainError('not_found', `There is no import ${id}.`)
    return found
  }

  /** Not of what is stored: that goes with `storeStatements` and `storeDocuments`. */
  save(operator: PlatformOperator, id: Oid, progress: Json): Promise<void> {
    void operator
    return this.#storage.imports.save(id, progress)
  }

  /** What it stored stays; the Lrs it held go on. Recorded in the audit log of each organisation. */
  async finish(
    { operator }: PlatformOperator,
    id: Oid,
    { report, into }: { readonly report: Json; readonly into: readonly OrganisationId[] },
  ): Promise<void> {
    const { source } = await this.get({ operator }, id)
    const at = this.#clock.now()
    for (const organisationId of into) {
      await this.#storage.directory.appendAudit(organisationId, {
        at,
        actor: { kind: 'operator', name: operator },
        action: 'import.finish',
        target: { noun: 'import', id },
        detail: { source },
      })
    }
    await this.#storage.imports.finish(id, { at, report })
  }

  /**
   * Checks every xAPI rule of the statement's own version and makes it ready to store. Keeps its id, stored time, timestamp,
   * authority and version. Throws `invalid` with all failures. Takes some 20 µs.
   */
  prepareStatement(value: unknown, origin: StatementOrigin): ImportedStatement {
    const version = familyOf(value)
    const [statement] = checkStatements(value, version, { partsFollow: true }).statements as [Statement]
    const storedText = statement['stored']
    const storedAt = this.#listedAt(this.#storedAt(storedText), origin.listedAt)
    const { owner, authority, isVoided, voidReach, defineReach } = origin
    requireId(statement)
    const stamp = { authority, mayChooseAuthority: true, version, uuid: noId }
    const timed = 'timestamp' in statement ? statement : ({ ...statement, timestamp: storedText } as Statement)
    const normal = normalise(timed, stamp)
    const author =
      defineReach === undefined ? undefined : { authority: normal['authority'] as AgentIdentity, pins: noPins }
    const prepared = prepare(normal, author)
    const { timestamp = storedAt } = prepared
    const { id, openBody, terms, refersTo, descriptions, isVoiding } = prepared
    // Named one by one: of each that was made with spreads, 2.5 kB outlived two collections of V8's young space (measured).
    return {
      id,
      timestamp,
      openBody,
      terms,
      refersTo,
      isVoiding,
      descriptions,
      attachments: none,
      owner,
      storedAt,
      storedText: storedText as string,
      isVoided,
      voidReach,
      defineReach,
    }
  }

  /** Throws `invalid` where it could not be asked for through xAPI either. */
  prepareDocument(origin: DocumentOrigin): ImportedDocument {
    const { kind, activityId, agent, registration, id, owner, content, contentType, updatedAt } = origin
    const params = new Map<string, readonly string[]>([[kind === 'state' ? 'stateId' : 'profileId', [id]]])
    if (activityId !== undefined) params.set('activityId', [activityId])
    if (agent !== undefined) params.set('agent', [JSON.stringify(agent)])
    if (registration !== undefined) params.set('registration', [registration])
    const { scope } = parseDocumentQuery(kind, 'PUT', params, '1.0')
    const etag = origin.etag ?? (content.kind === 'inline' ? entityTag(content.bytes) : undefined)
    const failures = [
      ...(etag !== undefined && /^[!#-~]{1,100}$/.test(etag) ? [] : [unfit('/etag', 'an entity tag', etag)]),
      ...(/^[!-~][ -~]{0,254}$/.test(contentType) ? [] : [unfit('/contentType', 'a media type', contentType)]),
      ...(this.#isPast(updatedAt) ? [] : [unfit('/updatedAt', 'a time that has passed', updatedAt)]),
    ]
    if (failures.length > 0) throw refusal(failures)
    const key: DocumentKey = { ...scope, id }
    return { key, owner, content, contentType, etag: etag as string, updatedAt }
  }

  /** For what was prepared, until enough of it is there to be stored. */
  newPart(): StatementPart {
    return this.#storage.imports.newPart()
  }

  /** Stored when it resolves, with the progress, or none of them. At most 2,000. */
  storeStatements(
    operator: PlatformOperator,
    { importId, lrsId, progress, statements }: ImportPart & { readonly statements: StatementPart },
  ): Promise<readonly ImportOutcome[]> {
    void operator
    return this.#storage.imports.storeStatements(importId, lrsId, {
      statements,
      ...(progress !== undefined && { progress }),
    })
  }

  /** The same for documents, at most 500. */
  storeDocuments(
    operator: PlatformOperator,
    { importId, lrsId, progress, documents }: ImportPart & { readonly documents: readonly ImportedDocument[] },
  ): Promise<readonly DocumentImportOutcome[]> {
    void operator
    return this.#storage.imports.storeDocuments(importId, lrsId, {
      documents,
      ...(progress !== undefined && { progress }),
    })
  }

  /** Nobody removes what `work` puts before it has stored what refers to it. */
  withBlobs<T>(operator: PlatformOperator, lrsId: LrsId, work: (blobs: ImportBlobs) => Promise<T>): Promise<T> {
    void operator
    const { blobs } = this.#storage
    return whileHolding(blobs, (hold) =>
      work({
        put: (bytes, { sha2, mostBytes = mostBlobBytes } = {}) =>
          blobs.put(lrsId, bytes, { mostBytes, hold, ...(sha2 !== undefined && { sha2 }) }),
        confirm: () => hold.confirm(),
      }),
    )
  }

  /** Microseconds. Later than now would be later than what is stored after it. */
  #storedAt(text: unknown): number {
    const at = typeof text === 'string' && text.length <= maxTimestampLength ? parseTimestamp(text) : undefined
    const what = text === undefined ? 'is missing' : `is ${shown(text)}`
    if (at === undefined || at < 1) {
      throw refusal([{ pointer: '/stored', rule: 'claviger/import', message: `Expected a stored time; it ${what}.` }])
    }
    if (this.#isPast(at)) return at
    const message = `Stored later than now by the clock of this server: ${shown(text)}. Import again when it has passed.`
    throw refusal([{ pointer: '/stored', rule: 'claviger/import', message }])
  }

  #listedAt(storedAt: number, listedAt = storedAt): number {
    if (this.#isPast(listedAt) && Math.abs(listedAt - storedAt) <= 1_000_000) return listedAt
    const message = `Listed by another time than it was stored at: ${listedAt}.`
    throw refusal([{ pointer: '/stored', rule: 'claviger/import', message }])
  }

  #isPast(micros: number): boolean {
    return Number.isSafeInteger(micros) && micros > 0 && micros <= this.#clock.now() * 1000
  }
}

function familyOf(value: unknown): XapiVersion {
  const version = isObject(value) ? value['version'] : undefined
  return typeof version === 'string' && version.startsWith('2.') ? '2.0' : '1.0'
}

function requireId({ id }: Statement): void {
  if (typeof id === 'string') return
  const message = 'A statement that was stored has an id'
  throw invalid(message, [{ pointer: '/id', rule: 'claviger/import', message }])
}

function unfit(pointer: string, what: string, value: unknown) {
  return { pointer, rule: 'claviger/import', message: `Expected ${what}, got ${shown(value)}.` }
}
