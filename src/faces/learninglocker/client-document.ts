// A client as the product's API has it: what a body may ask for, and what a document looks like. Knows nothing of storage.

import { checkAuthority, derivedAuthority } from '../../core/authority.ts'
import type { AgentIdentity } from '../../core/authority.ts'
import { checkName } from '../../core/check.ts'
import { firstOf, inWords, isDomainError } from '../../core/errors.ts'
import type { LrsId, Oid } from '../../core/ids.ts'
import { checkKey, checkSecretValue, isLive } from '../../core/secret.ts'
import type { CredentialRecord, Json, LrsRecord, OrganisationRecord } from '../../core/storage.ts'
import { parseJson } from '../../core/xapi/json.ts'
import { isBody, memberOf } from './model.ts'
import type { Body } from './model.ts'
import type { Document } from './query-value.ts'
import { Validation } from './validation.ts'
import { scopes, scopesOf } from './words.ts'
import type { Scope } from './words.ts'

// ---------------------------------------------------------------------------------------------------------------------
// In

/** Undefined: not sent. */
export interface ClientInput {
  readonly title?: string | undefined
  /** Empty: a new one is made (facts 1.1, "Rotation"). */
  readonly key?: string | undefined
  readonly secret?: string | undefined
  readonly authority?: AgentIdentity | undefined
  readonly isTrusted?: boolean | undefined
  /** Null: none. */
  readonly store?: Oid | null | undefined
  readonly scopes?: readonly Scope[] | undefined
  readonly createdAt?: number | undefined
}

export interface Known {
  /** That the organisation has. */
  readonly stores: ReadonlyMap<Oid, unknown>
  /** Of the client as it is: its store, which may be gone, and whether it has expired. */
  readonly before?: { readonly store: Oid | undefined; readonly hasEnded: boolean }
}

/**
 * What the product knows of a client; other members are dropped, also `_id`, `organisation` and `updatedAt`, which it sets itself.
 * Throws a ValidationError.
 */
export function readClient(body: Body, { stores, before }: Known): ClientInput {
  const validation = new Validation('Client', body)
  const given: ClientInput = {
    title: validation.text('title', checkName) ?? (memberOf(body, 'title') === null ? '' : undefined),
    key: textOrNew(validation, body, 'api.basic_key', checkKey),
    secret: textOrNew(validation, body, 'api.basic_secret', checkSecretValue),
    authority: readAuthority(validation, memberOf(body, 'authority')),
    isTrusted: validation.flag('isTrusted'),
    store: validation.oid('lrs_id'),
    scopes: validation.words('scopes', scopes),
    createdAt: validation.date('createdAt') ?? undefined,
  }
  validation.nested('api')
  const { store, isTrusted } = given
  if (store !== undefined && store !== null && store !== before?.store && !stores.has(store)) {
    validation.refuse('lrs_id', 'The organisation has no store with this _id.')
  }
  if (isTrusted === true && before?.hasEnded === true) {
    validation.refuse('isTrusted', 'The client has expired: it needs a later end first.')
  }
  if (Object.keys(body).some((path) => path.startsWith('scopes.'))) {
    validation.refuse('scopes', 'Scopes are sent together, as an array.')
  }
  validation.end()
  return given
}

function textOrNew(validation: Validation, body: Body, path: string, check: typeof checkKey): string | undefined {
  const value = memberOf(body, path)
  if (value === null || value === '') return ''
  return validation.text(path, check) ?? undefined
}

/** Names and values in it as text: a Group of two has some twenty. */
const mostOfAuthority = 200

/** An object, or JSON of one: the product takes text and answers an object (facts 0.1). */
function readAuthority(validation: Validation, sent: unknown): AgentIdentity | undefined {
  if (sent === undefined) return undefined
  const value = typeof sent === 'string' ? parsed(sent) : sent
  if (!isBody(value)) return validation.refuse('authority', 'This is an Agent, as an object or as JSON of one.')
  const failures = checkAuthority(value)
  const said = [...firstOf(failures.map(inWords)), ...hintsFor(value)]
  return failures.length === 0 ? value : validation.refuse('authority', said.join(' '))
}

function parsed(text: string): unknown {
  try {
    return parseJson(text, mostOfAuthority)
  } catch (error) {
    if (isDomainError(error)) return undefined
    throw error
  }
}

/** What the product's own documentation gets wrong (seed S0.10). */
function hintsFor(authority: Body): readonly string[] {
  return [
    ...('homePage' in authority ? ['homePage belongs inside account, beside name.'] : []),
    ...('mbox_sha1' in authority ? ['The SHA-1 of an address is spelled mbox_sha1sum.'] : []),
  ]
}

// ---------------------------------------------------------------------------------------------------------------------
// Out

/** What it takes to show a client, beside its record. */
export interface Surroundings {
  readonly organisation: Oid
  /** Deleted ones, too: clients outlive their stores. */
  readonly storeIds: ReadonlyMap<LrsId, Oid>
  /** For the authority where none is fixed. */
  readonly baseUrl: string
  /** Unix milliseconds: a credential that has expired is not trusted. */
  readonly now: number
}

export function surroundingsOf(
  { oid }: OrganisationRecord,
  lrs: readonly LrsRecord[],
  { baseUrl, now }: Pick<Surroundings, 'baseUrl' | 'now'>,
): Surroundings {
  return { organisation: oid, storeIds: new Map(lrs.map((one) => [one.id, one.oid])), baseUrl, now }
}

/** `secret`: where whoever asks may learn it. Asked for when somebody looks at it, for each costs. */
export function presentClient(
  record: CredentialRecord,
  secret: () => string | undefined,
  { organisation, storeIds, baseUrl, now }: Surroundings,
): Document {
  const [home] = record.lrsIds
  const store = home === undefined ? undefined : storeIds.get(home)
  return {
    _id: record.oid,
    id: record.oid,
    __v: timesReplaced(record),
    ...(record.name !== '' && { title: record.name }),
    organisation,
    ...(store !== undefined && { lrs_id: store }),
    scopes: scopesOf(record),
    isTrusted: isLive(record, now),
    authority: (record.authority ?? derivedAuthority(baseUrl, record)) as Document,
    api: presentPair(record.key, secret),
    createdAt: new Date(record.createdAt),
    updatedAt: new Date(record.updatedAt),
  }
}

function presentPair(key: string, secret: () => string | undefined): Document {
  let found: { readonly secret: string | undefined } | undefined
  return {
    basic_key: key,
    get basic_secret(): string | undefined {
      found ??= { secret: secret() }
      return found.secret
    },
  }
}

/** Mongoose counts how often an array of the document was replaced: here, the scopes. */
export function timesReplaced({ words }: Pick<CredentialRecord, 'words'>): number {
  const kept = words['learninglocker']
  const count = isBody(kept) ? kept['v'] : undefined
  return typeof count === 'number' ? count : 0
}

export function withReplacement(words: CredentialRecord['words']): CredentialRecord['words'] {
  const kept = words['learninglocker']
  const own = isBody(kept) ? (kept as Readonly<Record<string, Json>>) : {}
  return { ...words, learninglocker: { ...own, v: timesReplaced({ words }) + 1 } }
}
