// Short-lived child credentials: never wider than the parent, dead with it, without children of their own.

import type { Decision } from './access.ts'
import { eventBy } from './audit.ts'
import { checkShape, checkWhole, refuse } from './check.ts'
import { DomainError } from './errors.ts'
import { demand, explainGrant, explainLook, latestEnd, worthToOthers } from './grant.ts'
import type { CredentialId, Oid, OrganisationId, SessionId } from './ids.ts'
import { combinePins, pinsSchema } from './pins.ts'
import type { Pins } from './pins.ts'
import type { Caller } from './principal.ts'
import { intersect, missingFrom, rightsSchema } from './rights.ts'
import type { ManagementAction, Rights } from './rights.ts'
import { currentSecret, isLive, newSecretValue, newSessionKey } from './secret.ts'
import type {
  Clock,
  CredentialRecord,
  DirectoryStore,
  Ids,
  Json,
  Listed,
  NewSession,
  OrganisationRecord,
  PlatformStore,
  SecretRecord,
  SessionRecord,
  Slice,
  Storage,
} from './storage.ts'
import type { Place, Vault } from './vault.ts'

export const sessionSeconds = { min: 1, max: 30 * 86_400, default: 3600 } as const

export interface NewSessionInput {
  /** 1 second to 30 days; an hour unless given. */
  readonly expireSeconds?: number
  /** Within the parent's and, for oneself, the caller's present rights, else `forbidden`; all of them unless given. */
  readonly rights?: Rights
  /** On top of the parent's. */
  readonly pins?: Pins
  readonly words?: Readonly<Record<string, Json>>
}

/** As `NewSessionInput`; its rights as what they are narrowed to, from those that may be given. */
export interface SessionPlan extends Omit<NewSessionInput, 'rights'> {
  readonly rights: (held: Rights) => Rights
}

export interface PreparedSession {
  readonly made: NewSession
  readonly parent: CredentialRecord
  readonly organisation: OrganisationRecord
  /** In clear. */
  readonly secret: string
  /** It may end no later. Infinity: no end. */
  readonly latest: number
}

export interface IssuedSession {
  readonly session: SessionRecord
  readonly key: string
  /** In clear. */
  readonly secret: string
}

/** Expired sessions stay listed this long. */
const keptMs = 86_400_000
/** Organisations swept at a time. */
const pageSize = 100

export class Sessions {
  readonly #platform: PlatformStore
  readonly #directory: DirectoryStore
  readonly #vault: Vault
  readonly #clock: Clock
  readonly #ids: Ids

  constructor({ storage, vault, clock, ids }: { storage: Storage; vault: Vault; clock: Clock; ids: Ids }) {
    this.#platform = storage.platform
    this.#directory = storage.directory
    this.#vault = vault
    this.#clock = clock
    this.#ids = ids
  }

  /** For oneself, or for any credential the caller's management covers. A session may not create one. */
  async create(caller: Caller, credentialId: CredentialId, input: NewSessionInput = {}): Promise<IssuedSession> {
    refuse(input.rights === undefined ? [] : checkShape(rightsSchema, input.rights, '/rights'))
    const { rights: asked } = input
    const narrow = (held: Rights): Rights => asked ?? held
    const { made, secret } = await this.prepare(caller, credentialId, { ...input, rights: narrow })
    const { key, rights, pins, expiresAt } = made
    const flag = rights.management.length > 0 ? { flagged: 'management granted' } : {}
    const detail = { credential: credentialId, key, rights, pins, expiresAt, ...flag } as unknown as Json
    const session = await this.#directory.createSession(
      caller.organisationId,
      made,
      eventBy(caller, this.#clock, 'session.create', { noun: 'session', id: null }, detail),
    )
    return { session, key, secret }
  }

  /** What `create` would store: for who stores more in the same transaction. Throws what it would. */
  async prepare(caller: Caller, credentialId: CredentialId, input: SessionPlan): Promise<PreparedSession> {
    const { expireSeconds = sessionSeconds.default, pins = {}, words = {} } = input
    refuse([
      ...checkWhole(expireSeconds, {
        ...sessionSeconds,
        pointer: '/expireSeconds',
        noun: 'The life of a session, in seconds,',
      }),
      ...checkShape(pinsSchema, pins, '/pins'),
    ])
    if (caller.sessionId !== undefined) demand(noChildren)
    // At the same time: a launch waits for each answer of the store.
    const [parent, organisation] = await Promise.all([
      this.#parent(caller, credentialId, 'write'),
      this.#organisation(caller.organisationId),
    ])
    const held = caller.credentialId === credentialId ? intersect(parent.rights, caller.rights) : parent.rights
    const rights = input.rights(held)
    refuseWider(rights, held)
    refuseContradiction(parent.pins, pins)
    const now = this.#clock.now()
    const latest = endOf(caller, parent)
    const expiresAt = Math.min(now + expireSeconds * 1000, latest)
    const under = secretUnder(caller, parent, now)
    const [oid, key, secret] = [this.#ids.oid(), newSessionKey(this.#ids), newSecretValue(this.#ids)]
    const sealed = this.#vault.seal(organisation, sessionPlace(oid), secret)
    const made = { oid, credentialId, key, sealed, under, rights, pins, words, createdAt: now, expiresAt }
    return { made, parent, organisation, secret, latest }
  }

  /** Live ones and, for a day, expired ones. */
  async list(caller: Caller, credentialId: CredentialId, slice: Slice): Promise<Listed<SessionRecord>> {
    await this.#parent(caller, credentialId, 'read')
    return this.#directory.listSessions(caller.organisationId, credentialId, slice)
  }

  async get(caller: Caller, credentialId: CredentialId, id: SessionId): Promise<SessionRecord> {
    await this.#parent(caller, credentialId, 'read', id)
    const found = await this.#directory.findSession(caller.organisationId, credentialId, id)
    if (found === undefined) throw new DomainError('not_found', `The key has no session ${id}.`)
    return found
  }

  /** Ends it at once; returns what was removed. */
  async remove(caller: Caller, credentialId: CredentialId, id: SessionId): Promise<SessionRecord> {
    await this.#parent(caller, credentialId, 'delete', id)
    return this.#directory.deleteSession(
      caller.organisationId,
      credentialId,
      id,
      eventBy(caller, this.#clock, 'session.delete', { noun: 'session', id }, { credential: credentialId }),
    )
  }

  /** What `create` or `remove` would decide before they look at what is asked for. `not_found` for no such credential. */
  async explain(
    caller: Caller,
    credentialId: CredentialId,
    action: 'write' | 'delete',
    id?: SessionId,
  ): Promise<Decision> {
    if (action === 'write' && caller.sessionId !== undefined) return noChildren
    const { decision, parent } = await this.#reach(caller, credentialId, action, id)
    if (!decision.allowed || parent !== undefined) return decision
    throw new DomainError('not_found', `There is no key ${credentialId}.`)
  }

  /** The session that has this key, in the caller's organisation; needs management that may look at its credential. */
  async findByKey(caller: Caller, key: string): Promise<SessionRecord | undefined> {
    demand(explainLook(caller, 'read'))
    const candidates = await this.#platform.findSignInCandidates(key, undefined, caller.organisationId)
    return candidates.find(({ credential, session }) => session && explainLook(caller, 'read', credential).allowed)
      ?.session
  }

  /** Removes what expired more than a day ago, in every organisation. Returns how many. */
  async sweep(signal?: AbortSignal): Promise<number> {
    const before = this.#clock.now() - keptMs
    let swept = 0
    for (let offset = 0, total = 1; offset < total; offset += pageSize) {
      const page = await this.#platform.listOrganisations({ offset, limit: pageSize })
      for (const { id } of page.items) {
        signal?.throwIfAborted()
        swept += await this.#directory.sweepSessions(id, before)
      }
      total = page.total
    }
    return swept
  }

  // A credential reaches its own sessions; a session only itself; management what it covers.
  async #parent(
    caller: Caller,
    credentialId: CredentialId,
    action: ManagementAction,
    sessionId?: SessionId,
  ): Promise<CredentialRecord> {
    const { decision, parent } = await this.#reach(caller, credentialId, action, sessionId)
    demand(decision)
    if (parent === undefined) throw new DomainError('not_found', `There is no key ${credentialId}.`)
    return parent
  }

  async #reach(
    caller: Caller,
    credentialId: CredentialId,
    action: ManagementAction,
    sessionId: SessionId | undefined,
  ): Promise<{ readonly decision: Decision; readonly parent?: CredentialRecord | undefined }> {
    const own = explainOwn(caller, credentialId, sessionId)
    const look = own ?? explainLook(caller, action)
    if (!look.allowed) return { decision: look }
    const parent = await this.#directory.findCredential(caller.organisationId, credentialId)
    if (parent === undefined) return { decision: look }
    if (action === 'read') return { decision: own ?? explainLook(caller, action, parent), parent }
    const decision = own ?? explainGrant(caller, action, valueOf(parent, caller, action))
    const isBarren = decision.allowed && action === 'write' && parent.kind !== 'client'
    return { decision: isBarren ? noSessions : decision, parent }
  }

  async #organisation(id: OrganisationId): Promise<OrganisationRecord> {
    const organisation = await this.#directory.findOrganisation(id)
    if (organisation === undefined) throw new DomainError('not_found', 'There is no such organisation.')
    return organisation
  }
}

export function sessionPlace(oid: Oid): Place {
  return { row: oid, column: 'session.sealed' }
}

/**
 * What a new session stands under: the secret that the parent itself signed in with, else its current one. So rotation
 * past the overlap, or a changed secret, ends the sessions of the old one too.
 */
function secretUnder(caller: Caller, parent: CredentialRecord, now: number): SessionRecord['under'] {
  const presented = caller.credentialId === parent.id ? caller.secretId : undefined
  const secret = parent.secrets.find(({ id }) => id === presented) ?? currentSecret(parent.secrets, now)
  if (secret === undefined || !isLive(secret, now)) {
    throw new DomainError('conflict', 'The key has no usable secret that a session could stand under.')
  }
  return { secretId: secret.id, generation: secret.generation }
}

/** The parent's secret that keeps the session alive; undefined when it is gone, was changed, or is not live. */
export function findSecretOver(
  { under }: SessionRecord,
  { secrets }: CredentialRecord,
  now: number,
): SecretRecord | undefined {
  return secrets.find(
    (secret) => secret.id === under.secretId && secret.generation === under.generation && isLive(secret, now),
  )
}

// Making a session hands out a secret that acts as the parent; ending one does not.
function valueOf(parent: CredentialRecord, caller: Caller, action: ManagementAction) {
  return action === 'write' ? worthToOthers(parent, parent.id, caller) : parent
}

const noChildren: Decision = {
  allowed: false,
  decidedBy: 'session',
  reason: 'A session cannot create sessions; ask its parent.',
}

const noSessions: Decision = {
  allowed: false,
  decidedBy: 'kind',
  reason: 'The keys of applications, and those that manage them, have no sessions.',
  remedy: 'Issue a token.',
}

/** Allowed for a credential's own sessions and a session itself; undefined for what management decides. */
function explainOwn(caller: Caller, credentialId: CredentialId, sessionId?: SessionId): Decision | undefined {
  const isOwn =
    caller.credentialId === credentialId && (caller.sessionId === undefined || caller.sessionId === sessionId)
  if (!isOwn) return undefined
  return { allowed: true, decidedBy: 'own sessions', reason: 'A key reaches its own sessions.' }
}

function refuseWider(rights: Rights, held: Rights): void {
  const missing = missingFrom(rights, held)
  if (missing.length === 0) return
  throw new DomainError('forbidden', `A session is never wider than its parent, which lacks ${missing.join(', ')}.`, {
    detail: { decidedBy: missing[0] ?? 'session' },
  })
}

function refuseContradiction(parent: Pins, pins: Pins): void {
  if (combinePins(parent, pins) !== undefined) return
  refuse([{ pointer: '/pins', rule: 'claviger/pins', message: "The session's pins contradict those of its parent." }])
}

// A token, or a secret in its overlap, must not prolong itself through a session of its own credential.
function endOf(caller: Caller, parent: CredentialRecord): number {
  return caller.credentialId === parent.id ? (caller.notAfter ?? Infinity) : latestEnd(caller, parent)
}
