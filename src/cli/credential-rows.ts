// Keys as rows of a file: the columns, which are named as the options of `credential create`, and a row as the key it asks for or
// the key as the row that would make it again. A mistake is told with its column. Reads and writes no file.

import { checkShape } from '../core/check.ts'
import type { NewCredentialInput } from '../core/credential.ts'
import { inWords, isDomainError } from '../core/errors.ts'
import type { CredentialId, LrsId, Oid } from '../core/ids.ts'
import { limitsSchema } from '../core/limits.ts'
import { pinsSchema } from '../core/pins.ts'
import type { Caller } from '../core/principal.ts'
import { rightsSchema } from '../core/rights.ts'
import type { ManagementGrant, Rights } from '../core/rights.ts'
import type { CredentialKind, CredentialRecord } from '../core/storage.ts'
import { lrsOfApplications, startOf } from './commands/credential-create.ts'
import type { Opened } from './context.ts'
import {
  addRights,
  checkChosenSecret,
  parseExpiry,
  parseLimits,
  parseNumber,
  parsePins,
  unknownWord,
} from './credential-options.ts'
import { PlainError, time, UsageError } from './outcome.ts'

/** How a cell is read: a text, words with spaces between them (or a JSON array), yes or no, JSON. */
type Shape = 'text' | 'list' | 'flag' | 'json'

const columnShapes = {
  name: 'text',
  key: 'text',
  secret: 'text',
  preset: 'text',
  rights: 'list',
  manage: 'list',
  within: 'flag',
  lrs: 'list',
  expires: 'text',
  enabled: 'flag',
  'pin-actor': 'list',
  'pin-registration': 'text',
  'pin-registration-when-present': 'text',
  'pin-activity': 'text',
  'limit-rate': 'text',
  'limit-burst': 'text',
  'limit-batch': 'text',
  'limit-body': 'text',
  'limit-daily': 'text',
  'limit-address': 'list',
  'limit-origin': 'list',
  'limit-xapi-version': 'list',
  pins: 'json',
  limits: 'json',
  authority: 'json',
  oauth: 'json',
  words: 'json',
  kind: 'text',
  id: 'text',
  oid: 'text',
} as const satisfies Record<string, Shape>

export type Column = keyof typeof columnShapes
export const columns = Object.keys(columnShapes) as readonly Column[]

export interface CellFailure {
  readonly column: string
  readonly message: string
}

export type Parsed =
  | { readonly input: NewCredentialInput; readonly failures: readonly [] }
  | { readonly input: undefined; readonly failures: readonly CellFailure[] }

/** Throws `UsageError` for a column that is none. */
export function checkColumns(names: Iterable<string>, what: string): void {
  for (const name of names) {
    if (!Object.hasOwn(columnShapes, name)) throw new UsageError(`${what}: ${unknownWord(name, columns, 'the column')}`)
  }
}

type Cells = { [Name in Column]?: unknown }

export async function parseCredential(
  opened: Opened,
  caller: Caller,
  given: Readonly<Record<string, unknown>>,
): Promise<Parsed> {
  const failures: CellFailure[] = []
  const attempt = async <T>(own: readonly Column[], work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof PlainError || isDomainError(error))) throw error
      const { message } = error
      const column = own.find((name) => message.includes(`--${optionOf(name)} `)) ?? own.find((name) => name in cells)
      failures.push({ column: column ?? own[0]!, message: message.replace(/^--[a-z-]+:? /, '') })
      return undefined
    }
  }
  const cells: Cells = {}
  for (const [name, cell] of Object.entries(given)) {
    const column = name as Column
    const value = await attempt([column], () => readCell(cell, columnShapes[column]))
    if (value !== undefined) cells[column] = value
  }
  const rights = await attempt(['rights', 'manage', 'within', 'preset'], () => rightsOf(opened, caller, cells))
  const pins = await attempt(pinColumns, () => pinsOf(cells))
  const limits = await attempt(limitColumns, () => limitsOf(cells))
  const lrsIds = await attempt(['lrs'], () => texts(cells.lrs)?.map((id) => parseNumber(id, 'an Lrs') as LrsId))
  const now = opened.core.clock.now()
  const expires = text(cells.expires)
  const expiresAt = await attempt(['expires'], () => (expires === undefined ? undefined : parseExpiry(expires, now)))
  const secret = text(cells.secret)
  await attempt(['secret'], () => secret === undefined || checkChosenSecret(secret, 'a secret'))
  const kind = await attempt(['kind'], () => kindOf(text(cells.kind)))
  const id = text(cells.id)
  const number = await attempt(['id'], () =>
    id === undefined ? undefined : (parseNumber(id, 'an id') as CredentialId),
  )
  const name = text(cells.name)
  if (name === undefined && !failures.some(({ column }) => column === 'name')) {
    failures.push({ column: 'name', message: 'A key needs a name.' })
  }
  if (failures.length > 0 || rights === undefined || name === undefined) return { input: undefined, failures }
  const input = {
    ...{
      name,
      ...rights,
      key: text(cells.key),
      secret,
      kind,
      isEnabled: cells.enabled,
      pins,
      limits,
      lrsIds,
      expiresAt,
    },
    ...{ authority: cells.authority, oauth: cells.oauth, id: number, oid: text(cells.oid) as Oid | undefined },
    ...(cells.words !== undefined && { words: cells.words }),
  }
  const present = Object.entries(input).filter(([, value]) => value !== undefined)
  return { input: Object.fromEntries(present) as unknown as NewCredentialInput, failures: [] }
}

/** As the option of `credential create` is called. */
function optionOf(column: Column): string {
  return column === 'rights' ? 'right' : column
}

function readCell(cell: unknown, shape: Shape): unknown {
  if (cell === null || cell === undefined || cell === '') return undefined
  if (shape === 'text') {
    if (typeof cell === 'string' || typeof cell === 'number') return String(cell)
    throw new UsageError(`it must be text, not ${JSON.stringify(cell)}`)
  }
  if (shape === 'flag') return readFlag(cell)
  const value: unknown = typeof cell === 'string' && (shape === 'json' || /^\s*[[{]/.test(cell)) ? readJson(cell) : cell
  if (shape === 'json') {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
    throw new UsageError('it must be a JSON object')
  }
  if (typeof value === 'string') return value.split(/\s+/).filter((word) => word !== '')
  if (typeof value === 'number') return [String(value)]
  if (isObject(value)) return value
  if (Array.isArray(value) && value.every((one) => typeof one === 'string' || typeof one === 'number')) {
    return value.map(String)
  }
  throw new UsageError('it must be words with spaces between them, or a JSON array of texts')
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readFlag(cell: unknown): boolean {
  const word = String(cell).trim().toLowerCase()
  if (['true', 'yes', '1'].includes(word)) return true
  if (['false', 'no', '0'].includes(word)) return false
  throw new UsageError(`it must be yes or no, not ${JSON.stringify(cell)}`)
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError('it is not valid JSON')
  }
}

function text(value: unknown): string | undefined {
  return value as string | undefined
}

function texts(value: unknown): readonly string[] | undefined {
  if (isObject(value)) throw new UsageError('it must be words, not an object')
  return value as readonly string[] | undefined
}

/** Words, or as `credential list --json` shows them. */
async function rightsOf(
  opened: Opened,
  caller: Caller,
  cells: Cells,
): Promise<Pick<NewCredentialInput, 'rights' | 'words'>> {
  if (isObject(cells.rights)) {
    const other = (['preset', 'manage', 'within'] as const).find((name) => cells[name] !== undefined)
    if (other !== undefined) throw new UsageError(`--${other} is for rights in words; here they are an object`)
    demandShape(checkShape(rightsSchema, cells.rights, ''))
    return { rights: cells.rights as Rights }
  }
  const [right, manage, preset] = [texts(cells.rights), texts(cells.manage), text(cells.preset)]
  const options = { ...(right && { right }), ...(manage && { manage }), ...(cells.within === true && { within: true }) }
  const { rights: start, words } = startOf(opened, { ...options, ...(preset !== undefined && { preset }) })
  const rights = addRights(start, options, await lrsOfApplications(opened, caller, options))
  return { rights, ...(words && { words }) }
}

const pinColumns = ['pin-actor', 'pin-registration', 'pin-registration-when-present', 'pin-activity', 'pins'] as const

function pinsOf(cells: Cells): NewCredentialInput['pins'] {
  const [actor, activity] = [texts(cells['pin-actor']), text(cells['pin-activity'])]
  const [registration, whenPresent] = [text(cells['pin-registration']), text(cells['pin-registration-when-present'])]
  const pins = parsePins({
    ...(actor && { pinActor: actor }),
    ...(registration !== undefined && { pinRegistration: registration }),
    ...(whenPresent !== undefined && { pinRegistrationWhenPresent: whenPresent }),
    ...(activity !== undefined && { pinActivity: activity }),
  })
  return wholeOr(cells.pins, pins, (value) => demandShape(checkShape(pinsSchema, value, '')))
}

const limitColumns = [
  'limit-rate',
  'limit-burst',
  'limit-batch',
  'limit-body',
  'limit-daily',
  'limit-address',
  'limit-origin',
  'limit-xapi-version',
  'limits',
] as const

function limitsOf(cells: Cells): NewCredentialInput['limits'] {
  const options = limitColumns.flatMap((column) => {
    if (column === 'limits' || cells[column] === undefined) return []
    return [[column.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()), cells[column]]]
  })
  const limits = parseLimits(Object.fromEntries(options) as Parameters<typeof parseLimits>[0])
  return wholeOr(cells.limits, limits, (value) => demandShape(checkShape(limitsSchema, value, '')))
}

/** All in one cell, or in columns of their own; not both. */
function wholeOr<T extends object>(whole: unknown, single: T, check: (value: unknown) => void): T {
  if (whole === undefined) return single
  if (Object.keys(single).length > 0) throw new UsageError('give all of them in one cell, or each in its column')
  check(whole)
  return whole as T
}

function demandShape(failures: ReturnType<typeof checkShape>): void {
  if (failures.length > 0) throw new UsageError(failures.map(inWords).join(' '))
}

function kindOf(word: string | undefined): CredentialKind | undefined {
  if (word === undefined || word === 'client' || word === 'management') return word
  throw new UsageError(unknownWord(word, ['client', 'management'], 'the kind'))
}

// ---------------------------------------------------------------------------------------------------------------------
// The way back

/** What of a key is written; `secret` only where it is given. */
export function rowOf(credential: CredentialRecord, secret?: string): Readonly<Partial<Record<Column, unknown>>> {
  const { id, oid, kind, name, key, isEnabled, rights, pins, limits, lrsIds, authority, oauth, words, expiresAt } =
    credential
  return {
    ...{ id, oid, name, key, ...(secret !== undefined && { secret }), kind, enabled: isEnabled, lrs: lrsIds },
    ...rightsRow(rights),
    ...(expiresAt !== null && { expires: time(expiresAt) }),
    ...(Object.keys(pins).length > 0 && { pins }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(authority !== null && { authority }),
    ...(oauth !== null && { oauth }),
    ...(Object.keys(words).length > 0 && { words }),
  }
}

/** In words where words say all of it. */
function rightsRow({ xapi, management }: Rights): Partial<Record<Column, unknown>> {
  const rights = Object.entries(xapi).map(([right, reach]) => (reach === 'any' ? right : `${right}:${reach}`))
  const ofCredentials = management.filter(({ area }) => area === 'credentials')
  const isDelegated = ofCredentials.some(({ within }) => within === true)
  const isMixed = isDelegated && ofCredentials.some(({ within }) => within !== true)
  if (rights.length + management.length === 0) return { preset: 'none' }
  if (isMixed) return { rights: { xapi, management } }
  return {
    ...(rights.length > 0 && { rights }),
    ...(management.length > 0 && { manage: management.map(manageWord) }),
    ...(isDelegated && { within: true }),
  }
}

function manageWord({ area, actions, bound }: ManagementGrant): string {
  const where = bound.kind === 'organisation' ? '' : `@${'id' in bound ? `${bound.kind}/${bound.id}` : bound.kind}`
  return `${area}:${actions.join(',')}${where}`
}
