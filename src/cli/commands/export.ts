// claviger export: an installation, an organisation or an Lrs into a directory that goes anywhere.

import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { invalid } from '../../core/errors.ts'
import type { LrsId, OrganisationId } from '../../core/ids.ts'
import { maxId } from '../../core/ids.ts'
import { maxTimestampLength, parseTimestamp } from '../../core/xapi/time.ts'
import { runExport } from '../../exporting/export.ts'
import type { Manifest } from '../../exporting/format.ts'
import { everyOrganisation, getOrganisation, locateLrs, operator } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { counted, UsageError } from '../outcome.ts'
import { newProgress } from '../progress.ts'
import type { Act } from '../run.ts'
import { pathFrom } from './import-run.ts'

export interface PassphraseOptions {
  readonly passphraseStdin?: boolean
  readonly passphraseFile?: string
}

interface Options extends GlobalOptions, PassphraseOptions {
  readonly to: string
  readonly lrs?: string
  readonly since?: string
  readonly gzip?: boolean
  readonly csv?: boolean
  readonly csvBom?: boolean
  readonly quiet?: boolean
}

export function addExport(program: Command, context: CommandContext, act: Act): void {
  const command = program
    .command('export')
    .description('take everything, an organisation (-o) or an Lrs elsewhere: xAPI as lines of JSON, attachments, keys')
    .requiredOption('--to <directory>', 'a new directory for this export alone')
    .option('--lrs <id>', 'only this Lrs, and the keys that reach it')
    .option('--passphrase-stdin', 'seal secrets with the passphrase on standard input; without one they are left out')
    .option('--passphrase-file <file>', 'the same, with the passphrase in a file')
    .option('--csv', 'statements as CSV for analysts, too')
    .option('--csv-bom', 'the same, with the mark (BOM) by which Excel knows UTF-8')
    .option('--gzip', 'compress statements and documents')
    .option('--since <time>', 'only what was stored or changed after this (ISO 8601)')
    .option('-q, --quiet', 'say nothing until it is done')
    .addHelpText('after', help)
  act<Options>(command, async (options) => {
    const isMarked = options.csvBom === true
    const since = options.since === undefined ? undefined : sinceOf(options.since)
    const passphrase = await readPassphrase(context, options)
    const opened = await context.open()
    const { organisationIds, onlyLrs } = await chosen(opened, options)
    context.letOthersPass?.()
    const progress = newProgress(context, { isQuiet: options.quiet === true || options.json === true })
    try {
      const to = pathFrom(context, options.to)
      const manifest = await runExport({
        ...{ core: opened.core, operator, to, organisationIds, onlyLrs, passphrase, since },
        ...{ isGzip: options.gzip === true, withCsv: options.csv === true || isMarked, withBom: isMarked },
        signal: context.untilStopped?.() ?? new AbortController().signal,
        onStage: progress.show,
      })
      progress.end()
      return { json: { to, ...manifest }, text: inWords(to, manifest), warnings: manifest.warnings }
    } finally {
      progress.end()
    }
  })
}

async function chosen(
  opened: Opened,
  options: Options,
): Promise<{ readonly organisationIds: readonly OrganisationId[]; readonly onlyLrs?: LrsId | undefined }> {
  if (options.lrs !== undefined) {
    const id = Number(options.lrs)
    if (!/^\d+$/.test(options.lrs) || id < 1 || id > maxId) {
      throw new UsageError(`--lrs takes an id, a whole number, not ${JSON.stringify(options.lrs)}`)
    }
    const { organisation, lrs } = await locateLrs(opened, options, id)
    return { organisationIds: [organisation.id], onlyLrs: lrs.id }
  }
  if (options.organisation !== undefined) {
    return { organisationIds: [(await getOrganisation(opened, options.organisation, '--organisation')).id] }
  }
  const organisationIds: OrganisationId[] = []
  for await (const { id } of everyOrganisation(opened)) organisationIds.push(id)
  return { organisationIds }
}

/** Undefined where none is given. A line end behind it is none of its. */
export async function readPassphrase(
  context: CommandContext,
  { passphraseStdin, passphraseFile }: PassphraseOptions,
): Promise<string | undefined> {
  if (passphraseStdin === true && passphraseFile !== undefined) {
    throw new UsageError('--passphrase-stdin and --passphrase-file are two ways for one passphrase: give one of them')
  }
  if (passphraseStdin !== true && passphraseFile === undefined) return undefined
  const text = passphraseFile === undefined ? (context.stdin ?? '') : await fromFile(pathFrom(context, passphraseFile))
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase !== '') return passphrase
  throw new UsageError('the passphrase is empty')
}

async function fromFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw invalid(`The passphrase cannot be read from ${path} (${(error as NodeJS.ErrnoException).code}).`)
  }
}

function sinceOf(text: string): number {
  const micros = text.length > maxTimestampLength ? undefined : parseTimestamp(text)
  if (micros !== undefined && micros >= 0) return micros
  throw new UsageError(`--since takes a time such as 2026-03-01T00:00:00Z, not ${JSON.stringify(text)}`)
}

function inWords(to: string, { organisations, lrs, sealing, files }: Manifest): string {
  const sum = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((total, one) => total + of(one), 0)
  const parts = [
    counted(organisations.length, 'organisation'),
    `${lrs.length} Lrs`,
    counted(
      sum(organisations, (one) => one.credentials + one.applications),
      'key',
    ),
    counted(
      sum(organisations, (one) => one.applications),
      'application',
    ),
    counted(
      sum(organisations, (one) => one.pipes),
      'pipe',
    ),
    counted(
      sum(lrs, (one) => one.statements),
      'statement',
    ),
    counted(
      sum(lrs, (one) => one.documents),
      'document',
    ),
    `${sum(lrs, (one) => one.blobs)} of attachments and long documents`,
  ]
  const secrets =
    sealing === null
      ? 'Secrets, settings, callbacks and the passwords of pipes were left out: give a passphrase to take them along.'
      : 'Secrets are sealed with the passphrase: whoever has both has every key.'
  return `Exported to ${to}: ${parts.join(', ')}; ${counted(files.count, 'file')}.\n${secrets}`
}

const help = `
A server goes on serving meanwhile. What was stored before the export began is in it; documents and keys are as they are when it is
their turn. Complete, or worth nothing: manifest.json is written last. The server writes it, where one runs on a data directory, so
the server's user must be allowed to write there. What is in every file: docs/guides/export.md.

Sessions and tokens stay behind. claviger import claviger puts it back, anywhere, on either engine; pipes come paused.
What is erased later is still in it.

Examples:
  $ claviger export --to ./export --passphrase-file ./passphrase
  $ claviger export --to ./export -o 1 --gzip --csv
  $ claviger export --to ./lrs-3 --lrs 3 --since 2026-03-01T00:00:00Z
`
