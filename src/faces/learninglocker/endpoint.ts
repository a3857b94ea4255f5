// What a route of this API is. Knows none of them.

import type { Principal } from '../../core/principal.ts'
import type { Asking, Call, Needs } from './auth.ts'

interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Absolute, in the case of the mount. */
  readonly path: string
}

/** For a client that signed in. */
export interface Endpoint extends Route {
  readonly needs: Needs
  /** Takes a body of JSON, and refuses others before anybody signs in. */
  readonly takesJson?: boolean
  /** Throws what `answer` would of the query, for who asks, before it looks for anything. */
  readonly checkQuery?: (query: URLSearchParams, principal: Principal) => void
  readonly answer: (call: Call) => Promise<Response>
}

/** For whoever asks: signs in by a way of its own, if at all. */
export interface OpenEndpoint extends Route {
  readonly needs?: undefined
  /** Answers whoever asks as a path that is not there. */
  readonly isNothing?: true
  readonly answer: (asking: Asking) => Promise<Response>
}
