// claviger import lrsql: the database of an SQL LRS.

import type { Command } from 'commander'
import { lrsqlImporter } from '../../importing/lrsql/importer.ts'
import type { CommandContext } from '../context.ts'
import type { Act } from '../run.ts'
import { importCommand, runImporter } from './import-run.ts'
import type { ImportOptions } from './import-run.ts'
import { chooseDestination } from './import-remote.ts'

interface LrsqlOptions extends ImportOptions {
  readonly lrs?: string
}

export function addImportLrsql(imports: Command, context: CommandContext, act: Act): void {
  const command = importCommand(imports, 'lrsql')
    .description('bring in an SQL LRS: credentials, statements, documents, attachments')
    .argument('<database>', 'its SQLite file, or postgres://user@host/database; nothing is written there')
    .option('--password-stdin', 'read the password of that user from standard input; otherwise CLAVIGER_IMPORT_SECRET')
    .option('--lrs <id>', 'the Lrs it goes into; the default one of the organisation unless given')
    .addHelpText('after', help)
  act<LrsqlOptions>(command, async (options, database = '') => {
    const opened = await context.open()
    const to = await chooseDestination(opened, options)
    const place = withPassword(database, context.stdin)
    const directory = context.directory ?? '.'
    return runImporter(context, options, () => lrsqlImporter({ place, directory, to }))
  })
}

/** What is typed may be seen by others on the machine. */
function withPassword(place: string, stdin = ''): string {
  const password = stdin.replace(/\r?\n$/, '')
  if (password === '' || !URL.canParse(place)) return place
  const url = new URL(place)
  if (url.password === '') url.password = encodeURIComponent(password)
  return url.href
}

const help = `
Where a server runs, that reads the database, so its user must be allowed to. Statements keep their stored times and what is voided; keys
keep their secrets, scopes and labels. Scopes that a right here would make wider are left out, and said.
MariaDB and MySQL: read the statements with claviger import xapi.

Examples:
  $ claviger import lrsql ./lrsql.sqlite.db --dry-run
  $ claviger import lrsql postgres://lrsql_user@db.example.org/lrsql_db --password-stdin < password
`
