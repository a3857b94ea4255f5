// Runs one command line against a context and writes its outcome: the one code path for commands in the server and in a
// process of their own. Never ends the process, never lets an error out.

import { Command, CommanderError } from 'commander'
import { isDomainError } from '../core/errors.ts'
import { addAudit } from './commands/audit.ts'
import { addCredential } from './commands/credential.ts'
import { addAsk, addTry } from './commands/decide.ts'
import { addDoctor } from './commands/doctor.ts'
import { addInstallation } from './commands/installation.ts'
import { addLrs } from './commands/lrs.ts'
import { addOrganisation } from './commands/organisation.ts'
import { addSession } from './commands/session.ts'
import { addUsage } from './commands/usage.ts'
import type { CommandContext, GlobalOptions } from './context.ts'
import { exitCodes, PlainError, UsageError } from './outcome.ts'
import type { Outcome } from './outcome.ts'
import { version } from './version.ts'

/** Adds a command's action: what it returns is printed, what it throws is explained. */
export type Act = <Options extends GlobalOptions>(
  command: Command,
  action: (options: Options, ...words: string[]) => Promise<Outcome>,
) => void

export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  let exit: number = exitCodes.ok
  const isJson = argv.includes('--json')
  const act: Act = (command, action) => {
    command.action(async (...args: unknown[]) => {
      const words = args.slice(0, -2).flat() as string[]
      const outcome = await action(command.optsWithGlobals(), ...words)
      for (const warning of outcome.warnings ?? []) context.streams.err(`warning: ${warning}\n`)
      context.streams.out(`${isJson ? JSON.stringify(outcome.json, undefined, 2) : outcome.text}\n`)
      exit = outcome.exit ?? exitCodes.ok
    })
  }
  try {
    await buildProgram(context, act).parseAsync([...argv], { from: 'user' })
    return exit
  } catch (error) {
    return explainFailure(error, isJson, context)
  }
}

/** Built anew for each run: a commander program remembers what it parsed. */
export function buildProgram(context: CommandContext, act: Act): Command {
  const program = new Command('claviger')
    .description('Claviger, a Learning Record Store whose speciality is the keys.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => context.streams.out(text), writeErr: (text) => context.streams.err(text) })
    .configureHelp({ showGlobalOptions: true, helpWidth: 110 })
    .showHelpAfterError('(--help shows what there is)')
    .option('--json', 'print JSON instead of words')
    .option('-o, --organisation <id>', 'the organisation; needed when there are several')
    .addHelpText('after', helpTail)
  // It runs where it is typed (main.ts); here it is for the help.
  act(program.command('serve').description('run the server; settings are environment variables'), async () => {
    throw new UsageError('serve takes no options: settings are environment variables, see claviger config')
  })
  addOrganisation(program, context, act)
  addLrs(program, context, act)
  addCredential(program, context, act)
  addSession(program, context, act)
  addTry(program, context, act)
  addAsk(program, context, act)
  addAudit(program, context, act)
  addUsage(program, context, act)
  addDoctor(program, context, act)
  addInstallation(program, context, act)
  return program
}

const helpTail = `
Settings are environment variables, such as CLAVIGER_DATA=/var/lib/claviger; claviger config shows them.
When a server runs on the data directory, commands run inside it; otherwise they open the directory themselves.

Exit codes: 0 done (ask: allowed), 1 failed (ask: not allowed), 2 wrong use, 78 bad configuration.

Examples:
  $ claviger serve
  $ claviger credential create --name "Safety course" --preset isolated
  $ claviger try 4f1c09d2a7b35e
  $ claviger ask 4f1c09d2a7b35e GET /xapi/statements

Claviger ${version}
`

function explainFailure(error: unknown, isJson: boolean, { streams }: CommandContext): number {
  // Commander has printed its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  const code = error instanceof UsageError ? 'usage' : isDomainError(error) ? error.code : 'failed'
  const failures = isDomainError(error) ? (error.detail.failures ?? []) : []
  const isKnown = error instanceof UsageError || error instanceof PlainError || isDomainError(error)
  const message = error instanceof Error ? error.message : String(error)
  if (isJson) streams.err(`${JSON.stringify({ error: { code, message, failures } }, undefined, 2)}\n`)
  else {
    // A defect of ours: the stack is what a report needs. It holds no values, so no secrets.
    const stack = isKnown || !(error instanceof Error) ? undefined : error.stack
    streams.err(`error: ${stack ?? message}\n`)
    for (const failure of failures) streams.err(`  ${failure.pointer} ${failure.message}\n`)
  }
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed
}
