// claviger lrs …: the bodies of xAPI data of an organisation, and how long they keep what.

import type { Command } from 'commander'
import type { LrsId, Oid } from '../../core/ids.ts'
import type { LrsRecord, OrganisationRecord } from '../../core/storage.ts'
import { callerIn, chooseOrganisation, listApplications, locateLrs } from '../context.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { parseNumber } from '../credential-options.ts'
import { counted, pairs, table, time, UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'
import { listAll } from '../context.ts'
import { done, follow, previewed } from './erase.ts'
import { addLrsChanges, countAll, countIn } from './lrs-change.ts'
import { lrsJson } from './organisation.ts'

interface CreateOptions extends GlobalOptions {
  readonly id?: string
  readonly oid?: string
  readonly description?: string
}

export function addLrs(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('lrs').description('isolated bodies of statements inside an organisation')
  const create = group
    .command('create')
    .description('create an Lrs')
    .argument('<name>')
    .option('--id <number>', 'choose its id, so that it survives a move')
    .option('--oid <hex>', 'choose its 24-digit id')
    .option('--description <text>', 'what it is for')
    .addHelpText('after', '\nExample:\n  $ claviger lrs create Sandbox --organisation 1\n')
  act<CreateOptions>(create, async (options, name = '') => {
    const opened = await context.open()
    const organisation = await chooseOrganisation(opened, options)
    const lrs = await opened.core.lrs.create(callerIn(opened, organisation.id), {
      name,
      ...(options.description !== undefined && { description: options.description }),
      ...(options.id !== undefined && { id: parseNumber(options.id, '--id') as LrsId }),
      ...(options.oid !== undefined && { oid: options.oid as Oid }),
    })
    return {
      json: lrsJson(lrs),
      text:
        `Lrs ${lrs.id} (${lrs.name}) created in organisation ${organisation.id} (${organisation.name}).\n` +
        `Next: claviger credential create --organisation ${organisation.id} --lrs ${lrs.id} --name NAME`,
    }
  })
  const show = group.command('show').description('show one, and which keys reach it').argument('<id>')
  act<GlobalOptions>(show, async (options, word = '') => {
    const id = parseNumber(word, '<id>')
    const opened = await context.open()
    const { organisation, lrs } = await locateLrs(opened, options, id)
    const credentials = (await listAll(opened, organisation.id)).filter(({ lrsIds }) => lrsIds.includes(lrs.id))
    const isDefault = lrs.id === organisation.defaultLrsId
    const statements = await countIn(opened, organisation, lrs)
    const head = pairs([
      ['id', lrs.id],
      ['oid', lrs.oid],
      ['name', lrs.name],
      ['description', lrs.description ?? undefined],
      ['organisation', `${organisation.id} (${organisation.name})${isDefault ? ', whose default it is' : ''}`],
      ['created', time(lrs.createdAt)],
      ['deleted', lrs.deletedAt === null ? undefined : `${time(lrs.deletedAt)}: no key reaches it`],
      ['statements', statements],
      ['keeps statements', keeping(lrs)],
    ])
    const rows = credentials.map(({ id: credentialId, name, key, lrsIds }) => [
      `  ${credentialId}`,
      name,
      key,
      lrsIds[0] === lrs.id ? 'home' : '',
    ])
    return {
      json: {
        ...lrsJson(lrs),
        statements,
        organisationId: organisation.id,
        isDefault,
        credentialIds: credentials.map((credential) => credential.id),
      },
      text: `${head}\n\n${table([['  credential', 'name', 'key', 'its home'], ...rows], '  No key reaches it.')}`,
    }
  })
  addRetention(group, context, act)
  addEmpty(group, context, act)
  addLrsChanges(group, context, act)
  const list = group.command('list').description('list them').option('--deleted', 'those that are deleted, too')
  act<GlobalOptions & { readonly deleted?: boolean }>(list, async ({ deleted: withDeleted = false, ...options }) => {
    const opened = await context.open()
    const organisation = await chooseOrganisation(opened, options)
    const caller = callerIn(opened, organisation.id)
    const all = await opened.core.lrs.list(caller, { withDeleted })
    const ids = all.map(({ id }) => id)
    const statements = await countAll(opened, organisation, ids)
    const applications = new Map(
      (await listApplications(opened, caller)).flatMap((application) =>
        [application.liveLrsId, application.sandboxLrsId].map((id) => [id, application] as const),
      ),
    )
    const rows = all.map((lrs, index) => [
      lrs.id,
      lrs.oid,
      lrs.name + remarkOn(organisation, lrs),
      applications.get(lrs.id)?.name ?? '',
      statements[index] ?? 0,
      time(lrs.createdAt),
    ])
    const applicationOf = ({ id }: LrsRecord) => applications.get(id)?.id ?? null
    return {
      json: all.map((lrs, index) => ({
        ...lrsJson(lrs),
        statements: statements[index],
        applicationId: applicationOf(lrs),
      })),
      text: table([['id', 'oid', 'name', 'of application', 'statements', 'created'], ...rows]),
    }
  })
}

function remarkOn({ defaultLrsId }: OrganisationRecord, { id, deletedAt }: LrsRecord): string {
  if (deletedAt !== null) return ' (deleted)'
  return id === defaultLrsId ? ' (default)' : ''
}

interface RetentionOptions extends GlobalOptions {
  readonly days?: string
  readonly off?: boolean
  readonly dryRun?: boolean
}

function addRetention(group: Command, context: CommandContext, act: Act): void {
  const retention = group
    .command('retention')
    .description('how long an Lrs keeps statements, counted from when they were stored; without an option, show it')
    .argument('<id>')
    .option('--days <number>', 'remove what was stored longer ago, every day from now on; documents stay')
    .option('--off', 'keep everything')
    .option('--dry-run', 'only count what would go today')
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger lrs retention 1 --days 365 --dry-run\n  $ claviger lrs retention 1 --off\n',
    )
  act<RetentionOptions>(retention, async ({ off, dryRun, ...options }, word = '') => {
    const id = parseNumber(word, '<id>')
    const days = options.days === undefined ? undefined : parseNumber(options.days, '--days', 1, 36_500)
    if (off && (days !== undefined || dryRun)) throw new UsageError('--off goes without the others')
    const opened = await context.open()
    const { organisation, lrs } = await locateLrs(opened, options, id)
    const caller = callerIn(opened, organisation.id)
    if (dryRun) {
      const asked = days ?? lrs.retentionDays
      if (asked === undefined) throw new UsageError('--dry-run needs --days: this Lrs keeps everything')
      const counts = await opened.core.retention.preview(caller, lrs.id, asked)
      const text = `${counted(counts.statements ?? 0, 'statement')} would go today. Nothing was changed.`
      return { json: { dryRun: true, days: asked, counts }, text }
    }
    const isChange = off === true || days !== undefined
    const shown = isChange ? await opened.core.retention.set(caller, lrs.id, days ?? null) : lrs
    return { json: lrsJson(shown), text: `Lrs ${lrs.id} (${lrs.name}) keeps statements ${keeping(shown)}.` }
  })
}

function keeping({ retentionDays }: LrsRecord): string {
  return retentionDays === undefined ? 'for ever' : `for ${counted(retentionDays, 'day')}`
}

function addEmpty(group: Command, context: CommandContext, act: Act): void {
  const empty = group
    .command('empty')
    .description('remove all statements and documents of an Lrs for good; without --yes, only count them')
    .argument('<id>')
    .option('--yes', 'do it; it cannot be undone')
  act<GlobalOptions & { readonly yes?: boolean }>(empty, async (options, word = '') => {
    const id = parseNumber(word, '<id>')
    const opened = await context.open()
    const { organisation, lrs } = await locateLrs(opened, options, id)
    const caller = callerIn(opened, organisation.id)
    if (options.yes) {
      const { erasures } = opened.core
      const job = { options, opened, caller }
      return done(await follow(context, job, (onBegun) => erasures.empty(caller, lrs.id, onBegun)))
    }
    return previewed(await opened.core.erasures.previewEmpty(caller, lrs.id), 'remove')
  })
}
