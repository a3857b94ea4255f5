// The use cases of launches: one learner, one activity, one registration, one session, from the moment somebody is sent here until
// it ends. Whoever launched, and however, it is the same launch. Knows no protocol of a platform, no address of content.

import { eventBy } from './audit.ts'
import type { NewAuditEvent } from './audit.ts'
import { ignoredNames } from './content-settings.ts'
import { DomainError, isDomainError } from './errors.ts'
import { demand, explainGrant, explainLook } from './grant.ts'
import type { CredentialId, LaunchId } from './ids.ts'
import { activityFor, actorFor, checkLaunch, pinsFor, registrationFor, rightsFor } from './launch-plan.ts'
import type { LaunchData, NewLaunchInput } from './launch-plan.ts'
import { advance } from './launch-step.ts'
import { entranceSeconds, fetchSeconds, hashOf, isTicket, issueTicket } from './launch-ticket.ts'
import { organisationExpired, hasExpired } from './organisation.ts'
import type { Pins } from './pins.ts'
import { callerOf } from './platform.ts'
import type { Caller, Principal } from './principal.ts'
import { everyRight, intersect, noRights } from './rights.ts'
import type { ManagementAction, Rights } from './rights.ts'
import { isLive } from './secret.ts'
import { findSecretOver, sessionPlace } from './session.ts'
import type { Sessions } from './session.ts'
import type {
  Clock,
  CredentialRecord,
  DirectoryStore,
  Ids,
  Json,
  LaunchEnd,
  LaunchFilter,
  LaunchRecord,
  LaunchStore,
  NewTicket,
  PlatformRecord,
  PlatformStore,
  SessionRecord,
  Storage,
} from './storage.ts'
import type { Place, Vault } from './vault.ts'
import { agentTerm } from './xapi/agent.ts'

/** By a platform's own word, or by a caller who may make sessions of that key. */
export type LaunchedBy =
  | { readonly platform: PlatformRecord }
  | { readonly caller: Caller; readonly credentialId: CredentialId }

export interface OpenedLaunch {
  readonly launch: LaunchRecord
  /** Where the learner's browser is sent: once, and soon. */
  readonly entranceUrl: string
}

/** What the address of the content is made of. */
export interface Entered {
  readonly launch: LaunchRecord
  readonly data: LaunchData
  readonly opening:
    | { readonly style: 'tincan'; readonly key: string; readonly secret: string }
    /** Behind `/launch/fetch/`. */
    | { readonly style: 'cmi5'; readonly fetchTicket: string }
}

/** cmi5 section 8.2: the token, or why there is none: 1 was used or is over, 2 security, 3 the application. */
export type Fetched = { readonly authToken: string } | { readonly code: '1' | '2' | '3'; readonly text: string }

export interface LaunchList {
  /** Newest first. */
  readonly items: readonly LaunchRecord[]
  /** Pass as `before` for the next part; undefined at the end. */
  readonly next: number | undefined
}

/** What whoever launches writes down of a launch, beside what the content does (cmi5 section 9.3; of Tin Can only what it is handed). */
export interface LaunchScribe {
  /** Before the content is opened. Again for the same launch it changes nothing. */
  launched(launch: LaunchRecord): Promise<void>
  /** When it ends, or just has, without the content having said so. Again for the same launch it changes nothing. */
  abandoned(launch: LaunchRecord): Promise<void>
}

export interface LaunchesParts {
  readonly storage: Storage
  readonly sessions: Sessions
  readonly vault: Vault
  readonly clock: Clock
  readonly ids: Ids
  /** Where the server is reached from outside. */
  readonly baseUrl: string
  readonly scribe: LaunchScribe
  /** What went wrong and keeps nobody from going on. */
  readonly onError: (error: unknown) => void
}

/** Ended at a time by the job; and launches of one registration that run at the same time, by other activities. */
const atOnce = 100
const pageSize = 100
/** Launches that are over are listed so long; who was launched, with what, is forgotten then. */
const keptMs = 30 * 86_400_000

export class Launches {
  readonly #launches: LaunchStore
  readonly #directory: DirectoryStore
  readonly #platform: PlatformStore
  readonly #parts: LaunchesParts

  constructor(parts: LaunchesParts) {
    this.#launches = parts.storage.launches
    this.#directory = parts.storage.directory
    this.#platform = parts.storage.platform
    this.#parts = parts
  }

  /** Ends the one of the same registration that runs. Throws `invalid`, and `forbidden` as `Sessions.create`. */
  async open(by: LaunchedBy, input: NewLaunchInput): Promise<OpenedLaunch> {
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
    const plan: Plan = {
      ...{ ...about, mode, resource, contentId: content.id, platformId: launcher.platformId },
      data: { settings, language, given: data },
      ...{ pins: pinsFor(about, readsOthers), rights: rightsFor(settings.style, mode), latest: Infinity },
      ...{ sealed: input.sealed, cookie: input.cookie === undefined ? null : hashOf(input.cookie) },
    }
    const { ticket, record } = this.#entrance()
    const { launch } = await this.#begin(caller, launcher.credentialId, plan, [record])
    return { launch, entranceUrl: this.#entranceUrl(ticket) }
  }

  /**
   * A second way into the launch that this browser was sent into already: for a platform that is asked for the same again. Undefined
   * where none runs that the browser knows.
   */
  async again(
    { organisationId, id }: PlatformRecord,
    about: { readonly resource: string; readonly actor: NewLaunchInput['actor'] },
    cookie: string,
  ): Promise<OpenedLaunch | undefined> {
    const filter = { platformId: id, actorKey: agentTerm(about.actor) ?? '', isRunning: true }
    const running = await this.#launches.listLaunches(organisationId, filter, { limit: atOnce })
    const known = running.find((one) => one.resource === about.resource && one.cookie === hashOf(cookie))
    if (known === undefined) return undefined
    const { ticket, record } = this.#entrance(known.expiresAt)
    const launch = await advance(this.#launches, known, () => ({ tickets: [record] }))
    return launch && { launch, entranceUrl: this.#entranceUrl(ticket) }
  }

  /**
   * What a browser gets that comes with a ticket: for the first time, or again, which its cookie shows. Again, Tin Can content finds
   * its key; cmi5 content one to fetch, in a new session of the same registration where it was fetched before. `forbidden` for
   * everybody else, and where the launch is over.
   */
  async enter(ticket: string, { cookie }: { readonly cookie: string }): Promise<Entered> {
    const now = this.#parts.clock.now()
    const used = await this.#launches.useTicket(hashOf(ticket), 'entrance', now)
    if (used === undefined) throw notEntered('ticket', 'This way into the lesson is not known, or over.')
    const isBack = used.launch.cookie === hashOf(cookie)
    const launch = isBack ? await this.#latest(used.launch) : used.launch
    if (launch.endedAt !== null) throw over(launch)
    if (!used.isFirst && !isBack)
      throw notEntered('ticket used', 'This way into the lesson was used before, elsewhere.')
    const isLate = now > launch.createdAt + entranceSeconds * 1000
    if (isLate && !isBack) throw notEntered('ticket late', 'This way into the lesson was not used in time.')
    if (launch.style === 'tincan') return this.#enterTincan(launch, cookie)
    const isUsedUp = launch.progress['isFetched'] === true
    return isUsedUp ? this.#enterAgain(launch) : this.#enterCmi5(launch, cookie)
  }

  /** For content that presents what `enter` gave it: once (cmi5 section 8.2.3). */
  async fetchToken(ticket: string): Promise<Fetched> {
    if (!isTicket(ticket)) return { code: '2', text: 'Nobody was given this address.' }
    const used = await this.#launches.useTicket(hashOf(ticket), 'fetch', this.#parts.clock.now())
    const gone = {
      code: '1',
      text: 'This address was used before, or its time is over. Open the lesson again.',
    } as const
    if (used === undefined || !used.isFirst || used.launch.endedAt !== null) return gone
    const pair = await this.#open(used.launch).catch(undefinedWhenOver)
    if (pair === undefined) return gone
    // Of several tickets of one launch one counts: whoever opened the page again before it was loaded has two.
    const taken = await advance(this.#launches, used.launch, ({ progress }) =>
      progress['isFetched'] === true ? undefined : { progress: { ...progress, isFetched: true } },
    )
    if (taken === undefined) return gone
    return { authToken: Buffer.from(`${pair.key}:${pair.secret}`).toString('base64') }
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
    return this.#end(launch, 'revoked', this.#event(caller, 'launch.end', id, { by: 'revoked' }))
  }

  /** Throws what `end` would, and ends nothing. */
  async demandEnd(caller: Caller, id: LaunchId): Promise<void> {
    await this.#reach(caller, 'delete', id)
  }

  /** Once the content said that it is over, and that is stored. */
  async terminate({ organisationId, name, credentialId, sessionId, launch: of }: Principal): Promise<void> {
    const launch = of && (await this.#launches.findLaunch(organisationId, of.id))
    if (launch === undefined || launch.endedAt !== null) return
    const caller = { organisationId, name, credentialId, rights: noRights, ...(sessionId && { sessionId }) }
    const event = this.#event(caller, 'launch.end', launch.id, { by: 'terminated' })
    await this.#end(launch, 'terminated', event)
  }

  /** What the platform gave it for as long as it runs; undefined where there is nothing, or no more. */
  async unseal(launch: LaunchRecord): Promise<string | undefined> {
    if (launch.sealed === null) return undefined
    const organisation = await this.#organisation(launch)
    return this.#parts.vault.open(organisation, sealedPlace(launch.id), launch.sealed)
  }

  /** Ends what is used no more, has lasted its longest, or lost its key. Returns how many. */
  async lapse(signal?: AbortSignal): Promise<number> {
    const now = this.#parts.clock.now()
    let ended = 0
    for (;;) {
      const lapsed = await this.#launches.listLapsed(now, atOnce)
      const before = ended
      for (const launch of lapsed) {
        signal?.throwIfAborted()
        const by = launch.expiresAt <= now ? 'expired' : launch.sessionId === null ? 'parent' : 'idle'
        const { id } = launch
        const event = { at: now, actor: { kind: 'system', name: 'launches' } as const, action: 'launch.end' }
        // One that cannot be ended must not keep the others from it.
        await this.#end(launch, by, { ...event, target: { noun: 'launch', id }, detail: { by } }).then(
          () => (ended += 1),
          this.#parts.onError,
        )
      }
      if (lapsed.length < atOnce || ended === before) return ended
    }
  }

  /** Forgets who was launched with what, of what was over a month ago, in every organisation. Returns how many. */
  async sweep(signal?: AbortSignal): Promise<number> {
    const before = this.#parts.clock.now() - keptMs
    let swept = 0
    for (let offset = 0, total = 1; offset < total; offset += pageSize) {
      const page = await this.#platform.listOrganisations({ offset, limit: pageSize })
      for (const { id } of page.items) {
        for (let some = -1; some !== 0; swept += some) {
          signal?.throwIfAborted()
          some = await this.#launches.sweepLaunches(id, before)
        }
      }
      total = page.total
    }
    return swept
  }

  // -------------------------------------------------------------------------------------------------------------------
  // How it begins

  async #begin(
    caller: Caller,
    credentialId: CredentialId,
    plan: Plan,
    tickets: readonly NewTicket[],
  ): Promise<{ readonly launch: LaunchRecord; readonly session: SessionRecord; readonly secret: string }> {
    const { clock, ids, vault } = this.#parts
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
    const { launch, session, superseded } = await this.#launches.createLaunch(
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
      this.#event(caller, 'launch.create', id, detail),
    )
    for (const old of superseded) await this.#abandon(old)
    return { launch, session, secret }
  }

  /** The launch stands already: what could not be written down of an older one must not undo it. */
  async #abandon(launch: LaunchRecord): Promise<void> {
    if (launch.style === 'cmi5') await this.#parts.scribe.abandoned(launch).catch(this.#parts.onError)
  }

  /** Valid as long as the launch: later it is the cookie that counts. */
  #entrance(until = Infinity) {
    return issueTicket(this.#parts.ids, 'entrance', until)
  }

  #entranceUrl(ticket: string): string {
    return `${this.#parts.baseUrl}/launch/s/${ticket}`
  }

  // -------------------------------------------------------------------------------------------------------------------
  // How it is entered

  async #enterTincan(launch: LaunchRecord, cookie: string): Promise<Entered> {
    const opening = await this.#open(launch)
    await this.#parts.scribe.launched(launch)
    return this.#entered(await this.#know(launch, cookie), { style: 'tincan', ...opening })
  }

  async #enterCmi5(launch: LaunchRecord, cookie: string): Promise<Entered> {
    // Nothing is written down of one that is over by now.
    await this.#standing(launch)
    await this.#parts.scribe.launched(launch)
    const { ticket, record } = this.#fetching()
    return this.#entered(await this.#know(launch, cookie, [record]), { style: 'cmi5', fetchTicket: ticket })
  }

  /** The key is handed out once (cmi5 section 8.2.3), so who comes back begins a session of their own (section 9.3.6 ends the other). */
  async #enterAgain(before: LaunchRecord): Promise<Entered> {
    const { organisationId, credentialId } = before
    const { session } = await this.#standing(before)
    const caller = { organisationId, credentialId, kind: 'client', name: 'launch', rights: everyRight } as const
    const plan: Plan = {
      ...before,
      data: dataOf(before),
      ...{ pins: session.pins, rights: (held) => intersect(held, session.rights), latest: before.expiresAt },
      sealed: await this.unseal(before),
    }
    const { ticket, record } = this.#fetching()
    const { launch } = await this.#begin(caller, credentialId, plan, [record])
    await this.#parts.scribe.launched(launch)
    return this.#entered(launch, { style: 'cmi5', fetchTicket: ticket })
  }

  /** The one that took its place for the same browser: whoever goes back has the address of the first. */
  async #latest(launch: LaunchRecord): Promise<LaunchRecord> {
    if (launch.endedBy !== 'superseded') return launch
    const { organisationId, credentialId, registration } = launch
    const filter = { credentialId, registration, isRunning: true }
    const running = await this.#launches.listLaunches(organisationId, filter, { limit: atOnce })
    const isNext = (one: LaunchRecord) => one.activityId === launch.activityId && one.cookie === launch.cookie
    return running.find(isNext) ?? launch
  }

  /** Remembers the browser, and hands out tickets; its session lasts from now. */
  async #know(launch: LaunchRecord, cookie: string, tickets: readonly NewTicket[] = []): Promise<LaunchRecord> {
    const hash = hashOf(cookie)
    const isKnown = launch.cookie === hash && tickets.length === 0
    const known = isKnown ? launch : await advance(this.#launches, launch, () => ({ tickets, cookie: hash }))
    if (known === undefined) throw over(launch)
    const { idleSeconds } = dataOf(launch).settings
    const until = this.#parts.clock.now() + idleSeconds * 1000
    if (launch.sessionId !== null) {
      await this.#launches.extendSession(launch.organisationId, launch.sessionId, until)
    }
    return known
  }

  #fetching() {
    return issueTicket(this.#parts.ids, 'fetch', this.#parts.clock.now() + fetchSeconds * 1000)
  }

  #entered(launch: LaunchRecord, opening: Entered['opening']): Entered {
    return { launch, data: dataOf(launch), opening }
  }

  async #open(launch: LaunchRecord): Promise<{ readonly key: string; readonly secret: string }> {
    const { session, organisation } = await this.#standing(launch)
    return { key: session.key, secret: this.#parts.vault.open(organisation, sessionPlace(session.oid), session.sealed) }
  }

  /** Throws where its key would be refused: nobody is sent into content that could then do nothing. */
  async #standing(launch: LaunchRecord) {
    const { organisationId, credentialId, sessionId } = launch
    const now = this.#parts.clock.now()
    const [session, credential, organisation] = await Promise.all([
      sessionId === null ? undefined : this.#directory.findSession(organisationId, credentialId, sessionId),
      this.#directory.findCredential(organisationId, credentialId),
      this.#organisation(launch),
    ])
    if (hasExpired(organisation, now)) throw organisationExpired()
    const isOver = session === undefined || credential === undefined || session.expiresAt <= now
    if (isOver || !isLive(credential, now) || findSecretOver(session, credential, now) === undefined) throw over(launch)
    return { session, organisation }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // How it goes on and ends

  /**
   * What is to be written down of it comes first: where that cannot be now, it is ended later; where it may not be at all, its Lrs is
   * closed for one, it ends all the same. But whoever takes a key away must not wait for that.
   */
  async #end(launch: LaunchRecord, by: LaunchEnd, event: NewAuditEvent): Promise<LaunchRecord> {
    const { organisationId, id, style } = launch
    const isAbandoned = style === 'cmi5' && by !== 'terminated'
    if (isAbandoned && by !== 'revoked') {
      await this.#parts.scribe.abandoned(launch).catch((error: unknown) => {
        if (isDomainError(error) && error.code === 'unavailable') throw error
        this.#parts.onError(error)
      })
    }
    const ended = await this.#launches.endLaunch(organisationId, id, { by, at: this.#parts.clock.now() }, event)
    if (ended && by === 'revoked') await this.#abandon(ended)
    return ended ?? (await this.#launches.findLaunch(organisationId, id)) ?? launch
  }

  // A key reaches its own launches; management those of the keys it covers, and of keys that are gone where it covers their Lrs.
  async #reach(caller: Caller, action: ManagementAction, id: LaunchId): Promise<LaunchRecord> {
    const isOwn = ({ credentialId }: LaunchRecord) =>
      caller.credentialId === credentialId && caller.sessionId === undefined
    const launch = await this.#launches.findLaunch(caller.organisationId, id)
    if (launch !== undefined && isOwn(launch)) return launch
    demand(explainLook(caller, action))
    if (launch === undefined) throw new DomainError('not_found', 'There is no such launch.')
    const { credentialId, lrsId } = launch
    const gone = { kind: 'client', rights: noRights, lrsIds: [lrsId], pins: {}, limits: {} } as const
    const worth = (await this.#directory.findCredential(caller.organisationId, credentialId)) ?? gone
    demand(action === 'read' ? explainLook(caller, action, worth) : explainGrant(caller, action, worth))
    return launch
  }

  async #organisation({ organisationId }: LaunchRecord) {
    const organisation = await this.#directory.findOrganisation(organisationId)
    if (organisation === undefined) throw new DomainError('not_found', 'There is no such organisation.')
    return organisation
  }

  /** Names nobody: what is in the audit log stays there. */
  #event(caller: Caller, action: string, id: LaunchId, detail: Json): NewAuditEvent {
    return eventBy(caller, this.#parts.clock, action, { noun: 'launch', id }, detail)
  }
}

/** All that is decided of a launch before its session is made. */
interface Plan
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

function launcherOf(by: LaunchedBy) {
  if ('caller' in by) {
    const { caller, credentialId } = by
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

function sealedPlace(id: LaunchId): Place {
  return { row: id, column: 'launch.sealed' }
}

function dataOf({ data }: Pick<LaunchRecord, 'data'>): LaunchData {
  if (data === null) throw over({ endedBy: null })
  return data as unknown as LaunchData
}

/** Where the paths lead that its content is given. */
function lrsOf({ name, lrsIds: [home] }: CredentialRecord) {
  if (home !== undefined) return home
  throw new DomainError('conflict', `The key "${name}" has no Lrs that a launch could store in.`)
}

/** To somebody in a browser: what they can do, and never whose launch it is. */
function notEntered(decidedBy: string, what: string): DomainError {
  const remedy = 'Open the lesson again where you found it.'
  return new DomainError('forbidden', `${what} ${remedy}`, { detail: { decidedBy, remedy } })
}

function over({ endedBy }: Pick<LaunchRecord, 'endedBy'>): DomainError {
  return notEntered(`launch ${endedBy ?? 'over'}`, 'This lesson is over.')
}

function undefinedWhenOver(error: unknown): undefined {
  if (!isDomainError(error) || error.code !== 'forbidden') throw error
}

/** Of a bounded caller only what lies in the Lrs of its bound; of a key without management its own. */
function withinBounds(caller: Caller): Pick<LaunchFilter, 'credentialId' | 'lrsIds'> {
  const { credentialId, sessionId } = caller
  const look = explainLook(caller, 'read')
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
