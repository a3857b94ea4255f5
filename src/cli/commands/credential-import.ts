// claviger credential import and export: many keys from a file, all or none, and as a file.

import type { Command } from 'commander'
import { DomainError, isDomainError } from '../../core/errors.ts'
import type { Failure } from '../../core/errors.ts'
import type { NewCredentialInput } from '../../core/credential.ts'
import type { Caller } from '../../core/principal.ts'
import { nextSlice } from '../../core/slices.ts'
import { mostCredentialWrites } from '../../core/storage.ts'
import type { CredentialRecord } from '../../core/storage.ts'
import { callerIn, chooseOrganisation } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { checkColumns, columns, parseCredential, rowOf } from '../credential-rows.ts'
import { select, selectionOf, takeSelection } from '../credential-selection.ts'
import { optionFor } from '../failure.ts'
import { counted, oneLine, UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'
import { csvOf, PrivateFile, readRows } from '../rows.ts'
import type { Row } from '../rows.ts'
import { applied, reportFor } from './credential-bulk.ts'
import type { BulkOptions } from './credential-bulk.ts'

export function addImport(group: Command, context: CommandContext, act: Act): void {
  const command = group
    .command('import')
    .description('create many keys from a CSV or JSON file: all of them, or none and what is wrong with which')
    .argument('<file>', 'FILE.csv or FILE.json')
    .option('--dry-run', 'check everything and create nothing')
    .option('--report <file>', 'write ids, keys and the secrets that were made to this new file, for its owner only')
    .addHelpText('after', importHelp)
  act<BulkOptions & { dryRun?: boolean }>(command, async (options, file = '') => {
    const opened = await context.open()
    const organisation = await chooseOrganisation(opened, options)
    const caller = callerIn(opened, organisation.id)
    const rows = await readRows(file, context.directory, { what: file, most: mostCredentialWrites })
    for (const { cells } of rows) checkColumns(Object.keys(cells), file)
    const inputs = await parseAll(opened, caller, rows)
    const where = `organisation ${organisation.id} (${oneLine(organisation.name)})`
    if (options.dryRun === true) {
      return {
        json: { done: false, count: inputs.length },
        text: `${counted(inputs.length, 'key')} would be created in ${where}. Nothing was changed.`,
      }
    }
    const report = await reportFor(
      options,
      context,
      inputs.some(({ secret }) => secret === undefined),
    )
    const changes = inputs.map((create) => ({ create }))
    const made = await applied(report, () => inRows(rows, () => opened.core.credentialBulk.apply(caller, changes)))
    const answers = made.map(({ credential: { id, key, name }, secret }, at) => ({
      ...{ row: rows[at]!.number, id, key, name },
      ...(inputs[at]!.secret === undefined && { secret }),
    }))
    await report?.write(['row', 'id', 'key', 'name', 'secret'], answers)
    const told = report === undefined ? answers : answers.map(({ secret: _secret, ...row }) => row)
    const place = report === undefined ? '' : ` The report is ${report.path}; it holds the secrets that were made.`
    return {
      json: { done: true, count: made.length, ...(report && { report: report.path }), credentials: told },
      text: `${counted(made.length, 'key')} created in ${where}.${place}`,
    }
  })
}

/** Throws for all rows at once what is wrong with them: in themselves, and by the rules of core. */
async function parseAll(opened: Opened, caller: Caller, rows: readonly Row[]): Promise<readonly NewCredentialInput[]> {
  const good: { readonly row: Row; readonly input: NewCredentialInput }[] = []
  const failures: Failure[] = []
  for (const [at, row] of rows.entries()) {
    if (at % 50 === 0) await nextSlice()
    const parsed = await parseCredential(opened, caller, row.cells)
    if (parsed.input !== undefined) good.push({ row, input: parsed.input })
    for (const { column, message } of parsed.failures) {
      failures.push({ pointer: `${row.called}, ${column}`, rule: `claviger/${column}`, message })
    }
  }
  const changes = good.map(({ input }) => ({ create: input }))
  const checked = inRows(
    good.map(({ row }) => row),
    () => opened.core.credentialBulk.check(caller, changes),
  )
  try {
    await checked
  } catch (error) {
    if (!isDomainError(error) || error.detail.failures === undefined) throw error
    failures.push(...error.detail.failures)
  }
  if (failures.length === 0) return good.map(({ input }) => input)
  const places = new Map(rows.map(({ called }, at) => [called, at]))
  const placeOf = ({ pointer }: Failure): number => places.get(pointer.split(',')[0] ?? '') ?? 0
  failures.sort((a, b) => placeOf(a) - placeOf(b))
  throw refused(failures)
}

/** What core says of `/3/limits/ratePerMinute` is said of the row and its column. */
async function inRows<T>(rows: readonly Row[], work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isDomainError(error) || error.detail.index === undefined) throw error
    throw refused(
      (error.detail.failures ?? []).map((failure) => {
        const [, index = '0', rest = ''] = /^\/(\d+)(.*)$/s.exec(failure.pointer) ?? []
        const row = rows[Number(index)]
        const column = row === undefined ? '' : columnOf(row, rest)
        return { ...failure, pointer: `${row?.called ?? 'a row'}${column === '' ? '' : `, ${column}`}` }
      }),
    )
  }
}

function columnOf({ cells }: Row, pointer: string): string {
  const option = optionFor(pointer)
    ?.replace(/^--/, '')
    .replace(/^right$/, 'rights')
    .replace(/^manage$/, 'manage')
  if (option !== undefined && cells[option] !== undefined) return option
  const [, member = ''] = pointer.split('/')
  return cells[member] === undefined ? (option ?? member) : member
}

const toldAtMost = 1_000

function refused(failures: readonly Failure[]): DomainError {
  const count = failures.length
  const more = { pointer: '', rule: 'claviger/more', message: `and ${count - toldAtMost} more` }
  const told = count > toldAtMost ? [...failures.slice(0, toldAtMost), more] : failures
  return new DomainError('invalid', `${counted(count, 'mistake')}; no key was created.`, { detail: { failures: told } })
}

const importHelp = `
The first line of a CSV file names its columns; a JSON file is an array of objects with the same names. Only name is needed.
A cell of several words has spaces between them, or is a JSON array.

Columns: ${columns.join(', ')}

Those named as options of claviger credential create mean the same; rights are its --right. Without preset, rights and
manage a key is isolated; without key or secret they are made.

Examples:
  $ claviger credential import keys.csv --dry-run
  $ claviger credential import keys.csv --report made.csv
  $ claviger credential import keys.json --json
`

interface ExportOptions extends GlobalOptions {
  readonly withSecrets?: boolean
  readonly out?: string
}

export function addExport(group: Command, context: CommandContext, act: Act): void {
  const command = group
    .command('export')
    .description('print keys as CSV, or with --json as JSON: what credential import would make them of again')
    .option('--out <file>', 'write to this new file, for its owner only: FILE.csv or FILE.json')
    .option('--with-secrets', 'with their secrets in clear; only to a file')
  takeSelection(command).addHelpText('after', exportHelp)
  act<ExportOptions>(command, async (options) => {
    const { out, withSecrets = false } = options
    if (withSecrets && out === undefined)
      throw new UsageError('--with-secrets needs --out FILE, which you alone can read')
    const opened = await context.open()
    const organisation = await chooseOrganisation(opened, options)
    const caller = callerIn(opened, organisation.id)
    const selection = selectionOf({ ...options })
    const isAll = Object.keys(selection).length === 0
    const found = await select(opened, context, caller, isAll ? { all: true } : selection)
    const file = out === undefined ? undefined : await PrivateFile.create(out, context.directory, '--out')
    const secrets = withSecrets ? await secretsOf(opened, caller, found) : undefined
    const rows = found.map((credential) => rowOf(credential, secrets?.get(credential)))
    const used = columns.filter((name) => rows.length === 0 || rows.some((row) => row[name] !== undefined))
    const count = counted(rows.length, 'key')
    if (file === undefined) return { json: rows, text: csvOf(used, rows).trimEnd() }
    await file.write(used, rows)
    const warnings = withSecrets
      ? [
          `${file.path} holds the secrets of ${count} in clear: whoever reads it acts as them. Delete it when it has served.`,
        ]
      : []
    return { json: { count: rows.length, file: file.path }, text: `${count} written to ${file.path}.`, warnings }
  })
}

/** The one that a protocol would show which knows but one. */
async function secretsOf(
  opened: Opened,
  caller: Caller,
  found: readonly CredentialRecord[],
): Promise<ReadonlyMap<CredentialRecord, string | undefined>> {
  const revealed = await opened.core.credentialBulk.takeAlong(caller, found)
  return new Map(revealed.map(({ credential, secret }) => [credential, secret]))
}

const exportHelp = `
Of several secrets of a key only the current one is exported. The own keys of applications are left out: they are made with
their application. Without secrets, an import makes new ones.

Examples:
  $ claviger credential export > keys.csv
  $ claviger credential export --unused-since 90d --json
  $ claviger credential export --with-secrets --out keys.json
`
