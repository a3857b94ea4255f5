// The options that choose a secret, and how the answer shows the one that was made or says that it is the one given.

import type { Command } from 'commander'
import { leastSecretLength } from '../../config.ts'
import type { CommandContext } from '../context.ts'
import { checkChosenSecret } from '../credential-options.ts'
import { UsageError } from '../outcome.ts'

export interface SecretOptions {
  readonly secret?: string
  readonly secretStdin?: boolean
}

/** `least`: characters that it has. */
export function takeSecret(command: Command, least = leastSecretLength): Command {
  const describes = `choose the secret, at least ${least} characters (others on this machine may see it in the process list)`
  return command.option('--secret <secret>', describes).option('--secret-stdin', 'read the secret from standard input')
}

export function secretOf(
  options: SecretOptions,
  context: CommandContext,
  least = leastSecretLength,
): string | undefined {
  const { secret, secretStdin } = options
  if (!secretStdin) {
    if (secret !== undefined) checkChosenSecret(secret, '--secret', least)
    return secret
  }
  if (secret !== undefined) throw new UsageError('give one of --secret and --secret-stdin')
  const read = (context.stdin ?? '').replace(/\r?\n$/, '')
  if (read === '') throw new UsageError('--secret-stdin: there is nothing on standard input')
  checkChosenSecret(read, 'the secret on standard input', least)
  return read
}

/** A secret that was made is shown this once; one that was given is known, and need not be on a screen or in a log. */
export function secretLines(secret: string, given: string | undefined) {
  if (given === undefined) return { shown: secret, note: 'The secret is not shown again.\n\n', json: { secret } }
  return { shown: '(as given)', note: '', json: {} }
}
