// claviger application …: named units of an organisation with Lrs, keys and settings of their own.

import type { Command } from 'commander'
import type { ApplicationId } from '../../core/ids.ts'
import type { ApplicationRecord } from '../../core/storage.ts'
import { callerIn, chooseOrganisation, organisationsOf, listApplications, locateApplication } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { counted, pairs, table, time, UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'
import { addKey, keyTable } from './application-key.ts'

export function addApplication(program: Command, context: CommandContext, act: Act): void {
  const group = program
    .command('application')
    .description('named units of an organisation, each with a live and a sandbox Lrs, keys and settings of its own')
  addCreate(group, context, act)
  addList(group, context, act)
  addShow(group, context, act)
  addRename(group, context, act)
  addAllowDelete(group, context, act)
  addDelete(group, context, act)
  addKey(group, context, act)
  addSettings(group, context, act)
}

function addCreate(group: Command, context: CommandContext, act: Act): void {
  const create = group
    .command('create')
    .description('create an application with its two Lrs; without a secret, nobody uses its key yet')
    .argument('<name>')
    .option('--id <id>', 'choose its id, ten of A to Z and 0 to 9, so that it survives a move')
    .addHelpText('after', '\nExample:\n  $ claviger application create "Safety courses" --organisation 1\n')
  act<GlobalOptions & { id?: string }>(create, async ({ id, ...options }, name = '') => {
    const opened = await context.open()
    const organisation = await chooseOrganisation(opened, options)
    const caller = callerIn(opened, organisation.id)
    const chosen = id === undefined ? {} : { id: id as ApplicationId }
    const application = await opened.core.applications.create(caller, { name, ...chosen })
    const head = `Application ${application.id} (${name}) created in organisation ${organisation.id} (${organisation.name}).`
    return {
      json: applicationJson(application),
      text:
        `${head}\n\n${pairs(addressesOf(opened, context, application))}\n\n` +
        `Next: claviger application key add ${application.id}`,
    }
  })
}

function addList(group: Command, context: CommandContext, act: Act): void {
  const list = group.command('list').description('list them; of every organisation unless one is given')
  act<GlobalOptions>(list, async (options) => {
    const opened = await context.open()
    const all: ApplicationRecord[] = []
    for await (const { id } of organisationsOf(opened, options))
      all.push(...(await listApplications(opened, callerIn(opened, id))))
    const rows = all.map(({ id, organisationId, name, liveLrsId, sandboxLrsId, createdAt }) => [
      ...[id, organisationId, name, liveLrsId, sandboxLrsId, time(createdAt)],
    ])
    const heading = ['id', 'organisation', 'name', 'live Lrs', 'sandbox Lrs', 'created']
    return { json: all.map(applicationJson), text: table([heading, ...rows]) }
  })
}

function addShow(group: Command, context: CommandContext, act: Act): void {
  const show = group.command('show').description('show one with its keys; never a secret').argument('<id>')
  act<GlobalOptions>(show, async (options, word = '') => {
    const opened = await context.open()
    const application = await locateApplication(opened, options, word)
    const caller = callerIn(opened, application.organisationId)
    const { id, name, isDeletable, callback, createdAt, updatedAt } = application
    const organisation = await opened.core.organisations.get(caller)
    const isOpen = !organisation.closedLrsIds.includes(application.liveLrsId)
    const { credential } = await opened.core.applications.reveal(caller, id)
    const settings = await opened.core.settings.list(caller, id)
    const head = pairs([
      ['id', id],
      ['name', name],
      ['organisation', `${organisation.id} (${organisation.name})`],
      ...addressesOf(opened, context, application),
      ['answers xAPI', isOpen ? 'yes' : 'no: it is switched off in its settings'],
      ['may be deleted', isDeletable ? 'yes, once it holds nothing' : 'no'],
      ['asks elsewhere about users', callback === null ? 'no' : 'yes'],
      ['own settings', settings.length],
      ['created', time(createdAt)],
      ['updated', time(updatedAt)],
    ])
    const rest = `Keys for xAPI: claviger credential list --application ${id}`
    return {
      json: { ...applicationJson(application), isOpen, asksElsewhere: callback !== null, settings: settings.length },
      text: `${head}\n\n${keyTable(credential.secrets)}\n\n${rest}`,
    }
  })
}

function addRename(group: Command, context: CommandContext, act: Act): void {
  const rename = group
    .command('rename')
    .description('give it another name; its id stays')
    .argument('<id>')
    .argument('<name>')
  act<GlobalOptions>(rename, async (options, word = '', name = '') => {
    const opened = await context.open()
    const application = await locateApplication(opened, options, word)
    const caller = callerIn(opened, application.organisationId)
    const { id, name: before } = application
    const after = await opened.core.applications.update(caller, id, { name })
    return { json: applicationJson(after), text: `Application ${id} (${before}) is called ${after.name} now.` }
  })
}

function addAllowDelete(group: Command, context: CommandContext, act: Act): void {
  const allow = group
    .command('allow-delete')
    .description('say whether it may be deleted at all; new ones may')
    .argument('<id>')
    .argument('[yes-or-no]', 'yes unless given')
    .addHelpText('after', '\nExample:\n  $ claviger application allow-delete 4D9X2K7QPA no\n')
  act<GlobalOptions>(allow, async (options, word = '', answer = 'yes') => {
    if (answer !== 'yes' && answer !== 'no') throw new UsageError(`[yes-or-no] is yes or no, not ${answer}`)
    const opened = await context.open()
    const application = await locateApplication(opened, options, word)
    const caller = callerIn(opened, application.organisationId)
    const { id } = application
    const change = { isDeletable: answer === 'yes' }
    const after = await opened.core.applications.update(caller, id, change)
    const what = after.isDeletable ? 'may be deleted, once it holds nothing' : 'may be deleted by nobody'
    return { json: applicationJson(after), text: `Application ${id} (${after.name}) ${what}.` }
  })
}

function addDelete(group: Command, context: CommandContext, act: Act): void {
  const remove = group
    .command('delete')
    .description('remove it for good with its keys, settings and pipes; refused while it holds statements or documents')
    .argument('<id>')
    .addHelpText('after', '\nWhat it holds is removed with claviger lrs empty, which asks for --yes.\n')
  act<GlobalOptions>(remove, async (options, word = '') => {
    const opened = await context.open()
    const application = await locateApplication(opened, options, word)
    const caller = callerIn(opened, application.organisationId)
    const { id } = application
    const gone = await opened.core.applications.remove(caller, id)
    return { json: applicationJson(gone), text: `Application ${id} (${gone.name}) is gone, and every key of its own.` }
  })
}

function addSettings(group: Command, context: CommandContext, act: Act): void {
  const settings = group
    .command('settings')
    .description('list what is set in it and in its parts, by name; what is not listed has its default')
    .argument('<id>')
    .option('--values', 'with the values, which may be passwords')
  act<GlobalOptions & { values?: boolean }>(settings, async ({ values = false, ...options }, word = '') => {
    const opened = await context.open()
    const application = await locateApplication(opened, options, word)
    const caller = callerIn(opened, application.organisationId)
    const { id, name } = application
    const all = await opened.core.settings.list(caller, id)
    const rows = all.map((setting) => [
      ...[setting.level === '' ? 'application' : setting.level, setting.name],
      ...(values ? [setting.value] : []),
    ])
    const heading = ['set in', 'name', ...(values ? ['value'] : [])]
    const shown = table([heading, ...rows], `Nothing is set in application ${id} (${name}).`)
    const note = values || all.length === 0 ? '' : `\n${counted(all.length, 'setting')}; --values shows the values.`
    const json = all.map((setting) => (values ? setting : { level: setting.level, name: setting.name }))
    return { json, text: shown + note }
  })
}

/** Its Lrs, and where they are reached. */
function addressesOf(
  { faces }: Opened,
  { config }: CommandContext,
  { id, liveLrsId, sandboxLrsId }: ApplicationRecord,
): [string, string][] {
  const mounts = faces.flatMap(({ xapiMounts = [] }) => xapiMounts)
  const addressOf = (isSandbox: boolean): string => {
    const mount = mounts.find(({ prefix }) => prefix.endsWith(isSandbox ? '/:appId/sandbox' : '/:appId'))
    return mount === undefined ? '' : `, ${config.baseUrl}${mount.prefix.replace(':appId', id)}/`
  }
  return [
    ['live', `Lrs ${liveLrsId}${addressOf(false)}`],
    ['sandbox', `Lrs ${sandboxLrsId}${addressOf(true)}`],
  ]
}

function applicationJson(application: ApplicationRecord): object {
  const { callback: _, callbackGeneration: __, createdAt, updatedAt, ...rest } = application
  return { ...rest, createdAt: time(createdAt), updatedAt: time(updatedAt) }
}
