// Which members of a document are answered: `select` of the REST API, `project` of the connection API. Knows nothing of models.

import type { Sliceable } from '../../core/slices.ts'
import { badQuery } from './query-error.ts'
import { readParameter } from './query.ts'
import { isDocument } from './query-value.ts'
import type { Document, Value } from './query-value.ts'

/** Either only these paths, or all but these; undefined: all. */
export interface Projection {
  readonly isInclusive: boolean
  readonly tree: Tree
  /** Both come back whatever is asked for, unless `_id: 0` says otherwise. */
  readonly hasId: boolean
}

/** By name, what lies below it; null: whatever does. */
type Tree = ReadonlyMap<string, Tree | null>

const mostPaths = 200
const mostNames = 20

/** `title,createdAt`, `-api`, a JSON array of those, or JSON: `{"title":1}`. */
export function readSelect(text: string): Projection | undefined {
  const trimmed = text.trim()
  const sent = /^[[{]/.test(trimmed) ? readParameter(trimmed, 'select') : trimmed
  if (isDocument(sent)) return parseProjection(sent, 'select')
  const names = Array.isArray(sent) ? (sent as readonly unknown[]) : trimmed.split(/[,\s]+/)
  const paths = names.map((name) => {
    if (typeof name !== 'string') throw badQuery('select', 'this takes names')
    return name.startsWith('-') ? ([name.slice(1), 0] as const) : ([name.replace(/^\+/, ''), 1] as const)
  })
  // The product's library lets no request take these away.
  const isKept = ([path]: readonly [string, number]): boolean => path !== '' && path !== '_id' && path !== 'id'
  const named = paths.filter(([path]) => path !== '')
  return named.length === 0
    ? undefined
    : projectionOf(
        named.filter(isKept),
        'select',
        true,
        named.some(([, is]) => is === 1),
      )
}

/** `{"title":1,"_id":0}`; `name`: the parameter. */
export function parseProjection(sent: unknown, name: string): Projection | undefined {
  if (!isDocument(sent)) throw badQuery(name, 'this takes an object of fields and 1 or 0')
  const paths = Object.entries(sent).map(([path, value]) => {
    if (typeof value !== 'number' && typeof value !== 'boolean') throw badQuery(`${name}.${path}`, 'this is 1 or 0')
    return [path, Number(Boolean(value))] as const
  })
  const hasId = !paths.some(([path, is]) => path === '_id' && is === 0)
  const others = paths.filter(([path]) => path !== '_id')
  if (paths.length === 0) return undefined
  const isOnlyId = others.length === 0 && hasId
  return projectionOf(others, name, hasId, isOnlyId || others.some(([, is]) => is === 1))
}

function projectionOf(
  paths: readonly (readonly [path: string, is: number])[],
  name: string,
  hasId: boolean,
  isInclusive: boolean,
): Projection {
  if (paths.length > mostPaths) throw badQuery(name, `more than ${mostPaths} fields are not accepted`)
  const tree = new Map<string, Tree | null>()
  for (const [path, is] of paths) {
    if ((is === 1) !== isInclusive)
      throw badQuery(name, 'fields are either all named to be answered, or all to be left out')
    if (path.includes('$')) throw badQuery(`${name}.${path}`, 'an operator is not accepted here')
    addPath(tree, path.split('.').slice(0, mostNames))
  }
  return { isInclusive, tree, hasId }
}

/** The shorter of two paths covers the longer one. */
function addPath(tree: Map<string, Tree | null>, [name = '', ...rest]: readonly string[]): void {
  const below = tree.get(name)
  if (below === null) return
  if (rest.length === 0) return void tree.set(name, null)
  const branch = (below as Map<string, Tree | null> | undefined) ?? new Map<string, Tree | null>()
  tree.set(name, branch)
  addPath(branch, rest)
}

/** Of as many as an answer has: a million members of documents that are copied take half a second. */
export function* projecting(
  documents: Iterable<Document>,
  projection: Projection | undefined,
): Sliceable<readonly Document[]> {
  const projected: Document[] = []
  for (const document of documents) {
    projected.push(project(document, projection))
    yield
  }
  return projected
}

export function project(document: Document, projection: Projection | undefined): Document {
  if (projection === undefined) return document
  const { isInclusive, tree, hasId } = projection
  const members = Object.entries(document).flatMap(([name, value]): (readonly [string, Value])[] => {
    if (name === '_id' || name === 'id') return hasId ? [[name, value]] : []
    return member([name, value], tree, isInclusive)
  })
  return Object.fromEntries(members)
}

function member(
  [name, value]: readonly [string, Value],
  tree: Tree,
  isInclusive: boolean,
): (readonly [string, Value])[] {
  const below = tree.get(name)
  if (below === undefined) return isInclusive ? [] : [[name, value]]
  if (below === null) return isInclusive ? [[name, value]] : []
  if (!isDocument(value) && !Array.isArray(value)) return isInclusive ? [] : [[name, value]]
  return [[name, prune(value, below, isInclusive)]]
}

function prune(value: Value, tree: Tree, isInclusive: boolean): Value {
  if (Array.isArray(value)) {
    const members = (value as readonly Value[]).filter((part) => !isInclusive || typeof part === 'object')
    return members.map((part) => prune(part, tree, isInclusive))
  }
  if (!isDocument(value)) return value
  return Object.fromEntries(Object.entries(value).flatMap((entry) => member(entry, tree, isInclusive)))
}
