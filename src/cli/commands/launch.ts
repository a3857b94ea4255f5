// claviger launch …: who was let into which content, what became of it, and letting somebody in by hand.

import type { Command } from 'commander'
import { isDomainError } from '../../core/errors.ts'
import type { OrganisationId, Seq } from '../../core/ids.ts'
import type { LaunchFilter, LaunchRecord } from '../../core/storage.ts'
import { agentTerm } from '../../core/xapi/agent.ts'
import type { Statement } from '../../core/xapi/statement.ts'
import { callerIn, locateCredential, organisationsOf } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { parseNumber } from '../credential-options.ts'
import { principalOf } from '../key-state.ts'
import { pairs, PlainError, table, time, UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'
import { locateContent } from './content.ts'
import { addLaunchCreate, parseActor } from './launch-create.ts'
import { addLaunchDemo } from './launch-demo.ts'
import { addLaunchDiagnose } from './launch-diagnose.ts'
import { addLaunchRestHeader } from './launch-rest-header.ts'
import { addLaunchSign } from './launch-sign.ts'
import { lineOf, readStatements, saidIn } from './launch-statements.ts'
import { locateLaunch } from './launch-located.ts'
import { locatePlatform } from './platform.ts'

export function addLaunch(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('launch').description('who was let into which content, and how that went')
  addLaunchCreate(group, context, act)
  addList(group, context, act)
  addShow(group, context, act)
  addEnd(group, context, act)
  addLaunchDemo(group, context, act)
  addLaunchSign(group, context, act)
  addLaunchDiagnose(group, context, act)
  addLaunchRestHeader(group, context, act)
}

interface ListOptions extends GlobalOptions {
  readonly platform?: string
  readonly content?: string
  readonly actor?: string
  readonly registration?: string
  readonly running?: boolean
  readonly limit: string
}

function addList(group: Command, context: CommandContext, act: Act): void {
  const list = group
    .command('list')
    .description('list them, newest first; of every organisation unless one is given')
    .option('--platform <id>', 'only what this one launched')
    .option('--content <id>', 'only those of this content')
    .option('--actor <who>', 'only this learner: NAME@https://HOME.PAGE or mailto:ann@example.org')
    .option('--registration <uuid>', 'only this registration')
    .option('--running', 'only those that have not ended')
    .option('--limit <number>', 'at most so many of an organisation', '50')
    .addHelpText('after', '\nExample:\n  $ claviger launch list --platform north --running\n')
  act<ListOptions>(list, async (options) => {
    const limit = parseNumber(options.limit, '--limit', 1, mostListed)
    const opened = await context.open()
    const { filter, only } = await filterOf(opened, options)
    const all: LaunchRecord[] = []
    for await (const { id } of organisationsOf(opened, options)) {
      if (only !== undefined && only !== id) continue
      all.push(...(await opened.core.launches.list(callerIn(opened, id), filter, { limit })).items)
    }
    const rows = all.map((launch) => [
      ...[launch.id, launch.platformId ?? `credential ${launch.credentialId}`, launch.style, launch.mode],
      ...[agentTerm(launch.actor) ?? '', time(launch.createdAt), stateOf(launch)],
    ])
    const heading = ['id', 'by', 'style', 'mode', 'learner', 'begun', 'state']
    return { json: all.map(launchJson), text: table([heading, ...rows]) }
  })
}

const mostListed = 500
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** What is named may say which organisation it is about. */
async function filterOf(
  opened: Opened,
  options: ListOptions,
): Promise<{ readonly filter: LaunchFilter; readonly only: OrganisationId | undefined }> {
  const { platform, content, actor, registration, running } = options
  if (registration !== undefined && !uuid.test(registration)) {
    throw new UsageError(`--registration is a UUID, not ${JSON.stringify(registration)}`)
  }
  const platformRecord = platform === undefined ? undefined : (await locatePlatform(opened, options, platform)).platform
  const located = content === undefined ? undefined : await locateContent(opened, options, content)
  const actorKey = actor === undefined ? undefined : agentTerm(parseActor(actor))
  return {
    only: platformRecord?.organisationId ?? located?.organisation.id,
    filter: {
      ...(platformRecord && { platformId: platformRecord.id }),
      ...(located && { contentId: located.content.id }),
      ...(actorKey !== undefined && { actorKey }),
      ...(registration !== undefined && { registration: registration.toLowerCase() }),
      ...(running && { isRunning: true }),
    },
  }
}

function addShow(group: Command, context: CommandContext, act: Act): void {
  const show = group.command('show').description('show one, how far it has come, and what it stored').argument('<id>')
  act<GlobalOptions>(show, async (options, word = '') => {
    const opened = await context.open()
    const { launch } = await locateLaunch(opened, options, word)
    const { progress } = launch
    const head = pairs([
      ['id', launch.id],
      ['organisation', launch.organisationId],
      ['by', launch.platformId === null ? 'nobody’s platform' : `platform ${launch.platformId}`],
      ['at', launch.resource ?? undefined],
      ['content', launch.contentId ?? undefined],
      ['style, mode', `${launch.style}, ${launch.mode}`],
      ['learner', JSON.stringify(launch.actor)],
      ['activity', launch.activityId],
      ['registration', launch.registration],
      ['stores in', `Lrs ${launch.lrsId}, as credential ${launch.credentialId}`],
      ['begun', time(launch.createdAt)],
      ['lasts until', `${time(launch.expiresAt)} at the longest`],
      ['state', stateOf(launch)],
      ['said', saidIn(launch)],
    ])
    const statements = await statementsOf(opened, launch)
    const shown = statements.slice(0, mostShown).map((statement) => `  ${lineOf(statement)}`)
    const more = statements.length > mostShown ? [`  … and ${statements.length - mostShown} more`] : []
    const stored = statements.length === 0 ? '  It stored no statements.' : [...shown, ...more].join('\n')
    return { json: { ...launchJson(launch), progress, statements }, text: `${head}\n\n${stored}` }
  })
}

const mostShown = 100
/** Of which the first are shown. */
const mostRead = 1000

/** None where its key is gone, or lets nobody in any more. */
async function statementsOf(opened: Opened, launch: LaunchRecord): Promise<readonly Statement[]> {
  const options = { organisation: String(launch.organisationId) }
  const principal = await locateCredential(opened, options, `id:${launch.credentialId}`)
    .then((located) => principalOf(opened, located))
    .catch(unlessRefused)
  const all: Statement[] = []
  let cursor: Seq | undefined
  while (principal !== undefined && all.length < mostRead) {
    const part = await readStatements(opened, principal, launch, cursor)
    if (part.cursor === cursor) break
    cursor = part.cursor
    all.push(...part.statements)
  }
  return all
}

function unlessRefused(error: unknown): undefined {
  if (isDomainError(error) || error instanceof PlainError) return undefined
  throw error
}

function addEnd(group: Command, context: CommandContext, act: Act): void {
  const end = group
    .command('end')
    .description('end one at once: its key stops working on every node; what it stored stays')
    .argument('<id>')
  act<GlobalOptions>(end, async (options, word = '') => {
    const opened = await context.open()
    const { caller, launch } = await locateLaunch(opened, options, word)
    const after = await opened.core.launches.end(caller, launch.id)
    const text = launch.endedAt === null ? `Launch ${launch.id} has ended.` : `Launch ${launch.id} was over already.`
    return { json: launchJson(after), text }
  })
}

function stateOf({ endedAt, endedBy }: LaunchRecord): string {
  return endedAt === null ? 'runs' : `${endings[endedBy ?? 'expired']}, ${time(endedAt)}`
}

const endings = {
  terminated: 'finished',
  superseded: 'opened anew',
  idle: 'not used any more',
  expired: 'lasted its longest',
  revoked: 'ended by hand',
  parent: 'its key is gone',
} as const satisfies Record<NonNullable<LaunchRecord['endedBy']>, string>

/** Nothing that is sealed, nor what its browser is known by. */
function launchJson(launch: LaunchRecord): object {
  const { id, organisationId, platformId, contentId, resource, credentialId, lrsId, style, mode } = launch
  const { actor, activityId, registration, createdAt, expiresAt, endedAt, endedBy } = launch
  return {
    ...{ id, organisationId, platformId, contentId, resource, credentialId, lrsId, style, mode },
    ...{ actor, activityId, registration, createdAt: time(createdAt), expiresAt: time(expiresAt) },
    ...{ endedAt: endedAt === null ? null : time(endedAt), endedBy },
  }
}
