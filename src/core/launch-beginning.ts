// How a launch begins: its session, its tickets and what it is to know of itself, made in one step, in which the one before it ends.
// Knows neither who asked for it nor what browsers do with it.

import { eventBy } from './audit.ts'
import { ignoredNames } from './content-settings.ts'
import { DomainError } from './errors.ts'
import type { CredentialId, LaunchId } from './ids.ts'
import type { LaunchEnding } from './launch-ending.ts'
import type { LaunchData } from './launch-plan.ts'
import { entranceSeconds } from './launch-ticket.ts'
import { hasExpired, organisationExpired } from './organisation.ts'
import type { Pins } from './pins.ts'
import type { Caller } from './principal.ts'
import type { Rights } from './rights.ts'
import type { Sessions } from './session.ts'
import type {
  Clock,
  CredentialRecord,
  DirectoryStore,
  Ids,
  Json,
  LaunchRecord,
  NewTicket,
  OrganisationRecord,
  SessionRecord,
  Storage,
} from './storage.ts'
import type { Place, Vault } from './vault.ts'
import { agentTerm } from './xapi/agent.ts'

/** All that is decided of a launch before its session is made. */
export interface LaunchPlan
  extends
    Pick<LaunchRecord, 'platformId' | 'contentId' | 'resource' | 'style' | 'mode' | 'actor'>,
    Pick<LaunchRecord, 'activityId' | 'registration' | 'cookie'> {
  readonly data: LaunchData
  readonly pins: Pins
  readonly rights: (held: Rights) => Rights
  /** It ends no later. Unix milliseconds. */
  readonly latest: number
  /** In clear. */
  readonly sealed: string | undefined
}

export interface BeginningParts {
  readonly storage: Storage
  readonly sessions: Sessions
  readonly vault: Vault
  readonly clock: Clock
  readonly ids: Ids
}

interface Begun {
  readonly launch: LaunchRecord
  readonly session: SessionRecord
  readonly secret: string
}

export class LaunchBeginning {
  readonly #parts: BeginningParts
  readonly #ending: LaunchEnding

  constructor(parts: BeginningParts, ending: LaunchEnding) {
    this.#parts = parts
    this.#ending = ending
  }

  /** Ends the one of the same registration that runs. */
  async begin(
    caller: Caller,
    credentialId: CredentialId,
    plan: LaunchPlan,
    tickets: readonly NewTicket[],
  ): Promise<Begun> {
    const { clock, ids, vault, storage } = this.#parts
    const { style, activityId, settings, ...rest } = { ...plan, ...plan.data }
    const { idleSeconds, absoluteSeconds, bindsBrowser } = settings
    const prepared = await this.#parts.sessions.prepare(caller, credentialId, {
      // Who was just launched has not used it yet.
      ...{ expireSeconds: Math.max(idleSeconds, entranceSeconds), rights: plan.rights, pins: plan.pins },
    })
    const { made, organisation, parent, secret } = prepared
    const now = clock.now()
    if (hasExpired(organisation, now)) throw organisationExpired()
    const endsAt = Math.min(now + absoluteSeconds * 1000, prepared.latest, rest.latest)
    const id = ids.orderedUuid() as LaunchId
    const of = { id, style, idleSeconds, endsAt, ignoredParams: ignoredNames(settings), bindsBrowser, activityId }
    const sealed = rest.sealed === undefined ? null : vault.seal(organisation, sealedPlace(id), rest.sealed)
    const { platformId, contentId, resource, mode, actor, registration, cookie } = rest
    const detail = { platform: platformId, content: contentId, credential: credentialId, key: made.key, style, mode }
    const { launch, session, superseded } = await storage.launches.createLaunch(
      organisation.id,
      {
        session: { ...made, expiresAt: Math.min(made.expiresAt, endsAt), launch: of },
        launch: {
          ...{ id, platformId, contentId, resource, style, mode, actor, activityId, registration, sealed, cookie },
          ...{ lrsId: lrsOf(parent), actorKey: agentTerm(actor) ?? '', expiresAt: endsAt, progress: {} },
          data: plan.data as unknown as Json,
        },
        tickets: tickets.map((ticket) => ({ ...ticket, until: Math.min(ticket.until, endsAt) })),
        at: now,
      },
      eventBy(caller, clock, 'launch.create', { noun: 'launch', id }, detail),
    )
    for (const old of superseded) await this.#ending.settle(old)
    return { launch, session, secret }
  }

  /** What the platform gave it for as long as it runs; undefined where there is nothing, or no more. */
  async unseal(launch: LaunchRecord): Promise<string | undefined> {
    if (launch.sealed === null) return undefined
    const organisation = await organisationOf(this.#parts.storage.directory, launch)
    return this.#parts.vault.open(organisation, sealedPlace(launch.id), launch.sealed)
  }
}

export async function organisationOf(
  directory: DirectoryStore,
  { organisationId }: LaunchRecord,
): Promise<OrganisationRecord> {
  const organisation = await directory.findOrganisation(organisationId)
  if (organisation === undefined) throw new DomainError('not_found', 'There is no such organisation.')
  return organisation
}

function sealedPlace(id: LaunchId): Place {
  return { row: id, column: 'launch.sealed' }
}

/** Where the paths lead that its content is given. */
function lrsOf({ name, lrsIds: [home] }: CredentialRecord) {
  if (home !== undefined) return home
  throw new DomainError('conflict', `The key "${name}" has no Lrs that a launch could store in.`)
}
