// The operations on xAPI credentials: keys of the application that asks, for its live and its sandbox Lrs. Their id is the user
// name of Basic authentication. Those that others made of the same application are the same thing here.

import { z } from 'zod'
import type { CredentialChange } from '../../core/credential.ts'
import { DomainError } from '../../core/errors.ts'
import type { LrsId } from '../../core/ids.ts'
import type { ManagementAction } from '../../core/rights.ts'
import { checkName } from '../../core/check.ts'
import { checkSecretValue, hasExpired, isLive, newShortText } from '../../core/secret.ts'
import type { CredentialRecord, Json } from '../../core/storage.ts'
import { bodyOf, ownApplication, queryOf } from './auth.ts'
import type { Call } from './auth.ts'
import { pageSize, readList, writeMore } from './page.ts'
import type { ListQuery } from './page.ts'
import { flag, oneOf, readBody, refuse, text } from './wire.ts'
import { auths, infoOf, levelOf, levels, rememberWords, rightsOf } from './words.ts'
import type { Auth, Level } from './words.ts'

const list = { list: 'xapiCredentials', filterBy: ['credential_id', 'credential_name'] } as const
const longestInfo = 2_000
/** What a caller may choose in PUT; those made here and in the vendor's other API look like it. */
const chosenId = /^[\w-]{1,64}$/

// Nested objects of one member, as the models have it; the word alone is taken, too. An empty object is what is shown where no
// word fits, so it asks for nothing.
function nested<const Word extends string>(member: string, words: readonly Word[]) {
  const inside = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)[member]
      : value
  return z.preprocess(inside, oneOf(words).optional())
}

const info = text((value) =>
  value.length > longestInfo || /[\0\p{Surrogate}]/u.test(value)
    ? [{ pointer: '', rule: '', message: `must have at most ${longestInfo} characters, none of them U+0000` }]
    : [],
)
const shape = z
  .object({
    name: text(checkName),
    secret: text(checkSecretValue),
    isEnabled: flag,
    info,
    auth: nested('xapiCredentialAuthType', auths),
    permissionsLevel: nested('xapiCredentialPermissionsLevel', levels),
  })
  .partial()
type Input = z.output<typeof shape>
const required = ['name', 'secret', 'isEnabled', 'auth', 'permissionsLevel'] as const

export async function getXapiCredentials(call: Call): Promise<Response> {
  const { c, core, principal } = call
  const query = readList(queryOf(call), list)
  const { items } = await core.credentials.list(principal, { kind: 'client' }, { offset: 0, limit: Infinity })
  const fitting = items.filter((record) => fits(record, query)).toSorted(inOrder(query))
  const rest = fitting.filter((record) => isBehind(record, query))
  const page = rest.slice(0, pageSize)
  const last = page.at(-1)
  const more = last && rest.length > pageSize && writeMore(list.list, query, { at: last[query.by], id: last.key })
  const headers: Record<string, string> = query.isCounted ? { 'X-Total-Count': String(fitting.length) } : {}
  return c.json({ xapiCredentials: await show(call, page), ...(more && { more }) }, 200, headers)
}

export async function createXapiCredential(call: Call): Promise<Response> {
  const input = readBody(shape, await bodyOf(call))
  return call.c.json({ result: await create(call, newShortText(call.core.ids), input) })
}

export async function getXapiCredential(call: Call): Promise<Response> {
  const [shown] = await show(call, [await getByKey(call, 'read')])
  return call.c.json(shown ?? null)
}

/** Makes it when there is none of that id. */
export async function setXapiCredential(call: Call): Promise<Response> {
  const { core, principal, c } = call
  const input = readBody(shape, await bodyOf(call))
  const found = await findByKey(call, 'write')
  if (found === undefined) {
    const id = idOf(call)
    if (!chosenId.test(id)) throw refuse('xapiCredentialId', 'must be 1 to 64 letters, digits, _ and - to be made')
    await create(call, id, input)
  } else {
    await core.credentials.update(principal, found.id, (before) => changeOf(before, input, core.clock.now()))
  }
  return c.body(null, 204)
}

export async function deleteXapiCredential(call: Call): Promise<Response> {
  const { id } = await getByKey(call, 'delete')
  await call.core.credentials.remove(call.principal, id)
  return call.c.body(null, 204)
}

function idOf({ c }: Pick<Call, 'c'>): string {
  return c.req.param('xapiCredentialId') ?? ''
}

/** Of those whose Lrs are all of the application: the caller sees no others. */
function findByKey(call: Call, action: ManagementAction): Promise<CredentialRecord | undefined> {
  return call.core.credentials.findByKey(call.principal, action, { kind: 'client', key: idOf(call) })
}

async function getByKey(call: Call, action: ManagementAction): Promise<CredentialRecord> {
  const found = await findByKey(call, action)
  if (found === undefined) throw noSuchCredential()
  return found
}

function noSuchCredential(): DomainError {
  return new DomainError('not_found', 'The application has no xAPI credential of this id')
}

async function create(call: Call, key: string, input: Input): Promise<string> {
  const missing = required.filter((name) => input[name] === undefined)
  if (missing.length > 0) throw refuse(`/${missing[0]}`, `must be given, as must ${required.join(', ')}`)
  const { name = '', secret = '', isEnabled = true, auth = 'BASICAUTH', permissionsLevel = 'DEFAULT' } = input
  const rights = rightsOf(permissionsLevel)
  await call.core.credentials.create(call.principal, {
    ...{ name, key, secret, isEnabled, rights, lrsIds: await ownLrs(call) },
    oauth: auth === 'OAUTH' ? {} : null,
    words: rememberWords({}, { level: permissionsLevel, info: input.info }, rights),
  })
  return key
}

async function ownLrs(call: Call): Promise<readonly LrsId[]> {
  const found = await call.core.applications.find(ownApplication(call))
  if (found === undefined) throw new DomainError('unauthenticated', 'The application is gone')
  return [found.liveLrsId, found.sandboxLrsId]
}

/** What differs from what a GET would have shown. Clients echo whole entities, so equal members ask for nothing. */
function changeOf(before: CredentialRecord, input: Input, now: number): CredentialChange {
  const shown = membersOf(before, now)
  const differs = (name: keyof Input): boolean => input[name] !== undefined && input[name] !== shown[name]
  if (before.kind !== 'client') throw noSuchCredential()
  if (input.isEnabled === true && hasExpired(before, now)) {
    throw new DomainError('conflict', 'isEnabled: the credential has expired; give it a later end first')
  }
  const level = differs('permissionsLevel') ? input.permissionsLevel : undefined
  const rights = level === undefined ? before.rights : rightsOf(level, before.rights.management)
  const words = { level: level ?? levelOf(before), info: input.info ?? infoOf(before) }
  return {
    ...(differs('name') && { name: input.name ?? '' }),
    // Core finds out whether it is another one.
    ...(input.secret !== undefined && { secret: input.secret }),
    ...(differs('isEnabled') && { isEnabled: input.isEnabled === true }),
    ...(differs('auth') && { oauth: input.auth === 'OAUTH' ? {} : null }),
    ...(level !== undefined && { rights }),
    ...((level !== undefined || differs('info')) && { words: rememberWords(before.words, words, rights) }),
  }
}

interface Members {
  readonly name: string
  readonly isEnabled: boolean
  readonly info: string | undefined
  readonly auth: Auth
  readonly permissionsLevel: Level | undefined
  readonly secret?: undefined
}

function membersOf(record: CredentialRecord, now: number): Members {
  return {
    name: record.name,
    isEnabled: isLive(record, now),
    info: infoOf(record),
    auth: record.oauth === null ? 'BASICAUTH' : 'OAUTH',
    permissionsLevel: levelOf(record),
  }
}

/** `secret`: where whoever asks may learn it. */
export function presentXapiCredential(record: CredentialRecord, secret: string | undefined, now: number): Json {
  const { name, isEnabled, info: about, auth, permissionsLevel } = membersOf(record, now)
  return {
    ...{ id: record.key, name },
    ...(about !== undefined && { info: about }),
    ...(secret !== undefined && { secret }),
    isEnabled,
    auth: { xapiCredentialAuthType: auth },
    permissionsLevel: permissionsLevel === undefined ? {} : { xapiCredentialPermissionsLevel: permissionsLevel },
  }
}

async function show({ core, principal }: Call, records: readonly CredentialRecord[]): Promise<readonly Json[]> {
  const now = core.clock.now()
  const revealed = await core.credentials.revealEach(principal, records)
  return revealed.map(({ credential, secret }) => presentXapiCredential(credential, secret, now))
}

// ---------------------------------------------------------------------------------------------------------------------
// Lists

function fits(record: CredentialRecord, { filter, rangeBy, since = -Infinity, until = Infinity }: ListQuery): boolean {
  const at = record[rangeBy]
  if (at < since || at > until) return false
  if (filter === undefined) return true
  const within = filter.by === 'credential_name' ? record.name : record.key
  return within.toLowerCase().includes(filter.text.toLowerCase())
}

function inOrder({ by, isDescending }: ListQuery): (one: CredentialRecord, other: CredentialRecord) => number {
  const direction = isDescending ? -1 : 1
  return (one, other) => direction * (one[by] - other[by] || (one.key < other.key ? -1 : 1))
}

function isBehind(record: CredentialRecord, { by, isDescending, after }: ListQuery): boolean {
  if (after === undefined) return true
  const distance = record[by] - after.at || (record.key === after.id ? 0 : record.key < after.id ? -1 : 1)
  return isDescending ? distance < 0 : distance > 0
}
