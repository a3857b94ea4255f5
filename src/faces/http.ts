// What every face needs of HTTP: bodies, credentials in headers, addresses, request ids, CORS, errors, usage.
// Knows no vendor and no xAPI; speaks of errors through the face's own presenter.

import type { IncomingMessage } from 'node:http'
import { Hono } from 'hono'
import type { Context } from 'hono'
import type { Core } from '../core/core.ts'
import { DomainError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { OrganisationId } from '../core/ids.ts'
import type { Principal } from '../core/principal.ts'
import type { ErrorAnswer, ErrorContext, FaceEnv } from './face.ts'

/** What app.ts knows about a request before any face sees it. */
export interface RequestContext {
  readonly requestId: string
  /** The client's address, seen through trusted proxies only. */
  readonly address: string | undefined
  /** Node's own request, when the server and not a test delivers it. */
  readonly incoming?: IncomingMessage
}

/** A refusal that exists in HTTP only (405, 415, …): a domain code for the presenter plus the status that shall win. */
export class HttpError extends DomainError {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ErrorCode, status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(code, message)
    this.status = status
    this.headers = headers
  }
}

/** The status of an error: its own if it is an `HttpError`, else the face's. */
export function statusOf(error: DomainError, table: Readonly<Record<ErrorCode, number>>): number {
  return error instanceof HttpError ? error.status : table[error.code]
}

export interface FaceAppOptions {
  /** For the log. */
  readonly name: string
  presentError(error: DomainError, context: ErrorContext): ErrorAnswer
  /** Offer cross-origin use (no cookies, so any origin). Default true. */
  readonly cors?: boolean
}

/** A Hono app with errors, unknown paths, request ids, CORS, security headers and usage counting taken care of. */
export function faceApp(core: Core, options: FaceAppOptions): Hono<FaceEnv> {
  void core
  void options
  return new Hono<FaceEnv>({ strict: false })
}

export type PresentedCredentials =
  | { readonly kind: 'basic'; readonly key: string; readonly secret: string }
  | { readonly kind: 'bearer'; readonly token: string }

/** Reads an Authorization header. Undefined when absent; throws `unauthenticated` when malformed or of another scheme. */
export function parseAuthorization(header: string | undefined): PresentedCredentials | undefined {
  void header
  throw new Error('not written yet')
}

/** Signs in by the Authorization header, applies the credential's limits, remembers the principal for usage. */
export async function authenticate(
  c: Context<FaceEnv>,
  core: Core,
  options: { readonly within?: OrganisationId | undefined; readonly xapiVersion?: string } = {},
): Promise<Principal> {
  void c
  void core
  void options
  throw new Error('not written yet')
}

/** The body as text: at most `limitBytes` (`too_large`), valid UTF-8 (`invalid`), a leading BOM dropped. */
export async function readText(c: Context<FaceEnv>, limitBytes: number): Promise<string> {
  void c
  void limitBytes
  throw new Error('not written yet')
}

/** The body as JSON of media type application/json; throws `invalid`. An absent body is undefined. */
export async function readJson(c: Context<FaceEnv>, limitBytes: number): Promise<unknown> {
  void c
  void limitBytes
  throw new Error('not written yet')
}
