// The use cases of an application's settings: explicit values at its own level and at levels for parts of it. What they are
// called, their defaults and what they may be is the face's, which knows who reads them.

import type { Applications } from './application.ts'
import { eventBy } from './audit.ts'
import { checkText, refuse } from './check.ts'
import type { Failure } from './errors.ts'
import { DomainError } from './errors.ts'
import type { ApplicationId } from './ids.ts'
import type { Caller } from './principal.ts'
import type { Clock, DirectoryStore, SettingRecord, Storage } from './storage.ts'

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

export class Settings {
  readonly #directory: DirectoryStore
  readonly #applications: Applications
  readonly #clock: Clock

  constructor({ storage, applications, clock }: { storage: Storage; applications: Applications; clock: Clock }) {
    this.#directory = storage.directory
    this.#applications = applications
    this.#clock = clock
  }

  /** By level and name. */
  async list(caller: Caller, id: ApplicationId): Promise<readonly SettingRecord[]> {
    await this.#applications.manage(caller, 'settings', 'read', id)
    return this.#directory.listSettings(caller.organisationId, id)
  }

  /** All or nothing. */
  async put(caller: Caller, id: ApplicationId, change: SettingsChange): Promise<void> {
    await this.#applications.manage(caller, 'settings', 'write', id)
    const { level, values } = change
    refuse(Object.entries(values).flatMap(([name, value]) => checkSetting(name, value)))
    const before = await this.#directory.listSettings(caller.organisationId, id)
    const added = Object.values(values).filter((value) => value !== null).length
    if (before.length + added > mostSettings) {
      throw new DomainError('conflict', `An application has at most ${mostSettings} settings of its own.`)
    }
    await this.#directory.putSettings(
      caller.organisationId,
      id,
      { ...change, at: this.#clock.now() },
      eventBy(caller, this.#clock, 'setting.put', { noun: 'application', id }, { level, names: Object.keys(values) }),
    )
  }
}

function checkSetting(name: string, value: string | null): readonly Failure[] {
  const rule = 'claviger/setting'
  const pointer = `/${name}`
  const failures = checkText(name, { pointer, rule, noun: 'The name of a setting' })
  if (value === null || (value.length <= longestValue && !/\0|\p{Surrogate}/u.test(value))) return failures
  const message = `The value of ${name} has at most ${longestValue} characters, without U+0000 and unpaired surrogates.`
  return [...failures, { pointer, rule, message }]
}
