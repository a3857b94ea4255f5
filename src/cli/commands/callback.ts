// claviger callback …: whom an application asks about users nobody here knows; and a tiny endpoint to develop against.

import type { Command } from 'commander'
import type { Callback, CallbackTrial } from '../../core/callback.ts'
import type { CallbackPermission, CallbackVerdict } from '../../core/callback-verdict.ts'
import { describeRights } from '../../core/presets.ts'
import type { Caller } from '../../core/principal.ts'
import type { ApplicationRecord } from '../../core/storage.ts'
import { callerIn, locateApplication } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { bullets, exitCodes, oneLine, pairs, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import type { Act } from '../run.ts'
import { addServeExample } from './callback-example.ts'

export function addCallback(program: Command, context: CommandContext, act: Act): void {
  const group = program
    .command('callback')
    .description('whom an application asks about users that nobody here knows, instead of keys for each of them')
  addSet(group, context, act)
  addTest(group, context, act)
  const show = group.command('show').description('show it').argument('<application>')
  act<GlobalOptions>(show, async (options, word = '') => {
    const { application, caller, opened } = await locate(context, options, word)
    const callback = await opened.core.callbacks.get(caller, application.id)
    const none = `The application ${application.id} (${application.name}) has no callback.`
    return { json: callback ?? null, text: callback === undefined ? none : shown(application, callback) }
  })
  const forget = group
    .command('forget')
    .description('forget what it answered about everybody, on every node: it is asked anew')
    .argument('<application>')
  act<GlobalOptions>(forget, async (options, word = '') => {
    const { application, caller, opened } = await locate(context, options, word)
    await opened.core.callbacks.forget(caller, application.id)
    return { json: { id: application.id }, text: `What the callback of ${application.id} answered is forgotten.` }
  })
  const reset = group.command('reset').description('ask nobody any more').argument('<application>')
  act<GlobalOptions>(reset, async (options, word = '') => {
    const { application, caller, opened } = await locate(context, options, word)
    await opened.core.callbacks.reset(caller, application.id)
    return { json: { id: application.id }, text: `The application ${application.id} has no callback any more.` }
  })
  addServeExample(group, context, act)
}

interface SetOptions extends GlobalOptions {
  readonly homePage?: string | false
  readonly mbox?: boolean
}

function addSet(group: Command, context: CommandContext, act: Act): void {
  const set = group
    .command('set')
    .description('ask an HTTPS endpoint of yours about users; what is not named stays as it was')
    .argument('<application>')
    .argument('<url>')
    .option('--home-page <url>', 'homePage of the accounts whose names are the user names')
    .option('--no-home-page', 'the application’s own again')
    .option('--mbox', 'a user name that is an e-mail address is the user’s mbox, not an account')
    .option('--no-mbox', 'every user name is the name of an account')
    .addHelpText('after', setHelp)
  act<SetOptions>(set, async ({ homePage, mbox, ...options }, word = '', url = '') => {
    const { application, caller, opened } = await locate(context, options, word)
    const callback = await opened.core.callbacks.set(caller, application.id, {
      url,
      ...(homePage !== undefined && { homePage: homePage === false ? null : homePage }),
      ...(mbox !== undefined && { usesMbox: mbox }),
    })
    return {
      json: callback,
      text: `${shown(application, callback)}\nNext: claviger callback test ${application.id} USER --password-stdin`,
    }
  })
}

interface TestOptions extends GlobalOptions {
  readonly password?: string
  readonly passwordStdin?: boolean
}

function addTest(group: Command, context: CommandContext, act: Act): void {
  const test = group
    .command('test')
    .description('ask it about a user now, and say what it answered and how that is read; nothing is remembered')
    .argument('<application>')
    .argument('<user>')
    .option('--password <password>', 'the user’s password (others on this machine may see it in the process list)')
    .option('--password-stdin', 'read the password from standard input')
  act<TestOptions>(test, async (options, word = '', user = '') => {
    const password = passwordOf(options, context)
    const { application, caller, opened } = await locate(context, options, word)
    const trial = await opened.core.callbacks.test(caller, application.id, { user, password })
    return tried(trial, user)
  })
}

function passwordOf({ password, passwordStdin }: TestOptions, { stdin = '' }: CommandContext): string {
  if ((password === undefined) === (passwordStdin === undefined)) {
    throw new UsageError('give one of --password and --password-stdin')
  }
  return password ?? stdin.replace(/\r?\n$/, '')
}

async function locate(
  context: CommandContext,
  options: GlobalOptions,
  word: string,
): Promise<{ readonly application: ApplicationRecord; readonly caller: Caller; readonly opened: Opened }> {
  const opened = await context.open()
  const application = await locateApplication(opened, options, word)
  return { application, opened, caller: callerIn(opened, application.organisationId) }
}

function shown({ id, name }: ApplicationRecord, { url, homePage, usesMbox }: Callback): string {
  return pairs([
    ['application', `${id} (${name})`],
    ['asks', url],
    ['users are', `accounts of ${homePage}${usesMbox ? ', or the address that their name is' : ''}`],
  ])
}

/** Of what was answered so much is shown. */
const longestExcerpt = 500

function tried({ callback, answer, verdict, user }: CallbackTrial, name: string): Outcome {
  const body = answer && Buffer.from(answer.body).toString()
  const described = user && describeRights(user.rights, user.pins)
  const answered = answer && {
    ...{ status: answer.status, contentType: answer.headers.get('content-type') ?? null, body: body ?? '' },
  }
  const head = pairs([
    ['asked', callback.url],
    ['about', name],
    ['status', answered?.status],
    ['body', body === undefined ? undefined : oneLine(body.slice(0, longestExcerpt))],
    ['read as', inWords(verdict)],
  ])
  const may = described && `\nThen ${name} may:\n${bullets([...described.may, ...described.only])}`
  return {
    json: { url: callback.url, user: name, answer: answered ?? null, verdict, pins: user?.pins ?? null },
    text: `${head}${may ?? ''}`,
    exit: verdict.kind === 'verified' ? exitCodes.ok : exitCodes.failed,
  }
}

const permissionWords: Readonly<Record<CallbackPermission, string>> = {
  own: 'verified, for what is about themselves',
  everything: 'verified, for everything in the application',
  reading: 'verified, to read everything in the application',
}

function inWords(verdict: CallbackVerdict): string {
  if (verdict.kind === 'verified') return permissionWords[verdict.permission]
  if (verdict.kind === 'unverified') return 'unverified'
  if (verdict.kind === 'unreadable') return `no verdict, so unverified: ${verdict.because}`
  return `out of reach, so all passwords of this user are refused for a minute: ${verdict.because}`
}

const setHelp = `
The endpoint gets a GET with the header CloudLrsAuthorization: base64 of user:password, and answers
<resp><auth>verified</auth><permissions>default</permissions></resp>; docs/guides/callback.md has the rest.

Example:
  $ claviger callback set Z3V0M6YG1Q https://lms.example.org/lrs-auth --home-page https://lms.example.org
`
