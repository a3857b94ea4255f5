// claviger launch create: lets somebody into content, as a platform does that vouches for them, or as a key of one's own.

import type { Command } from 'commander'
import { entranceSeconds } from '../../core/launch-ticket.ts'
import type { LaunchedBy, OpenedLaunch } from '../../core/launch.ts'
import { launchModes } from '../../core/storage.ts'
import type { Json, LaunchMode } from '../../core/storage.ts'
import type { JsonObject } from '../../core/xapi/rule.ts'
import { locateCredential } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { oneOf, parseActorPin } from '../credential-options.ts'
import { pairs, time, UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'
import { locateContent } from './content.ts'
import type { LocatedContent } from './content.ts'
import { locatePlatform } from './platform.ts'

interface CreateOptions extends GlobalOptions {
  readonly actor: string
  readonly credential?: string
  readonly platform?: string
  readonly place?: string
  readonly mode: string
  readonly readsOthers?: boolean
  readonly registration?: string
  readonly activityId?: string
  readonly language?: string
  readonly data?: string
}

export function addLaunchCreate(group: Command, context: CommandContext, act: Act): void {
  const create = group
    .command('create')
    .description('let somebody into content: prints an address to open once, within five minutes')
    .argument('<content-id>')
    .requiredOption('--actor <who>', 'the learner: NAME@https://HOME.PAGE, NAME or mailto:ann@example.org')
    .option('--credential <id-or-key>', 'what is stored is this key’s, in its Lrs')
    .option('--platform <id>', 'instead of a key: as this platform would')
    .option('--place <place>', 'its name for the place, so that the learner goes on with what was begun there')
    .option('--mode <mode>', launchModes.join(', '), 'normal')
    .option('--reads-others', 'the content also reads what others did in it')
    .option('--registration <uuid>', 'the same for the same learner, key and place or content, unless given')
    .option('--activity-id <iri>', 'instead of the content’s')
    .option('--language <tag>', 'of the learner, such as nb-NO')
    .option('--data <json>', 'for the content')
    .addHelpText('after', createHelp)
  act<CreateOptions>(create, async (options, word = '') => {
    const mode: LaunchMode = oneOf(options.mode, launchModes, '--mode')
    const data = options.data === undefined ? undefined : parseData(options.data)
    const opened = await context.open()
    const located = await locateContent(opened, options, word)
    const { content } = located
    const { registration, activityId, language, place } = options
    const launched = await opened.core.launches.open(await launcherOf(opened, options, located), {
      ...{ content, mode, actor: parseActor(options.actor, content.settings.homePage !== undefined) },
      ...(options.readsOthers && { readsOthers: true }),
      ...(place !== undefined && { resource: place }),
      ...(registration !== undefined && { registration: registration.toLowerCase() }),
      ...(activityId !== undefined && { activityId }),
      ...(language !== undefined && { language }),
      ...(data !== undefined && { data }),
    })
    return told(launched)
  })
}

const createHelp = `
What the content may then do is what any launch may: this learner, this activity, this registration, until it ends.
Only the first browser that opens the address gets in.

Example:
  $ claviger launch create 66f0c1d2a3b4c5d6e7f80912 --credential 2 --actor ada@https://school.example.org
`

function told({ launch, entranceUrl }: OpenedLaunch) {
  const until = time(launch.createdAt + entranceSeconds * 1000)
  const rows: [string, string][] = [
    ['open', entranceUrl],
    ['by', `${until}, once`],
    ['activity', launch.activityId],
    ['registration', launch.registration],
    ['lasts until', `${time(launch.expiresAt)} at the longest`],
  ]
  const { id, activityId, registration, expiresAt } = launch
  return {
    json: { id, url: entranceUrl, urlExpiresAt: until, activityId, registration, expiresAt: time(expiresAt) },
    text: `Launch ${id} made.\n\n${pairs(rows)}\n\nNext: claviger launch show ${id}`,
  }
}

async function launcherOf(
  opened: Opened,
  { credential, platform, ...options }: CreateOptions,
  { caller, organisation }: LocatedContent,
): Promise<LaunchedBy> {
  const within = { ...options, organisation: String(organisation.id) }
  if (platform !== undefined && credential === undefined) {
    return { platform: (await locatePlatform(opened, within, platform)).platform }
  }
  if (credential === undefined || platform !== undefined)
    throw new UsageError('give one of --credential and --platform')
  return { caller, credentialId: (await locateCredential(opened, within, credential)).credential.id }
}

/** `hasHome`: an account that names no homePage is of the content's. */
export function parseActor(word: string, hasHome = false): JsonObject {
  const pin = parseActorPin(word, '--actor')
  if ('mbox' in pin) return { objectType: 'Agent', mbox: pin.mbox }
  const { accountName: name, homePage } = pin
  if (homePage !== undefined || hasHome) {
    return { objectType: 'Agent', account: { ...(homePage !== undefined && { homePage }), name } }
  }
  throw new UsageError(
    `--actor ${word}: say of which home page the account is, as in ${word}@https://school.example.org`,
  )
}

function parseData(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new UsageError(`--data is JSON, not ${JSON.stringify(text.slice(0, 100))}`)
  }
}
