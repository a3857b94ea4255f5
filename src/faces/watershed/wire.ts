// Watershed's JSON: what a request body or query may hold, and what a credential or session looks like in an answer.
// Knows nothing of Hono, storage or who is asking.

import { z } from 'zod'
import { invalid } from '../../core/errors.ts'
import type { Failure } from '../../core/errors.ts'
import type { CredentialRecord, Json, OrganisationRecord, SessionRecord, Slice } from '../../core/storage.ts'
import { maxId } from '../../core/ids.ts'
import { checkName } from '../../core/check.ts'
import { checkKey, checkSecretValue, isLive } from '../../core/secret.ts'
import { sessionSeconds } from '../../core/session.ts'
import { tokenSeconds } from '../../core/token.ts'
import { TokenError } from './errors.ts'
import { apiAccesses, lrsAccesses, scopes, wordsOf } from './words.ts'
import type { ApiAccess, LrsAccess, Scope } from './words.ts'

export const defaultName = 'Unnamed Provider'
const sessionRule = `must be a whole number of seconds from ${sessionSeconds.min} to ${sessionSeconds.max}`

// ---------------------------------------------------------------------------------------------------------------------
// In

function text(check: (value: string) => readonly Failure[]): z.ZodType<string> {
  return z.string('must be a string').superRefine((value, context) => {
    for (const { message } of check(value)) context.addIssue(message)
  })
}

function oneOf<const Word extends string>(words: readonly Word[]): z.ZodType<Word> {
  return z.enum(words, { error: ({ input }) => `must be one of ${words.join(', ')}${notThis(input)}` })
}

function notThis(input: unknown): string {
  return typeof input === 'string' && input.length <= 40 ? `, not ${JSON.stringify(input)}` : ''
}

const providerShape = {
  name: text(checkName),
  key: text(checkKey),
  secret: text(checkSecretValue),
  active: z.boolean('must be true or false'),
  lrsAccess: oneOf(lrsAccesses),
  watershedApiAccess: oneOf(apiAccesses),
}
const providerInput = z.object(providerShape).partial()
export type ProviderInput = z.output<typeof providerInput>

export function readProvider(body: unknown): ProviderInput {
  return check(providerInput, foldNames(body, Object.keys(providerShape)), 'The credential was refused')
}

const sessionShape = {
  expireSeconds: z.number(sessionRule).refine(isSessionLength, sessionRule),
  scope: z.string(`must be a string: one or more of ${scopes.join(', ')}`).transform(scopesIn),
}
const sessionInput = z.object(sessionShape).partial()

export interface SessionInput {
  readonly expireSeconds: number
  /** Empty = all that the parent may. */
  readonly scopes: readonly Scope[]
}

/** The body counts; what it leaves out may stand in the query, where the API's first version had it. */
export function readSession(body: unknown, query: URLSearchParams): SessionInput {
  const given = foldNames(body ?? {}, Object.keys(sessionShape))
  for (const name of Object.keys(sessionShape)) {
    const value = single(query, name)
    if (value === undefined || given[name] !== undefined) continue
    given[name] = name === 'expireSeconds' && /^\d{1,15}$/.test(value) ? Number(value) : value
  }
  const { expireSeconds = sessionSeconds.default, scope = [] } = check(sessionInput, given, 'The session was refused')
  return { expireSeconds, scopes: scope }
}

function isSessionLength(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= sessionSeconds.min && seconds <= sessionSeconds.max
}

function scopesIn(value: string, context: z.RefinementCtx): Scope[] {
  const asked = value.split(/[\s,]+/).filter((word) => word !== '')
  const found = scopes.filter((scope) => asked.includes(scope))
  const unknown = asked.find((word) => !scopes.some((scope) => scope === word))
  if (unknown !== undefined) context.addIssue(`must be one or more of ${scopes.join(', ')}${notThis(unknown)}`)
  return found
}

export interface TokenRequest {
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  readonly expireSeconds: number
  readonly scopes: readonly Scope[]
}

/** RFC 6749 section 4.4.2, with Watershed's comma in `scope` and its `expire_seconds`. */
export function readTokenRequest(form: URLSearchParams): TokenRequest {
  const seen = new Set<string>()
  for (const name of form.keys()) {
    if (seen.has(name)) throw new TokenError('invalid_request', `${name.slice(0, 40)} is given twice`)
    seen.add(name)
  }
  const grant = form.get('grant_type')
  if (!grant) throw new TokenError('invalid_request', 'grant_type is missing; it must be client_credentials')
  if (grant !== 'client_credentials') {
    throw new TokenError('unsupported_grant_type', 'grant_type must be client_credentials')
  }
  const { min, max } = tokenSeconds
  const seconds = form.get('expire_seconds') || String(tokenSeconds.default)
  const expireSeconds = /^\d{1,6}$/.test(seconds) ? Number(seconds) : 0
  if (expireSeconds < min || expireSeconds > max) {
    throw new TokenError('invalid_request', `expire_seconds must be a whole number from ${min} to ${max}`)
  }
  const scope = sessionShape.scope.safeParse(form.get('scope') ?? '')
  if (!scope.success) throw new TokenError('invalid_scope', `scope ${scope.error.issues[0]?.message ?? 'is unknown'}`)
  return {
    clientId: form.get('client_id') ?? undefined,
    clientSecret: form.get('client_secret') ?? undefined,
    expireSeconds,
    scopes: scope.data,
  }
}

const unpagedLimit = 10_000
const longestPage = 1000

/** Without `_limit` the whole list, as the article promises; with it, pages as the rest of Watershed's API has them. */
export function readPage(query: URLSearchParams): Slice & { readonly key: string | undefined } {
  const failures: Failure[] = []
  const page = {
    limit: wholeNumber(query, '_limit', longestPage, failures) ?? unpagedLimit,
    offset: wholeNumber(query, '_offset', maxId, failures) ?? 0,
    key: single(query, 'key'),
  }
  if (failures.length > 0) throw invalid('The list was refused', failures)
  return page
}

function wholeNumber(query: URLSearchParams, name: string, most: number, failures: Failure[]): number | undefined {
  const value = single(query, name)
  if (value === undefined) return undefined
  if (/^\d{1,10}$/.test(value) && Number(value) <= most) return Number(value)
  const message = `must be a whole number from 0 to ${most}${notThis(value)}`
  failures.push({ pointer: `?${name}`, rule: 'claviger/watershed', message })
  return undefined
}

function single(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name)
  if (values.length > 1) throw refuse('The request was refused', `?${name}`, 'must be given once')
  return values[0]
}

/** An integer id of a path; undefined for anything that cannot be one. */
export function readId(segment: string): number | undefined {
  const id = /^[1-9]\d{0,9}$/.test(segment) ? Number(segment) : undefined
  return id !== undefined && id <= maxId ? id : undefined
}

/** The article writes some names with a capital, clients write none: any case is accepted for the known ones. */
function foldNames(body: unknown, names: readonly string[]): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid('The request body must be a JSON object')
  }
  const given: Record<string, unknown> = {}
  for (const [written, value] of Object.entries(body)) {
    const name = names.find((known) => known.toLowerCase() === written.toLowerCase())
    if (name === undefined) continue
    if (Object.hasOwn(given, name)) throw refuse('The request was refused', `/${name}`, 'is given twice')
    given[name] = value
  }
  return given
}

function check<Output>(schema: z.ZodType<Output>, value: unknown, refusal: string): Output {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalid(refusal, parsed.error.issues.map(toFailure))
}

function toFailure(issue: z.core.$ZodIssue): Failure {
  return { pointer: `/${issue.path.join('/')}`, rule: 'claviger/watershed', message: issue.message }
}

function refuse(refusal: string, pointer: string, message: string): Error {
  return invalid(refusal, [{ pointer, rule: 'claviger/watershed', message }])
}

// ---------------------------------------------------------------------------------------------------------------------
// Out

/** The entity of Watershed's API, members in its order. */
export type Provider = {
  readonly id: number
  readonly created: string
  readonly version: number
  readonly name: string
  readonly key: string
  /** Left out when there is none to show, so that an echoed entity keeps what is there. */
  readonly secret?: string
  readonly active: boolean
  readonly lrsAccess: LrsAccess
  readonly watershedApiAccess: ApiAccess
}

export interface ShownProvider {
  readonly organisation: OrganisationRecord
  readonly credential: CredentialRecord
  /** The one to show; undefined when the credential has none left. */
  readonly secret: string | undefined
  /** Unix milliseconds: a credential that has expired is not active. */
  readonly now: number
}

export function presentProvider({ organisation, credential, secret, now }: ShownProvider): Provider {
  return {
    id: credential.id,
    created: new Date(credential.createdAt).toISOString(),
    version: credential.version,
    name: credential.name,
    key: credential.key,
    ...(secret !== undefined && { secret }),
    active: isLive(credential, now),
    ...wordsOf(credential, organisation),
  }
}

/** `secret` only in the answer to its creation. */
export function presentSession(session: SessionRecord, secret?: string): Json {
  return {
    id: session.id,
    created: new Date(session.createdAt).toISOString(),
    expires: new Date(session.expiresAt).toISOString(),
    scope: session.words['watershed'] ?? '',
    key: session.key,
    ...(secret === undefined ? {} : { secret }),
  }
}
