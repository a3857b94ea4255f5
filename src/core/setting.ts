// The use cases of an application's settings: explicit values at its own level and at levels for parts of it. What they are
// called, their defaults and what they may be is the face's, which knows who reads them. A value may be a password, so all are sealed.

import type { Applications } from './application.ts'
import { eventBy } from './audit.ts'
import { checkText, refuse } from './check.ts'
import type { Failure } from './errors.ts'
import { DomainError } from './errors.ts'
import type { ApplicationId } from './ids.ts'
import type { Caller } from './principal.ts'
import type { Clock, DirectoryStore, Json, OrganisationRecord, SettingRecord, Storage } from './storage.ts'
import type { KeyHolder, Place, Vault } from './vault.ts'

/** Explicit values of one application, its levels together. */
const mostSettings = 5_000
const longestValue = 4_000

export interface SettingsChange {
  /** Empty: the application's own. */
  readonly level: string
  /** Null: the level has none of its own any more. */
  readonly values: Readonly<Record<string, string | null>>
  /** Whether its Lrs answer xAPI from now on; absent: as before. */
  readonly isOpen?: boolean
}

/** In clear. */
export interface Setting {
  /** Empty: the application's own. */
  readonly level: string
  readonly name: string
  readonly value: string
}

export interface SettingsParts {
  readonly storage: Storage
  readonly applications: Applications
  readonly vault: Vault
  readonly clock: Clock
}

export class Settings {
  readonly #directory: DirectoryStore
  readonly #applications: Applications
  readonly #vault: Vault
  readonly #clock: Clock

  constructor({ storage, applications, vault, clock }: SettingsParts) {
    this.#directory = storage.directory
    this.#applications = applications
    this.#vault = vault
    this.#clock = clock
  }

  /** By level and name. */
  async list(caller: Caller, id: ApplicationId): Promise<readonly Setting[]> {
    await this.#applications.manage(caller, 'settings', 'read', id)
    const records = await this.#directory.listSettings(caller.organisationId, id)
    const organisation = await this.#organisation(caller)
    return records.map((record) => openSetting(this.#vault, organisation, id, record))
  }

  /** All or nothing. */
  async put(caller: Caller, id: ApplicationId, change: SettingsChange): Promise<void> {
    await this.#applications.manage(caller, 'settings', 'write', id)
    const { level, values } = change
    refuse([
      ...checkText(level, { pointer: '/level', rule: 'claviger/setting', noun: 'The level of a setting' }),
      ...Object.entries(values).flatMap(([name, value]) => checkSetting(name, value)),
    ])
    await this.#refuseTooMany(caller, id, change)
    const organisation = await this.#organisation(caller)
    const sealed = Object.entries(values).map(([name, value]) => {
      return [name, value === null ? null : sealSetting(this.#vault, organisation, id, { level, name, value }).value]
    })
    await this.#directory.putSettings(
      caller.organisationId,
      id,
      { ...change, values: Object.fromEntries(sealed) as SettingsChange['values'], at: this.#clock.now() },
      eventBy(caller, this.#clock, 'setting.put', { noun: 'application', id }, detailOf(change)),
    )
  }

  async #refuseTooMany(
    { organisationId }: Caller,
    id: ApplicationId,
    { level, values }: SettingsChange,
  ): Promise<void> {
    const kept = await this.#directory.listSettings(organisationId, id)
    const others = kept.filter((setting) => setting.level !== level || !Object.hasOwn(values, setting.name)).length
    const put = Object.values(values).filter((value) => value !== null).length
    if (put === 0 || others + put <= mostSettings) return
    throw new DomainError('conflict', `An application has at most ${mostSettings} settings of its own.`)
  }

  async #organisation({ organisationId }: Caller): Promise<OrganisationRecord> {
    const found = await this.#directory.findOrganisation(organisationId)
    if (found === undefined) throw new DomainError('not_found', 'There is no such organisation.')
    return found
  }
}

/** In clear. */
export function openSetting(vault: Vault, holder: KeyHolder, id: ApplicationId, sealed: SettingRecord): Setting {
  const { level, name, value } = sealed
  return { level, name, value: vault.open(holder, placeOf(id, level, name), value) }
}

export function sealSetting(vault: Vault, holder: KeyHolder, id: ApplicationId, clear: Setting): SettingRecord {
  const { level, name, value } = clear
  return { level, name, value: vault.seal(holder, placeOf(id, level, name), value) }
}

function placeOf(id: ApplicationId, level: string, name: string): Place {
  return { row: JSON.stringify([id, level, name]), column: 'setting.value' }
}

// Names alone: a value may be a password for elsewhere.
function detailOf({ level, values, isOpen }: SettingsChange): Json {
  return { level, names: Object.keys(values), ...(isOpen !== undefined && { isOpen }) }
}

function checkSetting(name: string, value: string | null): readonly Failure[] {
  const rule = 'claviger/setting'
  const pointer = `/${name}`
  const failures = checkText(name, { pointer, rule, noun: 'The name of a setting' })
  if (value === null || (value.length <= longestValue && !/\0|\p{Surrogate}/u.test(value))) return failures
  const message = `The value of ${name} has at most ${longestValue} characters, without U+0000 and unpaired surrogates.`
  return [...failures, { pointer, rule, message }]
}
