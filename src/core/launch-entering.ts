// How a browser gets into a launch, and its content to the key: each shows a ticket, once. A browser that comes back is known by its
// cookie. Knows nothing of addresses and pages.

import { DomainError, isDomainError } from './errors.ts'
import { organisationOf } from './launch-beginning.ts'
import type { LaunchBeginning, LaunchPlan } from './launch-beginning.ts'
import type { LaunchScribe } from './launch-ending.ts'
import type { LaunchData } from './launch-plan.ts'
import { advance } from './launch-step.ts'
import { entranceSeconds, fetchSeconds, hashOf, isTicket, issueTicket } from './launch-ticket.ts'
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
    const plan: LaunchPlan = {
      ...before,
      data: dataOf(before),
      ...{ pins: session.pins, rights: (held) => intersect(held, session.rights), latest: before.expiresAt },
      sealed: await this.#beginning.unseal(before),
    }
    const { ticket, record } = this.#fetching()
    const { launch } = await this.#beginning.begin(caller, credentialId, plan, [record])
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
      organisationOf(this.#directory, launch),
    ])
    if (hasExpired(organisation, now)) throw organisationExpired()
    const isOver = session === undefined || credential === undefined || session.expiresAt <= now
    if (isOver || !isLive(credential, now) || findSecretOver(session, credential, now) === undefined) throw over(launch)
    return { session, organisation }
  }
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

/** Throws `forbidden` of one that was swept. */
export function dataOf({ data }: Pick<LaunchRecord, 'data'>): LaunchData {
  if (data === null) throw over({ endedBy: null })
  return data as unknown as LaunchData
}
