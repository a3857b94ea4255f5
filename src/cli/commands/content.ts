// claviger content …: what there is to launch, and how.

import type { Command } from 'commander'
import { isOid } from '../../core/content.ts'
import type { Content } from '../../core/content.ts'
import type { ContentSettingsInput } from '../../core/content-settings.ts'
import type { Caller } from '../../core/principal.ts'
import type { OrganisationRecord, PlacementRecord } from '../../core/storage.ts'
import { contentSettingsIn, takeContentOptions, withoutEffect } from '../content-options.ts'
import type { ContentOptions } from '../content-options.ts'
import { callerIn, chooseOrganisation, organisationsOf } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { pairs, PlainError, table, time, UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'

interface ChangeOptions extends GlobalOptions, ContentOptions {
  readonly name?: string
}

export function addContent(program: Command, context: CommandContext, act: Act): void {
  const group = program
    .command('content')
    .description('what is launched: where it is, how it gets its key, how long that lasts')
  addCreate(group, context, act)
  addList(group, context, act)
  addShow(group, context, act)
  addUpdate(group, context, act)
  addRemove(group, context, act)
}

function addCreate(group: Command, context: CommandContext, act: Act): void {
  const create = group
    .command('create')
    .description('register content; --url, --style and --activity-id are needed')
    .argument('<name>', 'authors choose by it')
  takeContentOptions(create).addHelpText('after', createHelp)
  act<ChangeOptions>(create, async (options, name = '') => {
    const { url, style, activityId } = options
    if (url === undefined || style === undefined || activityId === undefined) {
      throw new UsageError('--url, --style and --activity-id are needed')
    }
    const all = Object.entries(contentSettingsIn(options)).filter(([, value]) => value !== null)
    const settings = Object.fromEntries(all) as unknown as ContentSettingsInput
    const opened = await context.open()
    const organisation = await chooseOrganisation(opened, options)
    const content = await opened.core.contents.create(callerIn(opened, organisation.id), { name, settings })
    return {
      json: contentJson(content),
      warnings: withoutEffect(options, content.settings.style),
      text:
        `Content ${content.id} (${name}) registered in organisation ${organisation.id} (${organisation.name}).\n\n` +
        `${pairs(settingPairs(content))}\n\nNext: claviger launch create ${content.id} --credential KEY --actor NAME@https://HOME.PAGE`,
    }
  })
}

const createHelp = `
Examples:
  $ claviger content create "Fire safety" --url https://courses.example.org/fire/index.html --style tincan \\
      --activity-id https://courses.example.org/fire
  $ claviger content create "Fire drill" --url https://courses.example.org/drill/index.html --style cmi5 \\
      --activity-id https://courses.example.org/drill --mastery-score 0.8 --move-on CompletedAndPassed
`

function addList(group: Command, context: CommandContext, act: Act): void {
  const list = group.command('list').description('list it; of every organisation unless one is given')
  act<GlobalOptions>(list, async (options) => {
    const opened = await context.open()
    const all: Content[] = []
    for await (const { id } of organisationsOf(opened, options))
      all.push(...(await listContents(opened, callerIn(opened, id))))
    const rows = all.map(({ id, organisationId, name, settings: { style, url }, createdAt }) => [
      ...[id, organisationId, name, style, url, time(createdAt)],
    ])
    const heading = ['id', 'organisation', 'name', 'style', 'address', 'created']
    return { json: all.map(contentJson), text: table([heading, ...rows]) }
  })
}

async function listContents(opened: Opened, caller: Caller): Promise<readonly Content[]> {
  const all: Content[] = []
  const limit = 500
  for (let offset = 0; ; offset += limit) {
    const page = await opened.core.contents.list(caller, { offset, limit })
    all.push(...page.items)
    if (offset + limit >= page.total) return all
  }
}

function addShow(group: Command, context: CommandContext, act: Act): void {
  const show = group.command('show').description('show its settings, and where it is placed').argument('<id>')
  act<GlobalOptions>(show, async (options, word = '') => {
    const opened = await context.open()
    const { caller, organisation, content } = await locateContent(opened, options, word)
    const slice = { offset: 0, limit: placementsShown }
    const placements = await opened.core.placements.list(caller, { contentId: content.id }, slice)
    const { total } = placements
    const head = pairs([
      ['id', content.id],
      ['name', content.name],
      ['organisation', `${organisation.id} (${organisation.name})`],
      ...settingPairs(content),
      ['created', time(content.createdAt)],
      ['updated', time(content.updatedAt)],
    ])
    const rows = placements.items.map(({ platformId, resource, createdAt }) => [platformId, resource, time(createdAt)])
    const placed = table(
      [['  placed by', 'at', 'since'], ...rows.map(([first, ...rest]) => [`  ${first}`, ...rest])],
      '  No platform has placed it.',
    )
    const more = total > rows.length ? `\n  … and ${total - rows.length} more` : ''
    return {
      json: { ...contentJson(content), placements: placements.items.map(placementJson), placementCount: total },
      text: `${head}\n\n${placed}${more}`,
    }
  })
}

const placementsShown = 50

function addUpdate(group: Command, context: CommandContext, act: Act): void {
  const update = group
    .command('update')
    .description('change what is named; what runs goes on as it began. The word none takes back what need not be there')
    .argument('<id>')
    .option('--name <name>', 'authors choose by it')
  takeContentOptions(update).addHelpText(
    'after',
    '\nExample:\n  $ claviger content update 66f0c1d2a3b4c5d6e7f80912 --idle 30m --gives read=normal\n',
  )
  act<ChangeOptions>(update, async ({ name, ...options }, word = '') => {
    const settings = contentSettingsIn(options)
    if (name === undefined && Object.keys(settings).length === 0) {
      throw new UsageError('say what is to change: --help lists it')
    }
    const opened = await context.open()
    const { caller, content } = await locateContent(opened, options, word)
    const after = await opened.core.contents.update(caller, content.id, {
      ...(name !== undefined && { name }),
      settings,
    })
    return {
      json: contentJson(after),
      warnings: withoutEffect(options, after.settings.style),
      text: `Content ${after.id} (${after.name}) changed.\n\n${pairs(settingPairs(after))}`,
    }
  })
}

function addRemove(group: Command, context: CommandContext, act: Act): void {
  const remove = group
    .command('remove')
    .description('remove it; refused while a platform places it or a launch of it runs. What was stored stays')
    .argument('<id>')
  act<GlobalOptions>(remove, async (options, word = '') => {
    const opened = await context.open()
    const { caller, content } = await locateContent(opened, options, word)
    const gone = await opened.core.contents.remove(caller, content.id)
    return { json: contentJson(gone), text: `Content ${gone.id} (${gone.name}) is gone.` }
  })
}

export interface LocatedContent {
  readonly caller: Caller
  readonly organisation: OrganisationRecord
  readonly content: Content
}

/** In the organisation given, or in whichever has it: no two ids are the same. */
export async function locateContent(opened: Opened, options: GlobalOptions, word: string): Promise<LocatedContent> {
  if (isOid(word)) {
    for await (const organisation of organisationsOf(opened, options)) {
      const content = await opened.core.contents.find(organisation.id, word)
      if (content) return { caller: callerIn(opened, organisation.id), organisation, content }
    }
  }
  throw new PlainError(`there is no content ${word}; claviger content list shows what there is`)
}

function settingPairs({ settings }: Content): [string, string][] {
  const { gives, ...rest } = settings
  const shown = Object.entries(rest).map(([name, value]): [string, string] => [
    optionOf[name] ?? name,
    Array.isArray(value) ? value.join(', ') || 'none' : String(value),
  ])
  const given = Object.entries(gives).map(([permission, what]) => `${permission}=${what}`)
  return [...shown, ['gives', given.join(', ')]]
}

/** As the command line calls them. */
const optionOf: Readonly<Record<string, string>> = {
  url: 'url',
  style: 'style',
  activityId: 'activity-id',
  activityType: 'activity-type',
  homePage: 'home-page',
  idleSeconds: 'idle seconds',
  absoluteSeconds: 'absolute seconds',
  ignoredParams: 'ignore-param',
  masteryScore: 'mastery-score',
  moveOn: 'move-on',
  launchParameters: 'launch-parameters',
  entitlementKey: 'entitlement-key',
  courseId: 'course-id',
  returnUrl: 'return-url',
  sendsNames: 'send-names',
  writesActivityProfiles: 'write-activity-profiles',
  bindsBrowser: 'bind-browser',
}

function contentJson(content: Content): object {
  const { createdAt, updatedAt, ...rest } = content
  return { ...rest, createdAt: time(createdAt), updatedAt: time(updatedAt) }
}

function placementJson({ createdAt, updatedAt, ...rest }: PlacementRecord): object {
  return { ...rest, createdAt: time(createdAt), updatedAt: time(updatedAt) }
}
