// claviger config and master-key: what concerns the installation, not a tenant.

import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { keyFiles } from '../master-key.ts'
import { counted, PlainError, table } from '../outcome.ts'
import type { Act } from '../run.ts'
import { version } from '../version.ts'

export function addInstallation(program: Command, context: CommandContext, act: Act): void {
  addConfig(program, context, act)
  const group = program.command('master-key').description('the key that wraps the keys that seal every secret')
  const rotate = group
    .command('rotate')
    .description('make a new master key and put everything under it; keys and secrets go on working')
    .addHelpText('after', rotateHelp)
  act(rotate, async () => {
    const opened = await context.open()
    if (opened.masterKeySource === 'configuration') {
      throw new PlainError(
        'the master key is given by a setting, so it is changed there: set CLAVIGER_MASTER_KEY to a new key ' +
          '(openssl rand -base64 32) and CLAVIGER_MASTER_KEY_PREVIOUS to the present one, then restart',
      )
    }
    const organisations = await opened.rotateMasterKey()
    return {
      json: { organisations },
      text:
        `There is a new master key in ${keyFiles(context.config.dataDirectory).present}; ` +
        `the secrets of ${counted(organisations, 'organisation')} are sealed under it.\n` +
        'A backup made before now opens with the old key only: keep that key as long as you keep the backup ' +
        '(a copy of the whole data directory holds it).',
    }
  })
  act(program.command('version').description('print the version'), async () => ({ json: { version }, text: version }))
}

const rotateHelp = `
It works on the key in the data directory (master.key) and may be interrupted at any time: the next start finishes it.
A key given by a setting is changed there: CLAVIGER_MASTER_KEY new, CLAVIGER_MASTER_KEY_PREVIOUS old, restart.
`

function addConfig(program: Command, { config }: CommandContext, act: Act): void {
  act(program.command('config').description('print the settings in effect and where each comes from'), async () => {
    // What became of them, where that says more than what was set.
    const effective: Readonly<Record<string, string>> = {
      CLAVIGER_PORT: String(config.port),
      CLAVIGER_DATA: config.dataDirectory,
      CLAVIGER_BASE_URL: config.baseUrl,
    }
    const settings = config.settings.map((setting) => ({ ...setting, value: effective[setting.name] ?? setting.value }))
    const rows = settings.map(({ name, value, source }) => [name, value ?? '–', source])
    return { json: settings, text: table([['setting', 'value', 'from'], ...rows]) }
  })
}
