// Lists that come in pages: their query, and the opaque `more` that continues one. It carries what the first request asked for
// and where its page ended, never who asked.

import { z } from 'zod'
import { flagIn, parameter, refuse, timeIn, wordIn } from './wire.ts'

export interface ListQuery {
  readonly filter?: { readonly by: string; readonly text: string }
  readonly rangeBy: 'createdAt' | 'updatedAt'
  /** Unix milliseconds, both inclusive. */
  readonly since?: number
  readonly until?: number
  readonly by: 'createdAt' | 'updatedAt'
  readonly isDescending: boolean
  /** Continue behind this one: its time in the order, and its id. */
  readonly after?: Position
  /** Say in a header how many there are; on the first page only. */
  readonly isCounted: boolean
  /** Words of the operation's own that hold for every page. */
  readonly include: readonly string[]
}

export interface Position {
  readonly at: number
  readonly id: string
}

/** How the vendor's page size is, nobody says; so many do in one answer. */
export const pageSize = 100

const filters = ['since', 'until', 'datetimeFilter', 'filter', 'filterBy', 'orderBy'] as const
const times = { created: 'createdAt', updated: 'updatedAt' } as const
const orders = ['updated_asc', 'updated_desc', 'created_asc', 'created_desc'] as const
const longestFilter = 255
/** What no database looks for. */
const unstorable = /[\0\p{Surrogate}]/u

/** `filterBy`: the words it may be, the first unless given. `include`: flags of the operation's own. */
export function readList(
  query: URLSearchParams,
  { list, filterBy, include = [] }: { list: string; filterBy: readonly string[]; include?: readonly string[] },
): ListQuery {
  const more = parameter(query, 'more')
  if (more !== undefined) {
    const beside = filters.find((name) => parameter(query, name) !== undefined)
    if (beside !== undefined)
      throw refuse(`?${beside}`, 'must not stand beside more, which has the filters of the first request')
    return readMore(more, list)
  }
  const text = parameter(query, 'filter')
  if (text !== undefined && (text.length > longestFilter || unstorable.test(text))) {
    throw refuse('?filter', `must have at most ${longestFilter} characters, none of them U+0000`)
  }
  const order = wordIn(query, 'orderBy', orders) ?? 'updated_asc'
  const since = timeIn(query, 'since')
  const until = timeIn(query, 'until')
  const by = wordIn(query, 'filterBy', filterBy) ?? filterBy[0] ?? ''
  return {
    ...(text !== undefined && { filter: { by, text } }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    rangeBy: times[wordIn(query, 'datetimeFilter', ['updated', 'created']) ?? 'updated'],
    by: order.startsWith('updated') ? 'updatedAt' : 'createdAt',
    isDescending: order.endsWith('desc'),
    isCounted: flagIn(query, 'includeTotalCount') ?? false,
    include: include.filter((name) => flagIn(query, name) ?? false),
  }
}

const whole = z.int()
const words = z
  .string()
  .max(longestFilter)
  .refine((text) => !unstorable.test(text))
const which = z.enum(['createdAt', 'updatedAt'])
const moreSchema = z.strictObject({
  list: z.string(),
  filter: z.strictObject({ by: z.string().max(40), text: words }).exactOptional(),
  since: whole.exactOptional(),
  until: whole.exactOptional(),
  rangeBy: which,
  by: which,
  isDescending: z.boolean(),
  after: z.strictObject({ at: whole, id: words }),
  include: z.array(z.string().max(40)).max(4),
})

/** For a page that ends at `last`. */
export function writeMore(list: string, query: ListQuery, last: Position): string {
  const { isCounted: _, ...kept } = query
  return Buffer.from(JSON.stringify({ list, ...kept, after: last })).toString('base64url')
}

function readMore(more: string, list: string): ListQuery {
  const read = moreSchema.safeParse(decoded(more)).data
  if (read === undefined || read.list !== list) throw refuse('?more', 'must be what the page before it had as more')
  const { list: _, ...query } = read
  return { ...query, isCounted: false }
}

function decoded(more: string): unknown {
  try {
    return JSON.parse(Buffer.from(more, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
