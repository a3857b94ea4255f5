// claviger backup and restore: all of a store in a directory of its own, and back into an empty one.

import { resolve } from 'node:path'
import type { Command } from 'commander'
import {
  checkPlaces,
  configuredPlace,
  copyStore,
  directoryOf,
  findKeyCheck,
  openBackup,
  openTarget,
} from '../../copying.ts'
import type { CopyReport, Manifest, StorePlace } from '../../copying.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { keyOf, keysFor, putKey, refuseOtherKey } from '../copy-keys.ts'
import { counted } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import { newProgress } from '../progress.ts'
import type { Act } from '../run.ts'
import { closing, lostWarnings } from './copy.ts'

interface BackupOptions extends GlobalOptions {
  readonly to: string
  readonly withMasterKey?: boolean
  readonly quiet?: boolean
}

interface RestoreOptions extends GlobalOptions {
  readonly from: string
  readonly to?: string
  readonly toBlobs?: string
  readonly quiet?: boolean
}

export function addBackup(program: Command, context: CommandContext, act: Act): void {
  const backup = program
    .command('backup')
    .description('make a backup of everything while it is served; without the master key unless asked for it')
    .requiredOption('--to <directory>', 'a new directory for this backup alone')
    .option('--with-master-key', 'put the master key into it: whoever has the backup then has every secret')
    .option('-q, --quiet', 'say nothing until it is done')
    .addHelpText('after', backupHelp)
  act<BackupOptions>(backup, async (options) => {
    const to = resolve(context.directory ?? '.', options.to)
    const opened = await context.open()
    const withMasterKey = options.withMasterKey === true
    // With the key it waits its turn, so that no rotation comes between the rows and the key.
    if (!withMasterKey) context.letOthersPass?.()
    const progress = newProgress(context, { isQuiet: options.quiet === true || options.json === true })
    try {
      const manifest = await opened.backUp({ to, withMasterKey, onProgress: progress.show })
      progress.end()
      return {
        json: { to, ...manifest },
        text: `Backed up to ${to}: ${contentOf(manifest)}.\n${aboutKey(manifest)}`,
        warnings: lostWarnings(manifest.blobs.lost),
      }
    } finally {
      progress.end()
    }
  })
  addRestore(program, context, act)
}

function addRestore(program: Command, context: CommandContext, act: Act): void {
  const restore = program
    .command('restore')
    .description('put a backup into an empty store: that of the settings, or another')
    .requiredOption('--from <backup>', 'the directory that claviger backup made')
    .option(
      '--to <store>',
      'a data directory or postgres://…; what CLAVIGER_DATA or CLAVIGER_DATABASE_URL name unless given',
    )
    .option('--to-blobs <directory>', 'where the data of attachments and long documents goes')
    .option('-q, --quiet', 'say nothing until it is done')
    .addHelpText('after', restoreHelp)
  act<RestoreOptions>(restore, async (options) => {
    const { config } = context
    const place: StorePlace = {
      ...configuredPlace(config),
      ...(options.to && { store: options.to }),
      blobs: options.toBlobs,
    }
    checkPlaces(config, { from: { store: options.from }, to: place })
    const { manifest, source } = await openBackup(options.from)
    const directory = directoryOf(place)
    const isKeyInFile = config.masterKey === undefined && directory !== undefined
    const progress = newProgress(context, { isQuiet: options.quiet === true || options.json === true })
    try {
      return await closing(Promise.resolve(source), async () => {
        const keys = keysFor(config, [directory, resolve(options.from)])
        const checkKey = (check: string): void => {
          keys.check(check)
          if (isKeyInFile) refuseOtherKey(directory, keyOf(keys))
        }
        // Before anything is made of the store.
        checkKey((await findKeyCheck(source)) ?? '')
        const restored = await closing(openTarget(config, place), async (target) => {
          const report = await copyStore(source, target, { checkKey, onProgress: progress.show })
          return { report, name: target.name }
        })
        if (isKeyInFile) putKey(directory, keyOf(keys))
        progress.end()
        return restoredOutcome(manifest, restored)
      })
    } finally {
      progress.end()
    }
  })
}

function restoredOutcome(
  manifest: Manifest,
  { report, name }: { readonly report: CopyReport; readonly name: string },
): Outcome {
  const { version, begunAt } = manifest
  return {
    json: { backup: { version, begunAt }, ...report },
    text:
      `Restored into ${name} what was there at ${begunAt}: ${contentOf(manifest)}.\n` +
      'Keys that were revoked and persons that were erased since then are back: do both again before you serve from it.',
    warnings: lostWarnings(report.blobs.lost),
  }
}

function contentOf({ tables, blobs }: Manifest): string {
  const rowsOf = (name: string): number => tables.find(({ table }) => table === name)?.rows ?? 0
  return [
    counted(rowsOf('organisation'), 'organisation'),
    counted(rowsOf('credential'), 'credential'),
    counted(rowsOf('statement'), 'statement'),
    counted(rowsOf('document'), 'document'),
    counted(blobs.count, 'file'),
  ].join(', ')
}

function aboutKey({ hasMasterKey }: Manifest): string {
  return hasMasterKey
    ? 'The master key is in it: whoever has this backup has every secret.'
    : 'The master key is not in it: keep that elsewhere, for without it no key of this backup signs in.'
}

const backupHelp = `
A server goes on serving meanwhile. What was acknowledged before the backup began is in it; everything in it is of one moment, and
the files that it refers to are there. It is a data directory that stays as it is: claviger restore
puts it into a store, on either engine; nothing else opens it, unless its backup.json is deleted. Complete, or not there: until it is done it is called <directory>.partial. The server makes it,
where one runs on a data directory, so the server's user must be allowed to write there.

It does not have the master key, without which no secret in it opens. --with-master-key puts it there.
What is erased later is still in it: delete backups in time, or erase again after a restore.

Examples:
  $ claviger backup --to /backup/claviger-2026-03-01
  $ claviger backup --to ./backup --with-master-key
`

const restoreHelp = `
The store must be empty, and nobody may serve from it. The backup is looked at first: one that is damaged is refused. Cut off, give
the same command again. The key is CLAVIGER_MASTER_KEY(_FILE), or master.key in the data directory, or in the backup.

Whatever happened after the backup is undone: keys revoked, rotated or narrowed since then work as they did, persons erased since
then are there. See docs/guides/backup.md.

Examples:
  $ CLAVIGER_DATA=/var/lib/claviger claviger restore --from /backup/claviger-2026-03-01
  $ claviger restore --from ./backup --to postgres://claviger@db.example.org/claviger --to-blobs /srv/blobs
`
