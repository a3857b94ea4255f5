// Taking what an organisation and its Lrs hold elsewhere: read part by part up to a mark, secrets in clear, for the operator alone.
// Knows no file and no format.

import { eventBy } from './audit.ts'
import type { AuditEvent } from './audit.ts'
import { openCallback } from './callback.ts'
import { DomainError } from './errors.ts'
import type { CredentialId, LrsId, OrganisationId } from './ids.ts'
import { importedFrom } from './organisation.ts'
import type { PlatformOperator } from './organisation.ts'
import { openEndpoints } from './pipe.ts'
import type { Caller } from './principal.ts'
import type { Endpoint } from './remote-lrs.ts'
import { everyRight } from './rights.ts'
import type { Reach } from './rights.ts'
import { openSecrets } from './secret.ts'
import type { ClearSecret } from './secret.ts'
import { openSetting } from './setting.ts'
import type { Setting } from './setting.ts'
import type {
  ApplicationRecord,
  BlobStore,
  Clock,
  CredentialRecord,
  DocumentPosition,
  ExportedDocument,
  ExportedStatement,
  Json,
  LrsRecord,
  OrganisationRecord,
  PipeRecord,
  Storage,
} from './storage.ts'
import type { Vault } from './vault.ts'

/** Records as they are taken along: without what seals them here, and with what was sealed in clear. */
export type PortableOrganisation = Omit<OrganisationRecord, 'wrappedKey'>
export type PortableLrs = Omit<LrsRecord, 'organisationId'>
export type PortableSecret = ClearSecret & { readonly generation: number }
export type PortableCredential = Omit<CredentialRecord, 'organisationId' | 'secrets'> & {
  readonly secrets: readonly PortableSecret[]
}
export type PortableApplication = Omit<
  ApplicationRecord,
  'organisationId' | 'callback' | 'callbackGeneration' | 'credentialId'
> & {
  /** Its own key; it is none of `credentials`. */
  readonly credential: PortableCredential
  /** Opaque: as core/callback.ts writes it. */
  readonly callback: Json
  readonly settings: readonly Setting[]
}
export type PortablePipe = Omit<PipeRecord, 'organisationId' | 'source' | 'target'> & {
  readonly source: Endpoint | null
  readonly target: Endpoint
}

/** Both exclusive and inclusive as in `ExportStore.listStatements`; microseconds. */
export interface StoredSpan {
  readonly after: number
  readonly through: number
}

const statementsInPart = 1_000
const textInPart = 8 * 1024 * 1024
const documentsInPart = 200
const keysInPart = 500
const pageSize = 1_000

export interface ExportsParts {
  readonly storage: Storage
  readonly vault: Vault
  readonly clock: Clock
}

export class Exports {
  readonly #storage: Storage
  readonly #vault: Vault
  readonly #clock: Clock

  constructor({ storage, vault, clock }: ExportsParts) {
    this.#storage = storage
    this.#vault = vault
    this.#clock = clock
  }

  /** Recorded before anything is read: secrets leave. `detail` says how much is taken. */
  async begin(operator: PlatformOperator, organisationId: OrganisationId, detail: Json): Promise<void> {
    const target = { noun: 'organisation', id: organisationId }
    const event = eventBy(callerOf(operator, organisationId), this.#clock, 'organisation.export', target, detail)
    await this.#storage.directory.appendAudit(organisationId, event)
  }

  /** Every statement stored up to here is seen by whoever reads from now on; microseconds. */
  mark(operator: PlatformOperator, lrsId: LrsId): Promise<number> {
    void operator // As in organisation.ts: a tenant's caller does not fit the type.
    return this.#storage.statements.consistentThrough(lrsId)
  }

  /** Of all owners, voided ones, too, in stored order. */
  async *statements(
    operator: PlatformOperator,
    lrsId: LrsId,
    { after, through }: StoredSpan,
  ): AsyncGenerator<readonly ExportedStatement[]> {
    void operator
    const bounds = { through, isAscending: true, limit: statementsInPart, mostText: textInPart }
    for (let at = after; ;) {
      const rows = await this.#storage.exports.listStatements(lrsId, { ...bounds, after: at })
      if (rows.length === 0) return
      yield rows
      at = rows.at(-1)!.seq
    }
  }

  /**
   * For whom it counts what this statement says of its object: everybody, its owner alone; undefined where it says nothing, or
   * nobody takes it up. So a key that is gone, or may do less by now, is known for what it was.
   */
  async describes(
    operator: PlatformOperator,
    lrsId: LrsId,
    { owner, body }: Pick<ExportedStatement, 'owner' | 'body'>,
  ): Promise<Reach | undefined> {
    void operator
    const { object } = JSON.parse(body) as {
      readonly object?: { readonly id?: unknown; readonly definition?: unknown }
    }
    if (typeof object?.id !== 'string' || object.definition === undefined) return undefined
    const about = { kind: 'activity', value: object.id } as const
    const known = await this.#storage.statements.listDescriptions(lrsId, about, owner)
    if (known.length === 0) return undefined
    return known.some(({ isShared }) => isShared) ? 'any' : 'mine'
  }

  async *documents(operator: PlatformOperator, lrsId: LrsId): AsyncGenerator<readonly ExportedDocument[]> {
    void operator
    const bounds = { limit: documentsInPart, mostBytes: textInPart }
    let after: DocumentPosition | undefined
    do {
      const part = await this.#storage.exports.listDocuments(lrsId, { ...bounds, after })
      yield part.documents
      after = part.next
    } while (after !== undefined)
  }

  /** As `BlobStore.open`. */
  openBlob(operator: PlatformOperator, lrsId: LrsId, sha2: string): ReturnType<BlobStore['open']> {
    void operator
    return this.#storage.blobs.open(lrsId, sha2)
  }

  async organisation(
    operator: PlatformOperator,
    organisationId: OrganisationId,
  ): Promise<{ readonly organisation: PortableOrganisation; readonly lrs: readonly PortableLrs[] }> {
    void operator
    const { wrappedKey: _wrappedKey, words, ...organisation } = await this.#find(organisationId)
    const { [importedFrom]: _importedFrom, ...portable } = words
    const lrs = await this.#storage.directory.listLrs(organisationId)
    return {
      organisation: { ...organisation, words: portable },
      lrs: lrs.map(({ organisationId: _organisation, ...record }) => record),
    }
  }

  /** By id, but for those of applications. One that is made or removed meanwhile is there or not; no other is missed for it. */
  async *credentials(
    operator: PlatformOperator,
    organisationId: OrganisationId,
  ): AsyncGenerator<readonly PortableCredential[]> {
    void operator
    const holder = await this.#find(organisationId)
    const ids = await this.#credentialIds(organisationId)
    for (let from = 0; from < ids.length; from += keysInPart) {
      const some = ids.slice(from, from + keysInPart)
      const slice = { offset: 0, limit: some.length }
      const { items } = await this.#storage.directory.listCredentials(organisationId, { ids: some }, slice)
      yield items.filter(({ kind }) => kind !== 'application').map((record) => this.#portable(holder, record))
    }
  }

  #portable(holder: OrganisationRecord, record: CredentialRecord): PortableCredential {
    const { organisationId: _organisation, secrets, ...credential } = record
    const opened = openSecrets(this.#vault, holder, secrets)
    return {
      ...credential,
      secrets: secrets.map(({ generation }, index) => ({ ...opened[index]!, generation })),
    }
  }

  /** Pages go by number: whoever removes one in between moves the others, so it is listed again then. */
  async #credentialIds(organisationId: OrganisationId): Promise<readonly CredentialId[]> {
    for (;;) {
      const ids: CredentialId[] = []
      const totals = new Set<number>()
      do {
        const slice = { offset: ids.length, limit: pageSize }
        const { items, total } = await this.#storage.directory.listCredentials(organisationId, {}, slice)
        ids.push(...items.map(({ id }) => id))
        totals.add(total)
        if (items.length === 0) break
      } while (ids.length < Math.max(...totals))
      if (totals.size === 1) return ids
    }
  }

  /** By the time they were made. */
  async *applications(operator: PlatformOperator, organisationId: OrganisationId): AsyncGenerator<PortableApplication> {
    void operator
    const holder = await this.#find(organisationId)
    const query = { by: 'createdAt', isDescending: false, limit: pageSize } as const
    let after: { readonly at: number; readonly id: ApplicationRecord['id'] } | undefined
    for (;;) {
      const { items } = await this.#storage.directory.listApplications(organisationId, {
        ...query,
        ...(after && { after }),
      })
      for (const record of items) {
        const application = await this.#portableApplication(holder, record)
        if (application !== undefined) yield application
      }
      const last = items.at(-1)
      if (last === undefined) return
      after = { at: last.createdAt, id: last.id }
    }
  }

  async #portableApplication(
    holder: OrganisationRecord,
    record: ApplicationRecord,
  ): Promise<PortableApplication | undefined> {
    const { organisationId, callback: sealed, callbackGeneration: _generation, credentialId, ...application } = record
    const settings = await this.#storage.directory.listSettings(organisationId, record.id)
    const credential = await this.#storage.directory.findCredential(organisationId, credentialId)
    // Removed since it was listed.
    if (credential === undefined) return undefined
    return {
      ...application,
      credential: this.#portable(holder, credential),
      callback: openCallback(this.#vault, holder, { id: record.id, callback: sealed }) ?? null,
      settings: settings.map((setting) => openSetting(this.#vault, holder, record.id, setting)),
    }
  }

  async pipes(operator: PlatformOperator, organisationId: OrganisationId): Promise<readonly PortablePipe[]> {
    void operator
    const holder = await this.#find(organisationId)
    const records = await this.#storage.directory.listPipes(organisationId)
    return records.map(({ organisationId: _organisation, ...record }) => {
      const endpoints = openEndpoints(record, (place, sealed) => this.#vault.open(holder, place, sealed))
      return { ...record, source: endpoints.source ?? null, target: endpoints.target }
    })
  }

  async *audit(operator: PlatformOperator, organisationId: OrganisationId): AsyncGenerator<readonly AuditEvent[]> {
    void operator
    for (let after = 0; ;) {
      const events = await this.#storage.directory.listAudit(organisationId, after, pageSize)
      if (events.length === 0) return
      yield events
      after = events.at(-1)!.number
    }
  }

  async #find(organisationId: OrganisationId): Promise<OrganisationRecord> {
    const found = await this.#storage.directory.findOrganisation(organisationId)
    if (found === undefined) throw new DomainError('not_found', `There is no organisation ${organisationId}.`)
    return found
  }
}

/** The operator, in one organisation. */
export function callerOf({ operator }: PlatformOperator, organisationId: OrganisationId): Caller {
  return { organisationId, rights: everyRight, name: operator }
}
