// How launches end: by their content, by hand, when nobody uses them any more; and what is to be done about it afterwards, as often as
// it takes. Knows nothing of how they begin.

import { eventBy } from './audit.ts'
import type { NewAuditEvent } from './audit.ts'
import { isDomainError } from './errors.ts'
import type { Principal } from './principal.ts'
import { noRights } from './rights.ts'
import type { Clock, LapsedPosition, LaunchEnd, LaunchRecord, LaunchStore, PlatformStore, Storage } from './storage.ts'

/** What whoever launches writes down of a launch, beside what the content does (cmi5 section 9.3; of Tin Can only what it is handed). */
export interface LaunchScribe {
  /** Before the content is opened; answers the launch as it is then. Again for the same launch it changes nothing. */
  launched(launch: LaunchRecord): Promise<LaunchRecord>
  /** When it has ended without the content having said so. Again for the same launch it changes nothing. */
  abandoned(launch: LaunchRecord): Promise<void>
  /** Whether its content's word that it is over was stored, and is not being heeded at this moment. */
  hasTerminated(launch: LaunchRecord): Promise<boolean>
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
/** Of those at the same time: the store writes them together. */
const together = 10
const pageSize = 100
/** Launches that are over are listed so long. */
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

  /** One that is over stays as it ended. */
  async end(launch: LaunchRecord, by: LaunchEnd, event: NewAuditEvent): Promise<LaunchRecord> {
    const { organisationId, id } = launch
    const ended = await this.#launches.endLaunch(organisationId, id, { by, at: this.#parts.clock.now() }, event)
    if (ended !== undefined) await this.settle(ended)
    return ended ?? (await this.#launches.findLaunch(organisationId, id)) ?? launch
  }

  /**
   * Writes down what is owed to one that has ended. Where that cannot be now, `lapse` tries again; where it may not be at all, its Lrs
   * is closed for one, nothing is. Throws nothing: whoever ends a launch, or begins the next, need not wait for it.
   */
  async settle(launch: LaunchRecord): Promise<void> {
    if (launch.owes !== 'word') return
    const { scribe, onError } = this.#parts
    try {
      await scribe.abandoned(launch).catch((error: unknown) => {
        if (!isRefused(error)) throw error
        onError(error)
      })
      await this.#launches.settleLaunch(launch.organisationId, launch.id)
    } catch (error) {
      onError(error)
    }
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

  /** Ends what is used no more, has lasted its longest, or lost its key, and does what is owed to others. Returns how many ended. */
  async lapse(signal?: AbortSignal): Promise<number> {
    const now = this.#parts.clock.now()
    let ended = 0
    const end = async (launch: LaunchRecord, by: LaunchEnd): Promise<void> => {
      const event = { at: now, actor: { kind: 'system', name: 'launches' } as const, action: 'launch.end' }
      await this.end(launch, by, { ...event, target: { noun: 'launch', id: launch.id }, detail: { by } })
      ended += 1
    }
    let after: LapsedPosition | undefined
    do {
      const { items, next } = await this.#launches.listLapsed(now, { after, limit: atOnce })
      await this.#each(items, signal, (launch) => end(launch, reasonFor(launch, now)))
      after = next
    } while (after !== undefined)
    await this.#payDebts(signal, (launch) => end(launch, 'terminated'))
    return ended
  }

  /** What could not be done when it was due: a node died, or the store was away. */
  async #payDebts(signal: AbortSignal | undefined, end: (launch: LaunchRecord) => Promise<void>): Promise<void> {
    for (let after = 0, isMore = true; isMore;) {
      const owing = await this.#launches.listOwing({ after, limit: atOnce })
      await this.#each(owing, signal, async (launch) => {
        if (launch.owes === 'word') await this.settle(launch)
        else if (await this.#parts.scribe.hasTerminated(launch)) await end(launch)
      })
      after = owing.at(-1)?.number ?? after
      isMore = owing.length === atOnce
    }
  }

  /** A few together. One that fails must not keep the others from it. */
  async #each(
    items: readonly LaunchRecord[],
    signal: AbortSignal | undefined,
    work: (launch: LaunchRecord) => Promise<void>,
  ): Promise<void> {
    for (let first = 0; first < items.length; first += together) {
      signal?.throwIfAborted()
      const some = items.slice(first, first + together)
      await Promise.all(some.map((launch) => work(launch).catch(this.#parts.onError)))
    }
  }

  /**
   * Forgets, of what was over a month ago, what was launched with, the learner's name, and all but the latest launch of a registration.
   * That keeps the learner's account, by which the registration goes on, until they are erased. Returns how many.
   */
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

function reasonFor({ expiresAt, sessionId }: LaunchRecord, now: number): LaunchEnd {
  return expiresAt <= now ? 'expired' : sessionId === null ? 'parent' : 'idle'
}

/** Once and for all. Where nobody knows whether it was written down, it is written again. */
function isRefused(error: unknown): boolean {
  return isDomainError(error) && error.code !== 'unavailable' && error.code !== 'internal'
}
