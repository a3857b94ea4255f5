// claviger launch rest-header: the value with which a launch's session is used at itslearning's REST API (ledger S3.1).

import type { Command } from 'commander'
import { itslearning } from '../../app.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { PlainError, UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'
import { secretOf } from './credential-secret.ts'
import type { SecretOptions } from './credential-secret.ts'
import { locateLaunch, openPlatform, parseAt } from './launch-located.ts'

interface HeaderOptions extends GlobalOptions, SecretOptions {
  readonly session?: string
  readonly platform?: string
  readonly applicationKey?: string
  readonly at?: string
}

export function addLaunchRestHeader(group: Command, context: CommandContext, act: Act): void {
  const command = group
    .command('rest-header')
    .description('print the Authorization header that itslearning’s REST API takes for a launch; good for some minutes')
    .argument('[launch-id]', 'one that runs: its session is kept until it ends')
    .option('--session <id>', 'this session (ApiSessionId) instead of a launch’s')
    .option('--platform <id>', 'with a session: the platform whose secret and application key are taken')
    .option('--application-key <key>', 'this one instead of the platform’s')
    .option('--secret <secret>', 'this one instead of the platform’s (others on this machine may see it)')
    .option('--secret-stdin', 'read that from standard input')
    .option('--at <time>', 'for then, such as 2026-01-02T03:04:05; now unless given')
    .addHelpText('after', headerHelp)
  act<HeaderOptions>(command, async (options, word) => {
    const given = secretOf(options, context)
    if ((word === undefined) === (options.session === undefined)) {
      throw new UsageError('give the id of a launch, or --session')
    }
    const launched = word === undefined ? undefined : await sessionOf(context, options, word)
    const id = launched?.platformId ?? options.platform
    const platform = id === undefined ? undefined : await openPlatform(context, options, id)
    const secret = given ?? platform?.secrets[0]
    const applicationKey = options.applicationKey ?? platform?.known.settings.applicationKey ?? undefined
    if (secret === undefined) throw new UsageError('give --platform, or --secret')
    if (applicationKey === undefined) {
      throw new UsageError('give --application-key, or keep it: claviger platform update … --application-key KEY')
    }
    const sessionId = launched?.sessionId ?? options.session ?? ''
    const now = parseAt(options.at, platform?.now ?? Date.now())
    const value = itslearning.restAuthorization({ applicationKey, secret, sessionId, now })
    return { json: { authorization: value }, text: value }
  })
}

const headerHelp = `
It stands alone in the header, without a word such as Basic before it. It covers neither method nor address nor body.

Examples:
  $ curl -H "Authorization: $(claviger launch rest-header LAUNCH)" https://restapi.itslearning.com/LearningObjectService.svc/…
  $ claviger launch rest-header --session n0hsmdawswebjt2fqtap4n55 --platform north
`

async function sessionOf(
  context: CommandContext,
  options: GlobalOptions,
  word: string,
): Promise<{ readonly platformId: string; readonly sessionId: string }> {
  const opened = await context.open()
  const { launch } = await locateLaunch(opened, options, word)
  if (launch.platformId === null) throw new PlainError(`launch ${launch.id} was made by no platform`)
  if (launch.endedAt !== null) throw new PlainError(`launch ${launch.id} is over, and its session is not used any more`)
  const sessionId = await opened.core.launches.unseal(launch)
  if (sessionId === undefined) throw new PlainError(`launch ${launch.id} came with no session`)
  return { platformId: launch.platformId, sessionId }
}
