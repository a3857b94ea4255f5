// claviger launch demo: makes a launch of the sample lesson for a learner who does not exist, and shows what the lesson stores, as it
// stores it. What it makes it makes once; a later demo goes on with it, and so does the learner.

import { setTimeout } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Content } from '../../core/content.ts'
import type { LrsId, Seq } from '../../core/ids.ts'
import { getPreset } from '../../core/presets.ts'
import type { Caller, Principal } from '../../core/principal.ts'
import type { CredentialRecord, LaunchRecord, LaunchStyle } from '../../core/storage.ts'
import { launchModes, launchStyles } from '../../core/storage.ts'
import type { Statement } from '../../core/xapi/statement.ts'
import { callerIn, chooseOrganisation, locateLrs } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { oneOf, parseNumber } from '../credential-options.ts'
import { principalOf } from '../key-state.ts'
import { counted, pairs, PlainError, time } from '../outcome.ts'
import type { Act } from '../run.ts'
import { lineOf, readStatements } from './launch-statements.ts'

interface DemoOptions extends GlobalOptions {
  readonly style: string
  readonly mode: string
  readonly lrs?: string
  readonly open: boolean
}

/** How often it is looked for what is new. */
const pollMs = 300

export function addLaunchDemo(group: Command, context: CommandContext, act: Act): void {
  const command = group
    .command('demo')
    .description('open the sample lesson for a learner who does not exist, and show what it stores, until it is closed')
    .option('--style <word>', `how it is launched: ${launchStyles.join(', ')}`, 'cmi5')
    .option('--mode <word>', `what the learner may do: ${launchModes.join(', ')}`, 'normal')
    .option('--lrs <id>', 'where it stores; the organisation’s default unless given')
    .option('--no-open', 'only print the address; open no browser')
    .addHelpText('after', demoHelp)
  act<DemoOptions>(command, async (options) => {
    const style = oneOf(options.style, launchStyles, '--style')
    const mode = oneOf(options.mode, launchModes, '--mode')
    await demandServer(context)
    const opened = await context.open()
    const demo = await makeDemo(opened, context, options, style)
    const { launch, entranceUrl } = await opened.core.launches.open(
      { caller: demo.caller, credentialId: demo.credential.id },
      { content: demo.content, actor: learnerAt(context), mode },
    )
    // With --json standard output is for the outcome.
    const say = options.json ? context.streams.err : context.streams.out
    say(introduction(entranceUrl, launch))
    if (options.open) context.streams.open?.(entranceUrl)
    context.letOthersPass?.()
    const principal = await principalOf(opened, demo)
    const seen = await follow(opened, { ...demo, principal }, launch, {
      signal: context.untilStopped?.() ?? new AbortController().signal,
      tell: (statement) => say(`${lineOf(statement)}\n`),
    })
    const text = `${counted(seen.statements.length, 'statement')}; ${stateOf(seen.launch)}`
    const { endedBy } = seen.launch
    return { json: { launch: launch.id, url: entranceUrl, endedBy, statements: seen.statements }, text }
  })
}

const demoHelp = `
It makes, once, content named “A lesson on keys” and a key named “claviger launch demo”, and keeps them: the next demo goes on where the
learner left off. claviger content list and claviger credential list show them; what the lesson stores stays in the Lrs.

Examples:
  $ claviger launch demo
  $ claviger launch demo --style tincan --lrs 2 --no-open
`

/** What is made would be answered for by nobody. */
async function demandServer({ isServed, config }: CommandContext): Promise<void> {
  if (isServed) return
  const answers = config.database !== undefined && (await isAlive(config.baseUrl))
  if (answers) return
  const where = config.database ? `at ${config.baseUrl} (CLAVIGER_BASE_URL)` : `on ${config.dataDirectory}`
  throw new PlainError(`no server answers ${where}, and the lesson needs one: claviger serve`)
}

async function isAlive(baseUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${baseUrl}/healthz`, { signal: AbortSignal.timeout(5000) })).ok
  } catch {
    return false
  }
}

interface Demo {
  readonly caller: Caller
  readonly organisation: Awaited<ReturnType<typeof chooseOrganisation>>
  readonly credential: CredentialRecord
  readonly content: Content
}

async function makeDemo(
  opened: Opened,
  context: CommandContext,
  options: DemoOptions,
  style: LaunchStyle,
): Promise<Demo> {
  const located =
    options.lrs === undefined ? undefined : await locateLrs(opened, options, parseNumber(options.lrs, '--lrs'))
  const organisation = located?.organisation ?? (await chooseOrganisation(opened, options))
  const lrsId = located?.lrs.id ?? organisation.defaultLrsId
  if (lrsId === null) throw new PlainError('the organisation has no default Lrs: say which with --lrs')
  const caller = callerIn(opened, organisation.id)
  const credential = await keyOfDemo(opened, caller, lrsId)
  const content = await contentOfDemo(opened, caller, { baseUrl: context.config.baseUrl, style })
  return { caller, organisation, credential, content }
}

async function keyOfDemo({ core }: Opened, caller: Caller, lrsId: LrsId): Promise<CredentialRecord> {
  const key = `launch-demo-${lrsId}`
  const { items } = await core.credentials.list(caller, { key, kind: 'client' }, { offset: 0, limit: 1 })
  if (items[0]) return items[0]
  const { rights } = getPreset('launch')
  const { credential } = await core.credentials.create(caller, {
    ...{ name: 'claviger launch demo', key, rights, lrsIds: [lrsId] },
  })
  return credential
}

async function contentOfDemo(
  { core }: Opened,
  caller: Caller,
  { baseUrl, style }: { readonly baseUrl: string; readonly style: LaunchStyle },
): Promise<Content> {
  const url = `${baseUrl}/launch/lesson/index.html`
  for (let offset = 0, total = 1; offset < total; offset += 100) {
    const page = await core.contents.list(caller, { offset, limit: 100 })
    const found = page.items.find(({ settings }) => settings.url === url && settings.style === style)
    if (found) return found
    total = page.total
  }
  const activityId = `${baseUrl}/launch/lesson`
  const judged = style === 'cmi5' ? { masteryScore: 0.5, moveOn: 'CompletedAndPassed' as const } : {}
  return core.contents.create(caller, {
    ...{ name: 'A lesson on keys', settings: { url, style, activityId, sendsNames: true, ...judged } },
  })
}

function learnerAt({ config }: CommandContext) {
  return { objectType: 'Agent', name: 'Demo learner', account: { homePage: config.baseUrl, name: 'demo-learner' } }
}

function introduction(url: string, { registration, expiresAt }: LaunchRecord): string {
  return (
    `Open this in a browser, within five minutes; it works once:\n  ${url}\n` +
    `${pairs([
      ['registration', registration],
      ['ends', `when it is closed, at the latest ${time(expiresAt)}`],
    ])}\n` +
    `What is stored of it, as it comes; Ctrl-C stops looking:\n`
  )
}

interface Followed {
  readonly launch: LaunchRecord
  readonly statements: readonly Statement[]
}

/** Until the launch has ended, or nobody looks any more. */
async function follow(
  opened: Opened,
  { caller, principal }: Demo & { readonly principal: Principal },
  { id }: LaunchRecord,
  { signal, tell }: { readonly signal: AbortSignal; tell(statement: Statement): void },
): Promise<Followed> {
  const statements: Statement[] = []
  let cursor: Seq | undefined
  for (;;) {
    // Asked first: what came before the end is among what is read after it.
    const launch = await opened.core.launches.get(caller, id)
    const part = await readStatements(opened, principal, launch, cursor)
    cursor = part.cursor
    statements.push(...part.statements)
    part.statements.forEach(tell)
    if (launch.endedAt !== null || signal.aborted) return { launch, statements }
    await setTimeout(pollMs, undefined, { signal }).catch(() => undefined)
  }
}

function stateOf({ endedBy }: LaunchRecord): string {
  return endedBy === null ? 'the launch goes on' : `the launch has ended: ${endedBy}`
}
