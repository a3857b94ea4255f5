// What remote endpoints say of users, asked as seldom as may be: remembered here, shared with other nodes, asked once for many at
// a time, and never by more than a few at once. Knows neither how an endpoint is asked (a protocol, which a face brings) nor
// what a verdict permits (callback.ts). Lifetimes: ledger S1.14, S1.15, S1.19.

import { LRUCache } from 'lru-cache'
import type { Log } from './core.ts'
import { overloaded } from './errors.ts'
import { Gate } from './gate.ts'
import type { ApplicationId } from './ids.ts'
import { OutboundError } from './outbound.ts'
import type { Outbound, OutboundAnswer, OutboundRequest } from './outbound.ts'
import type { Clock, Note, Storage } from './storage.ts'
import type { Vault } from './vault.ts'

/** How far a verified user reaches: what is about themselves, everything, everything but only to read it. */
export type CallbackPermission = 'own' | 'everything' | 'reading'

export type CallbackVerdict =
  | { readonly kind: 'verified'; readonly permission: CallbackPermission }
  | { readonly kind: 'unverified' }
  /** An answer that says neither; counts as unverified. */
  | { readonly kind: 'unreadable'; readonly because: string }
  /** Nobody answered, or somebody who says so. Of the user, not of the password: S1.14. */
  | { readonly kind: 'unreachable'; readonly because: string }

/** How an endpoint is asked, and what its answer means. */
export interface CallbackProtocol {
  ask(user: string, password: string): Pick<OutboundRequest, 'method' | 'headers' | 'body'>
  read(answer: OutboundAnswer): CallbackVerdict
}

export interface CallbackQuestion {
  readonly applicationId: ApplicationId
  readonly generation: string
  readonly url: string
  readonly user: string
  readonly password: string
}

export interface RememberedVerdict {
  readonly kind: CallbackVerdict['kind']
  /** With `verified`. */
  readonly permission?: CallbackPermission
  /** Unix milliseconds. */
  readonly until: number
}

/** What was answered, and how it was read. */
export interface Asked {
  readonly verdict: CallbackVerdict
  /** Absent where nobody answered. */
  readonly answer?: OutboundAnswer
}

const verifiedForMs = 30 * 60_000
const otherwiseForMs = 60_000
/** Of one exchange; who signs in waits for it. */
const timeoutMs = 8000
const mostBytes = 64 * 1024
/** Verdicts in memory. */
const remembered = 20_000
/** A slow endpoint holds so many of its application's sign-ins, and turns the next away. */
const perApplication = { atOnce: 8, waiting: 64, waitMs: 5000 }
/** Of all applications together: a quarter of the requests that may be under way. */
const mostWaiting = 250
const tooBusy = 'Too many sign-ins are waiting for this callback'
/** One line about each application in this time. */
const tellEveryMs = 60_000

export interface CallbackVerdictsParts {
  readonly storage: Pick<Storage, 'platform'>
  readonly vault: Vault
  readonly clock: Clock
  readonly outbound: Outbound
  readonly protocol: CallbackProtocol
  readonly log?: Log | undefined
}

export class CallbackVerdicts {
  readonly #parts: CallbackVerdictsParts
  readonly #memory = new LRUCache<string, RememberedVerdict>({ max: remembered })
  readonly #flights = new Map<string, Promise<RememberedVerdict | undefined>>()
  readonly #gates = new Map<ApplicationId, { readonly gate: Gate; inside: number }>()
  readonly #told = new LRUCache<ApplicationId, number>({ max: 1000 })
  #waiting = 0

  constructor(parts: CallbackVerdictsParts) {
    this.#parts = parts
  }

  /**
   * What is known, or what the endpoint says now; undefined where nothing is known and it may not be asked. Throws `unavailable` when
   * too many are waiting for it already.
   */
  async find(question: CallbackQuestion, mayAsk: boolean): Promise<RememberedVerdict | undefined> {
    const names = this.#namesOf(question)
    const known = this.#known(names)
    if (known !== undefined) return known
    const flightName = `${names[0]} ${mayAsk}`
    const under = this.#flights.get(flightName)
    if (under !== undefined) return under
    const flight = this.#findAnew(question, names, mayAsk).finally(() => this.#flights.delete(flightName))
    this.#flights.set(flightName, flight)
    return flight
  }

  /** Asks now, whatever is known, and remembers nothing. */
  async ask({ url, user, password }: Pick<CallbackQuestion, 'url' | 'user' | 'password'>): Promise<Asked> {
    const { outbound, protocol } = this.#parts
    try {
      const answer = await outbound.request({ ...protocol.ask(user, password), url, timeoutMs, mostBytes })
      return { answer, verdict: protocol.read(answer) }
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error
      // Nothing of it is the endpoint's doing.
      if (error.kind === 'busy') throw overloaded(tooBusy)
      const { message } = error
      const kind = error.kind === 'too-large' || error.kind === 'protocol' ? 'unreadable' : 'unreachable'
      return { verdict: { kind, because: message } }
    }
  }

  async #findAnew(
    question: CallbackQuestion,
    names: readonly [string, string],
    mayAsk: boolean,
  ): Promise<RememberedVerdict | undefined> {
    const { storage, clock } = this.#parts
    const values = await storage.platform.recall(names, clock.now())
    for (const [index, value] of values.entries()) {
      const shared = parseVerdict(value)
      if (shared !== undefined) this.#memory.set(names[index]!, shared)
    }
    const shared = this.#known(names)
    if (shared !== undefined || !mayAsk) return shared
    return this.#pass(question.applicationId, async () => this.#known(names) ?? (await this.#askAnew(question, names)))
  }

  async #askAnew(question: CallbackQuestion, names: readonly [string, string]): Promise<RememberedVerdict> {
    const { storage, clock } = this.#parts
    const { verdict } = await this.ask(question)
    if ('because' in verdict) this.#tell(question.applicationId, verdict.because)
    const now = clock.now()
    const until = now + (verdict.kind === 'verified' ? verifiedForMs : otherwiseForMs)
    const { kind } = verdict
    const found = { kind, until, ...(verdict.kind === 'verified' && { permission: verdict.permission }) }
    const name = names[kind === 'unreachable' ? 1 : 0]
    this.#memory.set(name, found)
    const note: Note = { name, value: JSON.stringify(found), until }
    await storage.platform.remember([note], now)
    return found
  }

  // A user who was verified stays so while the endpoint is away.
  #known(names: readonly string[]): RememberedVerdict | undefined {
    const now = this.#parts.clock.now()
    for (const name of names) {
      const found = this.#memory.get(name)
      if (found !== undefined && now < found.until) return found
    }
    return undefined
  }

  // Of the user and password, and of the user alone; the generation changes with the URL.
  #namesOf({ applicationId, generation, url, user, password }: CallbackQuestion): readonly [string, string] {
    const { vault } = this.#parts
    const whose = [applicationId, generation, url, user]
    return [vault.noteName('callback verdict', ...whose, password), vault.noteName('callback outage', ...whose)]
  }

  async #pass<T>(applicationId: ApplicationId, work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= mostWaiting) throw overloaded(tooBusy)
    const entry = this.#gates.get(applicationId) ?? { gate: new Gate(perApplication, tooBusy), inside: 0 }
    this.#gates.set(applicationId, entry)
    entry.inside += 1
    this.#waiting += 1
    try {
      return await entry.gate.pass(work)
    } finally {
      this.#waiting -= 1
      entry.inside -= 1
      if (entry.inside === 0) this.#gates.delete(applicationId)
    }
  }

  #tell(application: ApplicationId, reason: string): void {
    const now = this.#parts.clock.now()
    if (now - (this.#told.get(application) ?? -Infinity) < tellEveryMs) return
    this.#told.set(application, now)
    this.#parts.log?.warn({ application, reason }, 'A callback gave no verdict; its users are refused for a minute.')
  }
}

function parseVerdict(value: string | undefined): RememberedVerdict | undefined {
  return value === undefined ? undefined : (JSON.parse(value) as RememberedVerdict)
}
