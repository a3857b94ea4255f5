// Runs one command line against a context and writes its outcome: the one code path for commands in the server and in a
// process of their own. Never ends the process, never lets an error out.

import { Command } from 'commander'
import type { Option } from 'commander'
import { addApplication } from './commands/application.ts'
import { addApplicationManagement } from './commands/application-management.ts'
import { addAsk } from './commands/ask.ts'
import { addAudit } from './commands/audit.ts'
import { addBackup } from './commands/backup.ts'
import { addCallback } from './commands/callback.ts'
import { addCompare } from './commands/compare.ts'
import { addContent } from './commands/content.ts'
import { addCopy } from './commands/copy.ts'
import { addCredential } from './commands/credential.ts'
import { addDoctor } from './commands/doctor.ts'
import { addErase } from './commands/erase.ts'
import { addExport } from './commands/export.ts'
import { addImport } from './commands/import.ts'
import { addInstallation } from './commands/installation.ts'
import { addLaunch } from './commands/launch.ts'
import { addLrs } from './commands/lrs.ts'
import { addOrganisation } from './commands/organisation.ts'
import { addPipe } from './commands/pipe.ts'
import { addPlatform } from './commands/platform.ts'
import { addSession } from './commands/session.ts'
import { addTry } from './commands/try.ts'
import { addUsage } from './commands/usage.ts'
import type { CommandContext, GlobalOptions } from './context.ts'
import { explainFailure } from './failure.ts'
import { exitCodes, UsageError } from './outcome.ts'
import type { Outcome } from './outcome.ts'
import { version } from './version.ts'

/** Adds a command's action: what it returns is printed, what it throws is explained. */
export type Act = <Options extends GlobalOptions>(
  command: Command,
  action: (options: Options, ...words: string[]) => Promise<Outcome>,
) => void

export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  let exit: number = exitCodes.ok
  let running: Command | undefined
  const isJson = argv.includes('--json')
  const act: Act = (command, action) => {
    command.action(async (...args: unknown[]) => {
      running = command
      checkTyped(command)
      const words = args.slice(0, -2).flat() as string[]
      const outcome = await action(command.optsWithGlobals(), ...words)
      for (const warning of outcome.warnings ?? []) context.streams.err(`warning: ${warning}\n`)
      context.streams.out(`${isJson ? JSON.stringify(outcome.json, undefined, 2) : outcome.text}\n`)
      exit = outcome.exit ?? exitCodes.ok
    })
  }
  try {
    await buildProgram(context, act, isJson).parseAsync([...argv], { from: 'user' })
    return exit
  } catch (error) {
    return explainFailure(error, { isJson, streams: context.streams, command: running })
  }
}

/** Built anew for each run: a commander program remembers what it parsed. */
export function buildProgram(context: CommandContext, act: Act, isJson: boolean): Command {
  const program = new Command('claviger')
    .description('Claviger, a Learning Record Store whose speciality is the keys.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.streams.out(text),
      // As JSON it is said once, by explainFailure.
      writeErr: (text) => void (isJson || context.streams.err(text)),
    })
    .configureHelp({ showGlobalOptions: true, helpWidth: 110, visibleGlobalOptions: globalOptionsOf })
    .showHelpAfterError('(--help shows what there is)')
    .option('--json', 'print JSON instead of words')
    .option('-o, --organisation <id>', 'the organisation; needed when there are several')
    .version(version, '-V, --version', 'print the version')
    .addHelpText('after', helpTail)
  addServe(program, context, act)
  addOrganisation(program, context, act)
  addLrs(program, context, act)
  addApplication(program, context, act)
  addApplicationManagement(program, context, act)
  addCredential(program, context, act)
  addSession(program, context, act)
  addPlatform(program, context, act)
  addContent(program, context, act)
  addLaunch(program, context, act)
  addCallback(program, context, act)
  addPipe(program, context, act)
  addTry(program, context, act)
  addAsk(program, context, act)
  addAudit(program, context, act)
  addUsage(program, context, act)
  addErase(program, context, act)
  addImport(program, context, act)
  addExport(program, context, act)
  addDoctor(program, context, act)
  addBackup(program, context, act)
  addCopy(program, context, act)
  addCompare(program, context, act)
  addInstallation(program, context, act)
  return program
}

/** Those that are about the whole installation, or about none. */
const ofNoOrganisation = new Set(['serve', 'compare', 'copy', 'backup', 'restore', 'master-key', 'config', 'version'])

/** In the help of a command: what it takes from those above it. */
function globalOptionsOf(command: Command): Option[] {
  const line: Command[] = []
  for (let one: Command | null = command; one !== null; one = one.parent) line.push(one)
  const takesNone = line.some((one) => ofNoOrganisation.has(one.name()))
  const options = line.slice(1).flatMap((one) => one.options.filter(({ hidden }) => !hidden))
  return takesNone ? options.filter(({ long }) => long !== '--organisation') : options
}

/** It runs where it is typed (main.ts); here it is for the help, and for who looks for options. */
function addServe(program: Command, { config }: CommandContext, act: Act): void {
  const serve = program
    .command('serve')
    .description('run the server; settings are environment variables')
    .usage('')
    .argument('[words...]')
    .allowUnknownOption()
  act(serve, async (_, ...words) => {
    const known = config.settings.map(({ name }) => name)
    const settings = words.flatMap((word, index) => {
      const [, option = '', value = words[index + 1] ?? '…'] = /^--([a-z-]+)(?:=(.*))?$/.exec(word) ?? []
      const name = `CLAVIGER_${option.toUpperCase().replaceAll('-', '_')}`
      return known.includes(name) ? [`${name}=${value}`] : []
    })
    const isOption = words.some((word) => word.startsWith('-'))
    const example = settings.length > 0 ? settings : ['CLAVIGER_PORT=9000']
    throw new UsageError(
      `serve takes no ${isOption ? 'options' : 'arguments'}; settings are environment variables: ${example.join(' ')} claviger serve`,
    )
  })
}

/** What no command takes, whichever option or argument holds it. */
function checkTyped(command: Command): void {
  for (const [index, word] of command.args.entries()) {
    const name = command.registeredArguments[index]?.name() ?? 'argument'
    if (word.trim() === '') throw new UsageError(`<${name}> must not be empty`)
  }
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName())
    const words: readonly unknown[] = Array.isArray(value) ? value : [value]
    if (words.some((word) => typeof word === 'string' && word.trim() === '')) {
      throw new UsageError(`${option.long} must not be empty`)
    }
  }
}

const helpTail = `
Settings are environment variables, such as CLAVIGER_DATA=/var/lib/claviger; claviger config shows them.
When a server runs on the data directory, commands run inside it; otherwise they open the directory themselves.
With CLAVIGER_DATABASE_URL they open the database, beside the servers that do.

Exit codes: 0 done (ask: allowed), 1 failed (ask: not allowed), 2 wrong use, 78 bad configuration.

Examples:
  $ claviger serve
  $ claviger credential create --name "Safety course" --preset isolated
  $ claviger try 4f1c09d2a7b35e8d60c2e914
  $ claviger ask 4f1c09d2a7b35e8d60c2e914 GET /xapi/statements

Claviger ${version}
`
