// The use cases of applications: named units of an organisation with a live and a sandbox Lrs and keys of their own. Whoever
// manages one manages its secrets; its key manages what belongs to it and reaches no xAPI.

import { LRUCache } from 'lru-cache'
import { authorise } from './access.ts'
import { eventBy } from './audit.ts'
import { checkName, refuse } from './check.ts'
import type { Credentials, IssuedCredential, RevealedCredential, Rotation, SecretChangeFrom } from './credential.ts'
import { DirectoryChanges } from './directory-changes.ts'
import { DomainError, isDomainError } from './errors.ts'
import type { ApplicationId, CredentialId, LrsId, SecretId } from './ids.ts'
import type { Caller, Principal } from './principal.ts'
import { applicationsManagement, isBoundWithin, managementActions, mayManage, noRights } from './rights.ts'
import type { ManagementAction, Rights } from './rights.ts'
import type { NewSecret } from './secret.ts'
import type { ApplicationQuery, ApplicationRecord, Clock, Ids, Listed, Storage } from './storage.ts'

export interface NewApplicationInput {
  readonly name: string
  /** Operators only, so that identifiers survive a move: `[A-Z0-9]{10}`. */
  readonly id?: ApplicationId
}

export interface ApplicationChange {
  readonly name?: string
  readonly isDeletable?: boolean
}

/** What an Lrs of an application holds; `isWhole` false: at least so much. */
interface Content {
  readonly statements: number
  readonly documents: number
  readonly isWhole: boolean
}

/** Applications in memory, and ids that are none. */
const remembered = 10_000
/** Of one organisation: each brings two Lrs, and some lists of either have no pages. */
export const mostApplications = 4_000
/** Of ids that the core makes: two in a row that are taken are no chance any more. */
const mostTries = 5
/** Parts of a count: more content than so many hold is not counted to its end. */
const countedParts = 20

export interface ApplicationsParts {
  readonly storage: Storage
  readonly credentials: Credentials
  readonly clock: Clock
  readonly ids: Ids
}

interface Known {
  /** The count of changes before the read. */
  readonly since: number
  readonly found: ApplicationRecord | undefined
}

export class Applications {
  readonly #storage: Storage
  readonly #credentials: Credentials
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #known = new LRUCache<string, Known>({ max: remembered })
  readonly #changes: DirectoryChanges

  constructor({ storage, credentials, clock, ids }: ApplicationsParts) {
    this.#storage = storage
    this.#credentials = credentials
    this.#clock = clock
    this.#ids = ids
    this.#changes = new DirectoryChanges(storage)
  }

  /** Whoever's: for a path that names it, before anybody signs in. Warm, it costs no query. */
  async find(id: string): Promise<ApplicationRecord | undefined> {
    const known = this.#known.get(id)
    if (known !== undefined && this.#changes.isCurrent(known.since, known.found?.organisationId)) return known.found
    if (!isApplicationId(id)) return undefined
    const since = this.#changes.count
    const found = await this.#storage.platform.findApplication(id)
    this.#known.set(id, { since, found })
    return found
  }

  /** Without any secret: `addSecret` makes the first. */
  async create(caller: Caller, { name, id }: NewApplicationInput): Promise<ApplicationRecord> {
    authorise(caller, { kind: 'manage', area: 'applications', action: 'write', bound: { kind: 'applications' } })
    refuse([...checkName(name), ...(id === undefined ? [] : checkApplicationId(id))])
    if (id !== undefined) refuseChosenId(caller)
    await this.#refuseTooMany(caller)
    for (let tries = 1; ; tries++) {
      try {
        return await this.#create(caller, name, id ?? newApplicationId(this.#ids))
      } catch (error) {
        const isTaken = isDomainError(error) && error.code === 'conflict'
        if (id !== undefined || !isTaken || tries >= mostTries) throw error
      }
    }
  }

  async #refuseTooMany({ organisationId }: Caller): Promise<void> {
    const query = { by: 'createdAt', isDescending: false, limit: 1 } as const
    const { total } = await this.#storage.directory.listApplications(organisationId, query)
    if (total < mostApplications) return
    throw new DomainError('conflict', `An organisation has at most ${mostApplications} applications.`)
  }

  #create(caller: Caller, name: string, id: ApplicationId): Promise<ApplicationRecord> {
    const createdAt = this.#clock.now()
    const lrs = (of: string) => ({ oid: this.#ids.oid(), name: `${id} ${of}`, createdAt })
    return this.#storage.directory.createApplication(
      caller.organisationId,
      {
        ...{ id, name, createdAt, live: lrs('live'), sandbox: lrs('sandbox') },
        credential: {
          ...{ oid: this.#ids.oid(), kind: 'application', name, key: id, isEnabled: true, createdAt },
          ...{ rights: keyRights(id), pins: {}, limits: {}, authority: null, oauth: null, words: {}, expiresAt: null },
          ...{ secrets: [], pairs: [] },
        },
      },
      eventBy(caller, this.#clock, 'application.create', { noun: 'application', id }, { name }),
    )
  }

  async list(caller: Caller, query: ApplicationQuery): Promise<Listed<ApplicationRecord>> {
    authorise(caller, { kind: 'manage', area: 'applications', action: 'read', bound: { kind: 'applications' } })
    return this.#storage.directory.listApplications(caller.organisationId, query)
  }

  /** `not_found` for another tenant's. */
  get(caller: Caller, id: ApplicationId): Promise<ApplicationRecord> {
    return this.#reach(caller, 'read', id)
  }

  async update(caller: Caller, id: ApplicationId, change: ApplicationChange): Promise<ApplicationRecord> {
    const before = await this.#reach(caller, 'write', id)
    const { name, isDeletable } = change
    if (name !== undefined) refuse(checkName(name))
    const detail = {
      ...(name !== undefined && { name: { from: before.name, to: name } }),
      ...(isDeletable !== undefined && { isDeletable: { from: before.isDeletable, to: isDeletable } }),
    }
    return this.#storage.directory.updateApplication(
      caller.organisationId,
      id,
      { ...(name !== undefined && { name }), ...(isDeletable !== undefined && { isDeletable }), at: this.#clock.now() },
      eventBy(caller, this.#clock, 'application.update', { noun: 'application', id }, detail),
    )
  }

  /** `conflict` while there is content in it, naming how much; `forbidden` where it was made undeletable. */
  async remove(caller: Caller, id: ApplicationId): Promise<ApplicationRecord> {
    const application = await this.#reach(caller, 'delete', id)
    if (!application.isDeletable) {
      const remedy = 'Allow its deletion first.'
      const message = `The application ${id} must not be deleted. ${remedy}`
      throw new DomainError('forbidden', message, { detail: { decidedBy: 'application', remedy } })
    }
    const { name, liveLrsId, sandboxLrsId, credentialId } = application
    await this.#refuseDefault(caller, [liveLrsId, sandboxLrsId])
    // Whoever asks later which keys went with it finds them by these.
    const detail = { name, liveLrsId, sandboxLrsId, credential: credentialId }
    const event = eventBy(caller, this.#clock, 'application.delete', { noun: 'application', id }, detail)
    try {
      return await this.#storage.directory.deleteApplication(caller.organisationId, id, event)
    } catch (error) {
      if (!isDomainError(error) || error.code !== 'conflict') throw error
      throw new DomainError('conflict', await this.#describeContent(application))
    }
  }

  /** Keys that were made for the organisation's default Lrs would go with it, those of its management among them. */
  async #refuseDefault({ organisationId }: Caller, own: readonly LrsId[]): Promise<void> {
    const organisation = await this.#storage.directory.findOrganisation(organisationId)
    const lrsId = organisation?.defaultLrsId
    if (lrsId === undefined || lrsId === null || !own.includes(lrsId)) return
    throw new DomainError('conflict', `Lrs ${lrsId} is the organisation's default. Make another one the default first.`)
  }

  /** Its own key and secrets, in clear where the caller may learn them. */
  async reveal(caller: Caller, id: ApplicationId): Promise<RevealedCredential> {
    const application = await this.#reach(caller, 'read', id)
    const { credentialId } = application
    if (mayManage(caller, 'applications', 'write', { kind: 'applications' })) {
      return this.#credentials.reveal(keeperOf(caller), credentialId)
    }
    const credential = await this.#credentials.get(keeperOf(caller), credentialId)
    return { credential, secrets: [], secret: undefined }
  }

  async addSecret(caller: Caller, id: ApplicationId, input: NewSecret): Promise<Rotation> {
    const application = await this.#reach(caller, 'write', id)
    return this.#credentials.addSecret(keeperOf(caller), application.credentialId, input)
  }

  async updateSecret(caller: Caller, id: ApplicationId, secretId: SecretId, change: SecretChangeFrom): Promise<void> {
    const application = await this.#reach(caller, 'write', id)
    await this.#credentials.updateSecret(keeperOf(caller), application.credentialId, secretId, change)
  }

  /** The last one may go: then nobody uses its key until there is another. */
  async dropSecret(caller: Caller, id: ApplicationId, secretId: SecretId): Promise<void> {
    const application = await this.#reach(caller, 'delete', id)
    await this.#credentials.dropSecret(keeperOf(caller), application.credentialId, secretId)
  }

  /** A key that manages applications and their secrets, and nothing else. Operators hand it out. */
  createManagementKey(caller: Caller, input: { readonly name: string }): Promise<IssuedCredential> {
    return this.#credentials.create(caller, {
      ...{ name: input.name, kind: 'management', key: newApplicationId(this.#ids) },
      rights: { xapi: {}, management: applicationsManagement },
    })
  }

  /** As `get`, for what an application's own key does: whether the caller manages `area` of it. `not_found` for others'. */
  async manage(
    caller: Caller,
    area: 'settings' | 'forwarding' | 'credentials',
    action: ManagementAction,
    id: ApplicationId,
  ): Promise<ApplicationRecord> {
    const application = await this.#storage.directory.findApplication(caller.organisationId, id)
    if (application === undefined) throw noApplication(id)
    const whole = boundOf(application)
    const withoutLrs = { ...whole, lrsIds: [] }
    // Whoever manages others alone learns nothing of which exist.
    if (!caller.rights.management.some(({ bound }) => isBoundWithin(withoutLrs, bound))) throw noApplication(id)
    const bound = area === 'settings' ? withoutLrs : whole
    authorise(caller, { kind: 'manage', area, action, bound })
    return application
  }

  /**
   * Whoever manages the credentials of one application, as if it managed those of all the organisation has at this moment, with
   * the same actions, and saw which applications those are. For a face whose organisation has decided so; it is kept for no
   * second request.
   */
  async callerForAll(principal: Principal): Promise<Caller> {
    const actions = managementActions.filter((action) =>
      principal.rights.management.some((grant) => {
        return grant.area === 'credentials' && grant.bound.kind === 'application' && grant.actions.includes(action)
      }),
    )
    if (actions.length === 0) return { ...principal, rights: noRights }
    const query = { by: 'createdAt', isDescending: false, limit: mostApplications } as const
    const { items } = await this.#storage.directory.listApplications(principal.organisationId, query)
    const bound = { kind: 'applications', lrsIds: items.flatMap(lrsOf) } as const
    const looking = { area: 'applications', actions: ['read'], bound: { kind: 'applications' } } as const
    return { ...principal, rights: { xapi: {}, management: [{ area: 'credentials', actions, bound }, looking] } }
  }

  close(): void {
    this.#changes.close()
    this.#known.clear()
  }

  // Whoever manages no applications learns nothing of which exist.
  async #reach(caller: Caller, action: ManagementAction, id: ApplicationId): Promise<ApplicationRecord> {
    authorise(caller, { kind: 'manage', area: 'applications', action, bound: { kind: 'applications' } })
    const found = await this.#storage.directory.findApplication(caller.organisationId, id)
    if (found === undefined) throw noApplication(id)
    return found
  }

  async #contentOf(lrsId: LrsId): Promise<Content> {
    const { erasures } = this.#storage
    const target = { kind: 'empty', ...(await erasures.latest(lrsId)) } as const
    let [statements, documents] = [0, 0]
    let after: Parameters<typeof erasures.count>[2]
    for (let part = 1; ; part++) {
      const { counts, next } = await erasures.count(lrsId, target, after)
      statements += counts.statements ?? 0
      documents += counts.documents ?? 0
      if (next === undefined || part >= countedParts) return { statements, documents, isWhole: next === undefined }
      after = next
    }
  }

  async #describeContent({ id, liveLrsId, sandboxLrsId }: ApplicationRecord): Promise<string> {
    const [live, sandbox] = [await this.#contentOf(liveLrsId), await this.#contentOf(sandboxLrsId)]
    const words = [`live: ${inWords(live)} in Lrs ${liveLrsId}`, `sandbox: ${inWords(sandbox)} in Lrs ${sandboxLrsId}`]
    return `Content still exists in application ${id} (${words.join('; ')}). Remove it first: claviger lrs empty.`
  }
}

function lrsOf({ liveLrsId, sandboxLrsId }: ApplicationRecord): readonly LrsId[] {
  return [liveLrsId, sandboxLrsId]
}

/** Everything of one application. */
export function boundOf(application: ApplicationRecord) {
  return { kind: 'application', id: application.id, lrsIds: lrsOf(application) } as const
}

// The Lrs are filled in where they are made.
function keyRights(id: ApplicationId): Rights {
  const bound = { kind: 'application', id, lrsIds: [] } as const
  const areas = ['credentials', 'settings', 'forwarding'] as const
  return { xapi: {}, management: areas.map((area) => ({ area, actions: managementActions, bound })) }
}

/** The caller as whoever keeps the keys of applications: for one that was reached, and no further. */
function keeperOf(caller: Caller): Caller {
  const bound = { kind: 'organisation' } as const
  return { ...caller, rights: { xapi: {}, management: [{ area: 'credentials', actions: ['read', 'write'], bound }] } }
}

function isApplicationId(id: string): id is ApplicationId {
  return /^[A-Z0-9]{10}$/.test(id)
}

function checkApplicationId(id: string) {
  if (isApplicationId(id)) return []
  return [{ pointer: '/id', rule: 'claviger/id', message: 'The id of an application is ten of A to Z and 0 to 9.' }]
}

function newApplicationId(ids: Ids): ApplicationId {
  return BigInt(`0x${ids.hex(8)}`)
    .toString(36)
    .toUpperCase()
    .padStart(10, '0')
    .slice(-10) as ApplicationId
}

function refuseChosenId({ credentialId }: { readonly credentialId?: CredentialId }): void {
  if (credentialId === undefined) return
  const detail = { decidedBy: 'operator' }
  throw new DomainError('forbidden', 'Only an operator chooses the id of an application.', { detail })
}

function noApplication(id: string): DomainError {
  return new DomainError('not_found', `There is no application ${id}.`)
}

function inWords({ statements, documents, isWhole }: Content): string {
  const least = isWhole ? '' : 'at least '
  return `${least}${counted(statements, 'statement')} and ${counted(documents, 'document')}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
