// Per-credential limits and the counters that enforce them. All off by default.

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
