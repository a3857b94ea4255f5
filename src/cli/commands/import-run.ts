// How every import is typed, shown, stopped and reported. One file beside this per product that is imported from (`import-<product>.ts`): it
// makes a subcommand with `importCommand` and hands an importer to `runImporter`; import.ts lists them.

import { resolve } from 'node:path'
import { Option } from 'commander'
import type { Command } from 'commander'
import type { Core } from '../../core/core.ts'
import { maxId } from '../../core/ids.ts'
import type { OrganisationId } from '../../core/ids.ts'
import { runImport } from '../../importing/import.ts'
import type { Importer, ImportReport } from '../../importing/import.ts'
import { kinds } from '../../importing/tally.ts'
import { operator } from '../context.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { parseNumber } from '../credential-options.ts'
import { exitCodes, table } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import { duration } from '../pace-words.ts'
import { newProgress } from '../progress.ts'

/** What every import takes. */
export interface ImportOptions extends GlobalOptions {
  readonly dryRun?: boolean
  readonly rejects?: string
  readonly quiet?: boolean
}

/** Of those that read from an export which organisations it is of. */
export interface IntoExistingOptions {
  readonly intoExisting?: readonly OrganisationId[]
}

export function intoExistingOption(): Option {
  const words = 'an organisation here that it may come into though nothing from there did before; may be repeated'
  return new Option('--into-existing <id>', words).argParser((text, before: readonly OrganisationId[] | undefined) => {
    return [...(before ?? []), parseNumber(text, '--into-existing', 1, maxId) as OrganisationId]
  })
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

/** In words, and as JSON. */
export function reported(report: ImportReport): Outcome {
  const { kinds: counts, lrs, existing, warnings, rejects } = report
  const told = kinds.flatMap((kind) => (counts[kind] ? [[kind, counts[kind]] as const] : []))
  const fates = report.isDryRun ? (['checked'] as const) : (['stored', 'there'] as const)
  const differs = told.some(([, { differs = 0 }]) => differs > 0) ? (['differs'] as const) : []
  const columns = ['read', ...fates, 'rejected', ...differs] as const
  const rows = told.map(([kind, count]) => [kind, ...columns.map((column) => count[column] ?? 0)])
  const wereHere = existing.map(({ organisationId, name, oid, keys }) => [organisationId, name, oid, keys])
  const totals = lrs.map(({ organisationId, name = '', lrsId, statements }) => [
    organisationId,
    name,
    lrsId,
    statements,
  ])
  const parts = [
    headline(report),
    table([['', ...columns.map((column) => headings[column])], ...rows], 'Nothing was read.'),
    ...(existing.length === 0 ? [] : [table([['organisation here before', 'name', 'oid', 'keys added'], ...wereHere])]),
    ...(report.isDryRun || totals.length === 0
      ? []
      : [table([['organisation', 'name', 'Lrs', 'statements there now'], ...totals])]),
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
  differs: 'not as there',
} as const

function headline({ isDryRun, isFinished, isResumed, seconds }: ImportReport): string {
  if (!isFinished) return 'Stopped before the end; the same command goes on. What was stored stays.'
  if (isDryRun) return 'Nothing was stored: this is what would be read.'
  return `Imported in ${duration(seconds)}${isResumed ? ', going on with what was interrupted' : ''}.`
}
