// What stands between the statements of a launched session and the store, beside its rights and pins: cmi5's rules, one request
// after the other; and the end of the launch, once its content says so. The rules themselves are cmi5/'s matter.

import { forget, judge } from './cmi5/judge.ts'
import { definedVerb } from './cmi5/rules.ts'
import type { SentStatement } from './cmi5/rules.ts'
import { progressOf, progressToStore, storingMs, unitOf } from './cmi5/unit.ts'
import type { Noted, Progress } from './cmi5/unit.ts'
import { unitVerbs } from './cmi5/vocabulary.ts'
import { DomainError, isDomainError, overload, overloaded } from './errors.ts'
import type { LaunchId } from './ids.ts'
import type { LaunchData } from './launch-plan.ts'
import { advance } from './launch-step.ts'
import type { Principal } from './principal.ts'
import type { Clock, LaunchRecord, SessionLaunch, Storage } from './storage.ts'
import { capped, isObject, refusal } from './xapi/rule.ts'

export interface LaunchGateParts {
  readonly storage: Storage
  readonly clock: Clock
  /** Once what was stored may have satisfied what the launch is about. */
  readonly satisfied: (launch: LaunchRecord) => Promise<void>
  readonly terminate: (principal: Principal) => Promise<void>
  /** What went wrong after statements were stored, and is tried again. */
  readonly onError: (error: unknown) => void
}

/** Requests of one session that wait for each other: content has a few under way. */
const mostWaiting = 64

/** In usage and metrics, whatever the rule was. */
const decidedBy = 'launch'

export class LaunchGate {
  readonly #parts: LaunchGateParts
  readonly #turns = new Map<LaunchId, Turn>()

  constructor(parts: LaunchGateParts) {
    this.#parts = parts
  }

  /** `store`: called at most once, when nothing speaks against what was sent; its answer is the answer. */
  async admit<T>(
    principal: Principal,
    launch: SessionLaunch,
    sent: readonly SentStatement[],
    store: () => Promise<T>,
  ): Promise<T> {
    const last = sent.findLast(({ statement }) => isTerminated(statement, launch))
    const end = (): Promise<void> => this.#parts.terminate(principal).catch(this.#parts.onError)
    if (launch.style === 'cmi5') {
      return this.#inTurn(launch.id, async (turn) => {
        const answer = await this.#admitUnit(await this.#find(principal, launch), sent, store)
        if (last !== undefined) turn.end = end
        return answer
      })
    }
    if (last === undefined) return store()
    const { answer } = await this.#noteAndStore(await this.#find(principal, launch), this.#terminatedBy(last), store)
    await end()
    return answer
  }

  /** Throws what `admit` would before it stores. */
  async check(principal: Principal, launch: SessionLaunch, sent: readonly SentStatement[]): Promise<void> {
    if (launch.style === 'cmi5') await this.#judge(await this.#find(principal, launch), sent)
  }

  async #admitUnit<T>(found: LaunchRecord, sent: readonly SentStatement[], store: () => Promise<T>): Promise<T> {
    const judged = (now: LaunchRecord): Promise<Progress> => this.#judge(now, sent)
    const { answer, noted } = await this.#noteAndStore(found, judged, store)
    await this.#parts.satisfied(noted).catch(this.#parts.onError)
    return answer
  }

  /** Noted first, so that of two nodes one knows of what the other accepts, and so that an end that breaks off is known of. */
  async #noteAndStore<T>(
    found: LaunchRecord,
    decide: (now: LaunchRecord) => Progress | Promise<Progress>,
    store: () => Promise<T>,
  ): Promise<{ readonly answer: T; readonly noted: LaunchRecord }> {
    const { launches } = this.#parts.storage
    let before = found
    const noted = await advance(launches, found, async (now) => {
      const progress = await decide(now)
      before = now
      const isEnd = progress.session.terminated?.id !== progressOf(now).session.terminated?.id
      return { progress: { ...now.progress, ...progressToStore(progress) }, ...(isEnd && { owes: 'end' as const }) }
    })
    if (noted === undefined) throw over()
    const answer = await store().catch(async (error: unknown) => {
      const { organisationId, id, version: from } = noted
      const { progress, owes } = before
      const undo = { from, progress, owes }
      if (isRefused(error)) await launches.advanceLaunch(organisationId, id, undo).catch(this.#parts.onError)
      throw error
    })
    return { answer, noted }
  }

  /** All that is noted of Tin Can content. */
  #terminatedBy({ id, at = 0 }: SentStatement): (now: LaunchRecord) => Progress {
    const terminated: Noted = { id, at, since: this.#parts.clock.now() }
    return (now) => {
      const { session, registration } = progressOf(now)
      return { session: { ...session, terminated }, registration }
    }
  }

  async #find({ organisationId }: Principal, { id }: SessionLaunch): Promise<LaunchRecord> {
    const found = await this.#parts.storage.launches.findLaunch(organisationId, id)
    if (found === undefined || found.endedAt !== null) throw over()
    return found
  }

  /** The progress that comes of it; throws what speaks against it. */
  async #judge(launch: LaunchRecord, sent: readonly SentStatement[]): Promise<Progress> {
    const { settings } = launch.data as unknown as LaunchData
    const [unit, before, now] = [unitOf(launch, settings), progressOf(launch), this.#parts.clock.now()]
    const judged = judge(unit, before, sent, now)
    if (judged.isAccepted) return judged.progress
    const settled = judged.because.filter(({ since }) => since <= now - storingMs)
    const unstored = await this.#listUnstored(launch, settled)
    const anew = unstored.size === 0 ? judged : judge(unit, forget(before, unstored), sent, now)
    if (anew.isAccepted) return anew.progress
    const { message, detail } = refusal(capped(anew.failures))
    throw new DomainError('invalid', message, { detail: { ...detail, decidedBy } })
  }

  /** Noted, and then something broke; or voided meanwhile. Neither speaks against anything. */
  async #listUnstored({ lrsId, credentialId }: LaunchRecord, noted: readonly Noted[]): Promise<ReadonlySet<string>> {
    const options = { isVoided: false, owner: credentialId }
    const found = noted.map(({ id }) => this.#parts.storage.statements.find(lrsId, id, options))
    const stored = await Promise.all(found)
    return new Set(noted.filter((_, index) => stored[index]?.statement === undefined).map(({ id }) => id))
  }

  #inTurn<T>(id: LaunchId, work: (turn: Turn) => Promise<T>): Promise<T> {
    const turn = this.#turns.get(id) ?? { waiting: 0, last: Promise.resolve(), end: undefined }
    if (turn.end !== undefined) throw over()
    if (turn.waiting >= mostWaiting) throw overloaded('Too many requests of this session are under way; try again.')
    this.#turns.set(id, turn)
    turn.waiting += 1
    const mine = this.#takeTurn(id, turn, work)
    turn.last = mine.catch(() => {})
    return mine
  }

  /** Section 9.3.8: who waits already is heard before the end; who comes later is not, or it would never come. */
  async #takeTurn<T>(id: LaunchId, turn: Turn, work: (turn: Turn) => Promise<T>): Promise<T> {
    await turn.last
    try {
      return await work(turn)
    } finally {
      if (turn.waiting === 1) await turn.end?.()
      turn.waiting -= 1
      if (turn.waiting === 0) this.#turns.delete(id)
    }
  }
}

/** Requests of one session, one after the other. */
interface Turn {
  waiting: number
  last: Promise<unknown>
  /** To be done when nobody waits any more. */
  end: (() => Promise<void>) | undefined
}

/** Of the launched activity itself; of cmi5 only a cmi5 defined statement ends the session. */
function isTerminated(statement: SentStatement['statement'], { style, activityId }: SessionLaunch): boolean {
  if (style === 'cmi5') return definedVerb(statement) === 'terminated'
  const { verb, object } = statement
  if (!isObject(verb) || !isObject(object)) return false
  return verb['id'] === unitVerbs.terminated && object['id'] === activityId
}

/** Nothing was stored, for sure. Where nobody knows, the store is asked when it matters (`#listUnstored`). */
function isRefused(error: unknown): boolean {
  if (!isDomainError(error)) return false
  const { code, detail } = error
  return detail.decidedBy === overload || (code !== 'unavailable' && code !== 'internal')
}

/** Whoever signed in and found it over meanwhile. */
function over(): DomainError {
  const message = 'This session is over; nothing was stored.'
  const failures = [{ pointer: '', rule: 'cmi5/9.3.8', message }]
  return new DomainError('forbidden', message, { detail: { decidedBy, failures } })
}
