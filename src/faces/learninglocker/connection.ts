// The connection API: pages of any model behind or before a cursor. What the product answered with 500 is 400 here, and `before`
// gives the page just before (facts 2.3).

import { HttpError } from '../http.ts'
import { queryOf } from './auth.ts'
import type { Call } from './auth.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { findDocuments } from './document-search.ts'
import type { Endpoint } from './endpoint.ts'
import { answerText, textsOf } from './json-answer.ts'
import type { Model } from './model.ts'
import { QueryError, badQuery } from './query-error.ts'
import { everything, parseFilter, readParameter } from './query.ts'
import type { Filter, QueryModel } from './query.ts'
import { Work } from './query-value.ts'
import type { Document, Value } from './query-value.ts'
import { models } from './rest.ts'
import { parseProjection, projecting } from './select.ts'
import type { Projection } from './select.ts'
import { keyOf, parseSort } from './sort.ts'
import type { Sort } from './sort.ts'
import { statementModel } from './statement-document.ts'
import { findStatements, mostCharacters } from './statement-search.ts'
import { inSlices } from '../../core/slices.ts'

/** Of one page; a page that is cut says that there is a next one. */
const mostNodes = 1_000
const usualNodes = 10
const lastNodes = 100

interface Page {
  readonly filter: Filter
  readonly sort: Sort
  readonly project: Projection | undefined
  readonly most: number
  /** Only behind this key of `sort`; or before it, then the last of them. */
  readonly after: readonly Value[] | undefined
  readonly before: readonly Value[] | undefined
}

interface Node {
  readonly key: readonly Value[]
  readonly document: Document
  readonly characters: number
}

/** What is asked of documents in the order of `sort`. */
interface Search extends Pick<Page, 'filter' | 'sort' | 'after'> {
  readonly limit: number
}

/** The first of them, at most `limit`. */
type Find = (call: Call, search: Search) => Promise<readonly Node[]>

export const connectionEndpoints: readonly Endpoint[] = [
  ...Object.entries(models).map(([path, model]): Endpoint => {
    return {
      ...at(path, model),
      needs: 'all',
      answer: (call) => answer(call, model, (by, search) => findIn(model, by, search)),
    }
  }),
  {
    ...at('statement', statementModel),
    needs: 'statements/read',
    answer: (call) => answer(call, statementModel, (by, search) => findStatements(by, { ...search, skip: 0 })),
  },
]

function at(path: string, model: QueryModel): Pick<Endpoint, 'method' | 'path' | 'checkQuery'> {
  const checkQuery: Endpoint['checkQuery'] = (query) => void readPage(query, model)
  return { method: 'GET', path: `/api/connection/${path}`, checkQuery }
}

async function answer(call: Call, model: QueryModel, find: Find): Promise<Response> {
  try {
    const page = readPage(queryOf(call), model)
    return await answerPage(call, page, await findPage(call, page, find))
  } catch (error) {
    // Not in the shape of the REST API's library.
    throw error instanceof QueryError ? new HttpError('invalid', 400, error.message) : error
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Parameters

/** `hint`, and whatever else is sent, means nothing here. */
function readPage(query: URLSearchParams, model: QueryModel): Page {
  const read = <T>(name: string, reader: (text: string) => T): T | undefined => {
    const text = query.get(name)
    return text === null || text === '' ? undefined : reader(text)
  }
  const byId: Sort = [{ path: '_id', isDescending: false }]
  const sort = read('sort', (text) => parseSort(readParameter(text, 'sort'), model)) ?? byId
  const cursor = (name: string) => read(name, (text) => readCursor(text, sort, { model, name }))
  const [after, before] = [cursor('after'), cursor('before')]
  if (after && before) throw badQuery('before', 'send either after or before')
  return {
    filter: read('filter', (text) => readFilter(text, model)) ?? everything,
    sort,
    project: read('project', (text) => parseProjection(readParameter(text, 'project'), 'project')),
    most: readMost(query),
    after,
    before,
  }
}

function readFilter(text: string, model: QueryModel): Filter {
  return parseFilter(readParameter(text, 'filter'), { model, name: 'filter', hasShortcuts: false })
}

/** `last` counts only where `first` is 0 or no number, as in the product. */
function readMost(query: URLSearchParams): number {
  const wholeIn = (name: string): number => Number.parseInt(query.get(name) ?? '', 10) || 0
  const first = query.get('first') === null ? usualNodes : wholeIn('first')
  const most = first || wholeIn('last') || lastNodes
  if (most < 0) throw badQuery(first < 0 ? 'first' : 'last', 'this is a whole number, 0 or more')
  return Math.min(most, mostNodes)
}

// ---------------------------------------------------------------------------------------------------------------------
// The page

interface FoundPage {
  /** In the order of the sort. */
  readonly nodes: readonly Node[]
  /** There is one more in the direction that was gone. */
  readonly isMore: boolean
}

async function findPage(call: Call, { filter, sort, most, after, before }: Page, find: Find): Promise<FoundPage> {
  const search = before === undefined ? { filter, sort, after } : { filter, sort: reversed(sort), after: before }
  const found = await find(call, { ...search, limit: most + 1 })
  const nodes = found.slice(0, fitting(found, most))
  const isMore = found.length > nodes.length
  if (before === undefined) return { nodes, isMore }
  // Of an array another member may count in the other direction.
  const work = new Work()
  const again = nodes.map((node) => {
    work.begin()
    return { ...node, key: keyOf(sort, node.document, work) }
  })
  return { nodes: again.toReversed(), isMore }
}

/** How many of them an answer has room for; at least one. */
function fitting(found: readonly Node[], most: number): number {
  let characters = 0
  const tooMany = found.findIndex((node, index) => {
    characters += node.characters
    return index > 0 && characters > mostCharacters
  })
  return Math.min(most, tooMany < 0 ? found.length : tooMany)
}

function reversed(sort: Sort): Sort {
  return sort.map(({ path, isDescending }) => ({ path, isDescending: !isDescending }))
}

/** As recorded: which of the two flags says that there is more depends on the direction; the other one, that there was a cursor. */
async function answerPage(call: Call, page: Page, { nodes, isMore }: FoundPage): Promise<Response> {
  const { sort, after, before } = page
  const cursors = nodes.map(({ key }) => writeCursor(sort, key))
  const documents = nodes.map(({ document }) => document)
  const texts = await textsOf(await inSlices(projecting(documents, page.project)))
  const edges = texts.map((node, index) => `{"cursor":${JSON.stringify(cursors[index])},"node":${node}}`)
  const pageInfo = {
    hasNextPage: before === undefined ? isMore : true,
    hasPreviousPage: before === undefined ? after !== undefined : isMore,
    startCursor: cursors[0] ?? writeCursor([]),
    endCursor: cursors.at(-1) ?? writeCursor([]),
  }
  return answerText(call.c, `{"edges":[${edges.join(',')}],"pageInfo":${JSON.stringify(pageInfo)}}`)
}

async function findIn(model: Model, call: Call, search: Search): Promise<readonly Node[]> {
  const found = await findDocuments(model, call, search)
  return found.map((one) => ({ ...one, characters: 0 }))
}
