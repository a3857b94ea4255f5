// claviger import watershed: an organisation of Watershed, through its APIs.

import type { Command } from 'commander'
import type { OrganisationId } from '../../core/ids.ts'
import { maxId } from '../../core/ids.ts'
import { watershedImporter } from '../../importing/watershed/importer.ts'
import type { CommandContext } from '../context.ts'
import { parseNumber } from '../credential-options.ts'
import { UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'
import { importCommand, runImporter } from './import-run.ts'
import { readRemote, remoteOptions } from './import-remote.ts'
import type { RemoteOptions } from './import-remote.ts'

interface WatershedOptions extends RemoteOptions {
  readonly name?: string
  readonly into?: string
  readonly statements: boolean
}

export function addImportWatershed(imports: Command, context: CommandContext, act: Act): void {
  const command = importCommand(imports, 'watershed')
    .description('bring in an organisation of Watershed: its id, credentials with their secrets, statements')
    .addHelpText('after', help)
  remoteOptions(command, { url: 'where it is, such as https://watershedlrs.com', key: 'a credential with API access' })
    .option('--name <name>', 'what the organisation is called here')
    .option('--into <id>', 'an organisation that is here already, instead of one with the same id')
    .option('--no-statements', 'the credentials alone')
  act<WatershedOptions>(command, async (options) => {
    if (options.organisation === undefined) throw new UsageError('--organisation says which one it is there')
    const { login, perMinute } = readRemote(options, context)
    const { remote } = await context.open()
    const importer = watershedImporter({
      ...{ outbound: remote.outbound, door: remote.lrs, url: options.url, login, perMinute },
      organisation: parseNumber(options.organisation, '--organisation', 1, maxId) as OrganisationId,
      name: options.name,
      into: options.into === undefined ? undefined : (parseNumber(options.into, '--into', 1, maxId) as OrganisationId),
      withStatements: options.statements,
    })
    return runImporter(context, options, () => importer)
  })
}

const help = `
--organisation is the id in the addresses there; the organisation here gets the same, so that clients change the host name and nothing else.
Statements are read with the credential that is given if its lrsAccess is global, otherwise with one of those it lists.
Documents (states, profiles) cannot be listed through Watershed's APIs.

Example:
  $ claviger import watershed --organisation 123 --url https://watershedlrs.com --key KEY --password-stdin < secret
`
