// claviger application key …: the secret keys of an application's own key, whose user name is the application's id.

import type { Command } from 'commander'
import type { ApplicationId } from '../../core/ids.ts'
import type { Caller } from '../../core/principal.ts'
import type { SecretRecord } from '../../core/storage.ts'
import { callerIn, locateApplication } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { parseExpiry } from '../credential-options.ts'
import { pairs, PlainError, table, time } from '../outcome.ts'
import type { Act } from '../run.ts'
import { secretLines, secretOf, takeSecret } from './credential-secret.ts'
import type { SecretOptions } from './credential-secret.ts'

interface AddOptions extends GlobalOptions, SecretOptions {
  readonly name?: string
  readonly expires?: string
}

export function addKey(application: Command, context: CommandContext, act: Act): void {
  const group = application
    .command('key')
    .description('its secret keys: several live at once; each signs its tokens, which die with it')
  addAdd(group, context, act)
  const list = group.command('list').description('list them, never in clear').argument('<id>')
  act<GlobalOptions>(list, async (options, word = '') => {
    const opened = await context.open()
    const application = await locateApplication(opened, options, word)
    const caller = callerIn(opened, application.organisationId)
    const { id } = application
    const { credential } = await opened.core.applications.reveal(caller, id)
    return { json: credential.secrets.map(keyJson), text: keyTable(credential.secrets) }
  })
  addSwitching(group, context, act)
  const remove = group
    .command('delete')
    .description('remove one for good, the last one too; its tokens stop working at once')
    .argument('<id>')
    .argument('<key-id>', 'or its name, if no other has it')
  act<GlobalOptions>(remove, async (options, word = '', key = '') => {
    const opened = await context.open()
    const application = await locateApplication(opened, options, word)
    const caller = callerIn(opened, application.organisationId)
    const { id } = application
    const chosen = await getKey(opened, caller, { id, word: key })
    await opened.core.applications.dropSecret(caller, id, chosen.id)
    const { secrets } = (await opened.core.applications.reveal(caller, id)).credential
    const isLast = secrets.length === 0
    return {
      json: secrets.map(keyJson),
      text: `Key ${chosen.id} (${chosen.name}) of application ${id} is gone.`,
      warnings: isLast ? [`nobody uses application ${id} any more: claviger application key add ${id}`] : [],
    }
  })
}

function addAdd(group: Command, context: CommandContext, act: Act): void {
  const add = group
    .command('add')
    .description('make one; the others stay')
    .argument('<id>')
    .option('--name <name>', 'for people')
    .option('--expires <when>', 'a date, a time such as 30d, or never')
  takeSecret(add).addHelpText('after', addHelp)
  act<AddOptions>(add, async (options, word = '') => {
    const secret = secretOf(options, context)
    const opened = await context.open()
    const application = await locateApplication(opened, options, word)
    const caller = callerIn(opened, application.organisationId)
    const { id, name } = application
    const made = await opened.core.applications.addSecret(caller, id, {
      ...(options.name !== undefined && { name: options.name }),
      ...(secret !== undefined && { secret }),
      ...(options.expires !== undefined && { expiresAt: parseExpiry(options.expires, opened.core.clock.now()) }),
    })
    const { shown, note, json } = secretLines(made.secret, secret)
    const record = made.credential.secrets.find((one) => one.id === made.secretId)
    const keys = pairs([
      ['application id', id],
      ['secret key', shown],
      ['key id', made.secretId],
    ])
    return {
      json: { applicationId: id, ...(record && keyJson(record)), ...json },
      text:
        `Application ${id} (${name}) has a new key.\n\n${keys}\n\n${note}` +
        `Next: claviger application show ${id}, or claviger credential list --application ${id}`,
    }
  })
}

const addHelp = `
An application's key manages the application: its keys for xAPI, settings and pipes. It reads and stores no statements.

Examples:
  $ claviger application key add 4D9X2K7QPA --name "LMS"
  $ printf %s "$SECRET" | claviger application key add 4D9X2K7QPA --secret-stdin
`

function addSwitching(group: Command, context: CommandContext, act: Act): void {
  const verbs = [
    { verb: 'disable', isEnabled: false, description: 'make one stop working at once, its tokens too' },
    { verb: 'enable', isEnabled: true, description: 'make it work again, unless it has expired' },
  ] as const
  for (const { verb, isEnabled, description } of verbs) {
    const command = group
      .command(verb)
      .description(description)
      .argument('<id>')
      .argument('<key-id>', 'or its name, if no other has it')
    act<GlobalOptions>(command, async (options, word = '', key = '') => {
      const opened = await context.open()
      const application = await locateApplication(opened, options, word)
      const caller = callerIn(opened, application.organisationId)
      const { id } = application
      const chosen = await getKey(opened, caller, { id, word: key })
      await opened.core.applications.updateSecret(caller, id, chosen.id, { isEnabled })
      const { credential } = await opened.core.applications.reveal(caller, id)
      const after = credential.secrets.find((secret) => secret.id === chosen.id)
      if (after === undefined) throw new PlainError(`key ${chosen.id} was removed at the same time`)
      return { json: keyJson(after), text: `Key ${after.id} (${after.name}) of application ${id} is ${verb}d.` }
    })
  }
}

async function getKey(
  opened: Opened,
  caller: Caller,
  { id, word }: { readonly id: ApplicationId; readonly word: string },
): Promise<SecretRecord> {
  const { secrets } = (await opened.core.applications.reveal(caller, id)).credential
  const found = secrets.find((secret) => secret.id === word)
  const named = secrets.filter(({ name }) => name === word)
  const [only] = found ? [found] : named
  if (only && (found || named.length === 1)) return only
  const what = named.length > 1 ? `several keys named ${word}` : `no key ${word}`
  throw new PlainError(`application ${id} has ${what}; claviger application key list ${id} shows their ids`)
}

export function keyTable(secrets: readonly SecretRecord[]): string {
  const rows = secrets.map(({ id, name, isEnabled, createdAt, expiresAt }) => [
    ...[id, name, isEnabled ? 'enabled' : 'disabled', time(createdAt), time(expiresAt)],
  ])
  return table([['key id', 'name', 'state', 'created', 'expires'], ...rows], 'It has no key: nobody uses it.')
}

function keyJson({ id, name, isEnabled, createdAt, expiresAt }: SecretRecord): object {
  const ends = expiresAt === null ? null : time(expiresAt)
  return { id, name, isEnabled, createdAt: time(createdAt), expiresAt: ends }
}
