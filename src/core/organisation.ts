// Tenants. Creating and listing them is the operator's; a tenant sees and changes itself.

import { authorise } from './access.ts'
import { eventBy } from './audit.ts'
import { checkIds, checkName, checkTime, checkWords, refuse } from './check.ts'
import { DomainError } from './errors.ts'
import type { Failure } from './errors.ts'
import type { LrsId, Oid, OrganisationId } from './ids.ts'
import { checkLrs } from './lrs.ts'
import type { NewLrsInput } from './lrs.ts'
import type { Caller } from './principal.ts'
import type { Clock, Ids, Json, Listed, LrsRecord, OrganisationRecord, Sealed, Slice, Storage } from './storage.ts'
import type { Vault } from './vault.ts'

/** The operator of the whole installation, as the command line knows them. Not a tenant's caller. */
export interface PlatformOperator {
  /** For the audit log: `command line`. */
  readonly operator: string
}

export interface NewOrganisationInput {
  readonly name: string
  readonly id?: OrganisationId
  readonly oid?: Oid
  /** Unix milliseconds; never unless given. */
  readonly expiresAt?: number | null
  readonly words?: Readonly<Record<string, Json>>
  /** Unix milliseconds; now unless given. */
  readonly createdAt?: number
  /** The same. */
  readonly updatedAt?: number
  /** Named `Default`, with the times of the organisation, unless given. */
  readonly lrs?: Partial<NewLrsInput>
}

export interface OrganisationChange {
  readonly name?: string
  readonly defaultLrsId?: LrsId
  /** Merged; null removes a switch. */
  readonly switches?: Readonly<Record<string, Json>>
  /** Unix milliseconds, from which on nobody of it signs in; null = never. Operators only: no tenant puts off its own end. */
  readonly expiresAt?: number | null
  /** Merged; null removes what a face remembers. */
  readonly words?: Readonly<Record<string, Json>>
}

/** In `words`: from where imports may come into it again, as src/importing/existing.ts says. Of this installation: exports leave it out. */
export const importedFrom = 'importedFrom'

export class Organisations {
  readonly #storage: Storage
  readonly #vault: Vault
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(parts: { storage: Storage; vault: Vault; clock: Clock; ids: Ids }) {
    this.#storage = parts.storage
    this.#vault = parts.vault
    this.#clock = parts.clock
    this.#ids = parts.ids
  }

  /** With its first Lrs, which becomes its default. `conflict` when a chosen id is taken. */
  async create(
    { operator }: PlatformOperator,
    input: NewOrganisationInput,
  ): Promise<{ readonly organisation: OrganisationRecord; readonly lrs: LrsRecord }> {
    const at = this.#clock.now()
    const { oid = this.#ids.oid(), createdAt = at, updatedAt = at, lrs: first, ...given } = input
    const times = { createdAt, updatedAt }
    const lrs = { name: 'Default', oid: this.#ids.oid(), ...times, ...first }
    refuse([...checkOrganisation({ ...given, ...times, oid }), ...checkLrs(lrs, '/lrs')])
    const keyCheck = await this.#standingCheck()
    const wrappedKey = this.#vault.newDataKey(oid)
    return this.#storage.platform.createOrganisation(
      { ...given, ...times, oid, wrappedKey, keyCheck, switches: {} },
      lrs,
      {
        at,
        actor: { kind: 'operator', name: operator },
        action: 'organisation.create',
        target: { noun: 'organisation', id: null },
        detail: { name: given.name, oid, lrs: lrs.name },
      },
    )
  }

  /** Another node may have changed the master key since this process began. */
  async #standingCheck(): Promise<Sealed> {
    const check = await this.#storage.platform.findKeyCheck()
    if (check !== undefined && this.#vault.fitsCheck(check)) return check
    throw new DomainError('unavailable', 'The master key was changed: start this process again with the new one.')
  }

  /** All of the installation, by id. */
  async list(operator: PlatformOperator, slice: Slice): Promise<Listed<OrganisationRecord>> {
    void operator // Only the composition side can make one; a tenant's caller does not fit the type.
    return this.#storage.platform.listOrganisations(slice)
  }

  /** The caller's own. */
  async get(caller: Caller): Promise<OrganisationRecord> {
    const found = await this.#storage.directory.findOrganisation(caller.organisationId)
    if (found === undefined) throw new DomainError('not_found', 'There is no such organisation.')
    return found
  }

  async update(caller: Caller, change: OrganisationChange): Promise<OrganisationRecord> {
    authorise(caller, { kind: 'manage', area: 'settings', action: 'write' })
    const { name, defaultLrsId, switches, expiresAt, words } = change
    refuse(checkOrganisation(change))
    if (expiresAt !== undefined && caller.credentialId !== undefined) throw notTheirs()
    if (defaultLrsId !== undefined) await this.#checkLrs(caller.organisationId, defaultLrsId)
    const detail = {
      ...(name === undefined ? {} : { name }),
      ...(defaultLrsId === undefined ? {} : { defaultLrsId }),
      ...(switches === undefined ? {} : { switches }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    }
    const target = { noun: 'organisation', id: caller.organisationId }
    const event = eventBy(caller, this.#clock, 'organisation.update', target, detail)
    const patch = { ...detail, ...(words === undefined ? {} : { words }), at: event.at }
    return this.#storage.directory.updateOrganisation(caller.organisationId, patch, event)
  }

  async #checkLrs(organisationId: OrganisationId, id: LrsId): Promise<void> {
    const known = await this.#storage.directory.listLrs(organisationId)
    if (known.some((lrs) => lrs.id === id && lrs.deletedAt === null)) return
    refuse([{ pointer: '/defaultLrsId', rule: 'claviger/lrs', message: `The organisation has no Lrs ${id}.` }])
  }
}

/** From its end on nobody of it signs in. */
export function hasExpired({ expiresAt }: Pick<OrganisationRecord, 'expiresAt'>, now: number): boolean {
  return expiresAt !== null && expiresAt <= now
}

export function organisationExpired(): DomainError {
  const remedy = 'Whoever runs this installation can put its end off.'
  return new DomainError('forbidden', `The organisation has expired. ${remedy}`, {
    detail: { decidedBy: 'organisation expired', remedy },
  })
}

function checkOrganisation({
  name,
  id,
  oid,
  expiresAt,
  words,
  createdAt,
  updatedAt,
}: Partial<Omit<NewOrganisationInput, 'lrs'>>): readonly Failure[] {
  return [
    ...(name === undefined ? [] : checkName(name)),
    ...checkIds({ id, oid }),
    ...checkTime(expiresAt, { pointer: '/expiresAt', noun: 'An end' }),
    ...(words === undefined ? [] : checkWords(words)),
    ...checkTime(createdAt, { pointer: '/createdAt', noun: 'The time it was made' }),
    ...checkTime(updatedAt, { pointer: '/updatedAt', noun: 'The time it was last changed' }),
  ]
}

function notTheirs(): DomainError {
  return new DomainError('forbidden', 'Only an operator says when an organisation ends.', {
    detail: { decidedBy: 'operator' },
  })
}
