// Counters per credential and secret, kept in memory and flushed every few seconds: never a write on the hot path.

import { DomainError } from './errors.ts'
import { demand, explainLook } from './grant.ts'
import type { CredentialId, OrganisationId, SecretId } from './ids.ts'
import type { Caller, Principal } from './principal.ts'
import type { Clock, CredentialRecord, Storage, UsageDelta } from './storage.ts'

export interface Counted {
  readonly statements?: number | undefined
  /** Why the request was refused, one of few words: `forbidden`, `rate_limited`, … */
  readonly refusal?: string | undefined
  readonly userAgent?: string | undefined
}

/** Whose counter it is. */
export interface Counting {
  readonly organisationId: OrganisationId
  readonly credentialId: CredentialId
  readonly secretId?: SecretId | undefined
  readonly address?: string | undefined
}

type Counter = { -readonly [Name in keyof Omit<UsageDelta, 'refusals'>]: UsageDelta[Name] } & {
  refusals: Record<string, number>
}

/** Within the ten seconds that are promised, the write itself included. */
const flushEveryMs = 9000
const maxUserAgentLength = 255
/** Reasons counted per secret between two flushes; more are counted as `other`. */
const maxReasons = 20
const idsAtOnce = 1_000

export class UsageMeter {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #timer: NodeJS.Timeout
  #counters = new Map<CredentialId, Map<SecretId | undefined, Counter>>()
  #flushing: Promise<void> = Promise.resolve()

  constructor(parts: { storage: Storage; clock: Clock; onError?: (error: unknown) => void }) {
    this.#storage = parts.storage
    this.#clock = parts.clock
    this.#onError = parts.onError ?? (() => {})
    this.#timer = setInterval(() => void this.flush().catch(this.#onError), flushEveryMs).unref()
  }

  /** Counts one request. Synchronous; two map lookups. */
  count(principal: Principal, counted: Counted = {}): void {
    this.countFor(principal, counted)
  }

  /** As `count`, where there is no principal: a sign-in refused for a known credential. */
  countFor(counting: Counting, { statements = 0, refusal, userAgent }: Counted): void {
    const counter = this.#counterOf(counting)
    counter.requests += 1
    counter.statements += statements
    counter.lastAt = this.#clock.now()
    if (counting.address !== undefined) counter.lastAddress = counting.address
    if (userAgent !== undefined) counter.lastUserAgent = userAgent.slice(0, maxUserAgentLength)
    if (refusal !== undefined) addReason(counter.refusals, refusal, 1)
  }

  /** Totals per secret, what is still in memory included. Needs management that may look at the key, or be one's own. */
  async list(caller: Caller, credentialId: CredentialId): Promise<readonly UsageDelta[]> {
    if (caller.credentialId !== credentialId) await this.#look(caller, credentialId)
    await this.flush()
    return this.#storage.directory.listUsage(caller.organisationId, credentialId)
  }

  /** When each was last used, what is still in memory included; those that never were are left out. As `list`. */
  async lastUses(caller: Caller, credentials: readonly CredentialRecord[]): Promise<ReadonlyMap<CredentialId, number>> {
    for (const credential of credentials) demand(explainLook(caller, 'read', credential))
    await this.flush()
    const uses = new Map<CredentialId, number>()
    const ids = credentials.map(({ id }) => id)
    for (let from = 0; from < ids.length; from += idsAtOnce) {
      const some = ids.slice(from, from + idsAtOnce)
      const found = await this.#storage.directory.listLastUses(caller.organisationId, some)
      for (const { credentialId, at } of found) uses.set(credentialId, at)
    }
    return uses
  }

  async #look(caller: Caller, id: CredentialId): Promise<void> {
    demand(explainLook(caller, 'read'))
    const found = await this.#storage.directory.findCredential(caller.organisationId, id)
    if (found === undefined) throw new DomainError('not_found', `There is no key ${id}.`)
    demand(explainLook(caller, 'read', found))
  }

  /** Writes what was counted so far. What cannot be written is kept for the next time. */
  flush(): Promise<void> {
    const flush = this.#flushing.then(() => this.#write())
    this.#flushing = flush.catch(() => {})
    return flush
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }

  async #write(): Promise<void> {
    if (this.#counters.size === 0) return
    const counters = this.#counters
    this.#counters = new Map()
    const deltas = [...counters.values()].flatMap((bySecret) => [...bySecret.values()])
    try {
      await this.#storage.platform.addUsage(deltas)
    } catch (error) {
      for (const delta of deltas) this.#putBack(delta)
      throw error
    }
  }

  #putBack(delta: Counter): void {
    const counter = this.#counterOf({ ...delta, secretId: delta.secretId ?? undefined })
    counter.requests += delta.requests
    counter.statements += delta.statements
    counter.firstAt = Math.min(counter.firstAt, delta.firstAt)
    counter.lastAt = Math.max(counter.lastAt, delta.lastAt)
    counter.lastAddress ??= delta.lastAddress
    counter.lastUserAgent ??= delta.lastUserAgent
    for (const [reason, count] of Object.entries(delta.refusals)) addReason(counter.refusals, reason, count)
  }

  #counterOf({ organisationId, credentialId, secretId }: Counting): Counter {
    let bySecret = this.#counters.get(credentialId)
    if (bySecret === undefined) this.#counters.set(credentialId, (bySecret = new Map()))
    let counter = bySecret.get(secretId)
    if (counter === undefined) {
      const now = this.#clock.now()
      counter = {
        ...{ organisationId, credentialId, secretId: secretId ?? null, requests: 0, statements: 0, refusals: {} },
        ...{ firstAt: now, lastAt: now, lastAddress: null, lastUserAgent: null },
      }
      bySecret.set(secretId, counter)
    }
    return counter
  }
}

function addReason(refusals: Record<string, number>, reason: string, count: number): void {
  const name = reason in refusals || Object.keys(refusals).length < maxReasons ? reason : 'other'
  refusals[name] = (refusals[name] ?? 0) + count
}
