// Applications, their secret keys and settings, stored here. Knows nothing of how they were read.

import { DomainError, isDomainError } from '../../core/errors.ts'
import type { ApplicationId, LrsId, OrganisationId } from '../../core/ids.ts'
import type { Caller } from '../../core/principal.ts'
import type { ApplicationRecord } from '../../core/storage.ts'
import { readValue, settings, xapiEnabled } from '../../faces/scormcloud-v2/settings-catalogue.ts'
import type { ImportWork } from '../work.ts'
import type { FoundApplication, FoundSecret, FoundSetting } from './applications.ts'

/** Live and sandbox; in a dry run none of what is still to be made. */
export interface Place {
  readonly lrsIds: readonly LrsId[]
}

export class Keeper {
  readonly #work: ImportWork
  readonly #organisationId: OrganisationId
  readonly #caller: Caller

  constructor(work: ImportWork, organisationId: OrganisationId) {
    this.#work = work
    this.#organisationId = organisationId
    this.#caller = work.core.signIn.operator(organisationId, work.operator.operator)
  }

  /** `conflict` where another organisation has the id of one of them: then nothing is stored. */
  async refuseTaken(applications: readonly FoundApplication[]): Promise<void> {
    const taken: string[] = []
    for (const { id } of applications) {
      await this.#work.pace()
      const found = await this.#find(id)
      if (found !== undefined && found.organisationId !== this.#organisationId) taken.push(id)
    }
    if (taken.length === 0) return
    const which = taken.slice(0, 20).join(', ')
    throw new DomainError(
      'conflict',
      `Another organisation here has applications with these ids: ${which}. Nothing was stored.`,
    )
  }

  /** Undefined where it was rejected. */
  async keepApplication(application: FoundApplication, address: string): Promise<Place | undefined> {
    const { tally, core } = this.#work
    const { id, name, isDeletable } = application
    const found = await this.#find(id)
    const own = await this.#work.announce('applications', found === undefined ? [id] : [])
    if (this.#work.isDryRun) {
      tally.count('applications', 'checked')
      return found === undefined ? { lrsIds: [] } : placeIn(found)
    }
    try {
      const made = found ?? (await core.applications.create(this.#caller, { name, id: id as ApplicationId }))
      if (found === undefined && !isDeletable) await core.applications.update(this.#caller, made.id, { isDeletable })
      tally.count('applications', own.has(id) ? 'stored' : 'there')
      this.#touch(made)
      return placeIn(made)
    } catch (error) {
      if (!isDomainError(error) || error.code === 'unavailable') throw error
      this.#work.reject('applications', { file: address, line: 0, id, record: () => application }, error)
      return undefined
    }
  }

  /** Undefined where it is not here. */
  async placeOf({ id }: FoundApplication): Promise<Place | undefined> {
    const found = await this.#find(id)
    if (found !== undefined) this.#touch(found)
    return found && placeIn(found)
  }

  async keepSecrets({ id }: FoundApplication, secrets: readonly FoundSecret[]): Promise<void> {
    if (this.#work.isDryRun) return
    const { applications } = this.#work.core
    const known = await applications.reveal(this.#caller, id as ApplicationId)
    for (const secret of secrets) {
      if (known.secrets.some(({ value }) => value === secret.secret)) continue
      try {
        await applications.addSecret(this.#caller, id as ApplicationId, secret)
      } catch (error) {
        if (!isDomainError(error) || error.code === 'unavailable') throw error
        this.#work.warn(`Secret keys are left out (${error.message})`, `${secret.name} of application ${id}`)
      }
    }
  }

  async keepSettings({ id }: FoundApplication, found: readonly FoundSetting[]): Promise<void> {
    const levels = new Map<string, Record<string, string>>()
    for (const { level, id: name, value } of found) {
      const definition = settings.get(name)
      const read = definition === undefined ? { must: 'is not known here' } : readValue(definition, value)
      if ('value' in read) levels.set(level, { ...levels.get(level), [name]: read.value })
      else this.#work.warn(`The setting ${name.slice(0, 60)} is left out, for it ${read.must}`, `application ${id}`)
    }
    if (this.#work.isDryRun) return
    for (const [level, values] of levels) {
      const isOpen = Object.hasOwn(values, xapiEnabled) ? { isOpen: values[xapiEnabled] !== 'false' } : {}
      await this.#work.core.settings.put(this.#caller, id as ApplicationId, { level, values, ...isOpen })
    }
  }

  #find(id: string): Promise<ApplicationRecord | undefined> {
    return this.#work.core.applications.find(id)
  }

  #touch(application: ApplicationRecord): void {
    for (const lrsId of placeIn(application).lrsIds) this.#work.touch({ organisationId: this.#organisationId, lrsId })
  }
}

function placeIn({ liveLrsId, sandboxLrsId }: ApplicationRecord): Place {
  return { lrsIds: [liveLrsId, sandboxLrsId] }
}
