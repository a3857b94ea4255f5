// Which keys a command on many of them is about: those a file names, those a filter finds, or all of an organisation. The own keys of
// applications are never among those found: they are kept with their application. Changes nothing.

import { readFile, stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import type { Command } from 'commander'
import type { CredentialId } from '../core/ids.ts'
import { describeRights } from '../core/presets.ts'
import type { Caller } from '../core/principal.ts'
import type { Rights } from '../core/rights.ts'
import { mostCredentialWrites } from '../core/storage.ts'
import type { CredentialRecord } from '../core/storage.ts'
import { arrivalsIn } from './arrivals.ts'
import { presetOf } from './commands/credential-create.ts'
import { listAll } from './context.ts'
import type { CommandContext, Opened } from './context.ts'
import { parseDuration, parseNumber } from './credential-options.ts'
import { PlainError, UsageError } from './outcome.ts'
import { readRows } from './rows.ts'

export interface Selection {
  readonly fromFile?: string
  readonly lrs?: string
  readonly preset?: string
  readonly nameLike?: string
  readonly unusedSince?: string
  readonly createdBefore?: string
  readonly expiresBefore?: string
  readonly all?: boolean
}

/** Where a command has an option of its own by that name. */
export interface SelectionNames {
  readonly lrs: string
  readonly preset: string
}

export const plainNames: SelectionNames = { lrs: 'lrs', preset: 'preset' }
/** Where a command has options of its own by the plain ones; taken everywhere, so that a filter need not be renamed. */
export const longNames: SelectionNames = { lrs: 'in-lrs', preset: 'with-preset' }

export function takeSelection(command: Command, { lrs, preset }: SelectionNames = plainNames): Command {
  for (const name of lrs === longNames.lrs ? [] : [`${longNames.lrs} <id>`, `${longNames.preset} <name>`]) {
    command.addOption(command.createOption(`--${name}`).hideHelp())
  }
  return command
    .option('--from-file <file>', 'those that this file names: CSV or JSON with an id or a key, or one of them a line')
    .option(`--${lrs} <id>`, 'those that reach this Lrs')
    .option(`--${preset} <name>`, 'those with exactly the rights of this preset')
    .option('--name-like <text>', 'those whose name contains it, whatever its case; * stands for anything')
    .option('--unused-since <when>', 'those here and not used since a date, or for a time such as 90d')
    .option('--created-before <when>', 'those made before a date, or a time such as 90d ago')
    .option('--expires-before <when>', 'those that end before a date, or within a time such as 30d')
    .option('--all', 'all of the organisation')
}

/** Adds what every change of many takes besides. */
export function takeConsent(command: Command): Command {
  return command.option('--yes', 'do it; without, it is only shown what would be done')
}

export function selectionOf(options: Readonly<Record<string, unknown>>, names: SelectionNames = plainNames): Selection {
  const camel = (name: string): string => name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const { fromFile, nameLike, unusedSince, createdBefore, expiresBefore, all } = options as Selection
  const lrs = options[camel(names.lrs)] ?? options[camel(longNames.lrs)]
  const preset = options[camel(names.preset)] ?? options[camel(longNames.preset)]
  const given = { fromFile, lrs, preset, nameLike, unusedSince, createdBefore, expiresBefore, all }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Selection
}

/** One key by its name, or many by a selection: which of the two was asked for. Throws `UsageError` for both or neither. */
export function isMany(word: string, selection: Selection): boolean {
  const isSelected = Object.keys(selection).length > 0
  if (isSelected && word !== '') throw new UsageError('name one key, or say which ones by options; not both')
  if (!isSelected && word === '')
    throw new UsageError('name a key, or say which ones: --from-file, --all, --unused-since 90d, …')
  return isSelected
}

export async function select(
  opened: Opened,
  context: CommandContext,
  caller: Caller,
  selection: Selection,
): Promise<readonly CredentialRecord[]> {
  const { fromFile, all, ...filters } = selection
  const isFiltered = Object.keys(filters).length > 0
  if ([fromFile !== undefined, all === true, isFiltered].filter(Boolean).length > 1) {
    throw new UsageError('--from-file, --all and filters exclude each other')
  }
  const found =
    fromFile === undefined ? await filtered(opened, caller, filters) : await named(opened, context, caller, fromFile)
  if (found.length <= mostCredentialWrites) return found
  throw new UsageError(
    `${found.length} keys are meant, at most ${mostCredentialWrites} at once: narrow it, such as by --created-before`,
  )
}

async function filtered(opened: Opened, caller: Caller, selection: Selection): Promise<readonly CredentialRecord[]> {
  const now = opened.core.clock.now()
  const { lrs, preset, nameLike, unusedSince, createdBefore, expiresBefore } = selection
  const lrsId = lrs === undefined ? undefined : parseNumber(lrs, 'the Lrs')
  const rights = preset === undefined ? undefined : wordsOf(presetOf(opened, preset).rights)
  const unused = unusedSince === undefined ? undefined : parseMoment(unusedSince, '--unused-since', now, -1)
  const created = createdBefore === undefined ? undefined : parseMoment(createdBefore, '--created-before', now, -1)
  const ending = expiresBefore === undefined ? undefined : parseMoment(expiresBefore, '--expires-before', now, 1)
  const found = (await listAll(opened, caller.organisationId)).filter(
    (one) =>
      one.kind !== 'application' &&
      (lrsId === undefined || one.lrsIds.some((id) => id === lrsId)) &&
      (rights === undefined || wordsOf(one.rights) === rights) &&
      (nameLike === undefined || isLike(one.name, nameLike)) &&
      (created === undefined || one.createdAt < created) &&
      (ending === undefined || (one.expiresAt !== null && one.expiresAt < ending)) &&
      (unused === undefined || one.createdAt < unused),
  )
  if (unused === undefined) return found
  const uses = await opened.core.usage.lastUses(caller, found)
  const idle = found.filter(({ id }) => (uses.get(id) ?? 0) < unused)
  if (idle.length === 0) return idle
  // What was made, or came, since then had no time to be used here.
  const arrivals = await arrivalsIn(opened, caller)
  return idle.filter((one) => arrivals(one) < unused)
}

function wordsOf(rights: Rights): string {
  return JSON.stringify(describeRights(rights))
}

/** Parts between asterisks, each behind the one before. */
export function isLike(name: string, pattern: string): boolean {
  const text = name.toLowerCase()
  const parts = pattern.toLowerCase().split('*')
  if (parts.length === 1) return text.includes(parts[0]!)
  const [first = '', ...others] = parts
  const last = others.pop()!
  if (!text.startsWith(first)) return false
  let from = first.length
  for (const part of others) {
    const at = text.indexOf(part, from)
    if (at < 0) return false
    from = at + part.length
  }
  return text.endsWith(last) && text.length - last.length >= from
}

/** A date or timestamp, or so long before or after now. */
function parseMoment(text: string, what: string, now: number, direction: 1 | -1): number {
  if (/^\d{1,9}[smhdw]$/.test(text)) return now + direction * parseDuration(text, what) * 1000
  const at = /^\d{4}-\d\d-\d\d(T.*)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw new UsageError(`${what} takes a date such as 2026-01-31, or a time such as 90d, not ${JSON.stringify(text)}`)
}

// ---------------------------------------------------------------------------------------------------------------------
// A file that names them

interface Mention {
  /** `row 3` */
  readonly called: string
  readonly id: string | undefined
  readonly key: string | undefined
}

const idsAtOnce = 500
const longestList = 4 * 1024 * 1024

async function named(
  opened: Opened,
  context: CommandContext,
  caller: Caller,
  file: string,
): Promise<readonly CredentialRecord[]> {
  const mentions = await readMentions(file, context.directory)
  const ids = mentions.flatMap(({ id }) =>
    id !== undefined && /^[1-9]\d{0,14}$/.test(id) ? [Number(id) as CredentialId] : [],
  )
  const keys = mentions.flatMap(({ key }) => key ?? [])
  const known: CredentialRecord[] = []
  const { credentials } = opened.core
  const slice = { offset: 0, limit: mostCredentialWrites }
  for (const some of inPieces(ids)) known.push(...(await credentials.list(caller, { ids: some }, slice)).items)
  for (const some of inPieces(keys)) known.push(...(await credentials.list(caller, { keys: some }, slice)).items)
  const byId = new Map(known.map((one) => [String(one.id), one]))
  const byKey = new Map<string, Set<CredentialRecord>>()
  for (const one of byId.values()) byKey.set(one.key, (byKey.get(one.key) ?? new Set()).add(one))
  const problems: string[] = []
  const found = new Set<CredentialRecord>()
  for (const { called, id, key } of mentions) {
    const both = new Set([
      ...(id === undefined ? [] : [byId.get(id)]),
      ...(key === undefined ? [] : (byKey.get(key) ?? [])),
    ])
    both.delete(undefined)
    const [only] = both
    if (both.size === 1 && only !== undefined) found.add(only)
    else problems.push(`${called}: ${both.size === 0 ? 'no key' : 'more than one key'} is ${JSON.stringify(id ?? key)}`)
  }
  if (problems.length === 0) return [...found]
  const some = problems.slice(0, 20)
  const more = problems.length > some.length ? [`and ${problems.length - some.length} more`] : []
  throw new PlainError(
    `--from-file ${file}: ${problems.length} rows name no one key\n  ${[...some, ...more].join('\n  ')}`,
  )
}

async function readMentions(file: string, directory: string | undefined): Promise<readonly Mention[]> {
  const bounds = { what: '--from-file', most: mostCredentialWrites }
  if (!['.csv', '.json'].includes(extname(file).toLowerCase())) return readLines(file, directory)
  const rows = await readRows(file, directory, bounds)
  return rows.map(({ called, cells }) => {
    const [id, key] = [cells.id, cells.key].map((cell) =>
      cell === undefined || cell === '' || cell === null ? undefined : String(cell),
    )
    if (id === undefined && key === undefined)
      throw new UsageError(`--from-file ${file}: ${called} has neither id nor key`)
    // Of both, the id: keys may repeat.
    return { called, id, key: id === undefined ? key : undefined }
  })
}

/** `id:2` and `#2` are ids, `key:2` is a key, anything else may be both. */
async function readLines(file: string, directory: string | undefined): Promise<readonly Mention[]> {
  const path = resolve(directory ?? '.', file)
  try {
    if ((await stat(path)).size > longestList) throw new Error(`at most ${longestList} bytes are read`)
    const lines = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '').split(/\r?\n/)
    const mentions = lines.flatMap((line, at): Mention[] => {
      const word = line.trim()
      const called = `row ${at + 1}`
      if (word === '') return []
      if (word.startsWith('key:')) return [{ called, id: undefined, key: word.slice(4) }]
      if (/^(id:|#)/.test(word)) return [{ called, id: word.replace(/^(id:|#)/, ''), key: undefined }]
      return [{ called, id: word, key: word }]
    })
    if (mentions.length > mostCredentialWrites)
      throw new Error(`more than ${mostCredentialWrites} lines; do it in parts`)
    return mentions
  } catch (error) {
    throw new UsageError(`--from-file ${file}: ${(error as Error).message}`)
  }
}

function* inPieces<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += idsAtOnce) yield all.slice(from, from + idsAtOnce)
}
