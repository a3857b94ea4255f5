// How launches end: by their content, by hand, when nobody uses them any more. What is to be written down of one that its content did
// not end itself comes first. Knows nothing of how they begin.

import { eventBy } from './audit.ts'
import type { NewAuditEvent } from './audit.ts'
import { isDomainError } from './errors.ts'
import type { Principal } from './principal.ts'
import { noRights } from './rights.ts'
import type { Clock, LaunchEnd, LaunchRecord, LaunchStore, PlatformStore, Storage } from './storage.ts'

/** What whoever launches writes down of a launch, beside what the content does (cmi5 section 9.3; of Tin Can only what it is handed). */
export interface LaunchScribe {
  /** Before the content is opened. Again for the same launch it changes nothing. */
  launched(launch: LaunchRecord): Promise<void>
  /** When it ends, or just has, without the content having said so. Again for the same launch it changes nothing. */
  abandoned(launch: LaunchRecord): Promise<void>
}

export interface EndingParts {
  readonly storage: Storage
  readonly clock: Clock
  readonly scribe: LaunchScribe
  /** What went wrong and keeps nobody from going on. */
  readonly onError: (error: unknown) => void
}

/** Ended at a time by the job. */
const atOnce = 100
const pageSize = 100
/** Launches that are over are listed so long; who was launched, with what, is forgotten then. */
const keptMs = 30 * 86_400_000

export class LaunchEnding {
  readonly #launches: LaunchStore
  readonly #platform: PlatformStore
  readonly #parts: EndingParts

  constructor(parts: EndingParts) {
    this.#launches = parts.storage.launches
    this.#platform = parts.storage.platform
    this.#parts = parts
  }

  /**
   * What is to be written down of it comes first: where that cannot be now, it is ended later; where it may not be at all, its Lrs is
   * closed for one, it ends all the same. But whoever takes a key away must not wait for that.
   */
  async end(launch: LaunchRecord, by: LaunchEnd, event: NewAuditEvent): Promise<LaunchRecord> {
    const { organisationId, id, style } = launch
    const isAbandoned = style === 'cmi5' && by !== 'terminated'
    if (isAbandoned && by !== 'revoked') {
      await this.#parts.scribe.abandoned(launch).catch((error: unknown) => {
        if (isDomainError(error) && error.code === 'unavailable') throw error
        this.#parts.onError(error)
      })
    }
    const ended = await this.#launches.endLaunch(organisationId, id, { by, at: this.#parts.clock.now() }, event)
    if (ended && by === 'revoked') await this.abandon(ended)
    return ended ?? (await this.#launches.findLaunch(organisationId, id)) ?? launch
  }

  /** The launch stands already: what could not be written down of an older one must not undo it. */
  async abandon(launch: LaunchRecord): Promise<void> {
    if (launch.style === 'cmi5') await this.#parts.scribe.abandoned(launch).catch(this.#parts.onError)
  }

  /** Once the content said that it is over, and that is stored. */
  async terminate({ organisationId, name, credentialId, sessionId, launch: of }: Principal): Promise<void> {
    const launch = of && (await this.#launches.findLaunch(organisationId, of.id))
    if (launch === undefined || launch.endedAt !== null) return
    const caller = { organisationId, name, credentialId, rights: noRights, ...(sessionId && { sessionId }) }
    const target = { noun: 'launch', id: launch.id }
    const event = eventBy(caller, this.#parts.clock, 'launch.end', target, { by: 'terminated' })
    await this.end(launch, 'terminated', event)
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
        await this.end(launch, by, { ...event, target: { noun: 'launch', id }, detail: { by } }).then(
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
}
