// Putting back what `Exports` gave out: organisations, Lrs, applications, keys and pipes with the ids, times and secrets they had, in
// an empty installation or beside others. What is there already stays as it is. Statements and documents are core/importing.ts.

import { eventBy } from './audit.ts'
import { sealCallback } from './callback.ts'
import { mostApplications } from './application.ts'
import { checkIds, checkName, refuse } from './check.ts'
import { checkFields, checkNewSecret } from './credential-check.ts'
import { DomainError } from './errors.ts'
import { callerOf } from './exporting.ts'
import type {
  PortableApplication,
  PortableCredential,
  PortableLrs,
  PortableOrganisation,
  PortablePipe,
  PortableSecret,
} from './exporting.ts'
import type { ApplicationId, CredentialId, LrsId, OrganisationId, PipeId } from './ids.ts'
import type { PlatformOperator } from './organisation.ts'
import { sealEndpoints } from './pipe.ts'
import type { Bound } from './rights.ts'
import { maxSecrets, publicKeyName, secretPlace } from './secret.ts'
import { sealSetting } from './setting.ts'
import type {
  Clock,
  Holder,
  Identifiers,
  Json,
  NewCredential,
  NewLrs,
  OrganisationRecord,
  Sealed,
  SecretRecord,
  Storage,
} from './storage.ts'
import type { Vault } from './vault.ts'

/** What is put back together: everything of one organisation, or a part of it. */
export interface Portables {
  readonly organisation?: PortableOrganisation
  readonly lrs?: readonly PortableLrs[]
  readonly credentials?: readonly PortableCredential[]
  /** Owners of statements that are no credentials any more. */
  readonly gone?: readonly CredentialId[]
  readonly applications?: readonly PortableApplication[]
  readonly pipes?: readonly PortablePipe[]
}

export type RestoreOutcome = 'stored' | 'there'

/** Where it came from, for the audit log: the id of the export, its audit log's head. */
export type Origin = Readonly<Record<string, Json>>

/** Of one call of `findConflicts`. */
export const mostPortables = 500
const pausedBecause = 'Paused by the import: resume it where nobody else forwards the same.'

export interface RestoresParts {
  readonly storage: Storage
  readonly vault: Vault
  readonly clock: Clock
}

export class Restores {
  readonly #storage: Storage
  readonly #vault: Vault
  readonly #clock: Clock

  constructor({ storage, vault, clock }: RestoresParts) {
    this.#storage = storage
    this.#vault = vault
    this.#clock = clock
  }

  /** What somebody else here has, in words; nothing is written. */
  async findConflicts(
    operator: PlatformOperator,
    organisationId: OrganisationId,
    portables: Portables,
  ): Promise<readonly string[]> {
    void operator // As in organisation.ts: a tenant's caller does not fit the type.
    const { organisation, lrs = [], credentials = [], gone = [], applications = [], pipes = [] } = portables
    const all = [...credentials, ...applications.map(({ credential }) => credential)]
    const keys = new Map(all.flatMap((one) => this.#pairsOf(one).map((pair) => [pair, one.key])))
    const wanted: Identifiers = {
      organisations: organisation ? [organisation] : [],
      lrs,
      credentials: [...all, ...gone.map((id) => ({ id }))],
      applications: applications.map(({ id }) => id),
      pipes: pipes.map(({ id }) => id),
      pairs: [...keys.keys()],
    }
    const oids = oidsOf(wanted)
    const holders = await this.#storage.platform.findHolders(wanted)
    return holders.flatMap((holder) => conflictOf(holder, { organisationId, oids, keys }) ?? [])
  }

  /** With the Lrs that is its default, or another that no application has. */
  async organisation(
    { operator }: PlatformOperator,
    organisation: PortableOrganisation,
    lrs: PortableLrs,
    origin: Origin,
  ): Promise<RestoreOutcome> {
    const { id, oid, name, switches, words, expiresAt, createdAt, updatedAt } = organisation
    if (await this.#isThere('organisation', id, id)) return 'there'
    refuse([...checkIds({ id, oid }), ...checkName(name), ...checkLrs(lrs)])
    const keyCheck = await this.#standingCheck()
    const wrappedKey = this.#vault.newDataKey(oid)
    await this.#storage.platform.createOrganisation(
      { id, oid, name, switches, words, expiresAt, createdAt, updatedAt, wrappedKey, keyCheck },
      newLrs(lrs),
      {
        at: this.#clock.now(),
        actor: { kind: 'operator', name: operator },
        action: 'organisation.restore',
        target: { noun: 'organisation', id },
        detail: { name, oid, ...origin },
      },
    )
    return 'stored'
  }

  async #standingCheck(): Promise<Sealed> {
    const check = await this.#storage.platform.findKeyCheck()
    if (check !== undefined && this.#vault.fitsCheck(check)) return check
    throw new DomainError('unavailable', 'The master key was changed: start this process again with the new one.')
  }

  async lrs(operator: PlatformOperator, organisationId: OrganisationId, lrs: PortableLrs): Promise<RestoreOutcome> {
    if (await this.#isThere('lrs', lrs.id, organisationId)) return 'there'
    refuse(checkLrs(lrs))
    await this.#storage.directory.createLrs(
      organisationId,
      newLrs(lrs),
      this.#event(operator, organisationId, 'lrs.restore', { noun: 'lrs', id: lrs.id }, { name: lrs.name }),
    )
    return 'stored'
  }

  /** With its two Lrs, its key, settings and callback. Its Lrs are not there without it. */
  async application(
    operator: PlatformOperator,
    organisationId: OrganisationId,
    application: PortableApplication,
    { live, sandbox, isOpen }: { readonly live: PortableLrs; readonly sandbox: PortableLrs; readonly isOpen: boolean },
  ): Promise<RestoreOutcome> {
    const { id, name, isDeletable, createdAt, updatedAt, callback, settings, credential } = application
    const target = { noun: 'application', id }
    const isThere = await this.#isThere('application', id, organisationId)
    if (!isThere) {
      const holder = await this.#find(organisationId)
      const known = await this.#boundsOf(organisationId, { id, lrsIds: [live.id, sandbox.id] })
      refuse([...checkLrs(live), ...checkLrs(sandbox), ...checkName(name)])
      refuse([...checkCredential(credential), ...checkBounds(credential, known)])
      const { lrsIds: _lrsIds, ...made } = this.#newCredential(holder, credential)
      await this.#storage.directory.createApplication(
        organisationId,
        {
          ...{ id, name, isDeletable, createdAt, updatedAt, live: newLrs(live), sandbox: newLrs(sandbox) },
          callback: callback === null ? null : sealCallback(this.#vault, holder, id, callback),
          settings: settings.map((setting) => sealSetting(this.#vault, holder, id, setting)),
          credential: made,
        },
        this.#event(operator, organisationId, 'application.restore', target, { name, key: credential.id }),
      )
    }
    // An interruption came in between, where it is open though nobody changed it since.
    const found = isOpen ? undefined : await this.#storage.directory.findApplication(organisationId, id)
    if (found !== undefined && found.updatedAt <= updatedAt) {
      const event = this.#event(operator, organisationId, 'setting.put', target, { level: '', names: [], isOpen })
      const change = { level: '', values: {}, isOpen, at: updatedAt }
      await this.#storage.directory.putSettings(organisationId, id, change, event)
    }
    return isThere ? 'there' : 'stored'
  }

  /**
   * All or none of them, but for what is there. `invalid` and `conflict` say by `detail.index` which is refused. What manages an
   * application or an Lrs comes after these.
   */
  async credentials(
    operator: PlatformOperator,
    organisationId: OrganisationId,
    credentials: readonly PortableCredential[],
  ): Promise<readonly RestoreOutcome[]> {
    const there = await this.#those(organisationId, { credentials })
    const holder = await this.#find(organisationId)
    const known = await this.#boundsOf(organisationId)
    const missing = credentials.filter(({ id }) => !there.has(id))
    for (const [at, one] of credentials.entries()) {
      if (there.has(one.id)) continue
      const failures = [...checkCredential(one), ...checkBounds(one, known)]
      if (failures.length > 0) {
        const message = failures.map((failure) => failure.message).join(' ')
        throw new DomainError('invalid', message, { detail: { failures, index: at } })
      }
    }
    if (missing.length === 0) return credentials.map(() => 'there')
    const writes = missing.map((one) => {
      const { id, key, name } = one
      const target = { noun: 'credential', id }
      const event = this.#event(operator, organisationId, 'credential.restore', target, { name, key })
      return { create: { ...this.#newCredential(holder, one), allowDuplicateKey: true }, event }
    })
    await this.#storage.directory.changeCredentials(organisationId, writes)
    return credentials.map(({ id }) => (there.has(id) ? 'there' : 'stored'))
  }

  /** Nobody else gets their ids: what they stored is here. */
  async gone(operator: PlatformOperator, organisationId: OrganisationId, ids: readonly CredentialId[]): Promise<void> {
    if (ids.length === 0) return
    const target = { noun: 'organisation', id: organisationId }
    const event = this.#event(operator, organisationId, 'credential.reserve', target, { ids })
    await this.#storage.directory.reserveCredentialIds(organisationId, ids, event)
  }

  /** Paused: where it came from may forward still. */
  async pipe(operator: PlatformOperator, organisationId: OrganisationId, pipe: PortablePipe): Promise<RestoreOutcome> {
    if (await this.#isThere('pipe', pipe.id, organisationId)) return 'there'
    const holder = await this.#find(organisationId)
    const { id, source, target, applicationId, lrsId, progress, version, createdAt, updatedAt } = pipe
    const sealed = sealEndpoints(id, { source: source ?? undefined, target }, (place, clear) => {
      return this.#vault.seal(holder, place, clear)
    })
    await this.#storage.directory.createPipe(
      organisationId,
      {
        ...{ id, applicationId, lrsId, progress, version, createdAt, updatedAt, ...sealed },
        pausedBecause: pipe.pausedBecause ?? pausedBecause,
      },
      this.#event(operator, organisationId, 'pipe.restore', { noun: 'pipe', id }, { target: target.url }),
    )
    return 'stored'
  }

  /** What can only be said of an organisation once all of it is there. */
  async complete(
    operator: PlatformOperator,
    { id, defaultLrsId, updatedAt }: PortableOrganisation,
    lrs: readonly PortableLrs[],
  ): Promise<void> {
    const target = { noun: 'organisation', id }
    const { defaultLrsId: present } = await this.#find(id)
    if (present !== defaultLrsId) {
      const event = this.#event(operator, id, 'organisation.update', target, { defaultLrsId })
      await this.#storage.directory.updateOrganisation(id, { defaultLrsId, at: updatedAt }, event)
    }
    const found = new Map((await this.#storage.directory.listLrs(id)).map((one) => [one.id, one]))
    for (const one of lrs) {
      const there = found.get(one.id)
      if (one.deletedAt === null || there?.deletedAt !== null || there.updatedAt > one.updatedAt) continue
      const event = this.#event(operator, id, 'lrs.delete', { noun: 'lrs', id: one.id }, null)
      const patch = { deletedAt: one.deletedAt, at: one.updatedAt }
      await this.#storage.directory.updateLrs(id, one.id, patch, event)
    }
  }

  #event(
    operator: PlatformOperator,
    organisationId: OrganisationId,
    action: string,
    target: { readonly noun: string; readonly id: number | string },
    detail: Json,
  ) {
    return eventBy(callerOf(operator, organisationId), this.#clock, action, target, detail)
  }

  #newCredential(holder: OrganisationRecord, portable: PortableCredential): NewCredential {
    return {
      ...portable,
      pairs: this.#pairsOf(portable),
      secrets: portable.secrets.map((secret) => this.#seal(holder, secret)),
    }
  }

  #seal(holder: OrganisationRecord, { value, ...secret }: PortableSecret): SecretRecord {
    return { ...secret, sealed: this.#vault.seal(holder, secretPlace(secret.id), value) }
  }

  #pairsOf({ key, secrets, oauth }: PortableCredential): readonly string[] {
    const values = secrets.map(({ value }) => value)
    if (oauth?.publicKey !== undefined) values.push(publicKeyName(oauth.publicKey))
    return values.map((value) => this.#vault.pairOf(key, value))
  }

  async #find(organisationId: OrganisationId): Promise<OrganisationRecord> {
    const found = await this.#storage.directory.findOrganisation(organisationId)
    if (found === undefined) throw new DomainError('not_found', `There is no organisation ${organisationId}.`)
    return found
  }

  /** `coming`: an application that is about to be made. */
  async #boundsOf(
    organisationId: OrganisationId,
    coming?: { readonly id: ApplicationId; readonly lrsIds: readonly LrsId[] },
  ): Promise<Known> {
    const lrs = await this.#storage.directory.listLrs(organisationId)
    const query = { by: 'createdAt', isDescending: false, limit: mostApplications } as const
    const { items } = await this.#storage.directory.listApplications(organisationId, query)
    const applications = new Map<string, readonly LrsId[]>(
      items.map(({ id, liveLrsId, sandboxLrsId }) => [id, [liveLrsId, sandboxLrsId]]),
    )
    if (coming) applications.set(coming.id, coming.lrsIds)
    return { lrsIds: new Set([...lrs.map(({ id }) => id), ...(coming?.lrsIds ?? [])]), applications }
  }

  async #isThere(noun: Holder['noun'], id: number | string, organisationId: OrganisationId): Promise<boolean> {
    const wanted = {
      ...{ organisations: [], lrs: [], credentials: [], applications: [], pipes: [], pairs: [] },
      ...(noun === 'organisation' && { organisations: [{ id: id as OrganisationId }] }),
      ...(noun === 'lrs' && { lrs: [{ id: id as LrsId }] }),
      ...(noun === 'application' && { applications: [id as ApplicationId] }),
      ...(noun === 'pipe' && { pipes: [id as PipeId] }),
    }
    const holders = await this.#storage.platform.findHolders(wanted)
    return holders.some((holder) => holder.id === id && holder.organisationId === organisationId)
  }

  /** Of these, the ids that the organisation has given. */
  async #those(
    organisationId: OrganisationId,
    { credentials }: { readonly credentials: readonly PortableCredential[] },
  ): Promise<ReadonlySet<number | string>> {
    const nothing = { organisations: [], lrs: [], applications: [], pipes: [], pairs: [] }
    const holders = await this.#storage.platform.findHolders({ ...nothing, credentials })
    return new Set(holders.filter((holder) => holder.organisationId === organisationId).map(({ id }) => id))
  }
}

/** What management may be bound to. */
interface Known {
  readonly lrsIds: ReadonlySet<LrsId>
  readonly applications: ReadonlyMap<string, readonly LrsId[]>
}

const inWords: Readonly<Record<Holder['noun'], string>> = {
  organisation: 'organisation',
  lrs: 'Lrs',
  credential: 'key',
  application: 'application',
  pipe: 'pipe',
  pair: 'key',
}

/** By noun and id; undefined for what has none. */
function oidsOf(wanted: Identifiers): ReadonlyMap<string, string | undefined> {
  const named = (
    noun: Holder['noun'],
    ids: readonly (number | string | { readonly id: number; readonly oid?: string })[],
  ) =>
    ids.map((one) =>
      typeof one === 'object' ? ([`${noun} ${one.id}`, one.oid] as const) : ([`${noun} ${one}`, undefined] as const),
    )
  return new Map([
    ...named('organisation', wanted.organisations),
    ...named('lrs', wanted.lrs),
    ...named('credential', wanted.credentials),
    ...named('application', wanted.applications),
    ...named('pipe', wanted.pipes),
  ])
}

/** Undefined where it is the same thing, or was and is gone. */
function conflictOf(
  { noun, id, oid, organisationId }: Holder,
  ours: {
    readonly organisationId: OrganisationId
    readonly oids: ReadonlyMap<string, string | undefined>
    readonly keys: ReadonlyMap<string, string>
  },
): string | undefined {
  const isOurs = organisationId === ours.organisationId
  if (noun === 'pair') {
    const key = ours.keys.get(String(id))
    return isOurs ? undefined : `The key ${key} with its secret belongs to organisation ${organisationId} here.`
  }
  const name = `${noun} ${id}`
  const wanted = ours.oids.get(name)
  const isSame = wanted === undefined || oid === null || oid === wanted
  if (isOurs && ours.oids.has(name) && isSame) return undefined
  return `The ${inWords[noun]} ${id} here is another one, of organisation ${organisationId}.`
}

function newLrs({ deletedAt: _deletedAt, ...lrs }: PortableLrs): NewLrs {
  return lrs
}

function checkLrs({ id, oid, name }: PortableLrs) {
  return [...checkIds({ id, oid }, '/lrs'), ...checkName(name, '/lrs/name')]
}

function checkCredential(credential: PortableCredential) {
  const { secrets, expiresAt, lrsIds, ...fields } = credential
  return [
    ...checkFields({ ...fields, expiresAt, ...(lrsIds.length > 0 && { lrsIds }) }),
    ...secrets.flatMap((secret) => checkNewSecret({ ...secret, secret: secret.value })),
    ...(secrets.length > maxSecrets ? [unfit('/secrets', `A key has at most ${maxSecrets} secrets.`)] : []),
  ]
}

/** Management of what the organisation does not have would be management of another's, one day. */
function checkBounds({ rights, lrsIds }: PortableCredential, known: Known) {
  const foreign = lrsIds.filter((id) => !known.lrsIds.has(id))
  return [
    ...foreign.map((id) => unfit('/lrsIds', `The organisation has no Lrs ${id}.`)),
    ...rights.management.flatMap(({ bound }, index) =>
      isKnown(bound, known) ? [] : [unfit(`/rights/management/${index}/bound`, 'It manages what is not here.')],
    ),
  ]
}

function isKnown(bound: Bound, { lrsIds, applications }: Known): boolean {
  if (bound.kind === 'lrs') return lrsIds.has(bound.id)
  if (bound.kind !== 'application') return true
  const own = applications.get(bound.id)
  return own !== undefined && bound.lrsIds.every((id) => own.includes(id))
}

function unfit(pointer: string, message: string) {
  return { pointer, rule: 'claviger/restore', message }
}
