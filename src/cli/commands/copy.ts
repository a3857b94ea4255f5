// claviger copy: a whole store into another, on whichever engine.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import {
  checkPlaces,
  compareStores,
  copyStore,
  directoryOf,
  findKeyCheck,
  openSource,
  openTarget,
} from '../../copying.ts'
import type { CopyOptions as CopySettings, CopyReport, Side, StorePlace } from '../../copying.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { keyOf, keysFor, putKey, refuseOtherKey } from '../copy-keys.ts'
import { counted, exitCodes, PlainError, table, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import { newProgress } from '../progress.ts'
import type { Act } from '../run.ts'

interface CopyOptions extends GlobalOptions {
  readonly from: string
  readonly to: string
  readonly fromBlobs?: string
  readonly toBlobs?: string
  readonly ahead?: boolean
  readonly verifyOnly?: boolean
  readonly withMasterKey?: boolean
  readonly quiet?: boolean
}

export function addCopy(program: Command, context: CommandContext, act: Act): void {
  const command = program
    .command('copy')
    .description('copy a whole store into an empty one, from SQLite to PostgreSQL or any other way; keys keep working')
    .requiredOption(
      '--from <store>',
      'a data directory, postgres://…, or "database" for what CLAVIGER_DATABASE_URL names',
    )
    .requiredOption('--to <store>', 'the same; an empty one, or the same copy that was cut off')
    .option('--from-blobs <directory>', 'where the source has the data of attachments and long documents')
    .option('--to-blobs <directory>', 'where that goes; "settings" for where the settings of this command say')
    .option(
      '--ahead',
      'leave the copy unfinished: nobody is served from it until a copy without this brings it up to date',
    )
    .option('--verify-only', 'compare the two, every row and every file, and change nothing')
    .option('--with-master-key', 'put the master key into the data directory that is copied to')
    .option('-q, --quiet', 'say nothing until it is done')
    .addHelpText('after', copyHelp)
  act<CopyOptions>(command, async (options) => {
    checkOptions(options)
    const { config } = context
    const places = placesOf(options)
    checkPlaces(config, places)
    const keys = keysFor(config, [directoryOf(places.from)])
    const progress = newProgress(context, { isQuiet: options.quiet === true || options.json === true })
    const keyGoesTo = options.withMasterKey ? directoryOf(places.to) : undefined
    const copying: CopySettings = {
      checkKey(check) {
        keys.check(check)
        if (keyGoesTo !== undefined) refuseOtherKey(keyGoesTo, keyOf(keys))
      },
      onProgress: progress.show,
      isAhead: options.ahead === true,
    }
    try {
      const report = await closing(openSource(config, places.from), async (from) => {
        // Before anything is made of the other one.
        copying.checkKey((await findKeyCheck(from)) ?? nothingIn(from))
        if (options.verifyOnly) return closing(openSource(config, places.to), (to) => compareStores(from, to, copying))
        return closing(openTarget(config, places.to), (to) => copyStore(from, to, copying))
      })
      if (keyGoesTo !== undefined) putKey(keyGoesTo, keyOf(keys))
      progress.end()
      return options.verifyOnly ? verified(report) : copied(report, places, options)
    } finally {
      progress.end()
    }
  })
}

function placesOf({ from, to, fromBlobs, toBlobs }: CopyOptions): {
  readonly from: StorePlace
  readonly to: StorePlace
} {
  return { from: { store: from, blobs: fromBlobs }, to: { store: to, blobs: toBlobs } }
}

function checkOptions(options: CopyOptions): void {
  const { ahead, verifyOnly, withMasterKey, to } = options
  if (verifyOnly && (ahead || withMasterKey))
    throw new UsageError('--verify-only goes without --ahead and --with-master-key')
  if (withMasterKey && directoryOf({ store: to }) === undefined) {
    throw new UsageError(
      '--with-master-key is for a data directory; a database is given its key by CLAVIGER_MASTER_KEY',
    )
  }
}

/** Works on a store, and closes it. */
export async function closing<T>(opening: Promise<Side>, work: (side: Side) => Promise<T>): Promise<T> {
  const side = await opening
  try {
    return await work(side)
  } finally {
    await side.close()
  }
}

function nothingIn({ name }: Side): never {
  throw new PlainError(`there is nothing in ${name} to copy`)
}

function verified(report: CopyReport): Outcome {
  const differing = report.tables.filter(({ differs }) => differs !== undefined)
  const { missing } = report.blobs
  const isSame = differing.length === 0 && missing.length === 0
  const rows = report.tables.map(({ table: name, rows: here, differs }) => [
    name,
    here,
    differs?.rows ?? here,
    differs ? 'DIFFERS' : 'the same',
  ])
  const files =
    missing.length === 0
      ? `${counted(report.blobs.blobs, 'file')}, all there.`
      : `${missing.length} of ${counted(report.blobs.blobs, 'file')} MISSING or damaged in the copy.`
  return {
    json: { isSame, ...report },
    text: `${table([['table', 'rows', 'rows there', ''], ...rows])}\n\n${files}`,
    warnings: lostWarnings(report.blobs.lost),
    exit: isSame ? exitCodes.ok : exitCodes.failed,
  }
}

function copied(
  report: CopyReport,
  { from, to }: { readonly from: StorePlace; readonly to: StorePlace },
  options: CopyOptions,
): Outcome {
  const rows = report.tables.reduce((sum, one) => sum + one.rows, 0)
  const what = `${counted(rows, 'row')} of ${counted(report.tables.length, 'table')} and ${counted(report.blobs.blobs, 'file')}`
  const text = report.isFinished
    ? `Copied and compared: ${what}.\n${whatIsNext(to, options)}\n${whatIsLeft(report, from)}`
    : `Copied ahead and compared: ${what}. Nobody is served from it yet:\nstop what stores into the source, and copy again without --ahead.`
  return { json: report, text, warnings: lostWarnings(report.blobs.lost), exit: exitCodes.ok }
}

function whatIsNext(to: StorePlace, { withMasterKey }: CopyOptions): string {
  const directory = directoryOf(to)
  if (directory === undefined) {
    return 'Serve from it with CLAVIGER_DATABASE_URL, and with the same master key in CLAVIGER_MASTER_KEY or CLAVIGER_MASTER_KEY_FILE.'
  }
  const hasKey = withMasterKey || existsSync(join(directory, 'master.key'))
  return `Serve from it with CLAVIGER_DATA=${directory}${hasKey ? '' : ', and with the same master key: CLAVIGER_MASTER_KEY, or its file as master.key in it'}.`
}

function whatIsLeft({ tookOver }: CopyReport, from: StorePlace): string {
  // A URL may have a password.
  const source = directoryOf(from) ?? 'the database that was copied from'
  return tookOver
    ? `The files stay where they are and belong to the copy now: ${source} can no more be served from.`
    : `Nothing was changed in ${source}, and it can still be served from: take care that nobody does, for what it would store is not in the copy.`
}

export function lostWarnings(lost: CopyReport['blobs']['lost']): readonly string[] {
  if (lost.length === 0) return []
  const some = lost.slice(0, 5).map(({ lrsId, sha2 }) => `${sha2} of Lrs ${lrsId}`)
  const more = lost.length > some.length ? ' …' : ''
  return [
    `${counted(lost.length, 'file')} that rows refer to are missing or damaged in the source: ${some.join(', ')}${more}`,
  ]
}

const copyHelp = `
Everything goes: organisations, keys and their secrets, audit log, statements, documents, files, what was erased. The copy has the
same master key, which must be given: CLAVIGER_MASTER_KEY(_FILE), or master.key in the data directory that is copied from.

A data directory is copied while nobody serves from it. A PostgreSQL may be in use: what is copied is what it was when the copy
began, and what is stored later is not in it. To move with little downtime, copy ahead while the source serves (a data directory
that is served from: a backup of it), stop the source, copy again: only what differs is written then.

Cut off, give the same command again: it goes on where it was. At the end, every row is compared. Files of a data directory are in
its blobs/; those of a database where the settings say, or --from-blobs and --to-blobs.

Examples:
  $ claviger copy --from ./data --to postgres://claviger@db.example.org/claviger
  $ claviger copy --from database --to ./data --to-blobs ./data/blobs --with-master-key
  $ claviger copy --from ./data --to database --verify-only
`
