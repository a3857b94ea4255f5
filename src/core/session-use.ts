// How the session of a launch is used: it lasts while it is, and only where it was used first. Knows nothing of how one signs in.

import { createHash } from 'node:crypto'
import type { OrganisationId, SessionId } from './ids.ts'
import type { Clock, LaunchStore, SessionLaunch, SessionRecord, SignInCandidate } from './storage.ts'

/** Of one verified sign-in, as long as that is remembered. */
export interface SessionUse {
  readonly organisationId: OrganisationId
  readonly sessionId: SessionId
  readonly launch: SessionLaunch
  /** Hash of the browser it is bound to; null: of none. */
  readonly boundTo: string | null
  /** As far as it was moved from here. Unix milliseconds. */
  expiresAt: number
}

export class SessionUses {
  readonly #launches: LaunchStore
  readonly #clock: Clock
  /** Ends that are being moved: with when they will be then, or undefined where that fails. */
  readonly #moving = new Map<SessionId, Promise<number | undefined>>()

  constructor({ launches, clock }: { readonly launches: LaunchStore; readonly clock: Clock }) {
    this.#launches = launches
    this.#clock = clock
  }

  /** Binds it to this browser, unless it is bound. Undefined for a session of no launch. `browser` undefined: it is no request. */
  async begin(session: SessionRecord | undefined, browser: string | undefined): Promise<SessionUse | undefined> {
    if (session === undefined || session.launch === null) return undefined
    const { id: sessionId, organisationId, launch, expiresAt } = session
    const binds = launch.bindsBrowser && session.boundTo === null && browser !== undefined
    const boundTo = binds
      ? await this.#launches.bindSession(organisationId, sessionId, hashOf(launch, browser))
      : session.boundTo
    return { organisationId, sessionId, launch, expiresAt, boundTo: boundTo ?? null }
  }

  /** Whether every further request can be judged by it: not before it is bound where it will be. */
  isSettled({ launch, boundTo }: SessionUse): boolean {
    return !launch.bindsBrowser || boundTo !== null
  }

  mayUse({ launch, boundTo }: SessionUse, browser: string | undefined): boolean {
    return boundTo === null || browser === undefined || hashOf(launch, browser) === boundTo
  }

  /** Moves its end, once it has come an eighth nearer: a write then is rare, and nobody waits for it. */
  extend(use: SessionUse): void {
    const { organisationId, sessionId, launch, expiresAt } = use
    const now = this.#clock.now()
    const idleMs = launch.idleSeconds * 1000
    const later = Math.min(now + idleMs, launch.endsAt)
    if (expiresAt - now >= (idleMs * 7) / 8 || later <= expiresAt) return
    use.expiresAt = later
    const moving = this.#launches.extendSession(organisationId, sessionId, later).catch(() => {
      // The next request tries again.
      use.expiresAt = expiresAt
      return undefined
    })
    const moved = moving.finally(() => this.#moving.delete(sessionId))
    this.#moving.set(sessionId, moved)
  }

  /** Called before candidates are read: what is read while an end is being moved becomes what it is then. */
  bringing(): (candidate: SignInCandidate) => Promise<SignInCandidate> {
    const moving = new Map(this.#moving)
    return async (candidate) => {
      const { session } = candidate
      const expiresAt = session && (await moving.get(session.id))
      if (session === undefined || expiresAt === undefined) return candidate
      return { ...candidate, session: { ...session, expiresAt } }
    }
  }
}

/** By what a browser says it is. Of one launch: the same browser elsewhere is not recognised by it. */
function hashOf({ id }: SessionLaunch, browser: string): string {
  return createHash('sha256').update(`${id}\n${browser}`).digest('base64url')
}
