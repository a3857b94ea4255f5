// What the imports that read through others' APIs take: an address, a key, how often to ask. The key's secret comes from standard input or
// from CLAVIGER_IMPORT_SECRET, where it was typed.

import type { Command } from 'commander'
import type { Login } from '../../importing/json-api.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { chooseOrganisation, locateLrs } from '../context.ts'
import { maxId } from '../../core/ids.ts'
import type { Destination } from '../../importing/parts.ts'
import { parseNumber } from '../credential-options.ts'
import { PlainError, UsageError } from '../outcome.ts'
import type { ImportOptions } from './import-run.ts'

export interface RemoteOptions extends ImportOptions {
  readonly url: string
  readonly key: string
  readonly secret?: string
  readonly passwordStdin?: boolean
  readonly rate: string
}

export function remoteOptions(command: Command, { key, url }: { readonly key: string; readonly url: string }): Command {
  return command
    .requiredOption('--url <url>', url)
    .requiredOption('--key <key>', key)
    .option('--password-stdin', 'read its secret from standard input; otherwise it is in CLAVIGER_IMPORT_SECRET')
    .option('--rate <requests>', 'how many requests a minute at most', '600')
}

/** The key, and how often to ask. */
export function readRemote(
  { key, rate }: RemoteOptions,
  { stdin = '' }: CommandContext,
): { readonly login: Login; readonly perMinute: number } {
  const secret = stdin.replace(/\r?\n$/, '')
  if (secret === '') throw new UsageError('give the secret of the key: --password-stdin, or CLAVIGER_IMPORT_SECRET')
  return { login: { key, secret }, perMinute: parseNumber(rate, '--rate', 1, 60_000) }
}

/** `--lrs`, or the default one of the organisation. */
export async function chooseDestination(
  opened: Opened,
  options: GlobalOptions & { readonly lrs?: string },
): Promise<Destination> {
  if (options.lrs !== undefined) {
    const { organisation, lrs } = await locateLrs(opened, options, parseNumber(options.lrs, '--lrs', 1, maxId))
    return { organisationId: organisation.id, lrsId: lrs.id }
  }
  const { id, defaultLrsId, name } = await chooseOrganisation(opened, options)
  if (defaultLrsId === null)
    throw new PlainError(`organisation ${id} (${name}) has no default Lrs: say which with --lrs`)
  return { organisationId: id, lrsId: defaultLrsId }
}
