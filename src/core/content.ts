// The use cases of content: what there is to launch. It belongs to the organisation, whichever platforms place it. Whoever manages
// the organisation's keys manages it: launching hands out keys.

import { authorise } from './access.ts'
import { eventBy } from './audit.ts'
import { checkName, refuse } from './check.ts'
import { readContentSettings, settingsOf, settingsToStore } from './content-settings.ts'
import type { ContentSettings, ContentSettingsInput } from './content-settings.ts'
import { DomainError } from './errors.ts'
import type { Oid, OrganisationId } from './ids.ts'
import type { Caller } from './principal.ts'
import type { ManagementAction } from './rights.ts'
import type { Clock, ContentRecord, Ids, Listed, LaunchStore, Slice, Storage } from './storage.ts'

export interface NewContentInput {
  readonly name: string
  readonly settings: ContentSettingsInput
}

export interface ContentChange {
  readonly name?: string
  /** Those that are named; null: as if it had never been set. */
  readonly settings?: { readonly [Name in keyof ContentSettingsInput]?: ContentSettingsInput[Name] | null }
}

/** A record, and its settings as what they are. */
export interface Content extends Omit<ContentRecord, 'settings'> {
  readonly settings: ContentSettings
}

export class Contents {
  readonly #launches: LaunchStore
  readonly #clock: Clock
  readonly #ids: Ids

  constructor({ storage, clock, ids }: { readonly storage: Storage; readonly clock: Clock; readonly ids: Ids }) {
    this.#launches = storage.launches
    this.#clock = clock
    this.#ids = ids
  }

  async create(caller: Caller, { name, settings: given }: NewContentInput): Promise<Content> {
    demandManagement(caller, 'write')
    refuse(checkContentName(name))
    const settings = readContentSettings(given)
    const id = this.#ids.oid()
    const detail = { name, url: settings.url, style: settings.style, activityId: settings.activityId }
    const record = await this.#launches.createContent(
      caller.organisationId,
      { id, name, settings: settingsToStore(settings), createdAt: this.#clock.now() },
      eventBy(caller, this.#clock, 'content.create', { noun: 'content', id }, detail),
    )
    return toContent(record)
  }

  /** `not_found` for another tenant's. */
  async get(caller: Caller, id: Oid): Promise<Content> {
    demandManagement(caller, 'read')
    return this.#get(caller.organisationId, id)
  }

  /** By id: oldest first. */
  async list(caller: Caller, slice: Slice): Promise<Listed<Content>> {
    demandManagement(caller, 'read')
    const { items, total } = await this.#launches.listContents(caller.organisationId, slice)
    return { items: items.map(toContent), total }
  }

  /** Launches that run go on with what they began with. */
  async update(caller: Caller, id: Oid, change: ContentChange): Promise<Content> {
    demandManagement(caller, 'write')
    const before = await this.#get(caller.organisationId, id)
    if (change.name !== undefined) refuse(checkContentName(change.name))
    const { name = before.name } = change
    const settings = readContentSettings(changed(before.settings, change.settings))
    const detail = { ...(name !== before.name && { name: { from: before.name, to: name } }), settings: namesIn(change) }
    const record = await this.#launches.updateContent(
      caller.organisationId,
      id,
      { name, settings: settingsToStore(settings), at: this.#clock.now(), from: before.version },
      eventBy(caller, this.#clock, 'content.update', { noun: 'content', id }, detail),
    )
    return toContent(record)
  }

  /** `conflict` while something places it or a launch of it runs. */
  async remove(caller: Caller, id: Oid): Promise<Content> {
    demandManagement(caller, 'delete')
    const { name } = await this.#get(caller.organisationId, id)
    const event = eventBy(caller, this.#clock, 'content.delete', { noun: 'content', id }, { name })
    return toContent(await this.#launches.deleteContent(caller.organisationId, id, event))
  }

  /** For whoever launches it, by a right of their own to launch. */
  async find(organisationId: OrganisationId, id: string): Promise<Content | undefined> {
    if (!isOid(id)) return undefined
    const found = await this.#launches.findContent(organisationId, id)
    return found && toContent(found)
  }

  /** What an author chooses from, by a platform's word that they may. */
  async listFor(organisationId: OrganisationId, slice: Slice): Promise<Listed<Content>> {
    const { items, total } = await this.#launches.listContents(organisationId, slice)
    return { items: items.map(toContent), total }
  }

  async #get(organisationId: OrganisationId, id: Oid): Promise<Content> {
    const found = await this.find(organisationId, id)
    if (found === undefined) throw new DomainError('not_found', `There is no content ${shortened(id)}.`)
    return found
  }
}

export function isOid(text: string): text is Oid {
  return /^[0-9a-f]{24}$/.test(text)
}

function toContent(record: ContentRecord): Content {
  return { ...record, settings: settingsOf(record) }
}

function demandManagement(caller: Caller, action: ManagementAction): void {
  authorise(caller, { kind: 'manage', area: 'credentials', action })
}

function checkContentName(name: string) {
  if (name !== '') return checkName(name)
  return [{ pointer: '/name', rule: 'claviger/name', message: 'Content has a name: authors choose by it.' }]
}

/** Of `gives` those that are named, too. */
function changed(before: ContentSettings, change: ContentChange['settings'] = {}): unknown {
  const gives = change.gives === null ? undefined : { ...before.gives, ...change.gives }
  const merged = Object.entries({ ...before, ...change, gives })
  return Object.fromEntries(merged.filter(([, value]) => value !== null && value !== undefined))
}

function namesIn({ settings = {} }: ContentChange): readonly string[] {
  return Object.keys(settings)
}

function shortened(id: string): string {
  return id.length <= 24 ? id : `${id.slice(0, 24)}…`
}
