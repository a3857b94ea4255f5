// Removing for good: a person, one statement, everything in an Lrs, what is older than an Lrs keeps it. A job in storage, done step by step
// beside everything else; one that was interrupted goes on at the next start. What is left of it is a receipt.

import { createHash } from 'node:crypto'
import { authorise } from './access.ts'
import { canonicalJson, eventBy } from './audit.ts'
import type { AuditActor } from './audit.ts'
import { DomainError, isDomainError } from './errors.ts'
import type { CredentialId, LrsId, Oid, OrganisationId, Seq } from './ids.ts'
import type { Leases } from './jobs.ts'
import { identify, isNamedBy } from './person.ts'
import type { Alike } from './person.ts'
import type { Caller } from './principal.ts'
import { erasureCounts } from './storage.ts'
import type {
  AlikePosition,
  Clock,
  CredentialRecord,
  ErasureCounts,
  ErasurePosition,
  ErasureRecord,
  ErasureTarget,
  Ids,
  Json,
  OrganisationRecord,
  Storage,
  StoredStatement,
} from './storage.ts'
import { isInsidePins } from './statements.ts'
import type { Vault } from './vault.ts'

export interface ErasureOptions {
  readonly storage: Storage
  readonly vault: Vault
  readonly clock: Clock
  readonly ids: Ids
  /** A job is one node's at a time. */
  readonly leases: Leases
  /** Called when a job breaks off; it goes on with the next `resume`. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** Whom to erase, and where. */
export interface PersonInput {
  /** xAPI Agents, one identifier each, all of one person. */
  readonly agents: readonly unknown[]
  /** One Lrs of the organisation; all of them unless given. */
  readonly lrsId?: LrsId
  /** Only statements that have the person as actor or object; the others that mention them stay. */
  readonly onlyDirect?: boolean
}

/** What an erasure would remove. */
export interface ErasurePreview {
  readonly lrs: readonly { readonly lrsId: LrsId; readonly counts: Partial<ErasureCounts> }[]
  /** Credentials whose pin or authority names the person. They stay as they are. */
  readonly namedBy: readonly CredentialRecord[]
  /** Identifiers that stay, and may be the person's, too; not all where there are very many. */
  readonly alike: readonly (Alike & { readonly lrsId: LrsId })[]
}

/** From here on the job goes on whatever happens, and its receipt will have this id. */
type OnBegun = (id: Oid) => void

interface Start {
  readonly agents?: readonly string[]
  readonly onBegun?: OnBegun | undefined
}

/** As it is stored with the job: everything but whom it is about. */
interface Plan {
  readonly kind: ErasureTarget['kind']
  readonly lrsIds: readonly LrsId[]
  readonly by: AuditActor
  readonly onlyDirect?: boolean
  /** Microseconds. */
  readonly through?: number
  /** The same of documents. */
  readonly changedThrough?: number
  /** The stored time of the one statement; microseconds. */
  readonly seq?: Seq
  /** Traces of the person's identifiers (`Vault.traceOf`). */
  readonly traces?: readonly string[]
}

export interface ErasureReceipt extends Plan {
  readonly id: Oid
  readonly organisation: Oid
  readonly counts: ErasureCounts
  /** ISO 8601. */
  readonly startedAt: string
  readonly finishedAt: string
  /** What deleted rows leave in unused space of the store's files. */
  readonly unusedSpace: 'overwritten' | 'left'
  /** SHA-256 of the canonical JSON (members sorted, no spaces) of all the rest; the audit log has it, too. */
  readonly sha256: string
}

/** Whether an erasure was of one who has this identifier: by itself, or only by the hash that stands for it. */
export interface Traced {
  readonly agent: string
  readonly traced: 'itself' | 'its hash' | 'no'
}

export interface ErasureState {
  readonly record: ErasureRecord
  /** Undefined while it is not done. */
  readonly receipt: ErasureReceipt | undefined
}

/** By its own id, or by its stored time, which is unique in an Lrs. */
export type StatementName = { readonly id: string } | { readonly seq: Seq }

/** Told per Lrs. */
const mostAlike = 100
/** A step takes some ten milliseconds of the writer; it then belongs to others for as long, and at least for this. */
const leastPauseMs = 2
const mostPauseMs = 200
/** After everybody who reads had to be waited for in vain. */
const busyPauseMs = 50

export class Erasures {
  readonly #storage: Storage
  readonly #vault: Vault
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #leases: Leases
  readonly #onError: ((error: unknown) => void) | undefined
  /** Jobs run one after another, whoever started them. */
  #last: Promise<unknown> = Promise.resolve()
  readonly #running = new Map<Oid, Promise<ErasureReceipt>>()
  #isClosing = false

  constructor({ storage, vault, clock, ids, leases, onError }: ErasureOptions) {
    this.#storage = storage
    this.#vault = vault
    this.#clock = clock
    this.#ids = ids
    this.#leases = leases
    this.#onError = onError
  }

  // -------------------------------------------------------------------------------------------------------------------
  // A person

  async previewPerson(caller: Caller, input: PersonInput): Promise<ErasurePreview> {
    const lrsIds = await this.#allowed(caller, 'read', input.lrsId)
    const target = personTarget(input)
    const namedBy = (await this.#credentials(caller.organisationId)).filter((one) => isNamedBy(one, target.agents))
    const alike: (Alike & { readonly lrsId: LrsId })[] = []
    for (const lrsId of lrsIds) {
      const found = await this.#findAlike(lrsId, target.agents)
      alike.push(...found.map((one) => ({ lrsId, ...one })))
    }
    return { lrs: await this.#countAll(lrsIds, target), namedBy, alike }
  }

  /** Resolves when it is done and nothing is left; the job, once begun, outlives the caller. */
  async erasePerson(caller: Caller, input: PersonInput, onBegun?: OnBegun): Promise<ErasureReceipt> {
    const lrsIds = await this.#allowed(caller, 'delete', input.lrsId)
    const target = personTarget(input)
    const organisation = await this.#organisation(caller.organisationId)
    const traces = target.agents.map((agent) => this.#vault.traceOf(organisation, agent))
    const onlyDirect = target.onlyDirect ? { onlyDirect: true } : {}
    const plan = { kind: target.kind, lrsIds, traces, ...onlyDirect }
    return this.#begin(caller, organisation, plan, { agents: target.agents, onBegun })
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Everything in an Lrs

  async previewEmpty(caller: Caller, lrsId: LrsId): Promise<ErasurePreview> {
    const lrsIds = await this.#allowed(caller, 'read', lrsId)
    return {
      lrs: await this.#countAll(lrsIds, { kind: 'empty', ...(await this.#storage.erasures.latest(lrsId)) }),
      namedBy: [],
      alike: [],
    }
  }

  /** All that was there when this began. Statements may come again, except those of persons who were erased. */
  async empty(caller: Caller, lrsId: LrsId, onBegun?: OnBegun): Promise<ErasureReceipt> {
    const lrsIds = await this.#allowed(caller, 'delete', lrsId)
    const organisation = await this.#organisation(caller.organisationId)
    const latest = await this.#storage.erasures.latest(lrsId)
    return this.#begin(caller, organisation, { kind: 'empty', lrsIds, ...latest }, { onBegun })
  }

  // -------------------------------------------------------------------------------------------------------------------
  // One statement

  /**
   * For who has the right `statements/delete`, within its reach and pins: `not_found` beyond. The same statement may be stored again;
   * one that was voided by it stays voided.
   */
  async eraseStatement(caller: Caller, lrsId: LrsId, which: StatementName): Promise<ErasureReceipt> {
    const reach = authorise(caller, { kind: 'xapi', right: 'statements/delete', lrsId })
    await this.#lrs(caller, lrsId)
    const found = await this.#findStatement(lrsId, which, reach === 'mine' ? caller.credentialId : undefined)
    if (found === undefined || !isInsidePins(found, caller.pins ?? {})) {
      throw new DomainError('not_found', 'There is no such statement.', { detail: { isRefusal: false } })
    }
    const organisation = await this.#organisation(caller.organisationId)
    return this.#begin(caller, organisation, { kind: 'statement', lrsIds: [lrsId], seq: found.seq }, {})
  }

  /** Voided or not. */
  async #findStatement(
    lrsId: LrsId,
    which: StatementName,
    owner: CredentialId | undefined,
  ): Promise<StoredStatement | undefined> {
    const { statements } = this.#storage
    const owned = owner === undefined ? {} : { owner }
    if ('seq' in which) {
      const { seq } = which
      const range = { since: seq - 1, until: seq, isAscending: true, limit: 1, withVoided: true }
      return (await statements.list(lrsId, { filters: [], ...range, ...owned })).rows[0]
    }
    const id = which.id.toLowerCase()
    const { statement } = await statements.find(lrsId, id, { isVoided: false, ...owned })
    return statement ?? (await statements.find(lrsId, id, { isVoided: true, ...owned })).statement
  }

  // -------------------------------------------------------------------------------------------------------------------
  // By age: `Retention` decides when

  async countOlder(lrsId: LrsId, through: number): Promise<Partial<ErasureCounts>> {
    const [{ counts } = { counts: {} }] = await this.#countAll([lrsId], { kind: 'retention', through })
    return counts
  }

  /** On behalf of the rule that an Lrs has. Nothing happens, and nothing is recorded, where nothing is older. */
  async removeOlder(
    organisationId: OrganisationId,
    lrsId: LrsId,
    through: number,
  ): Promise<ErasureReceipt | undefined> {
    const { counts } = await this.#storage.erasures.count(lrsId, { kind: 'retention', through })
    if ((counts.statements ?? 0) === 0) return undefined
    const organisation = await this.#organisation(organisationId)
    const plan = { kind: 'retention', lrsIds: [lrsId], through, by: { kind: 'system', name: 'retention' } } as const
    return this.#start(organisation, plan)
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Receipts

  /** Latest first. */
  async list(
    caller: Caller,
    { offset = 0, limit = 100 }: { readonly offset?: number; readonly limit?: number } = {},
  ): Promise<{ readonly items: readonly ErasureState[]; readonly total: number }> {
    authorise(caller, { kind: 'manage', area: 'data', action: 'read' })
    const { items, total } = await this.#storage.erasures.list(caller.organisationId, { offset, limit })
    return { items: items.map(toState), total }
  }

  async get(caller: Caller, id: string): Promise<ErasureState> {
    authorise(caller, { kind: 'manage', area: 'data', action: 'read' })
    const record = await this.#storage.erasures.find(caller.organisationId, id as Oid)
    if (record === undefined) throw new DomainError('not_found', `There is no erasure ${id}.`)
    return toState(record)
  }

  /** For who knows an identifier: whether the receipt is about it. The traces tell nobody else. */
  async trace(caller: Caller, id: string, agents: readonly unknown[]): Promise<readonly Traced[]> {
    const { record } = await this.get(caller, id)
    const organisation = await this.#organisation(caller.organisationId)
    const { traces = [] } = record.plan as unknown as Plan
    const isTraced = (term: string): boolean => traces.includes(this.#vault.traceOf(organisation, term))
    identify(agents)
    return agents.map((agent) => {
      const [term = '', ...hashes] = identify([agent])
      return { agent: term, traced: isTraced(term) ? 'itself' : hashes.some(isTraced) ? 'its hash' : 'no' }
    })
  }

  /**
   * Goes on with every job that was interrupted, of all organisations; resolves when all are done, or broke off again. Those
   * that another node has are waited for.
   */
  async resume(signal?: AbortSignal): Promise<readonly ErasureReceipt[]> {
    const open = await this.#storage.platform.listOpenErasures()
    const receipts: ErasureReceipt[] = []
    for (const record of open) {
      signal?.throwIfAborted()
      try {
        receipts.push(await this.#run(record))
      } catch (error) {
        // One that cannot go on must not keep the others from it.
        if (this.#isClosing) break
        this.#onError?.(error)
      }
    }
    return receipts
  }

  /** Lets the step under way end. The job goes on at the next start. */
  async close(): Promise<void> {
    this.#isClosing = true
    await Promise.allSettled([this.#last, ...this.#running.values()])
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Jobs

  #begin(
    caller: Caller,
    organisation: OrganisationRecord,
    plan: Omit<Plan, 'by'>,
    start: Start,
  ): Promise<ErasureReceipt> {
    const { actor } = eventBy(caller, this.#clock, '', { noun: 'erasure', id: null }, null)
    return this.#start(organisation, { ...plan, by: actor }, start)
  }

  async #start(organisation: OrganisationRecord, plan: Plan, { agents, onBegun }: Start = {}): Promise<ErasureReceipt> {
    const id = this.#ids.oid()
    const sealed =
      agents === undefined ? null : this.#vault.seal(organisation, placeOf(id), JSON.stringify([...agents]))
    const startedAt = this.#clock.now()
    const record = await this.#storage.erasures.create(
      organisation.id,
      { id, plan: plan as unknown as Json, sealed, startedAt },
      eventOf(plan, id, { at: startedAt, action: 'erasure.start', detail: {} }),
    )
    onBegun?.(id)
    return this.#run(record)
  }

  #run(record: ErasureRecord): Promise<ErasureReceipt> {
    const known = this.#running.get(record.id)
    if (known !== undefined) return known
    // One statement is a moment's work, and somebody waits for it.
    const isShort = (record.plan as unknown as Plan).kind === 'statement'
    const run = isShort ? this.#workAlone(record) : this.#last.then(() => this.#workAlone(record))
    this.#running.set(record.id, run)
    const forget = (): void => void this.#running.delete(record.id)
    const ended = run.then(forget, forget)
    if (!isShort) this.#last = ended
    return run
  }

  /** Whoever has the lease does it; the others wait, and go on where that one broke off. */
  async #workAlone(record: ErasureRecord): Promise<ErasureReceipt> {
    const { organisationId, id } = record
    for (;;) {
      let lease: AbortSignal | undefined
      try {
        const held = await this.#leases.holdNext(`erasure ${id}`, async (signal) => {
          lease = signal
          const found = await this.#storage.erasures.find(organisationId, id)
          return (found && toState(found).receipt) ?? this.#work(record, signal)
        })
        if (held !== undefined) return held.result
        throw interrupted()
      } catch (error) {
        if (this.#isClosing || lease?.aborted !== true) throw error
      }
    }
  }

  async #work(record: ErasureRecord, signal: AbortSignal): Promise<ErasureReceipt> {
    const { organisationId } = record
    const plan = record.plan as unknown as Plan
    const organisation = await this.#organisation(organisationId)
    const target = this.#targetOf(organisation, record)
    for (const lrsId of plan.lrsIds) await this.#removeFrom(record, lrsId, { target, signal })
    // What age alone removes, or one by one, was cleared where it lay; a file is not read from end to end for that.
    const isCleared = plan.kind === 'retention' || plan.kind === 'statement'
    const isScrubbed = !isCleared && (await this.#scrub(signal))
    const { counts } = (await this.#storage.erasures.find(organisationId, record.id)) ?? record
    const receipt = receiptOf(organisation, { ...record, counts }, { finishedAt: this.#clock.now(), isScrubbed })
    const detail = { counts: receipt.counts, receipt: receipt.sha256 }
    const event = eventOf(plan, record.id, { at: this.#clock.now(), action: 'erasure.finish', detail })
    await this.#storage.erasures.finish(organisationId, record.id, receipt as unknown as Json, event)
    return receipt
  }

  async #removeFrom(
    { organisationId, id }: ErasureRecord,
    lrsId: LrsId,
    { target, signal }: { readonly target: ErasureTarget; readonly signal: AbortSignal },
  ): Promise<void> {
    const { erasures, blobs } = this.#storage
    let position: ErasurePosition | undefined
    do {
      position = (await this.#paced(signal, () => erasures.step(organisationId, id, lrsId, target, position))).next
    } while (position !== undefined)
    // Of one statement mostly none: then they are not looked through.
    const { counts } = (await erasures.find(organisationId, id)) ?? {}
    if (target.kind === 'statement' && counts?.attachments === 0) return
    let after: string | undefined
    do {
      const { removed, left, next } = await this.#paced(signal, () => blobs.removeUnused(lrsId, after))
      if (removed + left > 0) await erasures.countBlobs(organisationId, id, lrsId, { removed, left })
      after = next
    } while (after !== undefined)
  }

  /** False where the store cannot: then the receipt says so. */
  async #scrub(signal: AbortSignal): Promise<boolean> {
    let after: number | undefined = 0
    try {
      while (after !== undefined) {
        const before: number = after
        const { next } = await this.#paced(signal, () => this.#storage.erasures.scrub(before))
        if (next === before) await pause(busyPauseMs)
        after = next
      }
      return true
    } catch (error) {
      if (isDomainError(error) && error.code === 'unsupported') return false
      throw error
    }
  }

  /** One step, then a pause as long as it took: whoever stores gets at least half of the writer. */
  async #paced<T>(signal: AbortSignal, step: () => Promise<T>): Promise<T> {
    if (this.#isClosing) throw interrupted()
    signal.throwIfAborted()
    const start = performance.now()
    const result = await step()
    await pause(Math.min(Math.max(performance.now() - start, leastPauseMs), mostPauseMs))
    return result
  }

  #targetOf(organisation: OrganisationRecord, { id, plan, sealed }: ErasureRecord): ErasureTarget {
    const { kind, onlyDirect = false, through = 0, changedThrough = through, seq = 0 as Seq } = plan as unknown as Plan
    if (kind === 'retention') return { kind, through }
    if (kind === 'statement') return { kind, seq }
    if (kind === 'empty') return { kind, through, changedThrough }
    if (sealed === null) throw new DomainError('internal', `Erasure ${id} does not say whom it is about.`)
    const agents = JSON.parse(this.#vault.open(organisation, placeOf(id), sealed)) as readonly string[]
    return { kind, agents, onlyDirect }
  }

  // -------------------------------------------------------------------------------------------------------------------

  async #lrs({ organisationId }: Caller, lrsId: LrsId): Promise<void> {
    const all = await this.#storage.directory.listLrs(organisationId)
    if (!all.some(({ id }) => id === lrsId)) throw new DomainError('not_found', `There is no Lrs ${lrsId}.`)
  }

  /** The Lrs meant: the one given, or all. Throws unless the caller may do that to every one of them. */
  async #allowed(caller: Caller, action: 'read' | 'delete', lrsId: LrsId | undefined): Promise<readonly LrsId[]> {
    const bound = lrsId === undefined ? {} : { bound: { kind: 'lrs', id: lrsId } as const }
    authorise(caller, { kind: 'manage', area: 'data', action, ...bound })
    const all = (await this.#storage.directory.listLrs(caller.organisationId)).map(({ id }) => id)
    if (lrsId === undefined) return all
    if (!all.includes(lrsId)) throw new DomainError('not_found', `There is no Lrs ${lrsId}.`)
    return [lrsId]
  }

  async #countAll(lrsIds: readonly LrsId[], target: ErasureTarget): Promise<ErasurePreview['lrs']> {
    const all: { readonly lrsId: LrsId; readonly counts: Partial<ErasureCounts> }[] = []
    for (const lrsId of lrsIds) {
      const sum: { -readonly [Kind in keyof ErasureCounts]?: number } = {}
      let position: ErasurePosition | undefined
      do {
        const { counts, next } = await this.#storage.erasures.count(lrsId, target, position)
        for (const kind of erasureCounts) if (counts[kind] !== undefined) sum[kind] = (sum[kind] ?? 0) + counts[kind]
        position = next
      } while (position !== undefined)
      all.push({ lrsId, counts: sum })
    }
    return all
  }

  async #findAlike(lrsId: LrsId, agents: readonly string[]): Promise<readonly Alike[]> {
    const all = new Map<string, Alike>()
    let position: AlikePosition | undefined
    do {
      const { found, next } = await this.#storage.erasures.findAlike(lrsId, agents, position)
      for (const one of found) all.set(one.agent, one)
      position = next
    } while (position !== undefined && all.size < mostAlike)
    return [...all.values()].slice(0, mostAlike)
  }

  async #credentials(organisationId: OrganisationId): Promise<readonly CredentialRecord[]> {
    const found: CredentialRecord[] = []
    for (;;) {
      const slice = { offset: found.length, limit: 500 }
      const { items, total } = await this.#storage.directory.listCredentials(organisationId, {}, slice)
      found.push(...items)
      if (items.length === 0 || found.length >= total) return found
    }
  }

  async #organisation(organisationId: OrganisationId): Promise<OrganisationRecord> {
    const organisation = await this.#storage.directory.findOrganisation(organisationId)
    if (organisation === undefined) throw new DomainError('not_found', 'There is no such organisation.')
    return organisation
  }
}

function personTarget({ agents, onlyDirect = false }: PersonInput): ErasureTarget & { readonly kind: 'person' } {
  return { kind: 'person', agents: identify(agents), onlyDirect }
}

function placeOf(id: Oid): { readonly row: string; readonly column: string } {
  return { row: `erasure ${id}`, column: 'sealed' }
}

function eventOf(
  { by, ...plan }: Plan,
  id: Oid,
  { at, action, detail }: { readonly at: number; readonly action: string; readonly detail: object },
) {
  return { at, actor: by, action, target: { noun: 'erasure', id }, detail: { ...plan, ...detail } as unknown as Json }
}

function receiptOf(
  organisation: OrganisationRecord,
  record: ErasureRecord,
  { finishedAt, isScrubbed }: { readonly finishedAt: number; readonly isScrubbed: boolean },
): ErasureReceipt {
  const { id, counts, startedAt } = record
  const content = {
    id,
    organisation: organisation.oid,
    ...(record.plan as unknown as Plan),
    counts,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(finishedAt).toISOString(),
    unusedSpace: isScrubbed ? ('overwritten' as const) : ('left' as const),
  }
  return { ...content, sha256: createHash('sha256').update(canonicalJson(content)).digest('hex') }
}

function toState(record: ErasureRecord): ErasureState {
  return { record, receipt: record.receipt === null ? undefined : (record.receipt as unknown as ErasureReceipt) }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function interrupted(): DomainError {
  return new DomainError('unavailable', 'The erasure was interrupted; the next start goes on with it.')
}
