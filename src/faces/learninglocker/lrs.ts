// Stores, which the product calls lrs: the Lrs of the organisation that are not deleted. A new one comes with a client.

import { checkName, checkProse } from '../../core/check.ts'
import type { Oid } from '../../core/ids.ts'
import type { Json, LrsRecord } from '../../core/storage.ts'
import type { Asker } from './auth.ts'
import { newClient } from './client.ts'
import { isBody, memberOf } from './model.ts'
import type { Body, Model } from './model.ts'
import type { Document } from './query-value.ts'
import { Validation } from './validation.ts'

/** Of the product (facts 1.3). */
const defaultTitle = 'New xAPI store'

export const stores: Model = {
  name: 'Lrs',
  fields: {
    _id: 'oid',
    title: 'string',
    description: 'string',
    owner_id: 'oid',
    organisation: 'oid',
    statementCount: 'number',
    createdAt: 'date',
    updatedAt: 'date',
    __v: 'number',
  },
  references: { organisation: 'organisation' },
  pages,
  count,
  find,
  create,
  modify,
  remove,
}

interface StoreInput {
  readonly title?: string | undefined
  readonly description?: string | null | undefined
  /** A user of the product's, kept for who reads it. */
  readonly owner?: Oid | null | undefined
  readonly createdAt?: number | undefined
}

/** `statementCount` is counted, whatever is sent. */
function readStore(body: Body): StoreInput {
  const validation = new Validation('Lrs', body)
  const given = {
    title: validation.text('title', checkName) ?? (memberOf(body, 'title') === null ? '' : undefined),
    description: validation.text('description', checkDescription),
    owner: validation.oid('owner_id'),
    createdAt: validation.date('createdAt') ?? undefined,
  }
  validation.end()
  return given
}

function checkDescription(text: string): ReturnType<typeof checkName> {
  return checkProse(text, { pointer: '/description', noun: 'A description' })
}

/** They are few. */
async function* pages(asker: Asker): AsyncGenerator<readonly Document[]> {
  yield await show(asker, await asker.core.lrs.list(asker.principal))
}

async function count({ core, principal }: Asker): Promise<number> {
  return (await core.lrs.list(principal)).length
}

async function find(asker: Asker, id: Oid): Promise<Document | undefined> {
  const record = await findRecord(asker, id)
  return record && (await show(asker, [record]))[0]
}

async function findRecord({ core, principal }: Asker, oid: Oid): Promise<LrsRecord | undefined> {
  return (await core.lrs.list(principal)).find((lrs) => lrs.oid === oid)
}

async function create(asker: Asker, bodies: readonly Body[]): Promise<readonly Document[]> {
  const inputs = bodies.map(readStore)
  const made: LrsRecord[] = []
  for (const input of inputs) made.push(await createStore(asker, input))
  return show(asker, made)
}

async function createStore({ core, principal }: Asker, input: StoreInput): Promise<LrsRecord> {
  const { title, description = null, owner, createdAt } = input
  const lrs = await core.lrs.create(principal, {
    name: title || defaultTitle,
    description,
    ...(owner !== undefined && { words: wordsFor(owner) }),
    ...(createdAt !== undefined && { createdAt }),
  })
  const client = { title: clientTitle(lrs), store: lrs.oid, scopes: ['xapi/all'] } as const
  await core.credentials.create(principal, newClient(core, client, new Map([[lrs.oid, lrs]])))
  return lrs
}

/** A title that is almost as long as one may be has no room for more: refused, the store would be there without a client. */
function clientTitle({ name }: LrsRecord): string {
  const title = `${name} client`
  return checkName(title).length === 0 ? title : name
}

async function modify(asker: Asker, oid: Oid, body: Body): Promise<Document | undefined> {
  const { core, principal } = asker
  const found = await findRecord(asker, oid)
  if (found === undefined) return undefined
  const { title, description, owner, createdAt } = readStore(body)
  const changed = await core.lrs.update(principal, found.id, {
    ...(title !== undefined && { name: title }),
    ...(description !== undefined && { description }),
    ...(owner !== undefined && { words: wordsFor(owner) }),
    ...(createdAt !== undefined && { createdAt }),
  })
  return (await show(asker, [changed]))[0]
}

/** Its clients stay, and are refused on the xAPI from then on (facts 1.3). */
async function remove(asker: Asker, oid: Oid): Promise<boolean> {
  const found = await findRecord(asker, oid)
  if (found !== undefined) await asker.core.lrs.remove(asker.principal, found.id)
  return found !== undefined
}

async function show({ core, principal }: Asker, records: readonly LrsRecord[]): Promise<readonly Document[]> {
  const { oid } = await core.organisations.get(principal)
  const ids = records.map(({ id }) => id)
  const counts = await core.lrs.countStatements(principal, ids)
  return records.map((record, at) => presentStore(record, oid, counts[at] ?? 0))
}

function presentStore(record: LrsRecord, organisation: Oid, statementCount: number): Document {
  const { oid, name, description, words, createdAt, updatedAt } = record
  const owner = isBody(words[own]) ? words[own]['owner_id'] : undefined
  return {
    _id: oid,
    __v: 0,
    ...(name !== '' && { title: name }),
    ...(description !== null && { description }),
    ...(typeof owner === 'string' && { owner_id: owner }),
    organisation,
    statementCount,
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  }
}

const own = 'learninglocker'

function wordsFor(owner: Oid | null): Readonly<Record<string, Json>> {
  return { [own]: owner === null ? null : { owner_id: owner } }
}
