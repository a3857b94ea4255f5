// claviger import scormcloud: the applications of a SCORM Cloud realm, through API v2.

import type { Command } from 'commander'
import { scormcloudImporter } from '../../importing/scormcloud/importer.ts'
import { chooseOrganisation } from '../context.ts'
import type { CommandContext } from '../context.ts'
import type { Act } from '../run.ts'
import { importCommand, runImporter } from './import-run.ts'
import { readRemote, remoteOptions } from './import-remote.ts'
import type { RemoteOptions } from './import-remote.ts'

interface ScormcloudOptions extends RemoteOptions {
  readonly statements?: boolean
}

export function addImportScormcloud(imports: Command, context: CommandContext, act: Act): void {
  const command = importCommand(imports, 'scormcloud')
    .description('bring in applications of SCORM Cloud: their ids, secret keys, xAPI credentials, settings')
    .addHelpText('after', help)
  remoteOptions(command, {
    url: 'of API v2, such as https://cloud.scorm.com/api/v2',
    key: 'the id of application management',
  }).option('--statements', 'read the statements of each application, too')
  act<ScormcloudOptions>(command, async (options) => {
    const { login, perMinute } = readRemote(options, context)
    const opened = await context.open()
    const { id: organisationId } = await chooseOrganisation(opened, options)
    const { outbound, lrs: door } = opened.remote
    const importer = scormcloudImporter({
      ...{ outbound, door, url: options.url, login, organisationId, perMinute },
      withStatements: options.statements === true,
    })
    return runImporter(context, options, () => importer)
  })
}

const help = `
The applications go into one organisation here (--organisation), with the ids they have there. An id that another organisation has stops
the import before anything is stored. With --statements the live and sandbox LRS of each application are read with one of its xAPI
credentials that has ROOT or READONLY. Documents (states, profiles) cannot be listed; courses and registrations are not of this product.

Example:
  $ claviger import scormcloud --url https://cloud.scorm.com/api/v2 --key MANAGEMENTID --password-stdin < secret
`
