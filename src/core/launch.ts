// The use cases of launches: one learner, one activity, one registration, one session, from the moment somebody is sent here until
// it ends. Whoever launched, and however, it is the same launch. Knows no protocol of a platform, no address of content.

import type { Decision } from './access.ts'
import { eventBy } from './audit.ts'
import { DomainError, isDomainError } from './errors.ts'
import { demand, explainGrant, explainLook } from './grant.ts'
import type { CredentialId, LaunchId } from './ids.ts'
import { LaunchBeginning } from './launch-beginning.ts'
import type { BeginningParts, LaunchPlan } from './launch-beginning.ts'
import { explainOthers, launchesItself, sessionsLaunchNobody } from './launch-access.ts'
import { LaunchEnding } from './launch-ending.ts'
import type { EndingParts } from './launch-ending.ts'
import { dataOf, LaunchEntering } from './launch-entering.ts'
import type { Entered, Fetched } from './launch-entering.ts'
import { activityFor, actorFor, atHome, checkLaunch, pinsFor, registrationFor, rightsFor } from './launch-plan.ts'
import type { LaunchData, NewLaunchInput } from './launch-plan.ts'
import { hashOf, issueTicket } from './launch-ticket.ts'
import type { IssuedTicket } from './launch-ticket.ts'
import { callerOf } from './platform.ts'
import type { Caller, Principal } from './principal.ts'
import { everyRight, noRights } from './rights.ts'
import type { ManagementAction } from './rights.ts'
import type { DirectoryStore, Json, LaunchFilter, LaunchRecord, LaunchStore, PlatformRecord } from './storage.ts'

/** By a platform's own word, or by a caller who may make sessions of that key. */
export type LaunchedBy =
  | { readonly platform: PlatformRecord }
  | { readonly caller: Caller; readonly credentialId: CredentialId }

export interface OpenedLaunch {
  readonly launch: LaunchRecord
  /** Where the learner's browser is sent: once, and soon. */
  readonly entranceUrl: string
}

/** A platform's, that is good for one launch. */
export interface OneWord {
  readonly platform: PlatformRecord
  readonly word: string
}

/** With what its browser holds. */
export type KnownBrowserInput = NewLaunchInput & { readonly cookie: string }

export interface LaunchList {
  /** Newest first. */
  readonly items: readonly LaunchRecord[]
  /** Pass as `before` for the next part; undefined at the end. */
  readonly next: number | undefined
}

export interface LaunchesParts extends BeginningParts, EndingParts {
  /** Where the server is reached from outside. */
  readonly baseUrl: string
}

export class Launches {
  readonly #launches: LaunchStore
  readonly #directory: DirectoryStore
  readonly #parts: LaunchesParts
  readonly #ending: LaunchEnding
  readonly #beginning: LaunchBeginning
  readonly #entering: LaunchEntering
  /** By tickets: what comes twice at the same time waits for the first. */
  readonly #opening = new Map<string, Promise<void>>()

  constructor(parts: LaunchesParts) {
    this.#launches = parts.storage.launches
    this.#directory = parts.storage.directory
    this.#parts = parts
    this.#ending = new LaunchEnding(parts)
    this.#beginning = new LaunchBeginning(parts, this.#ending)
    this.#entering = new LaunchEntering(parts, this.#beginning)
  }

  /** Ends the one of the same registration that runs. Throws `invalid`, and `forbidden` as `Sessions.create`. */
  async open(by: LaunchedBy, input: NewLaunchInput): Promise<OpenedLaunch> {
    return this.#open(by, input, issueTicket(this.#parts.ids, 'entrance', Infinity))
  }

  /** What `open` would say of who asks, whatever for: by a key that the caller may make sessions of. Throws `not_found`. */
  async explainOpen(caller: Caller, credentialId: CredentialId): Promise<Decision> {
    if (caller.sessionId !== undefined) return sessionsLaunchNobody
    const decision = await this.#parts.sessions.explain(caller, credentialId, 'write')
    return decision.allowed && caller.credentialId === credentialId ? launchesItself : decision
  }

  /**
   * As `open`, by a word that is good for one launch, on whichever node: its signature, say. Asked again it answers the launch that was
   * made, for the browser that asked (`cookie`); undefined for all others. A word by which nothing was opened is good for another try.
   */
  async openOnce(by: OneWord, input: KnownBrowserInput): Promise<OpenedLaunch | undefined> {
    const ticket = this.#ticketBy(by)
    const before = this.#opening.get(ticket) ?? Promise.resolve()
    const opened = before.then(() => this.#openByTicket(by.platform, ticket, input))
    const settled = opened.then(ignore, ignore)
    this.#opening.set(ticket, settled)
    await settled
    if (this.#opening.get(ticket) === settled) this.#opening.delete(ticket)
    return opened
  }

  /** Whether a launch was opened by it. */
  async wasOpened(by: OneWord): Promise<boolean> {
    return (await this.#findOpened(this.#ticketBy(by))) !== undefined
  }

  /** However long its launch lasted: a word may be good for longer. */
  async #findOpened(ticket: string): Promise<LaunchRecord | undefined> {
    return (await this.#launches.findTicket(hashOf(ticket), 'entrance', 0))?.launch
  }

  #ticketBy({ platform, word }: OneWord): string {
    return this.#parts.vault.noteName('entrance', platform.id, word)
  }

  /** What the word comes to is the ticket. Its hash is there once: it is remembered in the same step that makes the launch. */
  async #openByTicket(
    platform: PlatformRecord,
    ticket: string,
    input: KnownBrowserInput,
  ): Promise<OpenedLaunch | undefined> {
    const record = { hash: hashOf(ticket), kind: 'entrance', until: Infinity } as const
    const again = async (): Promise<{ readonly opened: OpenedLaunch | undefined } | undefined> => {
      const launch = await this.#findOpened(ticket)
      if (launch === undefined) return undefined
      const { cookie, endedBy } = launch
      // One that another took the place of may be their own, again: `enter` knows.
      const isTheirs = cookie === hashOf(input.cookie) && (endedBy === null || endedBy === 'superseded')
      return { opened: isTheirs ? { launch, entranceUrl: this.#entranceUrl(ticket) } : undefined }
    }
    const before = await again()
    if (before !== undefined) return before.opened
    return this.#open({ platform }, input, { ticket, record }).catch(async (error: unknown) => {
      // Another node may have been faster.
      const meanwhile = isDomainError(error) && error.code === 'conflict' ? await again() : undefined
      if (meanwhile === undefined) throw error
      return meanwhile.opened
    })
  }

  /** Its ticket is valid as long as the launch: later it is the cookie that counts. */
  async #open(by: LaunchedBy, asked: NewLaunchInput, { ticket, record }: IssuedTicket): Promise<OpenedLaunch> {
    const input = atHome(asked)
    checkLaunch(input)
    const { content, mode, resource = null, data = null, language = null, readsOthers = false } = input
    const { caller, launcher } = launcherOf(by)
    const actor = actorFor(input)
    const about = {
      style: content.settings.style,
      actor: actor as Json,
      activityId: activityFor(this.#parts.baseUrl, launcher, input),
      registration: registrationFor(launcher, input),
    }
    const settings = content.settings
    const plan: LaunchPlan = {
      ...{ ...about, mode, resource, contentId: content.id, platformId: launcher.platformId },
      data: { settings, language, given: data },
      ...{ pins: pinsFor(about, readsOthers), rights: rightsFor(settings.style, mode), latest: Infinity },
      ...{ sealed: input.sealed, cookie: input.cookie === undefined ? null : hashOf(input.cookie) },
    }
    const { launch } = await this.#beginning.begin(caller, launcher.credentialId, plan, [record])
    return { launch, entranceUrl: this.#entranceUrl(ticket) }
  }

  /** For a browser that shows a ticket and its cookie; see `LaunchEntering.enter`. */
  async enter(ticket: string, browser: { readonly cookie: string }): Promise<Entered> {
    return this.#entering.enter(ticket, browser)
  }

  /** For content that shows what `enter` gave it; see `LaunchEntering.fetchToken`. */
  async fetchToken(ticket: string): Promise<Fetched> {
    return this.#entering.fetchToken(ticket)
  }

  /** The launch of whoever signed in with its key, and what it may know of itself. `not_found` for all other keys. */
  async ofPrincipal(principal: Principal): Promise<{ readonly launch: LaunchRecord; readonly data: LaunchData }> {
    const { launch: of, organisationId } = principal
    const launch = of && (await this.#launches.findLaunch(organisationId, of.id))
    if (launch === undefined) throw new DomainError('not_found', 'This key is none of a launch.')
    return { launch, data: dataOf(launch) }
  }

  async get(caller: Caller, id: LaunchId): Promise<LaunchRecord> {
    return this.#reach(caller, 'read', id)
  }

  /** Newest first: of the key that asks, or of all that the caller's management may look at. */
  async list(
    caller: Caller,
    filter: LaunchFilter,
    { before, limit }: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<LaunchList> {
    const visible = { ...filter, ...withinBounds(caller) }
    const part = { limit, ...(before !== undefined && { before }) }
    const items = await this.#launches.listLaunches(caller.organisationId, visible, part)
    return { items, next: items.length < limit ? undefined : items.at(-1)?.number }
  }

  /** Its key is worth nothing from now on. What it stored stays. One that is over stays as it is. */
  async end(caller: Caller, id: LaunchId): Promise<LaunchRecord> {
    const launch = await this.#reach(caller, 'delete', id)
    if (launch.endedAt !== null) return launch
    // Names nobody: what is in the audit log stays there.
    const event = eventBy(caller, this.#parts.clock, 'launch.end', { noun: 'launch', id }, { by: 'revoked' })
    return this.#ending.end(launch, 'revoked', event)
  }

  /** Throws what `end` would, and ends nothing. */
  async demandEnd(caller: Caller, id: LaunchId): Promise<void> {
    await this.#reach(caller, 'delete', id)
  }

  /** Once the content said that it is over, and that is stored. */
  async terminate(principal: Principal): Promise<void> {
    await this.#ending.terminate(principal)
  }

  /** What the platform gave it for as long as it runs; undefined where there is nothing, or no more. */
  async unseal(launch: LaunchRecord): Promise<string | undefined> {
    return this.#beginning.unseal(launch)
  }

  /** Ends what is used no more, has lasted its longest, or lost its key. Returns how many. */
  async lapse(signal?: AbortSignal): Promise<number> {
    return this.#ending.lapse(signal)
  }

  /** Forgets who was launched with what, of what was over a month ago, in every organisation. Returns how many. */
  async sweep(signal?: AbortSignal): Promise<number> {
    return this.#ending.sweep(signal)
  }

  #entranceUrl(ticket: string): string {
    return `${this.#parts.baseUrl}/launch/s/${ticket}`
  }

  // A key reaches its own launches; management those of the keys it covers, and of keys that are gone where it covers their Lrs.
  async #reach(caller: Caller, action: ManagementAction, id: LaunchId): Promise<LaunchRecord> {
    const isOwn = ({ credentialId }: LaunchRecord) =>
      caller.credentialId === credentialId && caller.sessionId === undefined
    const launch = await this.#launches.findLaunch(caller.organisationId, id)
    if (launch !== undefined && isOwn(launch)) return launch
    demand(explainOthers(caller, action))
    if (launch === undefined) throw new DomainError('not_found', 'There is no such launch.')
    const { credentialId, lrsId } = launch
    const gone = { kind: 'client', rights: noRights, lrsIds: [lrsId], pins: {}, limits: {} } as const
    const worth = (await this.#directory.findCredential(caller.organisationId, credentialId)) ?? gone
    demand(action === 'read' ? explainLook(caller, action, worth) : explainGrant(caller, action, worth))
    return launch
  }
}

function ignore(): void {}

function launcherOf(by: LaunchedBy) {
  if ('caller' in by) {
    const { caller, credentialId } = by
    if (caller.sessionId !== undefined) demand(sessionsLaunchNobody)
    return { caller, launcher: { platformId: null, credentialId } }
  }
  const { id: platformId, credentialId, isEnabled, name } = by.platform
  if (!isEnabled) {
    const detail = { decidedBy: 'platform disabled', remedy: 'Enable it.' }
    throw new DomainError('forbidden', `The platform ${name} is switched off. ${detail.remedy}`, { detail })
  }
  // Held to what its key may.
  return { caller: { ...callerOf(by.platform), rights: everyRight }, launcher: { platformId, credentialId } }
}

/** Of a bounded caller only what lies in the Lrs of its bound; of a key without management its own. */
function withinBounds(caller: Caller): Pick<LaunchFilter, 'credentialId' | 'lrsIds'> {
  const { credentialId, sessionId } = caller
  const look = explainOthers(caller, 'read')
  if (!look.allowed) {
    if (credentialId === undefined || sessionId !== undefined) demand(look)
    return credentialId === undefined ? {} : { credentialId }
  }
  const grants = caller.rights.management.filter(
    ({ area, actions }) => area === 'credentials' && actions.includes('read'),
  )
  const bounds = grants.map(({ bound }) => bound)
  if (bounds.some(({ kind }) => kind === 'organisation')) return {}
  return {
    lrsIds: bounds.flatMap((bound) =>
      bound.kind === 'lrs' ? [bound.id] : 'lrsIds' in bound ? (bound.lrsIds ?? []) : [],
    ),
  }
}
