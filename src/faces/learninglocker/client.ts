// Clients: the organisation's keys of kind `client`, whoever made them. Each has one store or none.

import type { Core } from '../../core/core.ts'
import type { CredentialChange, CredentialFilter, NewCredentialInput } from '../../core/credential.ts'
import { isDomainError } from '../../core/errors.ts'
import type { Oid } from '../../core/ids.ts'
import { hasExpired } from '../../core/secret.ts'
import { inSlices } from '../../core/slices.ts'
import type { Sliceable } from '../../core/slices.ts'
import type { CredentialRecord, LrsRecord } from '../../core/storage.ts'
import type { Asker } from './auth.ts'
import { presentClient, readClient, surroundingsOf, withReplacement } from './client-document.ts'
import type { ClientInput, Surroundings } from './client-document.ts'
import { clientPlanOf } from './client-plan.ts'
import { VendorError, messageOf } from './errors.ts'
import type { Body, Model, Wanted } from './model.ts'
import type { Document } from './query-value.ts'
import { changeScopes, rememberWords, rightsOf, scopesOf } from './words.ts'

/** Of the product: what it stamps on statements until somebody says otherwise (facts 1.2). */
export const defaultAuthority = { objectType: 'Agent', name: 'New Client', mbox: 'mailto:hello@learninglocker.net' }

const largestPage = 1_000

export const clients: Model = {
  name: 'Client',
  fields: {
    _id: 'oid',
    title: 'string',
    organisation: 'oid',
    lrs_id: 'oid',
    scopes: 'string',
    isTrusted: 'boolean',
    'api.basic_key': 'string',
    'api.basic_secret': 'string',
    createdAt: 'date',
    updatedAt: 'date',
    __v: 'number',
  },
  references: { organisation: 'organisation', lrs_id: 'lrs' },
  isOrdered: true,
  pages,
  count,
  find,
  create,
  modify,
  remove,
}

/** Everything a client is shown or judged by. */
interface Around extends Surroundings {
  /** That clients may be given. */
  readonly stores: ReadonlyMap<Oid, LrsRecord>
}

async function aroundOf({ core, principal }: Asker): Promise<Around> {
  const [organisation, all] = await Promise.all([
    core.organisations.get(principal),
    core.lrs.list(principal, { withDeleted: true }),
  ])
  return {
    ...surroundingsOf(organisation, all, { baseUrl: core.baseUrl, now: core.clock.now() }),
    stores: openStores(all),
  }
}

function openStores(all: readonly LrsRecord[]): ReadonlyMap<Oid, LrsRecord> {
  return new Map(all.filter(({ deletedAt }) => deletedAt === null).map((lrs) => [lrs.oid, lrs]))
}

async function show(asker: Asker, records: readonly CredentialRecord[]): Promise<readonly Document[]> {
  return showAmong(asker, records, await aroundOf(asker))
}

async function showAmong(
  { core, principal }: Asker,
  records: readonly CredentialRecord[],
  around: Around,
): Promise<readonly Document[]> {
  const reveal = await core.credentials.revealer(principal)
  const secretOf = (record: CredentialRecord): string | undefined => reveal(record).secret
  return inSlices(presenting(records, secretOf, around))
}

/** What scopes to show takes a hash each; an organisation may have ten thousands. */
function* presenting(
  records: readonly CredentialRecord[],
  secretOf: (record: CredentialRecord) => string | undefined,
  around: Around,
): Sliceable<readonly Document[]> {
  const documents: Document[] = []
  for (const record of records) {
    documents.push(presentClient(record, () => secretOf(record), around))
    yield
  }
  return documents
}

/** As many as are expected, then more at a time. */
async function* pages(asker: Asker, { filter, expected, byId }: Wanted): AsyncGenerator<readonly Document[]> {
  const around = await aroundOf(asker)
  const plan = { kind: 'client', ...clientPlanOf(filter, around.storeIds) } as const
  let last: CredentialRecord | undefined
  for (let limit = expected; ; limit = Math.min(limit * 4, largestPage)) {
    const asked = { ...plan, ...placeBehind(last, byId) }
    const { items, total } = await asker.core.credentials.list(asker.principal, asked, { offset: 0, limit })
    yield await showAmong(asker, items, around)
    if (items.length === 0 || items.length === total) return
    last = items.at(-1)
  }
}

function placeBehind(
  last: CredentialRecord | undefined,
  byId: Wanted['byId'],
): Pick<CredentialFilter, 'after' | 'byOid'> {
  if (byId !== undefined) return { byOid: { ...byId, ...(last !== undefined && { after: last.oid }) } }
  return last === undefined ? {} : { after: last.id }
}

async function count({ core, principal }: Asker): Promise<number> {
  return (await core.credentials.list(principal, { kind: 'client' }, { offset: 0, limit: 0 })).total
}

async function find(asker: Asker, id: Oid): Promise<Document | undefined> {
  const record = await findRecord(asker, id)
  return record && (await show(asker, [record]))[0]
}

async function findRecord({ core, principal }: Asker, oid: Oid): Promise<CredentialRecord | undefined> {
  const { items } = await core.credentials.list(principal, { kind: 'client', oids: [oid] }, { offset: 0, limit: 1 })
  return items[0]
}

async function create(asker: Asker, bodies: readonly Body[]): Promise<readonly Document[]> {
  const around = await aroundOf(asker)
  const changes = await inSlices(reading(asker.core, bodies, around))
  const made = await refusingPairs(() => asker.core.credentialBulk.apply(asker.principal, changes))
  const secrets = new Map(made.map(({ credential, secret }) => [credential, secret]))
  return inSlices(presenting([...secrets.keys()], (record) => secrets.get(record), around))
}

function* reading(
  core: Core,
  bodies: readonly Body[],
  around: Around,
): Sliceable<readonly { readonly create: NewCredentialInput }[]> {
  const changes: { readonly create: NewCredentialInput }[] = []
  for (const body of bodies) {
    changes.push({ create: newClient(core, readClient(body, around), around.stores) })
    yield
  }
  return changes
}

/** As the product makes one, where nothing is said: with no scope and no store. */
export function newClient(core: Core, input: ClientInput, stores: ReadonlyMap<Oid, LrsRecord>): NewCredentialInput {
  const {
    title = '',
    key,
    secret,
    authority = defaultAuthority,
    isTrusted = true,
    store,
    scopes = [],
    createdAt,
  } = input
  const lrs = store ? stores.get(store) : undefined
  return {
    name: title,
    key: key || newToken(core),
    secret: secret || newToken(core),
    authority,
    isEnabled: isTrusted,
    lrsIds: lrs === undefined ? [] : [lrs.id],
    rights: rightsOf(scopes),
    words: rememberWords({}, scopes),
    ...(createdAt !== undefined && { createdAt }),
  }
}

/** 40 hex digits, each for itself (facts 1.1). */
function newToken(core: Core): string {
  return core.ids.hex(20)
}

async function modify(asker: Asker, oid: Oid, body: Body): Promise<Document | undefined> {
  const { core, principal } = asker
  const found = await findRecord(asker, oid)
  if (found === undefined) return undefined
  const around = await aroundOf(asker)
  const changed = await refusingPairs(() =>
    core.credentials.update(principal, found.id, (before) => {
      const shown = presentClient(before, () => undefined, around)
      const known = { store: shown['lrs_id'] as Oid | undefined, hasEnded: hasExpired(before, around.now) }
      const input = readClient(body, { ...around, before: known })
      return changeOf(core, before, { input, shown, stores: around.stores })
    }),
  )
  return (await show(asker, [changed]))[0]
}

interface Asked {
  readonly input: ClientInput
  readonly shown: Document
  readonly stores: ReadonlyMap<Oid, LrsRecord>
}

/** What differs from what a read would have shown. Clients echo whole documents, so equal fields ask for nothing. */
function changeOf(core: Core, before: CredentialRecord, { input, shown, stores }: Asked): CredentialChange {
  const { title, key, secret, authority, isTrusted, store, scopes, createdAt } = input
  const isTrustChanged = isTrusted !== undefined && isTrusted !== shown['isTrusted']
  const isMoved = store !== undefined && store !== (shown['lrs_id'] ?? null)
  const lrs = store ? stores.get(store) : undefined
  return {
    ...(title !== undefined && title !== before.name && { name: title }),
    ...(key !== undefined && key !== before.key && { key: key || newToken(core) }),
    // Core finds out whether it is another one.
    ...(secret !== undefined && { secret: secret || newToken(core) }),
    ...(authority !== undefined && !isEqualJson(authority, shown['authority']) && { authority }),
    ...(isTrustChanged && { isEnabled: isTrusted }),
    ...(isMoved && { lrsIds: lrs === undefined ? [] : [lrs.id] }),
    ...(scopes !== undefined && !isEqualJson(scopes, scopesOf(before)) && withScopes(before, scopes)),
    ...(createdAt !== undefined && createdAt !== before.createdAt && { createdAt }),
  }
}

function withScopes(before: CredentialRecord, scopes: NonNullable<ClientInput['scopes']>): CredentialChange {
  const { rights, words } = changeScopes(before, scopes)
  return { words: withReplacement(words), ...(rights !== before.rights && { rights }) }
}

async function remove(asker: Asker, id: Oid): Promise<boolean> {
  const found = await findRecord(asker, id)
  if (found !== undefined) await asker.core.credentials.remove(asker.principal, found.id)
  return found !== undefined
}

/** A key that is taken, or a pair, as MongoDB's unique index says it (facts 1.1). */
async function refusingPairs<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!isDomainError(error) || error.code !== 'conflict') throw error
    const message = messageOf(error)
    throw new VendorError(400, { name: 'MongoError', code: 11000, message, statusCode: 400 }, message, 'conflict')
  }
}

function isEqualJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
