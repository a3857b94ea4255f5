// Which content a platform launches at one of its places: chosen by an author there, or by whoever manages the platform.
// Knows nothing of how a platform names its places.

import { eventBy } from './audit.ts'
import { checkText, refuse } from './check.ts'
import { settingsOf } from './content-settings.ts'
import type { Content } from './content.ts'
import type { Oid, PlatformId } from './ids.ts'
import { callerOf } from './platform.ts'
import type { Platforms } from './platform.ts'
import type { Caller } from './principal.ts'
import type { Clock, LaunchStore, Listed, PlacementRecord, PlatformRecord, Slice, Storage } from './storage.ts'

export interface Placed {
  readonly placement: PlacementRecord
  /** Undefined: it was removed there. */
  readonly content: Content | undefined
}

export interface PlacementsParts {
  readonly storage: Storage
  readonly clock: Clock
  readonly platforms: Platforms
}

export class Placements {
  readonly #launches: LaunchStore
  readonly #clock: Clock
  readonly #platforms: Platforms

  constructor({ storage, clock, platforms }: PlacementsParts) {
    this.#launches = storage.launches
    this.#clock = clock
    this.#platforms = platforms
  }

  /** Undefined where nobody ever chose anything. */
  async find({ organisationId, id }: PlatformRecord, resource: string): Promise<Placed | undefined> {
    const placement = await this.#launches.findPlacement(organisationId, id, resource)
    if (placement === undefined) return undefined
    if (placement.contentId === null) return { placement, content: undefined }
    const found = await this.#launches.findContent(organisationId, placement.contentId)
    return { placement, content: found && { ...found, settings: settingsOf(found) } }
  }

  /** By the platform's own word: its author chose, or removed. The same again changes nothing. `not_found` for the content. */
  async put(platform: PlatformRecord, resource: string, contentId: Oid | null): Promise<PlacementRecord> {
    const before = await this.#launches.findPlacement(platform.organisationId, platform.id, resource)
    if (before?.contentId === contentId) return before
    return this.#put(callerOf(platform), platform.id, resource, contentId)
  }

  /** By whoever manages the platform. */
  async set(caller: Caller, id: PlatformId, resource: string, contentId: Oid | null): Promise<PlacementRecord> {
    await this.#platforms.reach(caller, 'write', id)
    return this.#put(caller, id, resource, contentId)
  }

  /** As if nobody had ever chosen there: by whoever manages the platform. Undefined where nobody has. */
  async remove(caller: Caller, id: PlatformId, resource: string): Promise<PlacementRecord | undefined> {
    const platform = await this.#platforms.reach(caller, 'write', id)
    const before = await this.#launches.findPlacement(platform.organisationId, id, resource)
    if (before === undefined) return undefined
    const detail = { resource, content: before.contentId }
    const event = eventBy(caller, this.#clock, 'placement.delete', { noun: 'platform', id }, detail)
    return this.#launches.deletePlacement(platform.organisationId, id, resource, event)
  }

  /** By platform and resource. All of the organisation's need management of all of it. */
  async list(
    caller: Caller,
    filter: { readonly platformId?: PlatformId; readonly contentId?: Oid },
    slice: Slice,
  ): Promise<Listed<PlacementRecord>> {
    await this.#platforms.demandLook(caller, filter.platformId)
    return this.#launches.listPlacements(caller.organisationId, filter, slice)
  }

  #put(caller: Caller, platformId: PlatformId, resource: string, contentId: Oid | null): Promise<PlacementRecord> {
    refuse(checkResource(resource))
    const detail = { resource, content: contentId }
    const event = eventBy(caller, this.#clock, 'placement.put', { noun: 'platform', id: platformId }, detail)
    const placement = { platformId, resource, contentId, at: this.#clock.now() }
    return this.#launches.putPlacement(caller.organisationId, placement, event)
  }
}

export function checkResource(resource: string) {
  const as = { pointer: '/resource', rule: 'claviger/resource', noun: 'A place at a platform' }
  if (resource === '') return [{ pointer: as.pointer, rule: as.rule, message: `${as.noun} has a name.` }]
  return checkText(resource, as)
}
