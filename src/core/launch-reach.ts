// How far the key of a launch reaches among statements, where its pins do not say enough: a Tin Can activity has its publisher's id,
// which every place, school and customer shares. Whoever evaluates reads what was done at their own place; nobody stores what passes
// for a result of other content.

import { LRUCache } from 'lru-cache'
import { settingsOf } from './content-settings.ts'
import { DomainError, inWords } from './errors.ts'
import type { Failure } from './errors.ts'
import type { LaunchId, OrganisationId } from './ids.ts'
import type { LaunchData } from './launch-plan.ts'
import type { Principal } from './principal.ts'
import type { Clock, LaunchStore, SessionLaunch, Storage, StoredStatement } from './storage.ts'
import { isActivityInside, pinViolation } from './xapi/pin.ts'
import { isObject } from './xapi/rule.ts'
import type { Statement } from './xapi/statement.ts'

/** One statement on its way in. */
interface Sent {
  readonly statement: Statement
  /** Where it stands in the request. */
  readonly pointer: string
}

interface LaunchReachParts {
  readonly storage: Storage
  readonly clock: Clock
  readonly baseUrl: string
}

const rememberedPlaces = 10_000
const rememberedRegistrations = 50_000
const rememberedOrganisations = 100
/** Content that was registered just now is kept from others' results so much later. */
const rememberedMs = 10_000
const pageSize = 500

export class LaunchReach {
  readonly #launches: LaunchStore
  readonly #clock: Clock
  /** Below it lie the activities that launches of cmi5 make (`activityFor`). */
  readonly #unitsBelow: string
  /** A launch never moves. */
  readonly #places = new LRUCache<LaunchId, { readonly resource: string | null }>({ max: rememberedPlaces })
  /** By place. What was launched there once stays of that place; what was not may be any time. */
  readonly #launched = new LRUCache<string, true>({ max: rememberedRegistrations })
  readonly #activities = new LRUCache<OrganisationId, Registered>({ max: rememberedOrganisations })

  constructor({ storage, clock, baseUrl }: LaunchReachParts) {
    this.#launches = storage.launches
    this.#clock = clock
    this.#unitsBelow = `${baseUrl}/launch/activities/`
  }

  /**
   * Of these what a launched session reads that `readsOthers`: what lies inside all its pins, and what was done in its activity under
   * the registration of a launch from the same place by the same key.
   */
  async listReadable(
    principal: Principal,
    launch: SessionLaunch,
    rows: readonly StoredStatement[],
  ): Promise<ReadonlySet<StoredStatement>> {
    const { activity = launch.activityId } = principal.pins
    const readable = new Set<StoredStatement>()
    const others: { readonly row: StoredStatement; readonly registration: string }[] = []
    for (const row of rows) {
      const statement = JSON.parse(row.body) as Statement
      const registration = registrationOf(statement)
      if (pinViolation(statement, principal.pins) === undefined) readable.add(row)
      else if (registration !== undefined && pinViolation(statement, { activity }) === undefined) {
        others.push({ row, registration })
      }
    }
    const launched = await this.#listLaunched(
      principal,
      launch,
      others.map(({ registration }) => registration),
    )
    for (const { row, registration } of others) if (launched.has(registration)) readable.add(row)
    return readable
  }

  /**
   * Throws `forbidden` for what is about other content, although it has the launch's activity as parent or grouping: it would pass for
   * a result there.
   */
  async demandOwnContent({ organisationId }: Principal, launch: SessionLaunch, sent: readonly Sent[]): Promise<void> {
    const outside = sent.flatMap(({ statement, pointer }) => {
      const id = activityIn(statement)
      return id === undefined || isActivityInside(id, { activity: launch.activityId }) ? [] : [{ id, pointer }]
    })
    if (outside.length === 0) return
    const registered = await this.#registeredIn(organisationId)
    const found = await this.#launches.findLaunch(organisationId, launch.id)
    const own = (found?.data as unknown as LaunchData | null | undefined)?.settings.activityId
    const foreign = outside.find(({ id }) => id.startsWith(this.#unitsBelow) || isBelow(id, registered, own))
    if (foreign !== undefined) throw ofOtherContent(foreign.pointer)
  }

  async #listLaunched(
    { organisationId, credentialId }: Principal,
    { id, activityId }: SessionLaunch,
    registrations: readonly string[],
  ): Promise<ReadonlySet<string>> {
    if (registrations.length === 0) return new Set()
    const resource = await this.#resourceOf(organisationId, id)
    const place = { credentialId, activityId, resource }
    const name = JSON.stringify([organisationId, credentialId, activityId, resource])
    const known = new Set(registrations.filter((one) => this.#launched.get(`${name} ${one}`)))
    const asked = [...new Set(registrations)].filter((one) => !known.has(one))
    if (asked.length === 0) return known
    for (const one of await this.#launches.listRegistrations(organisationId, place, asked)) {
      this.#launched.set(`${name} ${one}`, true)
      known.add(one)
    }
    return known
  }

  async #resourceOf(organisationId: OrganisationId, id: LaunchId): Promise<string | null> {
    const known = this.#places.get(id)
    if (known !== undefined) return known.resource
    const launch = await this.#launches.findLaunch(organisationId, id)
    if (launch === undefined) throw new DomainError('not_found', 'There is no such launch.')
    const { resource } = launch
    this.#places.set(id, { resource })
    return resource
  }

  async #registeredIn(organisationId: OrganisationId): Promise<Registered> {
    const now = this.#clock.now()
    const known = this.#activities.get(organisationId)
    if (known !== undefined && known.until > now) return known
    const ids = new Set<string>()
    for (let offset = 0, total = 1; offset < total; offset += pageSize) {
      const page = await this.#launches.listContents(organisationId, { offset, limit: pageSize })
      for (const content of page.items) ids.add(settingsOf(content).activityId)
      total = page.total
    }
    const deepest = Math.max(0, ...Array.from(ids, (id) => id.split('/').length))
    const registered = { ids, deepest, until: now + rememberedMs }
    this.#activities.set(organisationId, registered)
    return registered
  }
}

/** The activities of an organisation's content, by their publishers' ids. */
interface Registered {
  readonly ids: ReadonlySet<string>
  /** Pieces between slashes of the id that has most: nothing below one has to be looked for further down. */
  readonly deepest: number
  readonly until: number
}

/** Whether it is one of them, or lies below one, that is not `own`. */
function isBelow(id: string, { ids, deepest }: Registered, own: string | undefined): boolean {
  let end = -1
  for (let pieces = 1; pieces <= deepest; pieces += 1) {
    end = id.indexOf('/', end + 1)
    const above = end < 0 ? id : id.slice(0, end)
    if (above !== own && ids.has(above)) return true
    if (end < 0) return false
  }
  return false
}

function activityIn({ object }: Statement): string | undefined {
  if (!isObject(object) || (object['objectType'] ?? 'Activity') !== 'Activity') return undefined
  return typeof object['id'] === 'string' ? object['id'] : undefined
}

function registrationOf({ context }: Statement): string | undefined {
  const registration = isObject(context) ? context['registration'] : undefined
  return typeof registration === 'string' ? registration.toLowerCase() : undefined
}

function ofOtherContent(at: string): DomainError {
  const reason = 'This key is of a launch, and the statement is about other content.'
  const remedy = 'Make "object" an activity of the launched content; another may be parent or grouping.'
  const failure: Failure = { pointer: `${at}/object`, rule: 'claviger/pin', message: `${reason} ${remedy}` }
  const detail = { decidedBy: 'pin activity', remedy, failures: [failure] }
  return new DomainError('forbidden', inWords(failure), { detail })
}
