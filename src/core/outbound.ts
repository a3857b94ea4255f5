// The port for every request this program makes on somebody's behalf: callbacks, forwarding. Who is asked was named by a tenant,
// so which addresses may be reached at all is the policy of whoever implements it. Knows nothing of sockets.

/** Closed list of why there was no answer. An answer of whatever status is none of them. */
export type OutboundFailure =
  | 'refused-address' // the policy: the URL's form, or an address behind its name; nothing was connected to
  | 'dns' // the name does not resolve
  | 'connect' // nobody listens, or the connection broke before the answer was complete
  | 'tls' // no valid certificate for the name
  | 'timeout' // the whole exchange took too long
  | 'too-large' // the answer is longer than was asked for
  | 'protocol' // what came back is no HTTP
  | 'busy' // too many requests of this process are under way; nothing was sent
  | 'aborted' // by the caller's signal

/** `message` is for operators: it names the host, never a header, a body, or what stands in a URL behind the host. */
export class OutboundError extends Error {
  readonly kind: OutboundFailure

  constructor(kind: OutboundFailure, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'OutboundError'
    this.kind = kind
  }
}

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Absolute; https, or http where the policy allows it. Without user name and password. */
  readonly url: string
  /** Values without line breaks. Host, Connection, Content-Length and Accept-Encoding are the client's. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>
  /** For the whole exchange, from looking up the name to the last byte of the answer. */
  readonly timeoutMs: number
  /** Of the answer's body; more of it is not read. */
  readonly mostBytes: number
  readonly signal?: AbortSignal | undefined
}

export interface OutboundAnswer {
  readonly status: number
  /** By lower-case name; several values of one name joined with a comma. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
}

export interface Outbound {
  /** Follows no redirect, keeps no cookie, asks for no compression. Rejects with `OutboundError` only. */
  request(request: OutboundRequest): Promise<OutboundAnswer>
  /**
   * Why no request to this URL would ever be made, as far as its text tells: for whoever stores one. Undefined says nothing yet of
   * the addresses its name leads to; those are judged by each request.
   */
  problemWith(url: string): string | undefined
}

/** When to come back, where whoever refuses says so (RFC 9110 section 10.2.3): seconds, or a date. */
export function retryAfterMs({ headers }: OutboundAnswer): number | undefined {
  const value = headers.get('retry-after')?.trim()
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}

/** Where nothing was configured: reaches nobody. */
export const noOutbound: Outbound = {
  request: () => Promise.reject(new OutboundError('refused-address', 'This process makes no outgoing requests.')),
  problemWith: () => undefined,
}
