// Per-credential limits and the counters that enforce them. All off by default. What is counted here is brought
// together with other nodes by count-exchange.ts.

import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { RateLimiterRes } from 'rate-limiter-flexible'
import { z } from 'zod'
import { DomainError } from './errors.ts'
import type { ErrorCode } from './errors.ts'
import type { Principal } from './principal.ts'
import type { Clock, SharedCount } from './storage.ts'

export interface Limits {
  /** Requests a minute. */
  readonly ratePerMinute?: number
  /** Requests admitted at once on top of the rate. */
  readonly burst?: number
  /** Statements in one POST. */
  readonly batch?: number
  /** Bytes of one request body. */
  readonly bodyBytes?: number
  /** Requests a UTC day. */
  readonly dailyQuota?: number
  /** Addresses or CIDR ranges a request may come from. */
  readonly addresses?: readonly string[]
  /** Values of the Origin header a browser may send; requests without Origin pass. */
  readonly origins?: readonly string[]
  /** xAPI versions: `1.0`, `2.0`. */
  readonly xapiVersions?: readonly string[]
}

export const noLimits: Limits = {}

const count = z.int('A limit is a whole number.').min(1, 'A limit is at least 1.').max(Number.MAX_SAFE_INTEGER)
const address = z
  .string()
  .refine((text) => parseRange(text) !== undefined, 'Expected an IP address or a CIDR range such as 192.0.2.0/24.')
const origin = z.string().refine(isOrigin, 'Expected an origin such as https://lms.example.org, without path or slash.')

export const limitsSchema: z.ZodType<Limits> = z.strictObject({
  ratePerMinute: count.exactOptional(),
  burst: z.int('A limit is a whole number.').min(0).max(1_000_000).exactOptional(),
  batch: count.exactOptional(),
  bodyBytes: count.exactOptional(),
  dailyQuota: count.exactOptional(),
  addresses: z.array(address).min(1, 'A list of addresses names at least one.').max(100).exactOptional(),
  origins: z.array(origin).min(1, 'A list of origins names at least one.').max(100).exactOptional(),
  xapiVersions: z
    .array(z.enum(['1.0', '2.0'], 'Versions are 1.0 and 2.0.'))
    .min(1)
    .max(2)
    .exactOptional(),
})

/** What is known of a request when it arrives. */
export interface Arrival {
  readonly address?: string | undefined
  /** The Origin header. */
  readonly origin?: string | undefined
  /** Family of the xAPI version asked for: `1.0`, `2.0`. */
  readonly version?: string | undefined
}

/** What is known once its body is being read. */
export interface Load {
  readonly bodyBytes?: number | undefined
  readonly batch?: number | undefined
}

export interface Rate {
  readonly perMinute: number
  readonly burst?: number | undefined
}

export interface LimitRefusal {
  readonly code: ErrorCode
  /** `limit addresses`. */
  readonly decidedBy: string
  readonly reason: string
  readonly remedy: string
}

/** The first limit that decides against what is known of a request; what is not known is not judged. Counts nothing. */
export function refusingLimit(limits: Limits, { address, origin, version }: Arrival): LimitRefusal | undefined {
  if (limits.addresses !== undefined && !isAddressIn(address, rangesOf(limits))) {
    return refusal('addresses', `This key may not be used from ${address ?? 'an unknown address'}.`)
  }
  if (limits.origins !== undefined && origin !== undefined && !limits.origins.includes(origin)) {
    return refusal('origins', 'This key may not be used by web pages of this origin.')
  }
  if (limits.xapiVersions !== undefined && version !== undefined && !limits.xapiVersions.includes(version)) {
    return refusal('xapiVersions', `This key may use xAPI ${limits.xapiVersions.join(', ')}, not ${version}.`)
  }
  return undefined
}

/** True when `a` lets no request pass that `b` stops. */
export function areLimitsWithin(a: Limits, b: Limits): boolean {
  const isLower = (one: number | undefined, two: number | undefined) =>
    two === undefined || (one !== undefined && one <= two)
  const isShorter = (one: readonly string[] | undefined, two: readonly string[] | undefined) =>
    two === undefined || one?.every((value) => two.includes(value)) === true
  return (
    isLower(a.ratePerMinute, b.ratePerMinute) &&
    (b.ratePerMinute === undefined || isLower(a.burst ?? 0, b.burst ?? 0)) &&
    isLower(a.batch, b.batch) &&
    isLower(a.bodyBytes, b.bodyBytes) &&
    isLower(a.dailyQuota, b.dailyQuota) &&
    isShorter(a.addresses, b.addresses) &&
    isShorter(a.origins, b.origins) &&
    isShorter(a.xapiVersions, b.xapiVersions)
  )
}

/** What the server allows everybody, whatever their own limits. */
export interface ServerLimits {
  readonly batch: number
  readonly bodyBytes: number
  /** Of the data of one attachment; 128 MiB unless given. */
  readonly attachmentBytes?: number
  /** Of the data of all attachments of one request; 512 MiB unless given. */
  readonly attachmentsBytes?: number
  readonly documentBytes: number
  /** For credentials without a rate of their own. */
  readonly xapiRatePerMinute: number | undefined
}

/** The most of something, and what set it: a refusal of more says which limit that is, and how it is raised. */
export interface SizeLimit {
  readonly most: number
  /** `limit bodyBytes` of the principal's own, `limit CLAVIGER_MAX_BODY` of the server. */
  readonly decidedBy: string
  readonly remedy: string
}

export function beyond({ decidedBy, remedy }: SizeLimit, message: string): DomainError {
  return new DomainError('too_large', `${message}. ${remedy}`, { detail: { decidedBy, remedy } })
}

/** Statements in one request: the smaller of the principal's own limit and the server's. */
export function batchLimitOf({ limits }: Principal, server: number): SizeLimit {
  return smaller(limits, 'batch', ofServer('CLAVIGER_MAX_BATCH', server))
}

const minute = 60
const day = 86_400

/** Rates and quotas remembered; see `Counters`. */
export const rememberedRates = 100_000

export interface RateLimitsParts {
  readonly clock: Clock
  readonly server: ServerLimits
  /** Those of this process alone unless given. */
  readonly counters?: Counters
}

export class RateLimits {
  readonly #clock: Clock
  readonly #server: ServerLimits
  readonly #counters: Counters

  constructor({ clock, server, counters = new Counters(rememberedRates) }: RateLimitsParts) {
    this.#clock = clock
    this.#server = server
    this.#counters = counters
  }

  /** Throws `rate_limited` with `retryAfterSeconds`. Buckets do not share counters. */
  async consume(bucket: string, key: string, { perMinute, burst = 0 }: Rate): Promise<void> {
    const { count, seconds } = await this.#counters.add(`${bucket}\n${key}`, minute)
    if (count > perMinute + burst) throw limited('limit ratePerMinute', `${perMinute} requests a minute`, seconds)
  }

  /** Addresses, origins, versions, then rate and daily quota. Once per request; undefined when nothing needs waiting for. */
  admit(principal: Principal, arrival: Arrival): Promise<void> | undefined {
    const { limits } = principal
    const refused = refusingLimit(limits, arrival)
    if (refused !== undefined) {
      throw new DomainError(refused.code, refused.reason, { detail: { decidedBy: refused.decidedBy } })
    }
    const perMinute = limits.ratePerMinute ?? this.#server.xapiRatePerMinute
    if (perMinute === undefined && limits.dailyQuota === undefined) return undefined
    return this.#count(principal, perMinute)
  }

  /** Throws `too_large`. Pure; may be asked again as the body grows. */
  checkLoad(principal: Principal, { bodyBytes = 0, batch = 0 }: Load): void {
    const bodyLimit = this.bodyLimit(principal)
    if (bodyBytes > bodyLimit.most) throw beyond(bodyLimit, `A request body may have ${bodyLimit.most} bytes`)
    const batchLimit = batchLimitOf(principal, this.#server.batch)
    if (batch > batchLimit.most) throw beyond(batchLimit, `One request may carry ${batchLimit.most} statements`)
  }

  /** The largest body this principal may send: the smaller of its own and the server's limit. */
  bodyLimit({ limits }: Principal): SizeLimit {
    return smaller(limits, 'bodyBytes', ofServer('CLAVIGER_MAX_BODY', this.#server.bodyBytes))
  }

  /** The largest document this principal may send. JSON is parsed to be merged, so it keeps to the limit of bodies, too. */
  documentLimit(principal: Principal, { isJson }: { readonly isJson: boolean }): SizeLimit {
    const { bodyBytes, documentBytes } = this.#server
    if (isJson && bodyBytes < documentBytes) return this.bodyLimit(principal)
    return smaller(principal.limits, 'bodyBytes', ofServer('CLAVIGER_MAX_DOCUMENT', documentBytes))
  }

  /** What attachments may have, apart from the statements. A limit of the principal's own is one for all that it sends. */
  attachmentLimits({ limits }: Principal): { readonly each: SizeLimit; readonly together: SizeLimit } {
    const { attachmentBytes = 128 * 1024 ** 2, attachmentsBytes = 512 * 1024 ** 2 } = this.#server
    const together = smaller(limits, 'bodyBytes', ofServer('CLAVIGER_MAX_UPLOAD', attachmentsBytes))
    const each = ofServer('CLAVIGER_MAX_ATTACHMENT', attachmentBytes)
    return { each: each.most < together.most ? each : together, together }
  }

  // Sessions count as their parent: a credential does not get round its rate by making children.
  async #count({ credentialId, limits }: Principal, perMinute: number | undefined): Promise<void> {
    if (perMinute !== undefined) await this.consume('xapi', String(credentialId), { perMinute, burst: limits.burst })
    if (limits.dailyQuota === undefined) return
    const now = Math.floor(this.#clock.now() / 1000)
    const left = day - (now % day)
    const { count } = await this.#counters.add(`day ${Math.floor(now / day)}\n${credentialId}`, left)
    if (count > limits.dailyQuota) throw limited('limit dailyQuota', `${limits.dailyQuota} requests a day`, left)
  }
}

/**
 * Counters by name over a window that begins with the first count, at most `max` names: under a flood of names the least
 * recently used are forgotten, so that an attacker costs no memory.
 */
export class Counters {
  readonly #limiter = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: minute })
  readonly #names: LRUCache<string, true>
  /** Counted here, and not told to other nodes yet; undefined where there are none. */
  readonly #untold: Map<string, Delta> | undefined

  constructor(max: number, { isTold = false }: { readonly isTold?: boolean } = {}) {
    this.#untold = isTold ? new Map() : undefined
    this.#names = new LRUCache({
      max,
      dispose: (_, name, reason) => {
        if (reason !== 'evict') return
        this.#untold?.delete(name)
        void this.#limiter.delete(name)
      },
    })
  }

  get size(): number {
    return this.#names.size
  }

  /** Adds one; answers the sum and the seconds until the window ends. */
  async add(name: string, windowSeconds: number): Promise<{ readonly count: number; readonly seconds: number }> {
    this.#names.set(name, true)
    this.untell(name, { delta: 1, windowSeconds })
    return counted(await this.#limiter.penalty(name, 1, { customDuration: windowSeconds }))
  }

  /** The sum as it is. */
  async look(name: string): Promise<{ readonly count: number; readonly seconds: number }> {
    const now = await this.#limiter.get(name)
    return now === null ? { count: 0, seconds: 0 } : counted(now)
  }

  /** Takes one back, as long as its window lasts. */
  async takeBack(name: string): Promise<void> {
    const now = await this.#limiter.get(name)
    if (now === null || now.consumedPoints <= 0) return
    this.untell(name, { delta: -1, windowSeconds: Math.max(1, now.msBeforeNext / 1000) })
    await this.#limiter.reward(name, 1)
  }

  /** What other nodes should learn. */
  untold(): readonly (readonly [string, Delta])[] {
    return [...(this.#untold ?? [])]
  }

  /** So much of it is on its way. */
  told(name: string, delta: number): void {
    const left = this.#untold?.get(name)
    if (left === undefined) return
    if (left.delta === delta) this.#untold?.delete(name)
    else this.#untold?.set(name, { ...left, delta: left.delta - delta })
  }

  /** It did not arrive, or came after. */
  untell(name: string, { delta, windowSeconds }: Delta): void {
    this.#untold?.set(name, { delta: (this.#untold.get(name)?.delta ?? 0) + delta, windowSeconds })
  }

  /** What all nodes have counted, but for what is still untold here. */
  learn(name: string, { count, leftMs }: SharedCount): void {
    if (!this.#names.has(name)) return
    const sum = count + (this.#untold?.get(name)?.delta ?? 0)
    void this.#limiter.set(name, Math.max(0, sum), Math.max(1, Math.ceil(leftMs / 1000)))
  }
}

/** Counted since, in a window of that length. */
export interface Delta {
  readonly delta: number
  readonly windowSeconds: number
}

function counted(result: RateLimiterRes): { readonly count: number; readonly seconds: number } {
  return { count: result.consumedPoints, seconds: Math.max(1, Math.ceil(result.msBeforeNext / 1000)) }
}

export function limited(decidedBy: string, allowance: string, retryAfterSeconds: number): DomainError {
  const message = `Too many requests: ${allowance} are allowed. Try again in ${retryAfterSeconds} seconds.`
  return new DomainError('rate_limited', message, { detail: { decidedBy, retryAfterSeconds } })
}

function refusal(limit: string, reason: string): LimitRefusal {
  const remedy = `Change the limit "${limit}" of this key.`
  return { code: 'forbidden', decidedBy: `limit ${limit}`, reason, remedy }
}

function ofServer(setting: string, most: number): SizeLimit {
  return { most, decidedBy: `limit ${setting}`, remedy: `Raise ${setting} on the server.` }
}

/** `name`: which of the principal's own. */
function smaller(own: Limits, name: 'bodyBytes' | 'batch', server: SizeLimit): SizeLimit {
  const most = own[name]
  if (most === undefined || most >= server.most) return server
  return { most, decidedBy: `limit ${name}`, remedy: `Change the limit "${name}" of this key.` }
}

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Range = readonly [Address, number]

// Limits objects are never changed, only replaced, so their parsed form can hang on the object.
const parsedRanges = new WeakMap<Limits, readonly Range[]>()

function rangesOf(limits: Limits): readonly Range[] {
  const known = parsedRanges.get(limits)
  if (known !== undefined) return known
  const ranges = (limits.addresses ?? []).map(parseRange).filter((range) => range !== undefined)
  parsedRanges.set(limits, ranges)
  return ranges
}

function isAddressIn(text: string | undefined, ranges: readonly Range[]): boolean {
  if (text === undefined || !ipaddr.isValid(text)) return false
  const address = ipaddr.process(text)
  return ranges.some(([base, bits]) => address.kind() === base.kind() && address.match(base, bits))
}

function parseRange(text: string): Range | undefined {
  try {
    if (text.includes('/')) {
      const [base, bits] = ipaddr.parseCIDR(text)
      // Requests from mapped addresses are judged as IPv4, so a range of mapped ones would never match.
      return base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() ? undefined : [base, bits]
    }
    if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) return undefined
    const address = ipaddr.process(text)
    return [address, address.kind() === 'ipv4' ? 32 : 128]
  } catch {
    return undefined
  }
}

function isOrigin(text: string): boolean {
  return text === 'null' || (URL.canParse(text) && new URL(text).origin === text)
}
