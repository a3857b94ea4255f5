// Organisations, stores and clients as they stand in the database, in all the forms they have had (facts 4), in the words of the core.
// Knows nothing of what is stored here.

import { checkAuthority } from '../../core/authority.ts'
import type { AgentIdentity } from '../../core/authority.ts'
import { maxTextLength } from '../../core/check.ts'
import { DomainError } from '../../core/errors.ts'
import type { Oid } from '../../core/ids.ts'
import type { Json } from '../../core/storage.ts'
import { isScope } from '../../faces/learninglocker/words.ts'
import type { Scope } from '../../faces/learninglocker/words.ts'
import type { Place } from '../rejects.ts'
import { isMembers, oidOf, plain, timeOf } from './extended-json.ts'
import type { Members } from './extended-json.ts'

interface Dated {
  readonly oid: Oid
  readonly createdAt: number
  readonly updatedAt: number
  readonly place: Place
}

export interface OrganisationDocument extends Dated {
  readonly name: string
  readonly expiresAt: number | null
  /** As the face answers them. */
  readonly kept: Readonly<Record<string, Json>>
}

export interface StoreDocument extends Dated {
  readonly organisation: Oid
  readonly title: string
  readonly description: string | null
  readonly owner: Oid | undefined
}

export interface ClientDocument extends Dated {
  readonly organisation: Oid
  /** Undefined: it has none. */
  readonly store: Oid | undefined
  readonly title: string
  readonly key: string | undefined
  readonly secret: string | undefined
  /** Null: there is none that could be used. */
  readonly authority: AgentIdentity | null
  readonly isTrusted: boolean
  readonly scopes: readonly Scope[]
}

/** What is not as it should be, and is taken all the same. */
export type Warn = (text: string, first: string) => void

export function readOrganisation(document: Members, place: Place): OrganisationDocument {
  const dated = readDated(document, place)
  const kept = {
    ...oids(document, ['parent', 'owner']),
    ...texts(document, ['timezone', 'logoPath']),
    ...(isMembers(document['settings']) && { settings: asJson(document['settings']) }),
  }
  const expiresAt = timeOf(document['expiration']) ?? null
  return { ...dated, name: nameFrom(document['name']) || `Organisation ${dated.oid}`, expiresAt, kept }
}

export function readStore(document: Members, place: Place): StoreDocument {
  const dated = readDated(document, place)
  const { description } = document
  return {
    ...dated,
    organisation: requireOid(document, 'organisation'),
    // Of the product (facts 1.3).
    title: nameFrom(document['title']) || 'New xAPI store',
    description: typeof description === 'string' && description !== '' ? description : null,
    owner: oidOf(document['owner_id']) as Oid | undefined,
  }
}

export function readClient(document: Members, place: Place, warn: Warn): ClientDocument {
  const dated = readDated(document, place)
  const api = isMembers(document['api']) ? document['api'] : {}
  return {
    ...dated,
    organisation: requireOid(document, 'organisation'),
    store: storeOf(document),
    title: nameFrom(document['title']),
    key: textOf(api['basic_key']),
    secret: textOf(api['basic_secret']),
    authority: readAuthority(document['authority'], (why) => warn(why, dated.oid)),
    // Absent, it works on the xAPI (facts 0.6).
    isTrusted: document['isTrusted'] !== false,
    scopes: readScopes(document['scopes'], warn),
  }
}

/** A v1 document has the whole store inside it, or its id as a string. */
export function storeOf(document: Members): Oid | undefined {
  const embedded = document['lrs']
  const given =
    oidOf(document['lrs_id']) ?? oidOf(embedded) ?? (isMembers(embedded) ? oidOf(embedded['_id']) : undefined)
  return given as Oid | undefined
}

/** An oid holds the second in which it was made. */
export function timeOfOid(oid: string): number {
  return Number.parseInt(oid.slice(0, 8), 16) * 1000
}

function readDated(document: Members, place: Place): Dated {
  const oid = requireOid(document, '_id')
  const createdAt = timeOf(document['createdAt']) ?? timeOf(document['created_at']) ?? timeOfOid(oid)
  const updatedAt = timeOf(document['updatedAt']) ?? timeOf(document['updated_at']) ?? createdAt
  return { oid, createdAt, updatedAt, place }
}

function requireOid(document: Members, name: string): Oid {
  const oid = oidOf(document[name])
  if (oid !== undefined) return oid as Oid
  throw new DomainError('invalid', `Its ${name} is no ObjectId.`)
}

/** JSON in a string, as it should be; v1 left objects. */
function readAuthority(value: unknown, warn: (why: string) => void): AgentIdentity | null {
  if (value === undefined || value === null) {
    warn('clients without an authority: one is made of their title and id')
    return null
  }
  const authority = typeof value === 'string' ? parsed(value) : asJson(value)
  if (isMembers(authority) && checkAuthority(authority).length === 0) return authority
  warn('clients whose authority is no Agent with one identifier: one is made of their title and id')
  return null
}

function readScopes(value: unknown, warn: Warn): readonly Scope[] {
  const given: readonly unknown[] = Array.isArray(value) ? value : []
  const unknown = given.filter((scope) => !isScope(scope))
  if (unknown.length > 0)
    warn('scopes that give no right here are left out', unknown.map(inWords).join(', ').slice(0, 100))
  return given.filter(isScope)
}

function inWords(scope: unknown): string {
  return typeof scope === 'string' ? scope : JSON.stringify(scope)
}

/** Whatever steers a terminal, or is longer than a name may be, goes. */
function nameFrom(value: unknown): string {
  if (typeof value !== 'string') return ''
  const unfit = /[\u0000-\u001f\u007f]|\p{Surrogate}/gu
  return value.replaceAll(unfit, ' ').slice(0, maxTextLength).replaceAll(unfit, ' ').trim()
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function oids(document: Members, names: readonly string[]): Readonly<Record<string, Json>> {
  const found = names.flatMap((name) => {
    const oid = oidOf(document[name])
    return oid === undefined ? [] : [[name, oid]]
  })
  return Object.fromEntries(found) as Record<string, Json>
}

function texts(document: Members, names: readonly string[]): Readonly<Record<string, Json>> {
  const found = names.flatMap((name) => (typeof document[name] === 'string' ? [[name, document[name]]] : []))
  return Object.fromEntries(found) as Record<string, Json>
}

function asJson(value: unknown): Json {
  return plain(value, () => {}) as Json
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
