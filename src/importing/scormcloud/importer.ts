// The applications of a SCORM Cloud realm brought in: with their ids, secret keys, xAPI credentials and settings through API v2, and, where
// asked for, the statements of their live and sandbox LRS through xAPI.

import { derivedAuthority } from '../../core/authority.ts'
import type { LrsId, OrganisationId } from '../../core/ids.ts'
import type { Outbound } from '../../core/outbound.ts'
import type { RemoteLrsDoor } from '../../core/remote-lrs.ts'
import type { Json } from '../../core/storage.ts'
import { isObject } from '../../core/xapi/rule.ts'
import type { Importer } from '../import.ts'
import { JsonApi } from '../json-api.ts'
import type { Login } from '../json-api.ts'
import { importKeys } from '../keys.ts'
import { nobody, Owners } from '../owners.ts'
import { Patience } from '../patience.ts'
import type { PatienceSettings } from '../patience.ts'
import { importRemote, remotePositionIn } from '../remote-statements.ts'
import { endpointOf } from '../remote-url.ts'
import type { ImportWork } from '../work.ts'
import { listApplications, listSecrets, listSettings, listXapiCredentials, loginOf } from './applications.ts'
import type { FoundApplication, FoundSecret, Shown } from './applications.ts'
import { readCredential } from './credentials.ts'
import type { FoundCredential } from './credentials.ts'
import { Keeper } from './keeper.ts'
import type { Place } from './keeper.ts'

export interface ScormcloudOptions {
  readonly outbound: Outbound
  readonly door: RemoteLrsDoor
  /** Of API v2. */
  readonly url: string
  /** The key that manages applications. */
  readonly login: Login
  /** Where they go. */
  readonly organisationId: OrganisationId
  readonly withStatements: boolean
  readonly perMinute: number
  /** For tests. */
  readonly wait?: PatienceSettings['wait'] | undefined
}

/** Throws `invalid` for an address that nobody will ever be asked at. */
export function scormcloudImporter(options: ScormcloudOptions): Importer {
  const url = endpointOf(options.url, options.outbound)
  const { login, organisationId } = options
  return {
    source: `scormcloud ${url} as ${login.key} into organisation ${organisationId}`.slice(0, 500),
    run: (work) => new Reading(work, { ...options, url }).run(),
  }
}

/** JSON: up to here the statements are stored. Applications, keys and settings are. */
type Saved = {
  readonly application: number
  readonly place: number
  readonly number: number
  readonly reading?: Json
}

const begun: Saved = { application: 0, place: 0, number: 0 }

class Reading {
  readonly #work: ImportWork
  readonly #options: ScormcloudOptions
  readonly #patience: Patience
  readonly #api: JsonApi
  readonly #keeper: Keeper
  /** Asked for once in a run. */
  readonly #secrets = new Map<string, Promise<Shown<FoundSecret>>>()
  readonly #credentials = new Map<string, Promise<readonly FoundCredential[]>>()

  constructor(work: ImportWork, options: ScormcloudOptions) {
    const { perMinute, wait, outbound, url, login, organisationId } = options
    this.#work = work
    this.#options = options
    this.#patience = new Patience({ signal: work.signal, perMinute, ...(wait && { wait }) })
    this.#api = new JsonApi({ outbound, patience: this.#patience, url, login })
    this.#keeper = new Keeper(work, organisationId)
  }

  async run(): Promise<void> {
    const applications = await listApplications(this.#api)
    await this.#keeper.refuseTaken(applications)
    if (this.#work.saved === null) await this.#bringAll(applications)
    await this.#importStatements(applications)
  }

  async #bringAll(applications: readonly FoundApplication[]): Promise<void> {
    for (const [index, application] of applications.entries()) {
      await this.#work.pace()
      await this.#bring(application)
      this.#work.show({ title: 'applications', done: index + 1, part: (index + 1) / applications.length })
    }
    await this.#work.checkpoint(begun)
  }

  async #bring(application: FoundApplication): Promise<void> {
    const { id } = application
    const { items: secrets, missing } = await this.#secretsOf(application)
    const place = await this.#keeper.keepApplication(application, this.#options.url)
    if (place === undefined) return
    if (missing !== undefined) this.#work.warn(missing, `application ${id}`)
    await this.#keeper.keepSecrets(application, secrets)
    const login = loginOf(application, secrets)
    if (login === undefined) {
      this.#work.warn('Without a secret key no xAPI credentials and settings can be read', `application ${id}`)
      return
    }
    const api = this.#api.as(login)
    await this.#ownersOf(application, place, { isAgain: false })
    const settings = await listSettings(api)
    if (settings.missing !== undefined) this.#work.warn(settings.missing, `application ${id}`)
    await this.#keeper.keepSettings(application, settings.items)
  }

  /** Its xAPI credentials are made here, too, unless that is done. */
  async #ownersOf(
    application: FoundApplication,
    place: Place,
    { isAgain }: { readonly isAgain: boolean },
  ): Promise<Owners> {
    const { organisationId } = this.#options
    const found = await this.#credentialsOf(application, place, { isAgain })
    const keys = found.map(({ key }) => key)
    const ids = await importKeys(this.#work, organisationId, keys, { isAgain })
    const owners = new Owners({ work: this.#work, organisationId, lrsIds: place.lrsIds })
    for (const key of keys) {
      const owner = ids.get(key)
      if (owner === undefined && !this.#work.isDryRun) continue
      const authority = derivedAuthority(this.#work.core.baseUrl, key)
      const defineReach = key.rights.xapi.define
      owners.add({ id: owner ?? nobody, authority, defineReach }, { accounts: [key.key], name: key.name })
    }
    return owners
  }

  #secretsOf(application: FoundApplication): Promise<Shown<FoundSecret>> {
    return once(this.#secrets, application.id, () => listSecrets(this.#api, application))
  }

  #credentialsOf(
    application: FoundApplication,
    place: Place,
    { isAgain }: { readonly isAgain: boolean },
  ): Promise<readonly FoundCredential[]> {
    return once(this.#credentials, application.id, () => this.#readCredentials(application, place, isAgain))
  }

  async #readCredentials(
    application: FoundApplication,
    { lrsIds }: Place,
    isAgain: boolean,
  ): Promise<readonly FoundCredential[]> {
    const { items } = await this.#secretsOf(application)
    const login = loginOf(application, items)
    if (login === undefined) return []
    const address = `${this.#options.url}/xapi/credentials of ${application.id}`
    const found: FoundCredential[] = []
    for (const entry of await listXapiCredentials(this.#api.as(login))) {
      await this.#work.pace()
      const read = readCredential(entry, { applicationId: application.id, lrsIds, address })
      const { secret: _, ...shown } = entry
      const place = { file: address, line: 0, id: String(entry['id']), record: () => shown }
      if ('key' in read) found.push(read)
      else if (!isAgain) this.#work.reject('clients', place, read.why)
    }
    return found
  }

  async #importStatements(applications: readonly FoundApplication[]): Promise<void> {
    if (!this.#options.withStatements) return
    this.#work.warn('Documents (states, profiles) cannot be listed through xAPI: none were read.')
    let saved = savedIn(this.#work.saved)
    for (const [index, application] of applications.entries()) {
      if (index < saved.application) continue
      if (index > saved.application) saved = { application: index, place: 0, number: saved.number }
      const place = await this.#keeper.placeOf(application)
      if (place === undefined) continue
      const owners = await this.#ownersOf(application, place, { isAgain: true })
      const reader = await this.#readerOf(application, place)
      if (reader === undefined) continue
      for (const [which, path] of paths.entries()) {
        if (which < saved.place) continue
        if (which > saved.place) saved = { application: index, place: which, number: saved.number }
        saved = await this.#importFrom({ application, path, lrsId: place.lrsIds[which], owners, reader }, saved)
      }
    }
  }

  async #importFrom(
    {
      application,
      path,
      lrsId,
      owners,
      reader,
    }: {
      readonly application: FoundApplication
      readonly path: string
      readonly lrsId: LrsId | undefined
      readonly owners: Owners
      readonly reader: Login
    },
    saved: Saved,
  ): Promise<Saved> {
    const { door, url, organisationId } = this.#options
    const address = `${new URL(url).origin}/lrs/${application.id}${path}`
    const remote = door.open({ url: address, user: reader.key, password: reader.secret })
    const to = { organisationId, lrsId: lrsId ?? (0 as LrsId) }
    const from = remotePositionIn(saved.reading)
    const reading = { remote, patience: this.#patience, address, to, owners, from, numberedFrom: saved.number }
    const number = await importRemote(this.#work, reading, (position) =>
      this.#work.checkpoint({ ...saved, number: position.number, reading: position }),
    )
    return { ...saved, number }
  }

  /** One that may read everything. */
  async #readerOf(application: FoundApplication, place: Place): Promise<Login | undefined> {
    const found = await this.#credentialsOf(application, place, { isAgain: true })
    const fitting = found.find(({ level, key: { isEnabled, oauth } }) => {
      return (level === 'ROOT' || level === 'READONLY') && isEnabled !== false && oauth === null
    })
    if (fitting !== undefined) return fitting.key
    const message =
      'No statements were read where no xAPI credential has ROOT or READONLY. Make one there and begin again'
    this.#work.warn(message, `application ${application.id}`)
    return undefined
  }
}

function once<T>(known: Map<string, Promise<T>>, id: string, ask: () => Promise<T>): Promise<T> {
  const asked = known.get(id) ?? ask()
  known.set(id, asked)
  return asked
}

/** Of the live and the sandbox LRS, in the order of `Place.lrsIds`. */
const paths = ['', '/sandbox'] as const

function savedIn(saved: Json): Saved {
  return isObject(saved) && typeof saved['application'] === 'number' ? (saved as unknown as Saved) : begun
}
