// The options that choose a secret, and how the answer shows the one that was made or says that it is the one given.

import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { UsageError } from '../outcome.ts'

export interface SecretOptions {
  readonly secret?: string
  readonly secretStdin?: boolean
}

export function takeSecret(command: Command): Command {
  return command
    .option('--secret <secret>', 'choose the secret (others on this machine may see it in the process list)')
    .option('--secret-stdin', 'read the secret from standard input')
}

export function secretOf(options: SecretOptions, context: CommandContext): string | undefined {
  if (!options.secretStdin) return options.secret
  if (options.secret !== undefined) throw new UsageError('give one of --secret and --secret-stdin')
  const secret = (context.stdin ?? '').replace(/\r?\n$/, '')
  if (secret === '') throw new UsageError('--secret-stdin: there is nothing on standard input')
  return secret
}

/** A secret that was made is shown this once; one that was given is known, and need not be on a screen or in a log. */
export function secretLines(secret: string, given: string | undefined) {
  if (given === undefined) return { shown: secret, note: 'The secret is not shown again.\n\n', json: { secret } }
  return { shown: '(as given)', note: '', json: {} }
}
