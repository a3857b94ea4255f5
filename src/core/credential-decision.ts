// What a change of a credential comes to: whether the caller may make it, what is to be written, which event tells of it. The
// same for one and for many. Reads what the decision needs; writes nothing but refused grants into the audit log.

import { eventBy } from './audit.ts'
import { checkName, checkWhole, refuse } from './check.ts'
import { checkExpiry, checkFields, checkNewSecret, checkReach } from './credential-check.ts'
import type { ChangeFrom, CredentialChange, NewCredentialInput, SecretChangeFrom } from './credential.ts'
import { DomainError, isDomainError } from './errors.ts'
import type { FailureLimit } from './failure-limit.ts'
import { demand, endWithin, explainAuthority, explainEnd, explainGrant, explainLook } from './grant.ts'
import { latestEnd, worthToOthers } from './grant.ts'
import type { Worth } from './grant.ts'
import type { ApplicationId, CredentialId, LrsId, OrganisationId, SecretId } from './ids.ts'
import type { Caller } from './principal.ts'
import { missingFrom } from './rights.ts'
import type { Bound, ManagementAction, ManagementArea, Rights } from './rights.ts'
import {
  currentSecret,
  isLive,
  maxSecrets,
  newKey,
  openSecrets,
  overlapSpan,
  publicKeyName,
  sealSecret,
  secretPlace,
} from './secret.ts'
import type { NewSecret } from './secret.ts'
import type {
  Clock,
  CredentialPatch,
  CredentialRecord,
  CredentialWrite,
  DirectoryStore,
  Ids,
  Json,
  NewCredential,
  OauthSigning,
  OrganisationRecord,
  SecretRecord,
} from './storage.ts'
import type { Vault } from './vault.ts'

/** Who asks, and the organisation of theirs, which is looked up when it is needed. */
export interface Asking {
  readonly caller: Caller
  organisation(): Promise<OrganisationRecord>
}

/** A change that may be made. */
export interface Decided {
  readonly write: CredentialWrite
  /** The key whose pairs it claims; undefined where it claims none, and there is nothing to guess. */
  readonly claims: string | undefined
}

/** With a secret, in clear. */
export interface DecidedSecret extends Decided {
  readonly secretId: SecretId
  readonly secret: string
}

export type NewRotation = NewSecret & { readonly overlapSeconds: number }

/** Areas in which a bound that names no Lrs manages nothing. */
const reachIntoLrs: ReadonlySet<ManagementArea> = new Set(['credentials', 'forwarding', 'data'] as const)

export interface DecisionParts {
  readonly directory: DirectoryStore
  readonly vault: Vault
  readonly clock: Clock
  readonly ids: Ids
}

export class CredentialDecisions {
  readonly #directory: DirectoryStore
  readonly #vault: Vault
  readonly #clock: Clock
  readonly #ids: Ids

  constructor({ directory, vault, clock, ids }: DecisionParts) {
    this.#directory = directory
    this.#vault = vault
    this.#clock = clock
    this.#ids = ids
  }

  /** Refuses what the single checks refuse; a key or pair that is taken is refused when it is written. */
  async create(asking: Asking, input: NewCredentialInput): Promise<DecidedSecret> {
    const { caller } = asking
    demand(explainLook(caller, 'write'))
    refuse(checkFields(input))
    if (input.kind === 'application') throw kept('made')
    await this.#checkBounds(caller, input.rights)
    const organisation = await asking.organisation()
    const lrsIds = input.lrsIds ?? defaultLrsIds(organisation)
    const { name, rights, kind = 'client', pins = {}, limits = {}, isEnabled = true } = input
    const worth = { kind, rights, lrsIds, pins, limits }
    await this.#grant(caller, worth, { name })
    refuse(checkReach(input))
    refuseChosenIds(caller, input)
    if (input.authority) demand(explainAuthority(caller))
    const expiresAt = endWithin(latestEnd(caller, worth), input.expiresAt)
    const now = this.#clock.now()
    const { createdAt = now, updatedAt = now } = input
    const { record, clear } = this.#seal(organisation, input.secret === undefined ? {} : { secret: input.secret })
    const { id, oid = this.#ids.oid(), key = newKey(this.#ids), authority = null, oauth = null, words = {} } = input
    const detail = { name, key, kind, oid, isEnabled, rights, pins, limits, lrsIds, authority, oauth, expiresAt }
    const create: NewCredential = {
      ...{ oid, kind, name, key, isEnabled, rights, pins, limits, lrsIds, authority, oauth, words, expiresAt },
      ...{ createdAt, updatedAt },
      secrets: [record],
      pairs: [this.#vault.pairOf(key, clear), ...this.#signingPairs(key, oauth)],
      ...(id === undefined ? {} : { id }),
      ...(input.allowDuplicateKey === true ? { allowDuplicateKey: true } : {}),
    }
    const told = json({ ...detail, secret: record.id, ...flag(rights) })
    const event = eventBy(caller, this.#clock, 'credential.create', { noun: 'credential', id: null }, told)
    return { write: { create, event }, claims: key, secretId: record.id, secret: clear }
  }

  async update(asking: Asking, before: CredentialRecord, from: ChangeFrom, action: string): Promise<Decided> {
    const { caller } = asking
    const { id } = before
    demandReach(caller, 'write', before)
    const change = typeof from === 'function' ? from(before) : from
    refuse([...checkFields(change), ...checkReach({ ...change, kind: before.kind }, before)])
    if (isKept(before) && (change.key ?? before.key) !== before.key) throw kept('renamed')
    refuseChosenIds(caller, change)
    if (change.rights) await this.#checkBounds(caller, change.rights)
    const after: Worth = { ...before, ...worthIn(change) }
    if (changesWorth(change)) await this.#grant(caller, after, before)
    if (change.authority) demand(explainAuthority(caller))
    demandEnd(caller, before, change.expiresAt, before.expiresAt)
    const { secret, allowDuplicateKey, ...fields } = change
    // A new key makes the known secret work under it, but reveals nothing: only the secret itself is a take-over.
    const put = secret === undefined ? [] : await this.#replaceCurrent(asking, before, secret)
    const pairs = await this.#newPairs(asking, before, { ...before, ...fields }, put)
    const patch: CredentialPatch = {
      ...{ ...fields, at: this.#clock.now(), pairs, from: asItWas(before) },
      ...(put.length > 0 && { putSecrets: put }),
      ...(allowDuplicateKey === true && { allowDuplicateKey }),
    }
    const event = eventBy(caller, this.#clock, action, { noun: 'credential', id }, changeDetail(before, fields, put))
    return {
      write: { update: { id, patch }, event },
      claims: pairs.length === 0 ? undefined : (fields.key ?? before.key),
    }
  }

  remove({ caller }: Asking, found: CredentialRecord): Decided {
    demandReach(caller, 'delete', found)
    if (isKept(found)) throw kept('removed')
    const { id, name, key, secrets } = found
    const detail = { name, key, secrets: secrets.map((secret) => secret.id) }
    const event = eventBy(caller, this.#clock, 'credential.delete', { noun: 'credential', id }, detail)
    return { write: { delete: id, event }, claims: undefined }
  }

  rotate(asking: Asking, before: CredentialRecord, { overlapSeconds, ...input }: NewRotation): Promise<DecidedSecret> {
    refuse(checkWhole(overlapSeconds, { ...overlapSpan, pointer: '/overlapSeconds', noun: 'An overlap' }))
    return this.#addSecret(asking, before, input, 'secret.rotate', (secrets, now) => {
      const end = now + overlapSeconds * 1000
      const kept = secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
      return {
        put: kept.map((secret) => ({ ...secret, expiresAt: Math.min(secret.expiresAt ?? end, end) })),
        drop: secrets.filter((secret) => !kept.includes(secret)).map((secret) => secret.id),
        detail: { overlapSeconds },
      }
    })
  }

  /** One more secret beside the others. */
  addSecret(asking: Asking, before: CredentialRecord, input: NewSecret): Promise<DecidedSecret> {
    return this.#addSecret(asking, before, input, 'secret.create', () => ({ put: [], drop: [], detail: {} }))
  }

  /** Of one of its secrets, by whoever may take it over. */
  updateSecret({ caller }: Asking, from: CredentialRecord, secretId: SecretId, given: SecretChangeFrom): Decided {
    demandTakeOver(caller, 'write', from)
    const secret = findSecret(from, secretId)
    const change = typeof given === 'function' ? given(secret) : given
    refuse([...(change.name === undefined ? [] : checkName(change.name)), ...checkExpiry(change.expiresAt)])
    demandEnd(caller, from, change.expiresAt, secret.expiresAt)
    const { name = secret.name, isEnabled = secret.isEnabled, expiresAt = secret.expiresAt } = change
    const putSecrets = [{ ...secret, name, isEnabled, expiresAt }]
    const write = this.#patchSecrets(caller, from, { putSecrets }, 'secret.update', { secret: secretId, ...change })
    return { write, claims: undefined }
  }

  dropSecret({ caller }: Asking, from: CredentialRecord, secretId: SecretId): Decided {
    demandTakeOver(caller, 'write', from)
    findSecret(from, secretId)
    const patch = { dropSecrets: [secretId] }
    return { write: this.#patchSecrets(caller, from, patch, 'secret.delete', { secret: secretId }), claims: undefined }
  }

  /** The pairs that a change brings about: of a new key with every secret, of the same key with what is put. */
  async #newPairs(
    asking: Asking,
    before: CredentialRecord,
    { key, oauth }: Pick<CredentialRecord, 'key' | 'oauth'>,
    put: readonly SecretRecord[],
  ): Promise<readonly string[]> {
    const replaced = new Set(put.map(({ id }) => id))
    const kept = key === before.key ? [] : before.secrets.filter(({ id }) => !replaced.has(id))
    const signing = key === before.key && oauth === before.oauth ? [] : this.#signingPairs(key, oauth)
    if (kept.length + put.length === 0) return signing
    const opened = openSecrets(this.#vault, await asking.organisation(), [...kept, ...put])
    return [...opened.map(({ value }) => this.#vault.pairOf(key, value)), ...signing]
  }

  /** A registered public key is claimed as a secret is: whoever copied it elsewhere would receive what its holder signs. */
  #signingPairs(key: string, oauth: OauthSigning | null): readonly string[] {
    return oauth?.publicKey === undefined ? [] : [this.#vault.pairOf(key, publicKeyName(oauth.publicKey))]
  }

  async #replaceCurrent(asking: Asking, before: CredentialRecord, value: string): Promise<readonly SecretRecord[]> {
    const { caller } = asking
    demand(explainGrant(caller, 'write', worthToOthers(before, before.id, caller)))
    const organisation = await asking.organisation()
    const current = currentSecret(before.secrets, this.#clock.now())
    const latest = latestEnd(caller, before)
    const expiresAt = endWithin(latest, undefined)
    if (current === undefined) return [this.#seal(organisation, { secret: value, expiresAt }).record]
    const place = secretPlace(current.id)
    if (this.#vault.open(organisation, place, current.sealed) === value) return []
    const sealed = this.#vault.seal(organisation, place, value)
    const wasLive = isLive(current, this.#clock.now())
    if (wasLive) demand(explainEnd(latest, current.expiresAt))
    const revived = wasLive ? {} : { isEnabled: true, expiresAt }
    return [{ ...current, sealed, generation: current.generation + 1, ...revived }]
  }

  async #addSecret(
    asking: Asking,
    before: CredentialRecord,
    input: NewSecret,
    action: string,
    others: (
      secrets: readonly SecretRecord[],
      now: number,
    ) => { readonly put: readonly SecretRecord[]; readonly drop: readonly SecretId[]; readonly detail: Json },
  ): Promise<DecidedSecret> {
    const { caller } = asking
    refuse(checkNewSecret(input))
    demandTakeOver(caller, 'write', before)
    const { secrets, key } = before
    const expiresAt = endWithin(latestEnd(caller, before), input.expiresAt)
    const { put, drop, detail } = others(secrets, this.#clock.now())
    if (secrets.length - drop.length >= maxSecrets) {
      throw new DomainError('conflict', `A key has at most ${maxSecrets} secrets; delete one first.`)
    }
    const { record, clear } = this.#seal(await asking.organisation(), { ...input, expiresAt })
    const patch = { putSecrets: [...put, record], dropSecrets: drop, pairs: [this.#vault.pairOf(key, clear)] }
    const named = { ...(detail as object), secret: record.id, others: put.map((secret) => secret.id), dropped: drop }
    const write = this.#patchSecrets(caller, before, patch, action, named)
    return { write, claims: key, secretId: record.id, secret: clear }
  }

  #patchSecrets(
    caller: Caller,
    from: CredentialRecord,
    patch: Pick<CredentialPatch, 'putSecrets' | 'dropSecrets' | 'pairs'>,
    action: string,
    detail: object,
  ): CredentialWrite {
    return {
      update: { id: from.id, patch: { ...patch, at: this.#clock.now(), countsAsEdit: false, from: asItWas(from) } },
      event: eventBy(caller, this.#clock, action, { noun: 'credential', id: from.id }, json(detail)),
    }
  }

  /** Throws `forbidden` and records the attempt unless the caller may hand out `worth`. */
  async #grant(caller: Caller, worth: Worth, to: { readonly name: string; readonly id?: CredentialId }): Promise<void> {
    const decision = explainGrant(caller, 'write', worth)
    if (decision.allowed) return
    const target = { noun: 'credential', id: to.id ?? null }
    const detail = json({ name: to.name, reason: decision.reason, rights: worth.rights, lrsIds: worth.lrsIds })
    const event = eventBy(caller, this.#clock, 'credential.grant-refused', target, detail)
    await this.#directory.appendAudit(caller.organisationId, event)
    demand(decision)
  }

  /** Management bound to what the organisation does not have would manage nothing, or what is not its application's. */
  async #checkBounds({ organisationId }: Caller, { management }: Rights): Promise<void> {
    const failures = management.map(async ({ area, bound }, index) => {
      const message = await this.#checkBound(organisationId, area, bound)
      if (message === undefined) return []
      return [{ pointer: `/rights/management/${index}/bound`, rule: 'claviger/bound', message }]
    })
    refuse((await Promise.all(failures)).flat())
  }

  async #checkBound(organisationId: OrganisationId, area: ManagementArea, bound: Bound): Promise<string | undefined> {
    if (bound.kind === 'applications' && reachIntoLrs.has(area)) {
      return `Management of ${area} reaches into Lrs: it is bound to an application, an Lrs or the organisation.`
    }
    if (bound.kind === 'lrs') {
      const known = await this.#directory.listLrs(organisationId)
      return known.some(({ id }) => id === bound.id) ? undefined : `The organisation has no Lrs ${bound.id}.`
    }
    if (bound.kind !== 'application') return undefined
    const found = await this.#directory.findApplication(organisationId, bound.id as ApplicationId)
    if (found === undefined) return `The organisation has no application ${bound.id}.`
    const own: readonly LrsId[] = [found.liveLrsId, found.sandboxLrsId]
    const other = bound.lrsIds.find((id) => !own.includes(id))
    return other === undefined ? undefined : `Lrs ${other} is not one of application ${bound.id}.`
  }

  #seal(organisation: OrganisationRecord, input: NewSecret): { readonly record: SecretRecord; readonly clear: string } {
    return sealSecret({ vault: this.#vault, ids: this.#ids, at: this.#clock.now() }, organisation, input)
  }
}

/** What the store compares, and no more: of many, all that is sent to it is copied. */
function asItWas({ version, secrets }: CredentialRecord): NonNullable<CredentialPatch['from']> {
  return { version, secrets }
}

/** Whoever manages nothing learns nothing of which there are: comes before any is looked up. */
export function demandLook(caller: Caller, action: ManagementAction): void {
  demand(explainLook(caller, action))
}

/** What a caller has to be allowed who changes or removes it. */
function demandReach(caller: Caller, action: ManagementAction, found: CredentialRecord): void {
  demand(explainLook(caller, action))
  demand(explainGrant(caller, action, found))
}

/** As `demandReach`, for what lets the caller act as the credential or decides over its secrets. */
function demandTakeOver(caller: Caller, action: ManagementAction, found: CredentialRecord): void {
  demandReach(caller, action, found)
  demand(explainGrant(caller, action, worthToOthers(found, found.id, caller)))
}

/**
 * Limits how often a write may be refused because another organisation holds its pair; then it is not tried at all. Such a
 * refusal tells that the pair is somebody's, so it is guessed as slowly as at sign-in.
 */
export async function whileClaiming<T>(
  guesses: FailureLimit,
  organisationId: OrganisationId,
  key: string,
  write: () => Promise<T>,
): Promise<T> {
  const attempt = await guesses.enter(key, guesserOf(organisationId))
  try {
    const written = await write()
    await attempt.wasNoGuess()
    return written
  } catch (error) {
    if (!wasGuess(error)) await attempt.wasNoGuess()
    throw error
  }
}

/** Whose guesses are counted together. */
export function guesserOf(organisationId: OrganisationId): string {
  return `organisation ${organisationId}`
}

export function wasGuess(error: unknown): error is DomainError {
  return isDomainError(error) && error.detail.decidedBy === 'pair'
}

function findSecret({ secrets }: CredentialRecord, id: SecretId): SecretRecord {
  const found = secrets.find((secret) => secret.id === id)
  if (found === undefined) throw new DomainError('not_found', 'The key has no such secret.')
  return found
}

function worthIn({ rights, pins, limits, lrsIds }: CredentialChange): Partial<Worth> {
  return {
    ...(rights !== undefined && { rights }),
    ...(pins !== undefined && { pins }),
    ...(limits !== undefined && { limits }),
    ...(lrsIds !== undefined && { lrsIds }),
  }
}

function changesWorth(change: CredentialChange): boolean {
  return Object.keys(worthIn(change)).length > 0
}

function defaultLrsIds({ defaultLrsId }: OrganisationRecord): readonly LrsId[] {
  if (defaultLrsId !== null) return [defaultLrsId]
  throw new DomainError('invalid', 'The organisation has no default Lrs: name the Lrs this key is for.')
}

function refuseChosenIds(caller: Caller, { id, oid, updatedAt, allowDuplicateKey }: Partial<NewCredentialInput>): void {
  if (caller.credentialId === undefined) return
  if (id === undefined && oid === undefined && updatedAt === undefined && allowDuplicateKey !== true) return
  throw new DomainError('forbidden', 'Only an operator chooses identifiers and times of change, or repeats a key.', {
    detail: { decidedBy: 'operator' },
  })
}

function demandEnd(
  caller: Caller,
  credential: CredentialRecord,
  end: number | null | undefined,
  before: number | null,
): void {
  if (end !== undefined) demand(explainEnd(latestEnd(caller, credential), end, before))
}

/** Its key is the application's id, from the application's beginning to its end. */
function isKept({ kind }: CredentialRecord): boolean {
  return kind === 'application'
}

function kept(done: 'made' | 'renamed' | 'removed'): DomainError {
  return new DomainError('conflict', `The own key of an application is ${done} with the application only.`)
}

function changeDetail(
  before: CredentialRecord,
  fields: Omit<CredentialChange, 'secret' | 'allowDuplicateKey'>,
  replaced: readonly SecretRecord[],
): Json {
  const named = Object.entries(fields).filter(([name]) => name !== 'words')
  const changes = named.map(([name, to]) => [name, { from: before[name as keyof CredentialRecord], to }])
  const added = missingFrom({ xapi: {}, management: fields.rights?.management ?? [] }, before.rights)
  return json({
    ...Object.fromEntries(changes),
    ...(replaced.length > 0 && { secretsReplaced: replaced.map(({ id }) => id) }),
    ...(added.length > 0 && flagged),
  })
}

/** Management "should be created and handled with care" (S2.14): whoever reads the audit log finds it by this. */
const flagged = { flagged: 'management granted' }

function flag({ management }: Rights): object {
  return management.length > 0 ? flagged : {}
}

// Audit detail as JSON: members that are undefined are left out.
function json(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}
