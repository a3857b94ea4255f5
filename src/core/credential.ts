// The use cases of credentials: who may create, change, reveal and remove which. Every change is audited in the
// transaction that makes it; what may be granted is decided in grant.ts.

import type { Decision } from './access.ts'
import { eventBy } from './audit.ts'
import type { AgentIdentity } from './authority.ts'
import { checkName, checkWhole, refuse } from './check.ts'
import { checkExpiry, checkFields, checkNewSecret, checkReach } from './credential-check.ts'
import { DomainError, isDomainError } from './errors.ts'
import { failureLimits } from './failure-limit.ts'
import type { FailureLimit, FailureLimits } from './failure-limit.ts'
import { demand, endWithin, explainAuthority, explainEnd, explainGrant, explainLook, explainReveal } from './grant.ts'
import { latestEnd, worthToOthers } from './grant.ts'
import type { Worth } from './grant.ts'
import type { ApplicationId, CredentialId, LrsId, Oid, OrganisationId, SecretId } from './ids.ts'
import type { Limits } from './limits.ts'
import type { Pins } from './pins.ts'
import { describeRights, managementWarning } from './presets.ts'
import type { Described } from './presets.ts'
import type { Caller } from './principal.ts'
import { mayManage, missingFrom } from './rights.ts'
import type { Bound, ManagementAction, ManagementArea, Rights } from './rights.ts'
import {
  checkKey,
  currentSecret,
  isLive,
  maxSecrets,
  newKey,
  openSecrets,
  publicKeyName,
  sealSecret,
  secretPlace,
  weakness,
} from './secret.ts'
import type { ClearSecret, NewSecret } from './secret.ts'
import { inSlices } from './slices.ts'
import type { Sliceable } from './slices.ts'
import type {
  Clock,
  CredentialKind,
  CredentialPatch,
  CredentialRecord,
  DirectoryStore,
  Ids,
  Json,
  Listed,
  OauthSigning,
  OrganisationRecord,
  SecretRecord,
  Slice,
  Storage,
} from './storage.ts'
import type { Vault } from './vault.ts'

export interface NewCredentialInput {
  readonly name: string
  readonly rights: Rights
  /** `client` unless given. */
  readonly kind?: CredentialKind
  /** Generated unless given. */
  readonly key?: string
  /** Generated unless given. */
  readonly secret?: string
  /** True unless given. */
  readonly isEnabled?: boolean
  readonly pins?: Pins
  readonly limits?: Limits
  /** The organisation's default Lrs unless given; of a client there may be none. */
  readonly lrsIds?: readonly LrsId[]
  readonly authority?: AgentIdentity | null
  /** Signs its requests; null unless given. */
  readonly oauth?: OauthSigning | null
  readonly words?: Readonly<Record<string, Json>>
  /** Unix milliseconds; null = never. */
  readonly expiresAt?: number | null
  /** Unix milliseconds; now unless given. */
  readonly createdAt?: number
  /** Operators only, as what follows, so that all of it survives a move. */
  readonly updatedAt?: number
  readonly id?: CredentialId
  readonly oid?: Oid
  readonly allowDuplicateKey?: boolean
}

/** Only what is present changes; a present value replaces that field whole. */
export interface CredentialChange {
  readonly name?: string
  readonly key?: string
  /** Replaces the current secret (see `currentSecret`); the same value changes nothing. */
  readonly secret?: string
  readonly isEnabled?: boolean
  readonly rights?: Rights
  readonly pins?: Pins
  readonly limits?: Limits
  readonly lrsIds?: readonly LrsId[]
  readonly authority?: AgentIdentity | null
  readonly oauth?: OauthSigning | null
  readonly words?: Readonly<Record<string, Json>>
  readonly expiresAt?: number | null
  /** Unix milliseconds. */
  readonly createdAt?: number
}

/** A change, or how to make it from the credential as it stands when its turn comes: nothing changes in between. */
export type ChangeFrom = CredentialChange | ((before: CredentialRecord) => CredentialChange)

export interface IssuedCredential {
  readonly credential: CredentialRecord
  readonly key: string
  /** The one secret, in clear. */
  readonly secret: string
}

export interface RevealedCredential {
  readonly credential: CredentialRecord
  /** Oldest first, as `credential.secrets`; none where the caller may look but not act as the credential. */
  readonly secrets: readonly ClearSecret[]
  /** The one to show where a protocol knows a single secret; undefined when there is none to show. */
  readonly secret: string | undefined
}

export interface CredentialFilter {
  readonly kind?: CredentialKind
  readonly key?: string
  /** One of these, at most 1,000. */
  readonly oids?: readonly Oid[]
}

export interface Rotation {
  readonly credential: CredentialRecord
  readonly secretId: SecretId
  /** The new secret, in clear. */
  readonly secret: string
}

export interface SecretChange {
  readonly name?: string
  readonly isEnabled?: boolean
  readonly expiresAt?: number | null
}

/** As `ChangeFrom`. */
export type SecretChangeFrom = SecretChange | ((before: SecretRecord) => SecretChange)

export interface DescribedCredential extends Described {
  readonly credential: CredentialRecord
  readonly warnings: readonly string[]
}

/** Areas in which a bound that names no Lrs manages nothing. */
const reachIntoLrs: ReadonlySet<ManagementArea> = new Set(['credentials', 'forwarding', 'data'] as const)
const maxOverlapSeconds = 365 * 86_400
const pageSize = 1000
/** Of a change that other nodes were faster than; one of them gets through each time. */
const mostTries = 50

/** Of a refused pair. */
export const guessLimits: FailureLimits = { perKey: failureLimits.perKey, perAddress: Infinity }

export interface CredentialsParts {
  readonly storage: Storage
  readonly vault: Vault
  readonly clock: Clock
  readonly ids: Ids
  /** By `guessLimits`. */
  readonly guesses: FailureLimit
}

export class Credentials {
  readonly #directory: DirectoryStore
  readonly #vault: Vault
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #turns = new Map<CredentialId, Promise<unknown>>()
  /** By key and organisation: a refused pair tells that it is somebody's, so it is guessed as slowly as at sign-in. */
  readonly #guesses: FailureLimit

  constructor({ storage, vault, clock, ids, guesses }: CredentialsParts) {
    this.#guesses = guesses
    this.#directory = storage.directory
    this.#vault = vault
    this.#clock = clock
    this.#ids = ids
  }

  /** `conflict` when the organisation has the key, another one the key with this secret, or a chosen id is taken. */
  async create(caller: Caller, input: NewCredentialInput): Promise<IssuedCredential> {
    demand(explainLook(caller, 'write'))
    refuse(checkFields(input))
    if (input.kind === 'application') throw kept('made')
    await this.#checkBounds(caller, input.rights)
    const organisation = await this.#organisation(caller)
    const lrsIds = input.lrsIds ?? defaultLrsIds(organisation)
    const { name, rights, kind = 'client', pins = {}, limits = {}, isEnabled = true } = input
    const worth = { kind, rights, lrsIds, pins, limits }
    await this.#grant(caller, worth, { name })
    refuse(checkReach(input))
    refuseChosenIds(caller, input)
    if (input.authority) demand(explainAuthority(caller))
    const expiresAt = endWithin(latestEnd(caller, worth), input.expiresAt)
    const { createdAt = this.#clock.now(), updatedAt } = input
    const { record, clear } = this.#seal(organisation, input.secret === undefined ? {} : { secret: input.secret })
    const { id, oid = this.#ids.oid(), key = newKey(this.#ids), authority = null, oauth = null, words = {} } = input
    const detail = { name, key, kind, oid, isEnabled, rights, pins, limits, lrsIds, authority, oauth, expiresAt }
    const made = {
      ...{
        oid,
        kind,
        name,
        key,
        isEnabled,
        rights,
        pins,
        limits,
        lrsIds,
        authority,
        oauth,
        words,
        expiresAt,
        createdAt,
      },
      secrets: [record],
      pairs: [this.#vault.pairOf(key, clear), ...this.#signingPairs(key, oauth)],
      ...(id === undefined ? {} : { id }),
      ...(updatedAt === undefined ? {} : { updatedAt }),
      ...(input.allowDuplicateKey === true ? { allowDuplicateKey: true } : {}),
    }
    const event = eventBy(
      caller,
      this.#clock,
      'credential.create',
      { noun: 'credential', id: null },
      json({ ...detail, secret: record.id, ...flag(rights) }),
    )
    const credential = await this.#claiming(caller, key, () => {
      return this.#directory.createCredential(caller.organisationId, made, event)
    })
    return { credential, key, secret: clear }
  }

  /** `not_found` for another tenant's. Needs management of credentials, unless it is the caller's own. */
  async get(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    return caller.credentialId === id ? this.#find(caller, id) : this.#look(caller, id)
  }

  /** The first of a key that the caller's management covers for `action`, whether or not it may list others. */
  async findByKey(
    caller: Caller,
    action: ManagementAction,
    filter: Required<Pick<CredentialFilter, 'kind' | 'key'>>,
  ): Promise<CredentialRecord | undefined> {
    demand(explainLook(caller, action))
    // Nobody has one that may not be made.
    if (checkKey(filter.key).length > 0) return undefined
    const slice = { offset: 0, limit: pageSize }
    const narrowed = { ...filter, ...withinBounds(caller) }
    const { items } = await this.#directory.listCredentials(caller.organisationId, narrowed, slice)
    return items.find((record) => explainLook(caller, action, record).allowed)
  }

  /** By id. A caller whose management is bound sees only what lies inside. */
  async list(caller: Caller, filter: CredentialFilter, slice: Slice): Promise<Listed<CredentialRecord>> {
    demand(explainLook(caller, 'read'))
    if (mayManage(caller, 'credentials', 'read'))
      return this.#directory.listCredentials(caller.organisationId, filter, slice)
    const all: CredentialRecord[] = []
    const narrowed = { ...filter, ...withinBounds(caller) }
    for (;;) {
      const next = { offset: all.length, limit: pageSize }
      const page = await this.#directory.listCredentials(caller.organisationId, narrowed, next)
      all.push(...page.items)
      if (page.items.length === 0 || all.length >= page.total) break
    }
    const visible = all.filter((record) => explainLook(caller, 'read', record).allowed)
    return { items: visible.slice(slice.offset, slice.offset + slice.limit), total: visible.length }
  }

  /** As `get`, with secrets in clear; needs management that may write, also for the caller's own. */
  async reveal(caller: Caller, id: CredentialId): Promise<RevealedCredential> {
    const credential = await this.#look(caller, id)
    demand(explainReveal(caller, credential))
    return this.#revealed(caller, await this.#organisation(caller), credential)
  }

  /** As `list`, with secrets in clear where the caller may learn them. */
  async listRevealed(caller: Caller, filter: CredentialFilter, slice: Slice): Promise<Listed<RevealedCredential>> {
    const { items, total } = await this.list(caller, filter, slice)
    return { items: await this.revealEach(caller, items), total }
  }

  /** Some of what `list` answered to the same caller, with secrets in clear where the caller may learn them. */
  async revealEach(caller: Caller, credentials: readonly CredentialRecord[]): Promise<readonly RevealedCredential[]> {
    const organisation = await this.#organisation(caller)
    // Ten thousand take a quarter of a second.
    return inSlices(this.#opening(caller, organisation, credentials))
  }

  /** An accepted update counts as an edit even when it changes nothing. Pins stay unless the change names them. */
  update(caller: Caller, id: CredentialId, change: ChangeFrom): Promise<CredentialRecord> {
    return this.#change(caller, id, change, 'credential.update')
  }

  enable(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    return this.#change(caller, id, { isEnabled: true }, 'credential.enable')
  }

  /** Takes effect on the very next request, for its sessions and tokens too. */
  disable(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    return this.#change(caller, id, { isEnabled: false }, 'credential.disable')
  }

  /** Removes it with its secrets and sessions, never its statements; returns what was removed. */
  remove(caller: Caller, id: CredentialId): Promise<RevealedCredential> {
    return this.#inTurn(id, async () => {
      const found = await this.#reach(caller, 'delete', id)
      if (isKept(found)) throw kept('removed')
      const { name, key, secrets } = found
      const detail = { name, key, secrets: secrets.map((secret) => secret.id) }
      const removed = await this.#directory.deleteCredential(
        caller.organisationId,
        id,
        eventBy(caller, this.#clock, 'credential.delete', { noun: 'credential', id }, detail),
      )
      return this.#revealed(caller, await this.#organisation(caller), removed)
    })
  }

  /**
   * A new secret in place of all others: they expire `overlapSeconds` from now, or when they would have anyway if that is
   * earlier. 0 = they are worth nothing from now on. Secrets that expired before are dropped.
   */
  rotate(
    caller: Caller,
    id: CredentialId,
    { overlapSeconds, ...input }: NewSecret & { readonly overlapSeconds: number },
  ): Promise<Rotation> {
    refuse(
      checkWhole(overlapSeconds, { min: 0, max: maxOverlapSeconds, pointer: '/overlapSeconds', noun: 'An overlap' }),
    )
    return this.#addSecret(caller, id, input, 'secret.rotate', (secrets, now) => {
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
  addSecret(caller: Caller, id: CredentialId, input: NewSecret): Promise<Rotation> {
    return this.#addSecret(caller, id, input, 'secret.create', () => ({ put: [], drop: [], detail: {} }))
  }

  updateSecret(
    caller: Caller,
    id: CredentialId,
    secretId: SecretId,
    given: SecretChangeFrom,
  ): Promise<CredentialRecord> {
    return this.#inTurn(id, async () => {
      const from = await this.#takeOver(caller, 'write', id)
      const secret = findSecret(from, secretId)
      const change = typeof given === 'function' ? given(secret) : given
      refuse([...(change.name === undefined ? [] : checkName(change.name)), ...checkExpiry(change.expiresAt)])
      demandEnd(caller, from, change.expiresAt, secret.expiresAt)
      const { name = secret.name, isEnabled = secret.isEnabled, expiresAt = secret.expiresAt } = change
      const putSecrets = [{ ...secret, name, isEnabled, expiresAt }]
      return this.#patchSecrets(caller, from, { putSecrets }, 'secret.update', { secret: secretId, ...change })
    })
  }

  /** Tokens signed with it die too. The last one may go: then nobody signs in until there is another. */
  dropSecret(caller: Caller, id: CredentialId, secretId: SecretId): Promise<CredentialRecord> {
    return this.#inTurn(id, async () => {
      const from = await this.#takeOver(caller, 'write', id)
      findSecret(from, secretId)
      return this.#patchSecrets(caller, from, { dropSecrets: [secretId] }, 'secret.delete', { secret: secretId })
    })
  }

  /** What `update` or `remove` would decide before they look at the change itself. `not_found` for another tenant's. */
  async explain(
    caller: Caller,
    action: 'write' | 'delete',
    id: CredentialId,
  ): Promise<Decision & { readonly kind?: CredentialKind }> {
    const look = explainLook(caller, action)
    if (!look.allowed) return look
    const found = await this.#find(caller, id)
    return { ...explainGrant(caller, action, found), kind: found.kind }
  }

  /** What the key may and may not do, in words, with what is worth a second look. */
  async describe(caller: Caller, id: CredentialId): Promise<DescribedCredential> {
    const credential = await this.get(caller, id)
    const revealed = this.#revealed(caller, await this.#organisation(caller), credential)
    const described = describeRights(credential.rights, credential.pins, credential.limits)
    return { ...described, credential, warnings: warningsOf(revealed, this.#clock.now()) }
  }

  #change(caller: Caller, id: CredentialId, from: ChangeFrom, action: string): Promise<CredentialRecord> {
    return this.#inTurn(id, async () => {
      const before = await this.#reach(caller, 'write', id)
      const change = typeof from === 'function' ? from(before) : from
      refuse([...checkFields(change), ...checkReach({ ...change, kind: before.kind }, before)])
      if (isKept(before) && (change.key ?? before.key) !== before.key) throw kept('renamed')
      if (change.rights) await this.#checkBounds(caller, change.rights)
      const after: Worth = { ...before, ...worthIn(change) }
      if (changesWorth(change)) await this.#grant(caller, after, before)
      if (change.authority) demand(explainAuthority(caller))
      demandEnd(caller, before, change.expiresAt, before.expiresAt)
      const { secret, ...fields } = change
      // A new key makes the known secret work under it, but reveals nothing: only the secret itself is a take-over.
      const put = secret === undefined ? [] : await this.#replaceCurrent(caller, before, secret)
      const pairs = await this.#newPairs(caller, before, { ...before, ...fields }, put)
      const patch: CredentialPatch = {
        ...{ ...fields, at: this.#clock.now(), pairs, from: before },
        ...(put.length > 0 && { putSecrets: put }),
      }
      const event = eventBy(caller, this.#clock, action, { noun: 'credential', id }, changeDetail(before, fields, put))
      const update = () => this.#directory.updateCredential(caller.organisationId, id, patch, event)
      return pairs.length === 0 ? update() : this.#claiming(caller, fields.key ?? before.key, update)
    })
  }

  /** The pairs that a change brings about: of a new key with every secret, of the same key with what is put. */
  async #newPairs(
    caller: Caller,
    before: CredentialRecord,
    { key, oauth }: Pick<CredentialRecord, 'key' | 'oauth'>,
    put: readonly SecretRecord[],
  ): Promise<readonly string[]> {
    const replaced = new Set(put.map(({ id }) => id))
    const kept = key === before.key ? [] : before.secrets.filter(({ id }) => !replaced.has(id))
    const signing = key === before.key && oauth === before.oauth ? [] : this.#signingPairs(key, oauth)
    if (kept.length + put.length === 0) return signing
    const opened = openSecrets(this.#vault, await this.#organisation(caller), [...kept, ...put])
    return [...opened.map(({ value }) => this.#vault.pairOf(key, value)), ...signing]
  }

  /** A registered public key is claimed as a secret is: whoever copied it elsewhere would receive what its holder signs. */
  #signingPairs(key: string, oauth: OauthSigning | null): readonly string[] {
    return oauth?.publicKey === undefined ? [] : [this.#vault.pairOf(key, publicKeyName(oauth.publicKey))]
  }

  /** Limits how often a write may be refused because another organisation holds its pair; then it is not tried at all. */
  async #claiming<T>({ organisationId }: Caller, key: string, write: () => Promise<T>): Promise<T> {
    const attempt = await this.#guesses.enter(key, `organisation ${organisationId}`)
    try {
      const written = await write()
      await attempt.wasNoGuess()
      return written
    } catch (error) {
      if (!isDomainError(error) || error.detail.decidedBy !== 'pair') await attempt.wasNoGuess()
      throw error
    }
  }

  async #replaceCurrent(caller: Caller, before: CredentialRecord, value: string): Promise<readonly SecretRecord[]> {
    demand(explainGrant(caller, 'write', worthToOthers(before, before.id, caller)))
    const organisation = await this.#organisation(caller)
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

  #addSecret(
    caller: Caller,
    id: CredentialId,
    input: NewSecret,
    action: string,
    others: (
      secrets: readonly SecretRecord[],
      now: number,
    ) => { readonly put: readonly SecretRecord[]; readonly drop: readonly SecretId[]; readonly detail: Json },
  ): Promise<Rotation> {
    return this.#inTurn(id, async () => {
      refuse(checkNewSecret(input))
      const before = await this.#takeOver(caller, 'write', id)
      const { secrets, key } = before
      const expiresAt = endWithin(latestEnd(caller, before), input.expiresAt)
      const { put, drop, detail } = others(secrets, this.#clock.now())
      if (secrets.length - drop.length >= maxSecrets) {
        throw new DomainError('conflict', `A key has at most ${maxSecrets} secrets; delete one first.`)
      }
      const { record, clear } = this.#seal(await this.#organisation(caller), { ...input, expiresAt })
      const patch = { putSecrets: [...put, record], dropSecrets: drop, pairs: [this.#vault.pairOf(key, clear)] }
      const named = { ...(detail as object), secret: record.id, others: put.map((secret) => secret.id), dropped: drop }
      const credential = await this.#claiming(caller, key, () =>
        this.#patchSecrets(caller, before, patch, action, named),
      )
      return { credential, secretId: record.id, secret: clear }
    })
  }

  #patchSecrets(
    caller: Caller,
    from: CredentialRecord,
    patch: Pick<CredentialPatch, 'putSecrets' | 'dropSecrets' | 'pairs'>,
    action: string,
    detail: object,
  ): Promise<CredentialRecord> {
    return this.#directory.updateCredential(
      caller.organisationId,
      from.id,
      { ...patch, at: this.#clock.now(), countsAsEdit: false, from },
      eventBy(caller, this.#clock, action, { noun: 'credential', id: from.id }, json(detail)),
    )
  }

  // Changes read, decide and write; one at a time per credential, or a rotation could undo the disabling of a secret. Where
  // another node was faster the store refuses, and it is all done again from what there is now.
  #inTurn<T>(id: CredentialId, work: () => Promise<T>): Promise<T> {
    const again = async (): Promise<T> => {
      for (let tries = 1; ; tries++) {
        try {
          return await work()
        } catch (error) {
          const wasFaster = isDomainError(error) && error.detail.decidedBy === 'version'
          if (!wasFaster || tries >= mostTries) throw error
        }
      }
    }
    const before = this.#turns.get(id) ?? Promise.resolve()
    const turn = before.then(again, again)
    this.#turns.set(id, turn)
    const leave = (): void => {
      if (this.#turns.get(id) === turn) this.#turns.delete(id)
    }
    void turn.then(leave, leave)
    return turn
  }

  async #organisation(caller: Caller): Promise<OrganisationRecord> {
    const found = await this.#directory.findOrganisation(caller.organisationId)
    if (found === undefined) throw new DomainError('not_found', 'There is no such organisation.')
    return found
  }

  async #find(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    const found = await this.#directory.findCredential(caller.organisationId, id)
    if (found === undefined) throw new DomainError('not_found', `There is no key ${id}.`)
    return found
  }

  // Whoever manages nothing learns nothing of which ids exist.
  async #look(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    demand(explainLook(caller, 'read'))
    const found = await this.#find(caller, id)
    demand(explainLook(caller, 'read', found))
    return found
  }

  async #reach(caller: Caller, action: ManagementAction, id: CredentialId): Promise<CredentialRecord> {
    demand(explainLook(caller, action))
    const found = await this.#find(caller, id)
    demand(explainGrant(caller, action, found))
    return found
  }

  /** As `#reach`, for what lets the caller act as the credential or decides over its secrets. */
  async #takeOver(caller: Caller, action: ManagementAction, id: CredentialId): Promise<CredentialRecord> {
    const found = await this.#reach(caller, action, id)
    demand(explainGrant(caller, action, worthToOthers(found, id, caller)))
    return found
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

  *#opening(
    caller: Caller,
    organisation: OrganisationRecord,
    credentials: readonly CredentialRecord[],
  ): Sliceable<readonly RevealedCredential[]> {
    const revealed: RevealedCredential[] = []
    for (const credential of credentials) {
      revealed.push(this.#revealed(caller, organisation, credential))
      yield undefined
    }
    return revealed
  }

  #revealed(caller: Caller, organisation: OrganisationRecord, credential: CredentialRecord): RevealedCredential {
    if (!explainReveal(caller, credential).allowed) return { credential, secrets: [], secret: undefined }
    const secrets = openSecrets(this.#vault, organisation, credential.secrets)
    return { credential, secrets, secret: currentSecret(secrets, this.#clock.now())?.value }
  }
}

/** So that nobody reads all of an organisation for the few keys of one application. */
function withinBounds({ rights }: Caller): { readonly lrsIds?: readonly (readonly LrsId[])[] } {
  const bounds = rights.management.filter(({ area }) => area === 'credentials').map(({ bound }) => bound)
  const covered = bounds.map((bound) =>
    bound.kind === 'lrs' ? [bound.id] : bound.kind === 'application' ? bound.lrsIds : undefined,
  )
  if (covered.some((lrsIds) => lrsIds === undefined || lrsIds.length > 2)) return {}
  return { lrsIds: covered.flatMap((lrsIds = []) => [...lrsIds.map((id) => [id]), ...pairsOf(lrsIds)]) }
}

function pairsOf([one, other]: readonly LrsId[]): readonly (readonly LrsId[])[] {
  return one === undefined || other === undefined
    ? []
    : [
        [one, other],
        [other, one],
      ]
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

function refuseChosenIds(caller: Caller, { id, oid, updatedAt, allowDuplicateKey }: NewCredentialInput): void {
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

function findSecret({ secrets }: CredentialRecord, id: SecretId): SecretRecord {
  const found = secrets.find((secret) => secret.id === id)
  if (found === undefined) throw new DomainError('not_found', 'The key has no such secret.')
  return found
}

function changeDetail(
  before: CredentialRecord,
  fields: Omit<CredentialChange, 'secret'>,
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

function warningsOf({ credential, secrets }: RevealedCredential, now: number): readonly string[] {
  const { rights, key, expiresAt } = credential
  const weak = secrets.flatMap((secret) => {
    const why = weakness(secret.value, key)
    return why === undefined ? [] : [`Secret "${secret.name}": ${why}`]
  })
  const canStore = rights.xapi['statements/write'] !== undefined
  return [
    ...(rights.management.length > 0 ? [managementWarning(rights)] : []),
    ...(canStore && rights.xapi['statements/read'] === undefined ? ['It cannot read back what it stores.'] : []),
    ...(credential.isEnabled ? [] : ['It is disabled.']),
    ...(expiresAt !== null && expiresAt <= now ? ['It has expired.'] : []),
    ...(credential.secrets.some((secret) => isLive(secret, now)) ? [] : ['None of its secrets is usable.']),
    ...weak,
  ]
}

// Audit detail as JSON: members that are undefined are left out.
function json(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}
