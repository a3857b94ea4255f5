// claviger launch sign: a launch as itslearning would sign it, to try out a platform without one.

import type { Command } from 'commander'
import { itslearning } from '../../app.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { oneOf, parseNumber, repeated } from '../credential-options.ts'
import { UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'
import { secretOf } from './credential-secret.ts'
import type { SecretOptions } from './credential-secret.ts'
import { openPlatform, parseAt } from './launch-located.ts'

interface SignOptions extends GlobalOptions, SecretOptions {
  readonly platform?: string
  readonly address?: string
  readonly page: string
  readonly user: string
  readonly customer?: string
  readonly object: string
  readonly instance: string
  readonly permissions: string
  readonly role?: string
  readonly param?: readonly string[]
  readonly at?: string
  readonly open?: boolean
}

const roles = ['Learner', 'Staff', 'Guest'] as const

export function addLaunchSign(group: Command, context: CommandContext, act: Act): void {
  const command = group
    .command('sign')
    .description('print a launch as itslearning would sign it, now; good for one use')
    .option('--platform <id>', 'with this one’s secret, for its registered address')
    .option('--address <url>', 'for this address instead')
    .option('--secret <secret>', 'with this one instead (others on this machine may see it in the process list)')
    .option('--secret-stdin', 'read that from standard input')
    .option('--page <word>', `which page: ${itslearning.pages.join(', ')}`, 'view')
    .option('--user <number>', 'who opens it', '1')
    .option('--customer <number>', 'whose people they are; the first that the platform allows unless given')
    .option('--object <number>', 'the learning object', '1')
    .option('--instance <number>', 'its use in a course', '1')
    .option('--permissions <words>', 'Read, Participate, Evaluate, Modify, ModifyInstance', 'Read,Participate')
    .option('--role <word>', `${roles.join(', ')}; Staff for who may modify unless given`)
    .option('--param <name=value>', 'any other parameter, or one in place of what is made; may be repeated', repeated)
    .option('--at <time>', 'signed then, such as 2026-01-02T03:04:05; now unless given')
    .option('--open', 'open it in the browser, too')
    .addHelpText('after', signHelp)
  act<SignOptions>(command, async (options) => {
    const { platform: id } = options
    const given = secretOf(options, context)
    const page = oneOf(options.page, itslearning.pages, '--page')
    const platform = id === undefined ? undefined : await openPlatform(context, options, id)
    const secret = given ?? platform?.secrets[0]
    const address = options.address ?? (platform && itslearning.addressAt(page, platform.known))
    if (secret === undefined || address === undefined)
      throw new UsageError('give --platform, or --address and --secret')
    if (!/^https?:\/\/[^\s#]+$/.test(address)) throw new UsageError('--address is http:// or https://, without #')
    const more = { ...(platform && itslearning.demandedParameters(platform.known)), ...parseParameters(options.param) }
    const permissions = options.permissions.split(',').map((word) => word.trim())
    const url = itslearning.signLaunch(
      address,
      {
        ...{ customerId: customerOf(options, platform?.known.settings.customers), userId: numberOf(options, 'user') },
        ...{ learningObjectId: numberOf(options, 'object'), instanceId: numberOf(options, 'instance') },
        ...{ permissions, role: roleOf(options, permissions), more, apiSessionId: 'signed-by-claviger-launch-sign' },
        now: parseAt(options.at, platform?.now ?? Date.now()),
      },
      secret,
    )
    if (options.open) context.streams.open?.(url)
    return { json: { url }, text: url }
  })
}

const signHelp = `
Examples:
  $ claviger launch sign --platform north --user 7 --param FirstName=Ada --param Language=en-GB
  $ claviger launch sign --platform north --page add --permissions 'Read, Modify' --open
  $ claviger launch diagnose "$(claviger launch sign --platform north)" --platform north
`

const mostNumber = 9_999_999_999

function numberOf(options: SignOptions, name: 'user' | 'object' | 'instance'): string {
  return String(parseNumber(options[name], `--${name}`, 0, mostNumber))
}

function customerOf({ customer }: SignOptions, [allowed = 1]: readonly number[] = []): string {
  return String(customer === undefined ? allowed : parseNumber(customer, '--customer', 0, mostNumber))
}

function roleOf({ role }: SignOptions, permissions: readonly string[]): string {
  if (role !== undefined) return oneOf(role, roles, '--role')
  return permissions.some((word) => word.startsWith('Modify')) ? 'Staff' : 'Learner'
}

function parseParameters(words: readonly string[] = []): Readonly<Record<string, string>> {
  const pairs = words.map((word): [string, string] => {
    const [, name, value] = /^([A-Za-z][A-Za-z0-9_.-]{0,63})=(.*)$/s.exec(word) ?? []
    if (name === undefined || value === undefined) throw new UsageError(`--param takes NAME=VALUE, not ${word}`)
    if (/\p{Surrogate}/u.test(value)) throw new UsageError(`--param ${name}: this is no text`)
    return [name, value]
  })
  return Object.fromEntries(pairs)
}
