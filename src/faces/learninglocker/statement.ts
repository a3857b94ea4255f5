// Statements on the REST API: read by whoever may read statements, erased by whoever has the scope for it, never written.

import { DomainError } from '../../core/errors.ts'
import type { Oid } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import { inSlices } from '../../core/slices.ts'
import { queryOf } from './auth.ts'
import type { Call } from './auth.ts'
import type { Endpoint } from './endpoint.ts'
import { answerList } from './json-answer.ts'
import { readOid } from './model.ts'
import { distinctIn, readListParameters } from './parameters.ts'
import type { ListParameters } from './parameters.ts'
import { badQuery } from './query-error.ts'
import type { Filter } from './query.ts'
import { Work } from './query-value.ts'
import type { Value } from './query-value.ts'
import { demandPopulated, populate } from './rest.ts'
import { projecting } from './select.ts'
import { statementModel } from './statement-document.ts'
import { statementPlace } from './statement-id.ts'
import { countStatements, eachStatement, findStatements, mostCharacters } from './statement-search.ts'
import type { FoundDocument } from './statement-search.ts'
import { lrsOf, readershipOf } from './statement-source.ts'
import { noObjectId } from './validation.ts'

/** In one answer: without a limit, and with one. */
const mostUnlimited = 1_000
const mostLimited = 10_000
const mostDistinct = 10_000

const references = { organisation: 'organisation', lrs_id: 'lrs', client: 'client' } as const

const all = '/api/v2/statement'
const one = `${all}/:id`

export const statementEndpoints: readonly Endpoint[] = [
  { method: 'GET', path: all, needs: 'statements/read', checkQuery: checkList, answer: list },
  { method: 'GET', path: `${all}/count`, needs: 'statements/read', checkQuery: readParameters, answer: count },
  { method: 'GET', path: one, needs: 'statements/read', checkQuery: checkShown, answer: read },
  { method: 'DELETE', path: one, needs: 'statements/delete', answer: erase },
]

function readParameters(query: URLSearchParams): ListParameters {
  return readListParameters(query, statementModel)
}

function checkList(query: URLSearchParams, principal: Principal): void {
  if (readParameters(query).distinct === undefined) checkShown(query, principal)
}

function checkShown(query: URLSearchParams, principal: Principal): void {
  demandPopulated(principal, { references }, readParameters(query).populate)
}

async function list(call: Call): Promise<Response> {
  const parameters = readParameters(queryOf(call))
  const { distinct } = parameters
  if (distinct !== undefined) return answerList(call.c, await listDistinct(call, parameters.filter, distinct))
  const found = await findAll(call, parameters)
  return show(call, found, parameters)
}

async function count(call: Call): Promise<Response> {
  const { filter } = readParameters(queryOf(call))
  return call.c.json({ count: await countStatements(call, filter) })
}

async function read(call: Call): Promise<Response> {
  const parameters = readParameters(queryOf(call))
  const byId: Filter = { kind: 'field', path: '_id', test: { kind: 'eq', value: idOf(call) } }
  const filter: Filter = { kind: 'and', filters: [byId, parameters.filter] }
  const [found] = await findStatements(call, { filter, sort: [], skip: 0, limit: 1 })
  if (found === undefined) throw notThere()
  const [document] = await shown(call, [found], parameters)
  return call.c.json(document)
}

async function erase(call: Call): Promise<Response> {
  const place = statementPlace(idOf(call))
  const readership = await readershipOf(call)
  const lrsId = place && lrsOf(readership, { lrs: undefined, lrsId: place.lrsId })[0]?.id
  if (place === undefined || lrsId === undefined) throw notThere()
  await call.core.erasures.eraseStatement(withinReading(readership.reader), lrsId, { seq: place.seq })
  return call.c.body(null, 204)
}

/** Whoever reads its own only erases its own only: the scope for erasing has no reach in the product. */
function withinReading(reader: Principal): Principal {
  const { rights } = reader
  if (rights.xapi['statements/read'] !== 'mine') return reader
  return { ...reader, rights: { ...rights, xapi: { ...rights.xapi, 'statements/delete': 'mine' } } }
}

/** Never fewer than there are without saying so. */
async function findAll(call: Call, { filter, sort, skip, limit }: ListParameters): Promise<readonly FoundDocument[]> {
  const most = limit === undefined ? mostUnlimited : mostLimited
  const wanted = Math.min(limit ?? Infinity, most)
  const isCut = limit === undefined || limit > most
  const found = await findStatements(call, { filter, sort, skip, limit: isCut ? wanted + 1 : wanted })
  const characters = found.reduce((sum, one) => sum + one.characters, 0)
  if (found.length > wanted) {
    throw badQuery(
      'limit',
      `there are more than ${most}; send a limit up to ${mostLimited}, and skip or a range of _id`,
    )
  }
  if (characters > mostCharacters) {
    throw badQuery('limit', `they have more than ${mostCharacters} characters; send a smaller limit`)
  }
  return found
}

async function listDistinct(call: Call, filter: Filter, path: string): Promise<readonly Value[]> {
  const values = new Map<string, Value>()
  const work = new Work()
  for await (const document of eachStatement(call, filter)) {
    work.begin()
    for (const value of distinctIn(document, path, work)) values.set(JSON.stringify(value), value)
    if (values.size > mostDistinct) throw badQuery('distinct', `there are more than ${mostDistinct} values`)
  }
  return [...values.values()]
}

async function show(call: Call, found: readonly FoundDocument[], parameters: ListParameters): Promise<Response> {
  return answerList(call.c, await shown(call, found, parameters))
}

async function shown(
  call: Call,
  found: readonly FoundDocument[],
  { select, populate: populated }: ListParameters,
): Promise<readonly Value[]> {
  const all = found.map(({ document }) => document)
  const documents = await inSlices(projecting(all, select))
  return populate(call, { references }, documents, populated)
}

function idOf({ c }: Call): Oid {
  const sent = c.req.param('id') ?? ''
  const id = readOid(sent)
  if (id === undefined) throw noObjectId('Statement', sent)
  return id
}

function notThere(): DomainError {
  return new DomainError('not_found', 'There is no statement with this _id')
}
