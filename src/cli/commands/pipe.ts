// claviger pipe …: what is forwarded from an Lrs, or from a store elsewhere, to one elsewhere; how far it has come, and why it stands still.

import type { Command } from 'commander'
import { lrsAt } from '../../app.ts'
import type { ApplicationId, LrsId, PipeId } from '../../core/ids.ts'
import { maxId } from '../../core/ids.ts'
import type { Pipe, SourceInput } from '../../core/pipe.ts'
import type { Caller } from '../../core/principal.ts'
import type { Endpoint } from '../../core/remote-lrs.ts'
import type { OrganisationRecord } from '../../core/storage.ts'
import { callerIn, chooseOrganisation, organisationsOf, unlessAbsent } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { parseNumber } from '../credential-options.ts'
import { pairs, PlainError, table, time, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import type { Act } from '../run.ts'

interface ListOptions extends GlobalOptions {
  readonly application?: string
}

interface CreateOptions extends ListOptions {
  readonly to: string
  readonly user?: string
  readonly password?: string
  readonly passwordStdin?: boolean
  readonly lrs?: string
  readonly from?: string
  readonly fromUser?: string
  readonly fromPassword?: string
  readonly startNow?: boolean
}

export function addPipe(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('pipe').description('forward what is stored to other stores of statements')
  addCreate(group, context, act)
  addList(group, context, act)
  addShow(group, context, act)
  addPauseAndResume(group, context, act)
  addDelete(group, context, act)
}

function addCreate(group: Command, context: CommandContext, act: Act): void {
  const create = group
    .command('create')
    .description('forward every statement, in order and exactly once, to another store')
    .requiredOption('--to <url>', 'its xAPI endpoint, without /statements')
    .option('--user <name>', 'as whom to write there')
    .option('--password <password>', '(others on this machine may see it in the process list)')
    .option('--password-stdin', 'read that password from standard input')
    .option(
      '--application <id>',
      'the application it belongs to; its live Lrs is forwarded unless --lrs or --from says else',
    )
    .option('--lrs <id>', 'what is forwarded')
    .option('--from <url>', 'instead, a store elsewhere, by its xAPI endpoint')
    .option('--from-user <name>', 'as whom to read there')
    .option('--from-password <password>')
    .option('--start-now', 'leave out what is stored already')
    .addHelpText(
      'after',
      '\nExample:\n  $ claviger pipe create --lrs 1 --to https://lrs.example.org/xapi --user forwarder --password-stdin < password\n',
    )
  act<CreateOptions>(create, async (options) => {
    const target = { url: options.to, user: options.user ?? '', password: passwordOf(options, context) }
    const source = sourceOf(options)
    if (options.startNow && source && source.lrsId === undefined)
      throw new UsageError('--start-now needs an Lrs of ours')
    const opened = await context.open()
    const { caller, applicationId } = await chooseOwner(opened, options)
    if (!source && applicationId === undefined)
      throw new UsageError('say what to forward: --lrs, --from or --application')
    const targetLrsId = await lrsAt(opened.faces, opened.core, target.url)
    const pipe = await opened.core.pipes.create(caller, {
      ...(applicationId && { applicationId }),
      ...(source && { source }),
      ...{ target, targetLrsId },
      startsNow: options.startNow === true,
    })
    const done = shown(pipe, opened.core.clock.now())
    return { ...done, text: `Pipe ${pipe.id} made. It begins within seconds, where a server runs.\n\n${done.text}` }
  })
}

function passwordOf({ user, password, passwordStdin }: CreateOptions, { stdin = '' }: CommandContext): string {
  if (user !== undefined && password === undefined && !passwordStdin) {
    throw new UsageError('give --password or --password-stdin with --user')
  }
  if (!passwordStdin) return password ?? ''
  if (password !== undefined) throw new UsageError('give one of --password and --password-stdin')
  const read = stdin.replace(/\r?\n$/, '')
  if (read === '') throw new UsageError('--password-stdin: there is nothing on standard input')
  return read
}

function sourceOf({ lrs, from, fromUser, fromPassword }: CreateOptions): SourceInput | undefined {
  if (lrs !== undefined && from !== undefined) throw new UsageError('give one of --lrs and --from')
  if (from === undefined && (fromUser ?? fromPassword) !== undefined) {
    throw new UsageError('--from-user and --from-password need --from')
  }
  if (fromUser !== undefined && fromPassword === undefined)
    throw new UsageError('give --from-password with --from-user')
  if (lrs !== undefined) return { lrsId: parseNumber(lrs, '--lrs', 1, maxId) as LrsId }
  return from === undefined
    ? undefined
    : { endpoint: { url: from, user: fromUser ?? '', password: fromPassword ?? '' } }
}

interface Owner {
  readonly caller: Caller
  readonly organisation: OrganisationRecord
  readonly applicationId?: ApplicationId
}

/** An application says which organisation it is of. */
async function chooseOwner(opened: Opened, options: ListOptions): Promise<Owner> {
  const { application } = options
  if (application === undefined) {
    const organisation = await chooseOrganisation(opened, options)
    return { organisation, caller: callerIn(opened, organisation.id) }
  }
  for await (const organisation of organisationsOf(opened, options)) {
    const caller = callerIn(opened, organisation.id)
    const found = await opened.core.applications.get(caller, application as ApplicationId).catch(unlessAbsent)
    if (found) return { organisation, caller, applicationId: found.id }
  }
  throw new PlainError(`there is no application ${application}; claviger application list shows them`)
}

async function locatePipe(
  opened: Opened,
  options: GlobalOptions,
  word: string,
): Promise<{ readonly caller: Caller; readonly pipe: Pipe }> {
  for await (const { id } of organisationsOf(opened, options)) {
    const caller = callerIn(opened, id)
    const pipe = await opened.core.pipes.get(caller, word.toLowerCase() as PipeId).catch(unlessAbsent)
    if (pipe) return { caller, pipe }
  }
  throw new PlainError(`there is no pipe ${word}; claviger pipe list shows them`)
}

function addList(group: Command, context: CommandContext, act: Act): void {
  const list = group
    .command('list')
    .description('list the pipes of an organisation, or of one application')
    .option('--application <id>', 'only its pipes')
  act<ListOptions>(list, async (options) => {
    const opened = await context.open()
    const { caller, applicationId } = await chooseOwner(opened, options)
    const pipes = await opened.core.pipes.list(caller, applicationId)
    const now = opened.core.clock.now()
    const rows = pipes.map((pipe) => [
      ...[pipe.id, pipe.applicationId ?? '', sourceText(pipe), pipe.target.url],
      ...[pipe.progress.delivered, stateText(pipe, now)],
    ])
    return {
      json: pipes.map((pipe) => shown(pipe, now).json),
      text: table([['id', 'application', 'from', 'to', 'delivered', 'state'], ...rows]),
    }
  })
}

function addShow(group: Command, context: CommandContext, act: Act): void {
  const show = group.command('show').description('what a pipe forwards, how far it has come').argument('<pipe-id>')
  act<GlobalOptions>(show, async (options, word = '') => {
    const opened = await context.open()
    const { pipe } = await locatePipe(opened, options, word)
    return shown(pipe, opened.core.clock.now())
  })
}

function addPauseAndResume(group: Command, context: CommandContext, act: Act): void {
  const pause = group.command('pause').description('forward nothing until it is resumed').argument('<pipe-id>')
  act<GlobalOptions>(pause, async (options, word = '') => {
    const opened = await context.open()
    const { caller, pipe } = await locatePipe(opened, options, word)
    return shown(await opened.core.pipes.pause(caller, pipe.id), opened.core.clock.now())
  })
  const resume = group
    .command('resume')
    .description('go on where it stands, at once; also where it waits for its next attempt')
    .argument('<pipe-id>')
  act<GlobalOptions>(resume, async (options, word = '') => {
    const opened = await context.open()
    const { caller, pipe } = await locatePipe(opened, options, word)
    return shown(await opened.core.pipes.resume(caller, pipe.id), opened.core.clock.now())
  })
}

function addDelete(group: Command, context: CommandContext, act: Act): void {
  const remove = group
    .command('delete')
    .description('forward nothing any more; what arrived elsewhere stays there')
    .argument('<pipe-id>')
  act<GlobalOptions>(remove, async (options, word = '') => {
    const opened = await context.open()
    const { caller, pipe } = await locatePipe(opened, options, word)
    await opened.core.pipes.remove(caller, pipe.id)
    return { json: { id: pipe.id }, text: `Pipe ${pipe.id} to ${pipe.target.url} is gone.` }
  })
}

function sourceText({ lrsId, source }: Pipe): string {
  return lrsId === null ? (source?.url ?? '') : `Lrs ${lrsId}`
}

function stateText({ pausedBecause, progress: { failures, failure, retryAt } }: Pipe, now: number): string {
  if (pausedBecause !== null) return `paused: ${pausedBecause}`
  if (failures === 0) return 'runs'
  const next = retryAt === undefined || retryAt <= now ? 'now' : time(retryAt)
  return `failed ${failures} ${failures === 1 ? 'time' : 'times'}, tries again ${next}: ${failure ?? ''}`
}

/** Passwords are for whoever uses them: nobody needs them on a screen. */
function withoutPassword({ url, user }: Endpoint): { readonly url: string; readonly user: string } {
  return { url, user }
}

function shown(pipe: Pipe, now: number): Outcome {
  const { id, applicationId, lrsId, source, target, pausedBecause, progress, createdAt } = pipe
  const { delivered, alreadyThere, lastStored, failures, failure, retryAt } = progress
  const text = pairs([
    ['pipe', id],
    ['application', applicationId ?? undefined],
    ['from', sourceText(pipe)],
    ['to', target.url],
    ['as', target.user === '' ? 'nobody' : target.user],
    ['state', stateText(pipe, now)],
    ['delivered', alreadyThere > 0 ? `${delivered}, ${alreadyThere} of them were there already` : delivered],
    ['last stored', lastStored],
    ['made', time(createdAt)],
  ])
  return {
    text,
    json: {
      ...{ id, applicationId, lrsId, source: source ? withoutPassword(source) : null, target: withoutPassword(target) },
      ...{ pausedBecause, delivered, alreadyThere, lastStored: lastStored ?? null, failures, failure: failure ?? null },
      ...{ retryAt: retryAt === undefined ? null : time(retryAt), createdAt: time(createdAt) },
    },
  }
}
