// Per-credential limits and the counters that enforce them. All off by default.

import type { Principal } from './principal.ts'

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
  readonly bodyBytes?: number
  readonly batch?: number
}

export interface Rate {
  readonly perMinute: number
  readonly burst?: number
}

export class RateLimits {
  /** Throws `rate_limited` with `retryAfterSeconds`. Buckets do not share counters. */
  async consume(bucket: string, key: string, rate: Rate): Promise<void> {
    void [bucket, key, rate]
    throw new Error('not written yet')
  }

  /** Addresses, origins, versions, then rate and daily quota. Once per request; undefined when nothing needs waiting for. */
  admit(principal: Principal, arrival: Arrival): Promise<void> | undefined {
    void [principal, arrival]
    throw new Error('not written yet')
  }

  /** Throws `too_large`. Pure; may be asked again as the body grows. */
  checkLoad(principal: Principal, load: Load): void {
    void [principal, load]
    throw new Error('not written yet')
  }

  /** The largest body this principal may send: the smaller of its own and the server's limit. */
  bodyLimit(principal: Principal): number {
    void principal
    throw new Error('not written yet')
  }
}
