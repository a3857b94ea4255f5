// The use cases of platforms: systems that launch people. Each has a key of its own, the parent of the sessions it causes: so
// whoever manages keys manages platforms. What it shares with a platform is sealed. Knows nothing of how a platform speaks.

import { eventBy } from './audit.ts'
import { checkName, checkText, checkWhole, refuse } from './check.ts'
import { CredentialDecisions } from './credential-decision.ts'
import { DomainError } from './errors.ts'
import type { Failure } from './errors.ts'
import { demand, explainGrant, explainLook, explainReveal } from './grant.ts'
import type { CredentialId, LrsId, OrganisationId, PlatformId, SecretId } from './ids.ts'
import { getPreset } from './presets.ts'
import type { Caller } from './principal.ts'
import { mayManage, noRights } from './rights.ts'
import type { ManagementAction, Rights } from './rights.ts'
import { hasExpired, newSecretValue, overlapSpan, weakness } from './secret.ts'
import type {
  Clock,
  CredentialRecord,
  Ids,
  Json,
  Listed,
  OrganisationRecord,
  PlatformRecord,
  PlatformSecret,
  Slice,
  Storage,
} from './storage.ts'
import type { KeyHolder, Place, Vault } from './vault.ts'

export interface NewPlatformInput {
  /** As in `PlatformId`: stands in the addresses that the platform is given. */
  readonly id: string
  readonly name: string
  /** Name of the face that speaks it. */
  readonly protocol: string
  /** As that face wants them. */
  readonly settings: Json
  /** Where what is launched stores; the organisation's default unless given. */
  readonly lrsId?: LrsId
  /** Made unless given. */
  readonly secret?: string
  /** Of everything it launches; the preset `launch` unless given. */
  readonly rights?: Rights
}

export interface PlatformChange {
  readonly name?: string
  /** Whole. */
  readonly settings?: Json
  /** False: nothing is launched, and the keys of what was are refused. */
  readonly isEnabled?: boolean
}

export interface NewPlatformSecret {
  /** Made unless given. */
  readonly secret?: string
  /** How long the one before counts still; a day unless given. */
  readonly overlapSeconds?: number
}

export interface ClearPlatformSecret {
  readonly id: SecretId
  readonly value: string
  readonly createdAt: number
  readonly expiresAt: number | null
}

/** Everybody who is launched sees what is signed with it, and may guess for as long as they like. */
export const leastSecretLength = 32

const defaultOverlapSeconds = 86_400
const maxSettingsLength = 20_000
const pageSize = 500

export interface PlatformsParts {
  readonly storage: Storage
  readonly vault: Vault
  readonly clock: Clock
  readonly ids: Ids
}

export class Platforms {
  readonly #storage: Storage
  readonly #vault: Vault
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #decisions: CredentialDecisions

  constructor({ storage, vault, clock, ids }: PlatformsParts) {
    this.#storage = storage
    this.#vault = vault
    this.#clock = clock
    this.#ids = ids
    this.#decisions = new CredentialDecisions({ directory: storage.directory, vault, clock, ids })
  }

  /** With its key. `conflict` when the id is taken, by whomever. */
  async create(
    caller: Caller,
    input: NewPlatformInput,
  ): Promise<{ readonly platform: PlatformRecord; readonly secret: string }> {
    demand(explainLook(caller, 'write'))
    const { name, protocol, settings, lrsId, rights = getPreset('launch').rights } = input
    const { secret = newPlatformSecret(this.#ids) } = input
    refuse([
      ...checkId(input.id),
      ...checkPlatformName(name),
      ...checkProtocol(protocol),
      ...checkSettings(settings),
      ...checkSecret(secret),
      ...checkRights(rights),
    ])
    const id = input.id as PlatformId
    const holder = await this.#organisation(caller.organisationId)
    const asking = { caller, organisation: () => Promise.resolve(holder) }
    const asked = { name, rights, ...(lrsId !== undefined && { lrsIds: [lrsId] }) }
    const { write } = await this.#decisions.create(asking, asked)
    if (!('create' in write)) throw new DomainError('internal', 'A new key was to be made.')
    const at = this.#clock.now()
    const made = this.#seal(holder, secret)
    const { oid, lrsIds } = write.create
    const detail = { name, protocol, settings: namesIn(settings), lrsIds, credential: oid, rights } as unknown as Json
    const platform = await this.#storage.launches.createPlatform(
      caller.organisationId,
      {
        ...{ id, name, protocol, settings, isEnabled: true, createdAt: at },
        ...{ secrets: [made], credential: write.create },
      },
      eventBy(caller, this.#clock, 'platform.create', { noun: 'platform', id }, detail),
    )
    return { platform, secret }
  }

  /** `not_found` for another tenant's. */
  async get(caller: Caller, id: PlatformId): Promise<PlatformRecord> {
    return (await this.#find(caller, 'read', id)).platform
  }

  /** As `get`, with what is shared with it in clear, newest first: for who may write. */
  async reveal(
    caller: Caller,
    id: PlatformId,
  ): Promise<{ readonly platform: PlatformRecord; readonly secrets: readonly ClearPlatformSecret[] }> {
    const { platform, credential } = await this.#find(caller, 'read', id)
    demand(explainReveal(caller, credential))
    const holder = await this.#organisation(caller.organisationId)
    return { platform, secrets: platform.secrets.map((secret) => this.#open(holder, secret)) }
  }

  /** By id. A caller whose management is bound sees only what lies inside. */
  async list(caller: Caller, slice: Slice): Promise<Listed<PlatformRecord>> {
    demand(explainLook(caller, 'read'))
    if (mayManage(caller, 'credentials', 'read'))
      return this.#storage.launches.listPlatforms(caller.organisationId, slice)
    const visible: PlatformRecord[] = []
    for (let offset = 0, total = 1; offset < total; offset += pageSize) {
      const page = await this.#storage.launches.listPlatforms(caller.organisationId, { offset, limit: pageSize })
      visible.push(...(await this.#visible(caller, page.items)))
      total = page.total
    }
    return { items: visible.slice(slice.offset, slice.offset + slice.limit), total: visible.length }
  }

  async update(caller: Caller, id: PlatformId, change: PlatformChange): Promise<PlatformRecord> {
    const before = await this.reach(caller, 'write', id)
    const { name, settings, isEnabled } = change
    refuse([
      ...(name === undefined ? [] : checkPlatformName(name)),
      ...(settings === undefined ? [] : checkSettings(settings)),
    ])
    const detail = {
      ...(name !== undefined && name !== before.name && { name: { from: before.name, to: name } }),
      ...(settings !== undefined && { settings: changedNames(before.settings, settings) }),
      ...(isEnabled !== undefined && { isEnabled: { from: before.isEnabled, to: isEnabled } }),
    }
    return this.#storage.launches.updatePlatform(
      caller.organisationId,
      id,
      {
        ...(name !== undefined && { name }),
        ...(settings !== undefined && { settings }),
        ...(isEnabled !== undefined && { isEnabled }),
        ...{ at: this.#clock.now(), from: before.version },
      },
      eventBy(caller, this.#clock, 'platform.update', { noun: 'platform', id }, detail),
    )
  }

  /** A new secret, in clear in the answer; the current one becomes the previous one, and the previous one is gone. */
  async rotateSecret(
    caller: Caller,
    id: PlatformId,
    input: NewPlatformSecret = {},
  ): Promise<{ readonly platform: PlatformRecord; readonly secret: string }> {
    const { secret = newPlatformSecret(this.#ids), overlapSeconds = defaultOverlapSeconds } = input
    const { platform: before, credential } = await this.#find(caller, 'write', id)
    // Whoever knows what is shared launches as the platform, and so has all its key has.
    demand(explainReveal(caller, credential))
    const span = { ...overlapSpan, pointer: '/overlapSeconds', noun: 'An overlap, in seconds,' }
    refuse([...checkSecret(secret), ...checkWhole(overlapSeconds, span)])
    const holder = await this.#organisation(caller.organisationId)
    const at = this.#clock.now()
    const made = this.#seal(holder, secret)
    const [current] = before.secrets
    const end = Math.min(current?.expiresAt ?? Infinity, at + overlapSeconds * 1000)
    const previous = current === undefined || overlapSeconds === 0 ? [] : [{ ...current, expiresAt: end }]
    const platform = await this.#storage.launches.updatePlatform(
      caller.organisationId,
      id,
      { secrets: [made, ...previous], at, from: before.version },
      eventBy(caller, this.#clock, 'platform.rotate', { noun: 'platform', id }, { secret: made.id, overlapSeconds }),
    )
    return { platform, secret }
  }

  /** With its key, the sessions under it, and what it placed; never what was stored. */
  async remove(caller: Caller, id: PlatformId): Promise<PlatformRecord> {
    const { name, protocol, credentialId } = await this.reach(caller, 'delete', id)
    const detail = { name, protocol, credential: credentialId }
    const event = eventBy(caller, this.#clock, 'platform.delete', { noun: 'platform', id }, detail)
    return this.#storage.launches.deletePlatform(caller.organisationId, id, event)
  }

  /** Whoever's: for a path that names it, before anybody is known. A platform that is switched off is there, too. */
  async findByPath(id: string): Promise<PlatformRecord | undefined> {
    return checkId(id).length > 0 ? undefined : this.#storage.launches.findPlatformAnywhere(id as PlatformId)
  }

  /** What is shared with it and counts now, the current one first: for the face that checks what it signed. */
  async openSecrets({ organisationId, secrets }: PlatformRecord): Promise<readonly string[]> {
    const now = this.#clock.now()
    const holder = await this.#organisation(organisationId)
    return secrets.filter((secret) => !hasExpired(secret, now)).map((secret) => this.#open(holder, secret).value)
  }

  /** Throws unless the caller's management covers it for `action`. */
  async reach(caller: Caller, action: ManagementAction, id: PlatformId): Promise<PlatformRecord> {
    return (await this.#find(caller, action, id)).platform
  }

  /** Throws unless the caller may look at this one, or at all of the organisation. */
  async demandLook(caller: Caller, id: PlatformId | undefined): Promise<void> {
    if (id !== undefined) return void (await this.#find(caller, 'read', id))
    demand(explainLook(caller, 'read', { kind: 'client', rights: noRights, lrsIds: [], pins: {}, limits: {} }))
  }

  async #find(
    caller: Caller,
    action: ManagementAction,
    id: PlatformId,
  ): Promise<{ readonly platform: PlatformRecord; readonly credential: CredentialRecord }> {
    demand(explainLook(caller, action))
    const { launches, directory } = this.#storage
    const platform = checkId(id).length > 0 ? undefined : await launches.findPlatform(caller.organisationId, id)
    const credential = platform && (await directory.findCredential(caller.organisationId, platform.credentialId))
    if (platform === undefined || credential === undefined)
      throw new DomainError('not_found', 'There is no such platform.')
    demand(action === 'read' ? explainLook(caller, action, credential) : explainGrant(caller, action, credential))
    return { platform, credential }
  }

  async #visible(caller: Caller, platforms: readonly PlatformRecord[]): Promise<readonly PlatformRecord[]> {
    const ids = platforms.map(({ credentialId }) => credentialId)
    if (ids.length === 0) return []
    const slice = { offset: 0, limit: ids.length }
    const { items } = await this.#storage.directory.listCredentials(caller.organisationId, { ids }, slice)
    const seen = new Set<CredentialId>()
    for (const credential of items) if (explainLook(caller, 'read', credential).allowed) seen.add(credential.id)
    return platforms.filter(({ credentialId }) => seen.has(credentialId))
  }

  async #organisation(id: OrganisationId): Promise<OrganisationRecord> {
    const organisation = await this.#storage.directory.findOrganisation(id)
    if (organisation === undefined) throw new DomainError('not_found', 'There is no such organisation.')
    return organisation
  }

  #seal(holder: KeyHolder, clear: string): PlatformSecret {
    const id = this.#ids.uuid() as SecretId
    return {
      id,
      sealed: this.#vault.seal(holder, secretPlace(id), clear),
      createdAt: this.#clock.now(),
      expiresAt: null,
    }
  }

  #open(holder: KeyHolder, { id, sealed, createdAt, expiresAt }: PlatformSecret): ClearPlatformSecret {
    return { id, value: this.#vault.open(holder, secretPlace(id), sealed), createdAt, expiresAt }
  }
}

/** The platform as who acts: in the audit log, and as the parent of what it launches. It manages nothing. */
export function callerOf({ organisationId, name, credentialId }: PlatformRecord): Caller {
  return { organisationId, name, credentialId, kind: 'client', rights: noRights }
}

function secretPlace(id: SecretId): Place {
  return { row: id, column: 'platform_secret.sealed' }
}

/** 40 hex digits. */
function newPlatformSecret(ids: Ids): string {
  return newSecretValue(ids)
}

function checkId(id: string): readonly Failure[] {
  if (/^[a-z0-9][a-z0-9-]{1,62}$/.test(id)) return []
  const message = 'The id of a platform is 2 to 63 of a-z, 0-9 and -, the first no -: it stands in addresses.'
  return [{ pointer: '/id', rule: 'claviger/platform', message }]
}

function checkPlatformName(name: string): readonly Failure[] {
  if (name !== '') return checkName(name)
  return [{ pointer: '/name', rule: 'claviger/name', message: 'A platform has a name.' }]
}

function checkProtocol(protocol: string): readonly Failure[] {
  if (/^[a-z][a-z0-9-]{0,30}$/.test(protocol)) return []
  return [
    { pointer: '/protocol', rule: 'claviger/platform', message: 'A protocol is the name of the face that speaks it.' },
  ]
}

function checkSettings(settings: Json): readonly Failure[] {
  if (JSON.stringify(settings).length <= maxSettingsLength) return []
  const message = `The settings of a platform take at most ${maxSettingsLength} characters.`
  return [{ pointer: '/settings', rule: 'claviger/platform', message }]
}

function checkSecret(secret: string): readonly Failure[] {
  const as = { pointer: '/secret', rule: 'claviger/platform-secret', noun: 'What is shared with a platform' }
  const why =
    Array.from(secret).length < leastSecretLength
      ? `It has at least ${leastSecretLength} characters.`
      : weakness(secret)
  return [
    ...(why === undefined ? [] : [{ pointer: as.pointer, rule: as.rule, message: why }]),
    ...checkText(secret, as),
  ]
}

/** What is launched runs in anybody's browser. */
function checkRights({ management }: Rights): readonly Failure[] {
  if (management.length === 0) return []
  return [
    { pointer: '/rights', rule: 'claviger/platform', message: 'A platform manages nothing: leave management out.' },
  ]
}

/** Values may be secrets. */
function namesIn(settings: Json): readonly string[] {
  return typeof settings === 'object' && settings !== null ? Object.keys(settings) : []
}

function changedNames(before: Json, after: Json): readonly string[] {
  const [was, is] = [before, after].map((value) => (value ?? {}) as Readonly<Record<string, Json>>)
  return [...new Set([...namesIn(before), ...namesIn(after)])].filter(
    (name) => JSON.stringify(was?.[name]) !== JSON.stringify(is?.[name]),
  )
}
