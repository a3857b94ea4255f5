// Statements as rows for analysts: one a statement, what is nested flattened, what a spreadsheet would take for a formula made text.
// docs/guides/export.md explains the columns.

import { stringify } from 'csv-stringify/sync'
import type { LrsId, OrganisationId } from '../core/ids.ts'
import type { ExportedStatement } from '../core/storage.ts'

type Members = Readonly<Record<string, unknown>>

/** Where a statement has it, as a JSON Pointer, or how it is told; the names of the columns are the header. */
const columns: readonly (readonly [name: string, read: (statement: Members, row: Row) => Cell])[] = [
  ['id', (s) => text(s['id'])],
  ['stored', (s) => text(s['stored'])],
  ['timestamp', (s) => text(s['timestamp'])],
  ['actor_kind', (s) => kindOf(s['actor'])],
  ['actor_id', (s) => whoIs(s['actor'])],
  ['actor_name', (s) => at(s, '/actor/name')],
  ['verb', (s) => at(s, '/verb/id')],
  ['verb_display', (s) => inOneLanguage(find(s, '/verb/display'))],
  ['object_type', (s) => at(s, '/object/objectType') ?? 'Activity'],
  ['object_id', (s) => at(s, '/object/id') ?? whoIs(s['object'])],
  ['object_name', (s) => inOneLanguage(find(s, '/object/definition/name')) ?? at(s, '/object/name')],
  ['object_activity_type', (s) => at(s, '/object/definition/type')],
  ['score_scaled', (s) => at(s, '/result/score/scaled')],
  ['score_raw', (s) => at(s, '/result/score/raw')],
  ['score_min', (s) => at(s, '/result/score/min')],
  ['score_max', (s) => at(s, '/result/score/max')],
  ['success', (s) => at(s, '/result/success')],
  ['completion', (s) => at(s, '/result/completion')],
  ['duration', (s) => at(s, '/result/duration')],
  ['response', (s) => at(s, '/result/response')],
  ['registration', (s) => at(s, '/context/registration')],
  ['parent', (s) => idsAt(s, 'parent')],
  ['grouping', (s) => idsAt(s, 'grouping')],
  ['category', (s) => idsAt(s, 'category')],
  ['language', (s) => at(s, '/context/language')],
  ['platform', (s) => at(s, '/context/platform')],
  ['key_id', (_, { owner }) => owner],
  ['key_name', (_, { keyName }) => keyName],
  ['voided', (_, { isVoided }) => isVoided],
  ['lrs', (_, { lrsId }) => lrsId],
  ['organisation', (_, { organisationId }) => organisationId],
]

type Cell = string | number | boolean | undefined
interface Row extends Pick<ExportedStatement, 'owner' | 'isVoided'>, Place {
  readonly keyName: string | undefined
}

/** Where it is, so that files of several Lrs can be joined. */
export interface Place {
  readonly lrsId: LrsId
  readonly organisationId: OrganisationId
}

/** With a mark before it where a spreadsheet would take UTF-8 for the letters of its country; other readers may take the mark for a letter. */
export function csvHeader({ withBom }: { readonly withBom: boolean }): string {
  return (withBom ? '\uFEFF' : '') + line(columns.map(([name]) => name))
}

/** One line; some 30 µs. */
export function csvLine(
  { body, owner, isVoided }: ExportedStatement,
  keyName: string | undefined,
  place: Place,
): string {
  const statement = JSON.parse(body) as Members
  return line(columns.map(([, read]) => read(statement, { owner, isVoided, keyName, ...place })))
}

/** Text that begins with =, +, -, @ or a tab gets an apostrophe before it; numbers stay numbers. */
function line(cells: readonly Cell[]): string {
  return stringify([cells], { escape_formulas: true, record_delimiter: 'windows', cast: { boolean: String } })
}

function find(value: unknown, pointer: string): unknown {
  let found = value
  for (const name of pointer.split('/').slice(1)) {
    if (!isMembers(found) || !Object.hasOwn(found, name)) return undefined
    found = found[name]
  }
  return found
}

function at(value: unknown, pointer: string): Cell {
  const found = find(value, pointer)
  return typeof found === 'number' || typeof found === 'boolean' ? found : text(found)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** `Agent` or `Group`; an Agent that says nothing is one. */
function kindOf(value: unknown): string | undefined {
  return isMembers(value) ? (text(value['objectType']) ?? 'Agent') : undefined
}

/** The identifier; an account's is its home page and its name, with a space between them. */
function whoIs(value: unknown): string | undefined {
  if (!isMembers(value)) return undefined
  const account = find(value, '/account/homePage')
  if (typeof account === 'string') return `${account} ${text(find(value, '/account/name')) ?? ''}`
  return text(value['mbox']) ?? text(value['mbox_sha1sum']) ?? text(value['openid'])
}

/** English, where there is any; else the first. */
function inOneLanguage(value: unknown): string | undefined {
  if (!isMembers(value)) return undefined
  const tags = Object.keys(value)
  const tag = tags.find((name) => /^en\b/i.test(name)) ?? tags[0]
  return tag === undefined ? undefined : text(value[tag])
}

/** Several with a space between them: no IRI has one. */
function idsAt(statement: Members, kind: string): string | undefined {
  const found = find(statement, `/context/contextActivities/${kind}`)
  const list: readonly unknown[] = Array.isArray(found) ? found : found === undefined ? [] : [found]
  const ids = list.flatMap((one) => text(find(one, '/id')) ?? [])
  return ids.length === 0 ? undefined : ids.join(' ')
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
