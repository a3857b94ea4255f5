// claviger import claviger: what claviger export took along, put back.

import type { Command } from 'commander'
import { clavigerImporter } from '../../importing/claviger/importer.ts'
import type { CommandContext } from '../context.ts'
import type { Act } from '../run.ts'
import { importCommand, intoExistingOption, pathFrom, runImporter } from './import-run.ts'
import type { ImportOptions, IntoExistingOptions } from './import-run.ts'
import { readPassphrase } from './export.ts'
import type { PassphraseOptions } from './export.ts'

interface Options extends ImportOptions, IntoExistingOptions, PassphraseOptions {
  readonly withoutSecrets?: boolean
}

export function addImportClaviger(imports: Command, context: CommandContext, act: Act): void {
  const command = importCommand(imports, 'claviger')
    .description('put back what claviger export took along, into an empty installation or beside others')
    .argument('<directory>', 'of the export')
    .option('--passphrase-stdin', 'read the passphrase that its secrets are sealed with from standard input')
    .option('--passphrase-file <file>', 'read it from a file')
    .option('--new', 'make the store where there is none yet, before a server ever served from it')
    .option('--without-secrets', 'make the keys without their secrets')
    .addOption(intoExistingOption())
    .addHelpText('after', help)
  act<Options>(command, async (options, directory = '') => {
    const passphrase = await readPassphrase(context, options)
    const { intoExisting, withoutSecrets = false } = options
    return runImporter(context, options, () =>
      clavigerImporter({ directory: pathFrom(context, directory), passphrase, withoutSecrets, intoExisting }),
    )
  })
}

const help = `
Ids, times, secrets, owners stay as they were. What the export brings must be free here, or be the same from an earlier import: else
nothing is written, and it is said what is taken. Into an organisation that is here it goes only where an import of the same export made
it, or was let into it by --into-existing: whoever can change the export can give themselves a key to it. Every file is compared with its SHA-256 first. Pipes come paused. Sessions, tokens
and the audit log stay behind: docs/guides/export.md.

The first claviger serve makes an organisation of its own, with the id 1: import before that, with --new.

Examples:
  $ claviger import claviger ./export --new --passphrase-file ./passphrase
  $ claviger import claviger ./export --dry-run --without-secrets
  $ claviger import claviger ./later --into-existing 1 --passphrase-file ./passphrase
`
