// Many changes of credentials at once: all of them or none, each decided and audited as if it were asked for alone. What is
// refused is told of every one, so that a list is mended in one go. Knows nothing of where the list comes from.

import { eventBy } from './audit.ts'
import { refuse } from './check.ts'
import { CredentialDecisions, demandLook, guesserOf, wasGuess } from './credential-decision.ts'
import type { Asking, Decided, DecidedSecret } from './credential-decision.ts'
import type { ChangeFrom, Credentials, CredentialsParts, NewCredentialInput, RevealedCredential } from './credential.ts'
import { findTaken, Taken } from './credential-taken.ts'
import { DomainError, firstOf, inWords, invalid, isDomainError } from './errors.ts'
import type { Failure } from './errors.ts'
import type { FailureLimit } from './failure-limit.ts'
import { demand, explainReveal } from './grant.ts'
import type { CredentialId, OrganisationId } from './ids.ts'
import type { Caller } from './principal.ts'
import { nextSlice } from './slices.ts'
import { mostCredentialWrites } from './storage.ts'
import type { Clock, CredentialRecord, DirectoryStore, OrganisationRecord, PlatformStore } from './storage.ts'

export type BulkChange =
  | { readonly create: NewCredentialInput }
  | { readonly update: CredentialId; readonly change: ChangeFrom }
  | { readonly enable: CredentialId }
  | { readonly disable: CredentialId }
  | { readonly rotate: CredentialId; readonly overlapSeconds: number }
  | { readonly remove: CredentialId }

export interface BulkChanged {
  /** As it is now; as it was, where it was removed. */
  readonly credential: CredentialRecord
  /** Undefined for a new one. */
  readonly before: CredentialRecord | undefined
  /** In clear, of a new one or after a rotation. */
  readonly secret?: string
}

interface Refusal {
  readonly index: number
  readonly error: DomainError
}

const idsAtOnce = 1_000
/** What is told of. */
const mostRefusals = 1_000
/** Where others were faster. */
const mostTries = 10
const sliceMs = 5

export interface CredentialBulkParts extends CredentialsParts {
  readonly credentials: Credentials
}

export class CredentialBulk {
  readonly #credentials: Credentials
  readonly #clock: Clock
  readonly #directory: DirectoryStore
  readonly #platform: PlatformStore
  readonly #decisions: CredentialDecisions
  readonly #guesses: FailureLimit
  readonly #turns = new Map<OrganisationId, Promise<unknown>>()

  constructor({ storage, vault, clock, ids, guesses, credentials }: CredentialBulkParts) {
    this.#credentials = credentials
    this.#clock = clock
    this.#directory = storage.directory
    this.#platform = storage.platform
    this.#decisions = new CredentialDecisions({ directory: storage.directory, vault, clock, ids })
    this.#guesses = guesses
  }

  /** Throws what `apply` would, as far as it can be told before anything is written; nothing is. Pairs of others it tells an operator alone. */
  async check(caller: Caller, changes: readonly BulkChange[]): Promise<void> {
    await this.#decide(caller, changes)
  }

  /**
   * Makes all of them, in order, in one transaction, at most 10,000; answers in their order. A refusal has `detail.failures` with
   * the place of each change before its pointer (`/3/name`), counted from 0, and the code of the first.
   */
  async apply(caller: Caller, changes: readonly BulkChange[]): Promise<readonly BulkChanged[]> {
    for (let tries = 1; ; tries++) {
      const decided = await this.#decide(caller, changes)
      try {
        const written = await this.#inTurn(caller.organisationId, () => this.#write(caller, decided))
        return written.map((credential, at) => changed(credential, decided[at]!))
      } catch (error) {
        if (!isDomainError(error) || error.detail.index === undefined) throw error
        const wasFaster = error.detail.decidedBy === 'version'
        if (!wasFaster || tries >= mostTries) throw refusedOf([{ index: error.detail.index, error }], changes.length)
      }
    }
  }

  /**
   * Secrets in clear of what `list` answered, for taking them along: those of all, or `forbidden`. Recorded, as every key it
   * reveals is as good as handed out.
   */
  async takeAlong(caller: Caller, credentials: readonly CredentialRecord[]): Promise<readonly RevealedCredential[]> {
    for (const credential of credentials) demand(explainReveal(caller, credential))
    const event = eventBy(
      caller,
      this.#clock,
      'credential.take-along',
      { noun: 'credential', id: null },
      { count: credentials.length, first: credentials.slice(0, idsAtOnce).map(({ id }) => id) },
    )
    await this.#directory.appendAudit(caller.organisationId, event)
    return this.#credentials.revealEach(caller, credentials)
  }

  /**
   * Guesses of pairs are counted as with a single change, but keys are only looked at before: to count ten thousand in would push
   * out what was counted of others.
   */
  async #write({ organisationId }: Caller, decided: readonly Decided[]): Promise<readonly CredentialRecord[]> {
    const claims = decided.map((one) => one.claims)
    const guesser = guesserOf(organisationId)
    for (const key of new Set(claims)) if (key !== undefined) await this.#guesses.demandRoom(key, guesser)
    try {
      return await this.#directory.changeCredentials(
        organisationId,
        decided.map(({ write }) => write),
      )
    } catch (error) {
      if (wasGuess(error)) await this.#guesses.enter(claims[error.detail.index ?? 0], guesser)
      throw error
    }
  }

  /** One after the other, so that no guess goes uncounted. */
  #inTurn<T>(organisationId: OrganisationId, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(organisationId) ?? Promise.resolve()
    const turn = before.then(work, work)
    this.#turns.set(organisationId, turn)
    const leave = (): void => {
      if (this.#turns.get(organisationId) === turn) this.#turns.delete(organisationId)
    }
    void turn.then(leave, leave)
    return turn
  }

  async #decide(caller: Caller, changes: readonly BulkChange[]): Promise<readonly Known[]> {
    if (changes.length > mostCredentialWrites) {
      throw invalid(`At most ${mostCredentialWrites} keys are changed at once, not ${changes.length}: do it in parts.`)
    }
    for (const action of new Set(changes.map(actionOf))) demandLook(caller, action)
    const before = await this.#read(caller.organisationId, changes)
    const taken = await Taken.read(this.#directory, caller.organisationId, changes)
    const asking = this.#asking(caller)
    const decided: { readonly index: number; readonly known: Known }[] = []
    const refusals: Refusal[] = []
    let end = 0
    for (const [index, change] of changes.entries()) {
      if (performance.now() >= end) {
        await nextSlice()
        end = performance.now() + sliceMs
      }
      try {
        const known = await this.#decideOne(asking, change, before)
        taken.take(change, known)
        decided.push({ index, known })
      } catch (error) {
        if (!isDomainError(error)) throw error
        refusals.push({ index, error })
        if (refusals.length === mostRefusals) break
      }
    }
    if (caller.credentialId === undefined) {
      const found = await findTaken(this.#platform, caller.organisationId, decided)
      refusals.push(...found.map(({ of: { index }, error }) => ({ index, error })))
    }
    if (refusals.length > 0)
      throw refusedOf(
        refusals.toSorted((a, b) => a.index - b.index),
        changes.length,
      )
    return decided.map(({ known }) => known)
  }

  async #decideOne(
    asking: Asking,
    change: BulkChange,
    known: ReadonlyMap<CredentialId, CredentialRecord>,
  ): Promise<Known> {
    if ('create' in change) return { ...(await this.#decisions.create(asking, change.create)), before: undefined }
    const id = idOf(change)!
    const before = known.get(id)
    if (before === undefined) throw new DomainError('not_found', `There is no key ${id}.`)
    if ('remove' in change) return { ...this.#decisions.remove(asking, before), before }
    if ('rotate' in change) return { ...(await this.#decisions.rotate(asking, before, change)), before }
    const [asked, action] =
      'update' in change
        ? [change.change, 'credential.update']
        : [{ isEnabled: 'enable' in change }, 'enable' in change ? 'credential.enable' : 'credential.disable']
    return { ...(await this.#decisions.update(asking, before, asked, action)), before }
  }

  async #read(
    organisationId: OrganisationId,
    changes: readonly BulkChange[],
  ): Promise<ReadonlyMap<CredentialId, CredentialRecord>> {
    const ids = changes.map(idOf).filter((id) => id !== undefined)
    refuse(twice(ids))
    const found = new Map<CredentialId, CredentialRecord>()
    for (let from = 0; from < ids.length; from += idsAtOnce) {
      const slice = { offset: 0, limit: idsAtOnce }
      const filter = { ids: ids.slice(from, from + idsAtOnce) }
      const { items } = await this.#directory.listCredentials(organisationId, filter, slice)
      for (const record of items) found.set(record.id, record)
    }
    return found
  }

  #asking(caller: Caller): Asking {
    let found: Promise<OrganisationRecord> | undefined
    return { caller, organisation: () => (found ??= this.#organisation(caller)) }
  }

  async #organisation({ organisationId }: Caller): Promise<OrganisationRecord> {
    const found = await this.#directory.findOrganisation(organisationId)
    if (found === undefined) throw new DomainError('not_found', 'There is no such organisation.')
    return found
  }
}

type Known = (Decided | DecidedSecret) & { readonly before: CredentialRecord | undefined }

function changed(credential: CredentialRecord, decided: Known): BulkChanged {
  const { before } = decided
  return { credential, before, ...('secret' in decided && { secret: decided.secret }) }
}

function idOf(change: BulkChange): CredentialId | undefined {
  if ('create' in change) return undefined
  if ('update' in change) return change.update
  if ('enable' in change) return change.enable
  if ('disable' in change) return change.disable
  return 'rotate' in change ? change.rotate : change.remove
}

function actionOf(change: BulkChange): 'write' | 'delete' {
  return 'remove' in change ? 'delete' : 'write'
}

function twice(ids: readonly CredentialId[]): readonly Failure[] {
  const seen = new Set<CredentialId>()
  return ids.flatMap((id, index) => {
    if (seen.size < seen.add(id).size) return []
    return [{ pointer: `/${index}`, rule: 'claviger/twice', message: `Key ${id} is in the list twice.` }]
  })
}

function refusedOf(refusals: readonly Refusal[], total: number): DomainError {
  const failures = refusals.flatMap(({ index, error: { code, message, detail } }) => {
    const own = detail.failures ?? []
    if (own.length === 0) return [{ pointer: `/${index}`, rule: `claviger/${code}`, message }]
    return own.map((failure) => ({ ...failure, pointer: `/${index}${failure.pointer}` }))
  })
  const [{ index, error }] = refusals as readonly [Refusal]
  const count = refusals.length >= mostRefusals ? `${mostRefusals} or more` : refusals.length
  const head = `${count} of ${total} changes are refused, so none was made.`
  const { remedy: _remedy, ...detail } = error.detail
  return new DomainError(error.code, [head, ...firstOf(failures.map(inWords))].join(' '), {
    detail: { ...detail, failures, index },
  })
}
