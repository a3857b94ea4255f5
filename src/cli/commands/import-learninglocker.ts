// claviger import learninglocker: what mongoexport or mongodump wrote of a Learning Locker.

import type { Command } from 'commander'
import { learningLockerImporter } from '../../importing/learninglocker/learninglocker.ts'
import type { CommandContext } from '../context.ts'
import type { Act } from '../run.ts'
import { importCommand, intoExistingOption, pathFrom, runImporter } from './import-run.ts'
import type { ImportOptions, IntoExistingOptions } from './import-run.ts'

interface LearningLockerOptions extends ImportOptions, IntoExistingOptions {
  readonly attachments?: string
}

export function addImportLearningLocker(imports: Command, context: CommandContext, act: Act): void {
  const command = importCommand(imports, 'learninglocker')
    .description('bring in a Learning Locker: organisations, stores, clients, statements, documents')
    .argument('<directory>', 'with what mongoexport or mongodump wrote: organisations.json, lrs.json, client.json …')
    .option(
      '--attachments <directory>',
      'the folder in which its xAPI service keeps bytes (FS_LOCAL_STORAGE_DIR, else storage beside it)',
    )
    .addOption(intoExistingOption())
    .addHelpText('after', help)
  act<LearningLockerOptions>(command, async (options, directory = '') => {
    const source = {
      directory: pathFrom(context, directory),
      attachments: options.attachments && pathFrom(context, options.attachments),
      intoExisting: options.intoExisting,
    }
    return runImporter(context, options, () => learningLockerImporter(source))
  })
}

const help = `
The files are called as the collections: organisations, lrs, client, statements, states, activityProfiles, agentProfiles; .json (one document
a line, or --jsonArray), .jsonl, .ndjson or .bson, each also with .gz. What is not there is left out, but statements need
the organisations and stores they are of. Where a server runs, that reads the files, so its user must be allowed to.

Into an organisation that is here already it goes only where an import from the same directory made it, or was let into it by
--into-existing: whoever can change the files can give themselves a key to it.

In the folder of --attachments bytes lie as statements/<store>/attachments/<hash>.<ending>; the folder above it, with storage/ inside,
and that of the statements alone, with <store>/attachments/ inside, are taken, too.

Kept: ids, keys and secrets, scopes, stored times, authorities, what is voided, whose each statement is. docs/guides/moving-in.md

Examples:
  $ claviger import learninglocker ./export --dry-run
  $ claviger import learninglocker ./export --attachments /var/lib/learninglocker/storage
  $ claviger import learninglocker ./later --into-existing 2
`
