// claviger import xapi: the statements of any store, through xAPI.

import type { Command } from 'commander'
import { parseTimestamp } from '../../core/xapi/time.ts'
import { xapiImporter } from '../../importing/xapi/importer.ts'
import { locateCredential } from '../context.ts'
import type { CommandContext } from '../context.ts'
import { UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'
import { importCommand, runImporter } from './import-run.ts'
import { chooseDestination, readRemote, remoteOptions } from './import-remote.ts'
import type { RemoteOptions } from './import-remote.ts'

interface XapiOptions extends RemoteOptions {
  readonly lrs?: string
  readonly since?: string
  readonly owner?: string
}

export function addImportXapi(imports: Command, context: CommandContext, act: Act): void {
  const command = importCommand(imports, 'xapi')
    .description('bring in the statements of any LRS, through xAPI')
    .addHelpText('after', help)
  remoteOptions(command, {
    url: 'its xAPI endpoint, without /statements',
    key: 'a key that reads all statements there',
  })
    .option('--since <time>', 'only what was stored after this, such as 2026-01-02T03:04:05Z')
    .option('--lrs <id>', 'the Lrs they go into; the default one of the organisation unless given')
    .option(
      '--owner <credential>',
      'whose they are here, by id or key; unless given, a disabled key for each authority',
    )
  act<XapiOptions>(command, async (options) => {
    const { login, perMinute } = readRemote(options, context)
    const { since } = options
    if (since !== undefined && parseTimestamp(since) === undefined) {
      throw new UsageError('--since takes a time such as 2026-01-02T03:04:05Z')
    }
    const opened = await context.open()
    const to = await chooseDestination(opened, options)
    const owner = options.owner === undefined ? undefined : await locateCredential(opened, options, options.owner)
    if (owner !== undefined && owner.organisation.id !== to.organisationId) {
      throw new UsageError('--owner is a key of another organisation than the Lrs')
    }
    const { url } = options
    const owned = { owner: owner?.credential, since }
    const importer = xapiImporter({ door: opened.remote.lrs, url, ...login, to, ...owned, perMinute })
    return runImporter(context, options, () => importer)
  })
}

const help = `
Statements come in the order in which they were stored, with their ids, stored times, authorities and attachments; voided ones with the
statements that void them. To bring over what came since: the same command with --since. Documents (states, profiles) cannot be listed
through xAPI, so none are read.

Examples:
  $ claviger import xapi --url https://lrs.example.org/xapi --key KEY --password-stdin < secret
  $ claviger import xapi --url https://lrs.example.org/xapi --key KEY --since 2026-01-02T00:00:00Z --lrs 3
`
