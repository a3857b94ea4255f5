// Tenants. Creating and listing them is the operator's; a tenant sees and changes itself.

import { authorise } from './access.ts'
import { eventBy } from './audit.ts'
import { checkIds, checkName, refuse } from './check.ts'
import { DomainError } from './errors.ts'
import type { LrsId, Oid, OrganisationId } from './ids.ts'
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
  /** Named `Default` unless given. */
  readonly lrs?: { readonly name?: string; readonly id?: LrsId; readonly oid?: Oid }
}

export interface OrganisationChange {
  readonly name?: string
  readonly defaultLrsId?: LrsId
  /** Merged; null removes a switch. */
  readonly switches?: Readonly<Record<string, Json>>
}

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
    { name, id, oid = this.#ids.oid(), lrs = {} }: NewOrganisationInput,
  ): Promise<{ readonly organisation: OrganisationRecord; readonly lrs: LrsRecord }> {
    const lrsName = lrs.name ?? 'Default'
    refuse([
      ...checkName(name),
      ...checkName(lrsName, '/lrs/name'),
      ...checkIds({ id, oid }),
      ...checkIds({ id: lrs.id, oid: lrs.oid }, '/lrs'),
    ])
    const createdAt = this.#clock.now()
    const keyCheck = await this.#standingCheck()
    const wrappedKey = this.#vault.newDataKey(oid)
    return this.#storage.platform.createOrganisation(
      { oid, name, wrappedKey, keyCheck, switches: {}, createdAt, ...(id === undefined ? {} : { id }) },
      { oid: lrs.oid ?? this.#ids.oid(), name: lrsName, createdAt, ...(lrs.id === undefined ? {} : { id: lrs.id }) },
      {
        at: createdAt,
        actor: { kind: 'operator', name: operator },
        action: 'organisation.create',
        target: { noun: 'organisation', id: null },
        detail: { name, oid, lrs: lrsName },
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
    const { name, defaultLrsId, switches } = change
    if (name !== undefined) refuse(checkName(name))
    if (defaultLrsId !== undefined) await this.#checkLrs(caller.organisationId, defaultLrsId)
    const patch = {
      ...(name === undefined ? {} : { name }),
      ...(defaultLrsId === undefined ? {} : { defaultLrsId }),
      ...(switches === undefined ? {} : { switches }),
    }
    return this.#storage.directory.updateOrganisation(
      caller.organisationId,
      patch,
      eventBy(caller, this.#clock, 'organisation.update', { noun: 'organisation', id: caller.organisationId }, patch),
    )
  }

  async #checkLrs(organisationId: OrganisationId, id: LrsId): Promise<void> {
    const known = await this.#storage.directory.listLrs(organisationId)
    if (known.some((lrs) => lrs.id === id)) return
    refuse([{ pointer: '/defaultLrsId', rule: 'claviger/lrs', message: `The organisation has no Lrs ${id}.` }])
  }
}
