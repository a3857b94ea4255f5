// The port to a Learning Record Store elsewhere, as forwarding needs it: give it statements, read what it has. Knows no HTTP; what
// comes back says what to do next, and why in words for the person whose pipe it is.

import type { XapiVersion } from './xapi/version.ts'

/** Where it is, and as whom. Both empty: as nobody. */
export interface Endpoint {
  /** Absolute, without `/statements`. */
  readonly url: string
  readonly user: string
  readonly password: string
}

/** Bytes that go along with a statement. */
export interface OutgoingPart {
  /** Lower-case hex. */
  readonly sha2: string
  readonly contentType: string
  readonly length: number
  bytes(): AsyncIterable<Uint8Array>
}

export interface OutgoingStatement {
  /** Lower-case UUID. */
  readonly id: string
  /** As it is sent, character by character. */
  readonly text: string
  readonly version: XapiVersion
  readonly parts: readonly OutgoingPart[]
}

/** It did not work now: worth another try. */
export interface Later {
  readonly kind: 'later'
  readonly reason: string
  /** What whoever refused asked for. */
  readonly afterMs?: number
  /** The answer was longer than anybody reads: less must be asked for. */
  readonly isTooLong?: true
}

/** No retry mends it: somebody has to. */
export interface Refused {
  readonly kind: 'refused'
  readonly reason: string
}

export type Delivery =
  /** All are there for good; `alreadyThere`: had been before. */
  | { readonly kind: 'delivered'; readonly alreadyThere: number }
  /** Too much at a time, or one of them is not taken: fewer may pass. Of a single one it is `refused`. */
  | { readonly kind: 'fewer'; readonly reason: string }
  | Later
  | Refused

export interface ReadStatement {
  readonly id: string
  readonly text: string
  /** As it stands there. */
  readonly stored: string
  readonly version: XapiVersion
  /** Of those, the ones whose bytes only it has. */
  readonly sha2s: readonly string[]
  /** Only `find` has these. */
  readonly isVoided?: true
}

/** Something on a page that no id or stored time tells apart from others. */
export interface Nameless {
  readonly record: unknown
  /** A sentence. */
  readonly reason: string
}

export interface ReadPage {
  readonly kind: 'page'
  /** Oldest first. */
  readonly statements: readonly ReadStatement[]
  /** Not among them. */
  readonly nameless: readonly Nameless[]
  /** Where to continue; undefined at the end. */
  readonly more: string | undefined
  /** All that is stored before this is there; undefined where it does not say so. */
  readonly consistentThrough: string | undefined
}

/** One store elsewhere, for as long as somebody has to do with it. */
export interface RemoteLrs {
  /** It takes neither `authority` nor `stored`: they are left out. Learned from its refusal. */
  readonly isBare: boolean
  /** All of one version, in this order; none of them is skipped. Rejects with the signal's reason only, and with what `parts` throw. */
  deliver(statements: readonly OutgoingStatement[], signal: AbortSignal): Promise<Delivery>
  /** Oldest first: stored after `since`, or the page that `more` names. */
  read(
    from: { readonly since?: string | undefined; readonly more?: string | undefined; readonly limit: number },
    signal: AbortSignal,
  ): Promise<ReadPage | Later | Refused>
  /** Either one that is voided there, which no page has, or one that is not; undefined: there is none. */
  find(
    id: string,
    which: { readonly isVoided: boolean },
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'found'; readonly statement: ReadStatement | undefined } | Later | Refused>
  /** The bytes that one statement came with. */
  readParts(
    statement: ReadStatement,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'parts'; readonly parts: readonly OutgoingPart[] } | Later | Refused>
}

export interface RemoteLrsDoor {
  open(endpoint: Endpoint, known?: { readonly isBare?: boolean | undefined }): RemoteLrs
  /** Why nobody will ever be reached at this address; undefined where that is not known. */
  problemWith(url: string): string | undefined
}
