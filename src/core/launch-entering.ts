// How a browser gets into a launch, and its content to the key: each shows a ticket, once. A browser that comes back is known by its
// cookie. Knows nothing of addresses and pages.

import { DomainError, isDomainError } from './errors.ts'
import { organisationOf } from './launch-beginning.ts'
import type { LaunchBeginning, LaunchPlan } from './launch-beginning.ts'
import type { LaunchScribe } from './launch-ending.ts'
import type { LaunchData } from './launch-plan.ts'
import { advance } from './launch-step.ts'
import { entranceSeconds, fetchSeconds, hashOf, isTicket, issueTicket } from './launch-ticket.ts'
import { limited } from './limits.ts'
import { hasExpired, organisationExpired } from './organisation.ts'
import { everyRight, intersect } from './rights.ts'
import { isLive } from './secret.ts'
import { findSecretOver, sessionPlace } from './session.ts'
import type { Clock, DirectoryStore, Ids, LaunchRecord, LaunchStore, NewTicket, Storage } from './storage.ts'
import type { Vault } from './vault.ts'

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

export interface EnteringParts {
  readonly storage: Storage
  readonly vault: Vault
  readonly clock: Clock
  readonly ids: Ids
  readonly scribe: LaunchScribe
}

/** Launches of one registration that run at the same time, by other activities. */
const atOnce = 100
/** Sessions of one registration that begin because a browser came back. */
const mostInAMinute = 10

export class LaunchEntering {
  readonly #launches: LaunchStore
  readonly #directory: DirectoryStore
  readonly #parts: EnteringParts
  readonly #beginning: LaunchBeginning

  constructor(parts: EnteringParts, beginning: LaunchBeginning) {
    this.#launches = parts.storage.launches
    this.#directory = parts.storage.directory
    this.#parts = parts
    this.#beginning = beginning
  }

  /**
   * What a browser gets that comes with a ticket: for the first time, or again, which its cookie shows. Again, Tin Can content finds
   * its key; cmi5 content one to fetch, in a new session of the same registration where it was fetched before. `forbidden` for
   * everybody else, and where the launch is over.
   */
  async enter(ticket: string, { cookie: browser }: { readonly cookie: string }): Promise<Entered> {
    const [presented, cookie, now] = [hashOf(ticket), hashOf(browser), this.#parts.clock.now()]
    const found = isTicket(ticket) ? await this.#launches.findTicket(presented, 'entrance', now) : undefined
    if (found === undefined) throw notEntered('ticket', 'This way into the lesson is not known, or over.')
    const isBack = found.launch.cookie === cookie
    const launch = isBack ? await this.#latest(found.launch) : found.launch
    if (launch.endedAt !== null) throw over(launch)
    const isFetched = launch.progress['isFetched'] === true
    if (!isBack && (found.isUsed || isFetched)) throw usedElsewhere()
    const isLate = now > launch.createdAt + entranceSeconds * 1000
    if (isLate && !isBack) throw notEntered('ticket late', 'This way into the lesson was not used in time.')
    if (isFetched) return this.#enterAgain(launch)
    return this.#enterFresh(launch, { cookie, ticket: launch.id === found.launch.id ? presented : undefined })
  }

  /** For content that presents what `enter` gave it: once (cmi5 section 8.2.3). */
  async fetchToken(ticket: string): Promise<Fetched> {
    if (!isTicket(ticket)) return { code: '2', text: 'Nobody was given this address.' }
    const found = await this.#launches.findTicket(hashOf(ticket), 'fetch', this.#parts.clock.now())
    const gone = {
      code: '1',
      text: 'This address was used before, or its time is over. Open the lesson again.',
    } as const
    if (found === undefined || found.launch.endedAt !== null) return gone
    const pair = await this.#open(found.launch).catch(undefinedWhenOver)
    if (pair === undefined) return gone
    // Last, and the launch knows it: what fails before that may be asked for again, and of several tickets of one launch one counts.
    const taken = await advance(this.#launches, found.launch, ({ progress }) =>
      progress['isFetched'] === true ? undefined : { progress: { ...progress, isFetched: true } },
    )
    if (taken === undefined) return gone
    return { authToken: Buffer.from(`${pair.key}:${pair.secret}`).toString('base64') }
  }

  /** The ticket is used up in the same step that hands over what it is good for: where that fails, it is good for another try. */
  async #enterFresh(launch: LaunchRecord, by: Presented): Promise<Entered> {
    // Nothing is written down of one that is over by now.
    const pair = await this.#open(launch)
    await this.#parts.scribe.launched(launch)
    await this.#extend(launch)
    if (launch.style === 'tincan') return entered(await this.#hand(launch, by, []), { style: 'tincan', ...pair })
    const { ticket, record } = this.#fetching()
    return entered(await this.#hand(launch, by, [record]), { style: 'cmi5', fetchTicket: ticket })
  }

  /** The key is handed out once (cmi5 section 8.2.3), so who comes back begins a session of their own (section 9.3.6 ends the other). */
  async #enterAgain(before: LaunchRecord): Promise<Entered> {
    const { organisationId, credentialId } = before
    const { session } = await this.#standing(before)
    const caller = { organisationId, credentialId, kind: 'client', name: 'launch', rights: everyRight } as const
    await this.#demandCalm(before)
    const data = dataOf(before)
    const plan: LaunchPlan = {
      ...before,
      data: { ...data, origin: data.origin ?? before.id },
      ...{ pins: session.pins, rights: (held) => intersect(held, session.rights), latest: before.expiresAt },
      sealed: await this.#beginning.unseal(before),
    }
    const { ticket, record } = this.#fetching()
    const begun = await this.#beginning.begin(caller, credentialId, plan, [record])
    const launch = await this.#parts.scribe.launched(begun.launch)
    return entered(launch, { style: 'cmi5', fetchTicket: ticket })
  }

  /** The one that took its place when the same browser came back: it still has the address of the first. Of no others. */
  async #latest(launch: LaunchRecord): Promise<LaunchRecord> {
    if (launch.endedBy !== 'superseded') return launch
    const { organisationId, credentialId, registration, cookie } = launch
    const filter = { credentialId, registration, isRunning: true }
    const running = await this.#launches.listLaunches(organisationId, filter, { limit: atOnce })
    return running.find((one) => dataOf(one).origin === launch.id && one.cookie === cookie) ?? launch
  }

  /** Throws `rate_limited`: each is a launch that is kept, with a word on the one that it ends. */
  async #demandCalm({ organisationId, credentialId, registration }: LaunchRecord): Promise<void> {
    const part = { limit: mostInAMinute }
    const before = await this.#launches.listLaunches(organisationId, { credentialId, registration }, part)
    const since = this.#parts.clock.now() - 60_000
    if (before.length < mostInAMinute || before.some(({ createdAt }) => createdAt <= since)) return
    throw limited('launches of a registration', `${mostInAMinute} of one lesson per minute`, 60)
  }

  /** It lasts from now. */
  async #extend(launch: LaunchRecord): Promise<void> {
    if (launch.sessionId === null) return
    const until = this.#parts.clock.now() + dataOf(launch).settings.idleSeconds * 1000
    await this.#launches.extendSession(launch.organisationId, launch.sessionId, until)
  }

  /** To the first who comes, and to whoever is known already; the launch knows the browser then. */
  async #hand(
    launch: LaunchRecord,
    { ticket, cookie }: Presented,
    tickets: readonly NewTicket[],
  ): Promise<LaunchRecord> {
    if (ticket === undefined) {
      const handed = await advance(this.#launches, launch, () => ({ tickets, cookie }))
      if (handed === undefined) throw over(launch)
      return handed
    }
    const used = await this.#launches.useTicket(ticket, 'entrance', this.#parts.clock.now(), { cookie, tickets })
    if (used === undefined || used.launch.endedAt !== null) throw over(used?.launch ?? launch)
    if (used.launch.cookie !== cookie) throw usedElsewhere()
    return used.launch
  }

  #fetching() {
    return issueTicket(this.#parts.ids, 'fetch', this.#parts.clock.now() + fetchSeconds * 1000)
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
      organisationOf(this.#directory, launch),
    ])
    if (hasExpired(organisation, now)) throw organisationExpired()
    const isOver = session === undefined || credential === undefined || session.expiresAt <= now
    if (isOver || !isLive(credential, now) || findSecretOver(session, credential, now) === undefined) throw over(launch)
    return { session, organisation }
  }
}

/** What a browser shows. */
interface Presented {
  /** Its hash. */
  readonly cookie: string
  /** The hash of a ticket of this launch; undefined for that of the one before, which the browser was let in with. */
  readonly ticket: string | undefined
}

function entered(launch: LaunchRecord, opening: Entered['opening']): Entered {
  return { launch, data: dataOf(launch), opening }
}

/** To somebody in a browser: what they can do, and never whose launch it is. */
function notEntered(decidedBy: string, what: string): DomainError {
  const remedy = 'Open the lesson again where you found it.'
  return new DomainError('forbidden', `${what} ${remedy}`, { detail: { decidedBy, remedy } })
}

function usedElsewhere(): DomainError {
  return notEntered('ticket used', 'This way into the lesson was used before, elsewhere.')
}

function over({ endedBy }: Pick<LaunchRecord, 'endedBy'>): DomainError {
  return notEntered(`launch ${endedBy ?? 'over'}`, 'This lesson is over.')
}

function undefinedWhenOver(error: unknown): undefined {
  if (!isDomainError(error) || error.code !== 'forbidden') throw error
}

/** Throws `forbidden` of one that was swept. */
export function dataOf({ data }: Pick<LaunchRecord, 'data'>): LaunchData {
  if (data === null) throw over({ endedBy: null })
  return data as unknown as LaunchData
}
