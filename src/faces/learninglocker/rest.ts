// The REST API of clients, stores and the organisation: one engine for every model, as with express-restify-mongoose.

import { DomainError } from '../../core/errors.ts'
import type { Oid } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import { inSlices } from '../../core/slices.ts'
import type { Sliceable } from '../../core/slices.ts'
import { demandNeeds, queryOf } from './auth.ts'
import type { Asker, Call } from './auth.ts'
import { bodiesOf, bodyOf } from './body.ts'
import { clients } from './client.ts'
import { countDocuments, findDocuments, isFound } from './document-search.ts'
import type { Endpoint } from './endpoint.ts'
import { VendorError } from './errors.ts'
import { answerList } from './json-answer.ts'
import { stores } from './lrs.ts'
import { isBody, readOid } from './model.ts'
import type { Model, ModelPath } from './model.ts'
import { organisations } from './organisation.ts'
import { answered, readListParameters } from './parameters.ts'
import type { Populated } from './parameters.ts'
import type { Filter } from './query.ts'
import { isDocument } from './query-value.ts'
import type { Document, Value } from './query-value.ts'
import { project } from './select.ts'
import { noObjectId } from './validation.ts'

/** By path below `/api/v2`. */
export const models: Readonly<Record<ModelPath, Model>> = { client: clients, lrs: stores, organisation: organisations }

const mostAtOnce = 1_000

/** Documents of one request: each is a transaction's worth of work. */
const mostBodies = 1_000

export const restEndpoints: readonly Endpoint[] = Object.entries(models).flatMap(([path, model]): Endpoint[] => {
  const all = `/api/v2/${path}`
  const one = `${all}/:id`
  const needs = 'all'
  const checkQuery: Endpoint['checkQuery'] = (query) => void readListParameters(query, model)
  const modified = (call: Call): Promise<Response> => modify(model, call)
  return [
    { method: 'GET', path: all, needs, checkQuery, answer: (call) => list(model, call) },
    { method: 'POST', path: all, needs, checkQuery, takesJson: true, answer: (call) => create(model, call) },
    { method: 'DELETE', path: all, needs, answer: refuseBulk },
    // Before the ids: `count` is none.
    { method: 'GET', path: `${all}/count`, needs, checkQuery, answer: (call) => count(model, call) },
    { method: 'GET', path: one, needs, checkQuery, answer: (call) => read(model, call) },
    // All three merge, and none creates (facts 0.9).
    { method: 'PUT', path: one, needs, checkQuery, takesJson: true, answer: modified },
    { method: 'PATCH', path: one, needs, checkQuery, takesJson: true, answer: modified },
    { method: 'POST', path: one, needs, checkQuery, takesJson: true, answer: modified },
    { method: 'DELETE', path: one, needs, answer: (call) => remove(model, call) },
  ]
})

async function list(model: Model, call: Call): Promise<Response> {
  const parameters = readListParameters(queryOf(call), model)
  const { filter, sort, skip, limit = Infinity, distinct } = parameters
  const some = { filter, sort, limit: skip + limit }
  const found = await findDocuments(model, call, distinct === undefined ? some : { ...some, sort: [], limit: Infinity })
  const documents = found.map(({ document }) => document)
  if (distinct !== undefined) return answerList(call.c, await answered(documents, parameters))
  const shown = await answered(documents.slice(skip), parameters)
  return answerList(call.c, await populate(call, model, shown, parameters.populate))
}

async function count(model: Model, call: Call): Promise<Response> {
  const { filter } = readListParameters(queryOf(call), model)
  return call.c.json({ count: await countDocuments(model, call, filter) })
}

async function read(model: Model, call: Call): Promise<Response> {
  const parameters = readListParameters(queryOf(call), model)
  const document = await model.find(call, idOf(model, call))
  const isThere = document !== undefined && isFound(document, parameters.filter)
  const shown = await answered(isThere ? [document] : [], parameters)
  if (parameters.distinct !== undefined) return call.c.json(shown)
  const [populated] = await populate(call, model, shown, parameters.populate)
  return call.c.json(there(populated))
}

async function create(model: Model, call: Call): Promise<Response> {
  const { populate: populated } = readListParameters(queryOf(call), model)
  const sent = await bodiesOf(call)
  const bodies = isBody(sent) ? [sent] : sent
  if (bodies.length > mostBodies) throw tooMany()
  const made = await populate(call, model, await model.create(call, bodies), populated)
  return call.c.json(isBody(sent) ? made[0] : made, 201)
}

async function modify(model: Model, call: Call): Promise<Response> {
  const { populate: populated } = readListParameters(queryOf(call), model)
  const id = idOf(model, call)
  const modified = there(await model.modify(call, id, await bodyOf(call)))
  const [document] = await populate(call, model, [modified], populated)
  return call.c.json(document)
}

async function remove(model: Model, call: Call): Promise<Response> {
  if (!(await model.remove(call, idOf(model, call)))) throw notThere()
  return call.c.body(null, 204)
}

export const bulkRefusal = 'API does not allow bulk deletions'

async function refuseBulk(): Promise<Response> {
  throw new VendorError(400, bulkRefusal, bulkRefusal)
}

function idOf(model: Model, { c }: Call): Oid {
  return idIn(model, c.req.param('id') ?? '')
}

/** Throws a CastError for what cannot be one. */
export function idIn({ name }: Model, segment: string): Oid {
  const id = readOid(segment)
  if (id === undefined) throw noObjectId(name, segment)
  return id
}

function there<T>(found: T | undefined): T {
  if (found === undefined) throw notThere()
  return found
}

function notThere(): DomainError {
  return new DomainError('not_found', 'There is none with this _id')
}

function tooMany(): DomainError {
  return new DomainError('too_large', `More than ${mostBodies} documents in one request are not accepted`)
}

// ---------------------------------------------------------------------------------------------------------------------
// Populate

/**
 * References as what they refer to; null where that is gone. What is no reference stays as it is, as with mongoose. Throws `forbidden`
 * for who may not read what is referred to.
 */
export async function populate(
  asker: Asker,
  { references }: Pick<Model, 'references'>,
  found: readonly Value[],
  populated: readonly Populated[],
): Promise<readonly Value[]> {
  demandPopulated(asker.principal, { references }, populated)
  let documents = found
  // Named twice it is looked up once: the last one counts.
  const byPath = new Map(populated.map(({ path, select }) => [path, select]))
  for (const [path, select] of byPath) {
    const target = Object.hasOwn(references, path) ? references[path] : undefined
    if (target === undefined) continue
    const others = await listReferred(models[target], asker, idsAt(documents, path))
    const shown = new Map(others.map((other) => [other['_id'], project(other, select)]))
    documents = await inSlices(referring(documents, path, shown))
  }
  return documents
}

/** For who asks to populate anything that refers to something. */
export function demandPopulated(
  principal: Principal,
  { references }: Pick<Model, 'references'>,
  populated: readonly Populated[],
): void {
  if (populated.some(({ path }) => Object.hasOwn(references, path))) demandNeeds(principal, 'all')
}

function idsAt(documents: readonly Value[], path: string): readonly Value[] {
  const ids = documents.map((document) =>
    isDocument(document) && Object.hasOwn(document, path) ? document[path] : null,
  )
  return [...new Set(ids)].filter((id) => typeof id === 'string')
}

/** Only those, as many at a time as a store is asked for at once. */
async function listReferred(model: Model, asker: Asker, ids: readonly Value[]): Promise<readonly Document[]> {
  const found: Document[] = []
  for (let at = 0; at < ids.length; at += mostAtOnce) {
    const values = ids.slice(at, at + mostAtOnce)
    const filter: Filter = { kind: 'field', path: '_id', test: { kind: 'in', values, patterns: [] } }
    for (const { document } of await findDocuments(model, asker, { filter, sort: [], limit: values.length })) {
      found.push(document)
    }
  }
  return found
}

function* referring(
  documents: readonly Value[],
  path: string,
  others: ReadonlyMap<Value, Document>,
): Sliceable<readonly Value[]> {
  const all: Value[] = []
  for (const document of documents) {
    all.push(withReference(document, path, others))
    yield
  }
  return all
}

function withReference(document: Value, path: string, others: ReadonlyMap<Value, Document>): Value {
  if (!isDocument(document) || !Object.hasOwn(document, path)) return document
  return { ...document, [path]: others.get(document[path]) ?? null }
}
