// Tenants. Creating and listing them is the operator's; a tenant sees and changes itself.

import type { LrsId, Oid, OrganisationId } from './ids.ts'
import type { Caller } from './principal.ts'
import type { Json, Listed, LrsRecord, OrganisationRecord, Slice } from './storage.ts'

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
  async create(
    operator: PlatformOperator,
    input: NewOrganisationInput,
  ): Promise<{ readonly organisation: OrganisationRecord; readonly lrs: LrsRecord }> {
    void [operator, input]
    throw new Error('not written yet')
  }

  /** All of the installation, by id. */
  async list(operator: PlatformOperator, slice: Slice): Promise<Listed<OrganisationRecord>> {
    void [operator, slice]
    throw new Error('not written yet')
  }

  /** The caller's own. */
  async get(caller: Caller): Promise<OrganisationRecord> {
    void caller
    throw new Error('not written yet')
  }

  async update(caller: Caller, change: OrganisationChange): Promise<OrganisationRecord> {
    void [caller, change]
    throw new Error('not written yet')
  }
}
