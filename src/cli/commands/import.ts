// claviger import: brings in what was stored elsewhere. One file beside this per product that is imported from (`import-<product>.ts`): it
// makes a subcommand with `importCommand` and hands an importer to `runImporter`, which shows, stops and reports it.

import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Core } from '../../core/core.ts'
import type { Oid } from '../../core/ids.ts'
import { abandonImport, runImport } from '../../importing/import.ts'
import type { Importer, ImportReport } from '../../importing/import.ts'
import { kinds } from '../../importing/tally.ts'
import { operator } from '../context.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { exitCodes, PlainError, table, time } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import { duration } from '../pace-words.ts'
import { newProgress } from '../progress.ts'
import type { Act } from '../run.ts'
import { addImportClaviger } from './import-claviger.ts'
import { addImportLearningLocker } from './import-learninglocker.ts'
import { addImportLrsql } from './import-lrsql.ts'
import { addImportScormcloud } from './import-scormcloud.ts'
import { addImportWatershed } from './import-watershed.ts'
import { addImportXapi } from './import-xapi.ts'

/** What every import takes. */
export interface ImportOptions extends GlobalOptions {
  readonly dryRun?: boolean
  readonly rejects?: string
  readonly quiet?: boolean
}

export function addImport(program: Command, context: CommandContext, act: Act): void {
  const imports = program
    .command('import')
    .description('bring in what was stored elsewhere: keys, statements, documents, attachments')
    .addHelpText('after', importHelp)
  addImportClaviger(imports, context, act)
  addImportLearningLocker(imports, context, act)
  addImportLrsql(imports, context, act)
  addImportWatershed(imports, context, act)
  addImportScormcloud(imports, context, act)
  addImportXapi(imports, context, act)
  addList(imports, context, act)
  addAbandon(imports, context, act)
}

/** A subcommand with the options that every import takes. */
export function importCommand(imports: Command, name: string): Command {
  return imports
    .command(name)
    .option('--dry-run', 'read and check everything, and store nothing')
    .option('--rejects <file>', 'where to write what is not taken, with the reason, as lines of JSON')
    .option('-q, --quiet', 'say nothing until it is done')
}

/** Runs it to its end, or until it is stopped; `makeImporter` is called when the store is open. */
export async function runImporter(
  context: CommandContext,
  options: ImportOptions,
  makeImporter: (core: Core) => Importer | Promise<Importer>,
): Promise<Outcome> {
  const { core } = await context.open()
  const importer = await makeImporter(core)
  context.letOthersPass?.()
  const progress = newProgress(context, { isQuiet: options.quiet === true || options.json === true })
  try {
    const report = await runImport(importer, {
      ...{ core, operator, isDryRun: options.dryRun === true },
      signal: context.untilStopped?.() ?? new AbortController().signal,
      rejectsPath: (id) => pathFrom(context, options.rejects ?? `claviger-import-${id}.rejects.jsonl`),
      onStage: progress.show,
    })
    progress.end()
    return reported(report)
  } finally {
    progress.end()
  }
}

/** From where the command was typed. */
export function pathFrom({ directory }: CommandContext, path: string): string {
  return resolve(directory ?? '.', path)
}

function reported(report: ImportReport): Outcome {
  const { kinds: counts, lrs, warnings, rejects } = report
  const told = kinds.flatMap((kind) => (counts[kind] ? [[kind, counts[kind]] as const] : []))
  const columns = report.isDryRun
    ? (['read', 'checked', 'rejected'] as const)
    : (['read', 'stored', 'there', 'rejected'] as const)
  const rows = told.map(([kind, count]) => [kind, ...columns.map((column) => count[column])])
  const totals = lrs.map(({ organisationId, lrsId, statements }) => [organisationId, lrsId, statements])
  const parts = [
    headline(report),
    table([['', ...columns.map((column) => headings[column])], ...rows], 'Nothing was read.'),
    ...(report.isDryRun || totals.length === 0
      ? []
      : [table([['organisation', 'Lrs', 'statements there now'], ...totals])]),
    ...(rejects === undefined ? [] : [`What was rejected, and why: ${rejects}`]),
  ]
  return {
    json: report,
    text: parts.join('\n\n'),
    warnings,
    exit: report.isFinished ? exitCodes.ok : exitCodes.failed,
  }
}

const headings = {
  read: 'read',
  stored: 'stored',
  there: 'there already',
  rejected: 'rejected',
  checked: 'without fault',
} as const

function headline({ isDryRun, isFinished, isResumed, seconds }: ImportReport): string {
  if (!isFinished) return 'Stopped before the end. What was stored stays; the same command goes on from here.'
  if (isDryRun) return 'Nothing was stored: this is what would be read.'
  return `Imported in ${duration(seconds)}${isResumed ? ', going on with what was interrupted' : ''}.`
}

function addList(imports: Command, context: CommandContext, act: Act): void {
  const list = imports.command('list').description('list imports, latest first; 100 at most')
  act<GlobalOptions>(list, async () => {
    const { core } = await context.open()
    const records = await core.imports.list(operator)
    const rows = records.map(({ id, source, startedAt, finishedAt }) => [
      ...[id, source, time(startedAt)],
      finishedAt === null ? 'not finished' : time(finishedAt),
    ])
    const text = table([['id', 'source', 'begun', 'finished'], ...rows], 'Nothing was ever imported.')
    return { json: { imports: records }, text }
  })
  const report = imports
    .command('report')
    .description('show the report of a finished import again')
    .argument('<id>', 'its id, as claviger import list shows it')
  act<GlobalOptions>(report, async (_, id = '') => {
    const { core } = await context.open()
    const record = await core.imports.get(operator, id as Oid)
    const { isAbandoned } = (record.report ?? {}) as { readonly isAbandoned?: boolean }
    if (isAbandoned === true) return { json: record.report, text: `Import ${id} was abandoned.` }
    if (record.report === null) throw new PlainError(`import ${id} is not finished; the command that began it goes on`)
    return reported(record.report as unknown as ImportReport)
  })
}

function addAbandon(imports: Command, context: CommandContext, act: Act): void {
  const abandon = imports
    .command('abandon')
    .description('end one that was interrupted, as it is; what it stored stays, and the next one begins anew')
    .argument('<id>', 'its id, as claviger import list shows it')
  act<GlobalOptions>(abandon, async (_, id = '') => {
    const { core } = await context.open()
    await abandonImport({ core, operator }, id as Oid)
    return { json: { id, isAbandoned: true }, text: `Import ${id} is abandoned. What it stored stays.` }
  })
}

const importHelp = `
Ids, keys and secrets, stored times and authorities stay as they were; docs/guides/moving-in.md. Interrupted (Ctrl-C, a crash, a server
that stops), the same command goes on where it was. Given again after its end, it finds everything there. A server goes on serving
meanwhile. What cannot be taken is written to a file, with the reason, and keeps nothing else out.
`
