// claviger platform …: systems that launch people, what is shared with them, and which content they open where.

import type { Command } from 'commander'
import { enabledFaces } from '../../app.ts'
import type { PlatformProtocol } from '../../app.ts'
import type { LrsId } from '../../core/ids.ts'
import { leastSecretLength } from '../../core/platform.ts'
import type { Caller } from '../../core/principal.ts'
import { overlapSpan } from '../../core/secret.ts'
import type { PlatformRecord } from '../../core/storage.ts'
import { callerIn, chooseOrganisation, organisationsOf } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { parseDuration, parseNumber } from '../credential-options.ts'
import { counted, pairs, PlainError, table, time, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import { getProtocol, protocolsOf, readSettings, settingRows, takeSettings } from '../platform-settings.ts'
import type { Settings } from '../platform-settings.ts'
import type { Act } from '../run.ts'
import { locateContent } from './content.ts'
import { secretLines, secretOf, takeSecret } from './credential-secret.ts'
import type { SecretOptions } from './credential-secret.ts'

type Typed = Readonly<Record<string, unknown>>

export function addPlatform(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('platform').description('systems that launch learners into content, such as a school’s')
  const protocols = protocolsIn(context)
  addCreate(group, context, { act, protocols })
  addList(group, context, act)
  addShow(group, context, act)
  addUpdate(group, context, { act, protocols })
  addRotate(group, context, act)
  addPlace(group, context, act)
  addRemove(group, context, act)
}

/** Of the faces that are switched on where the command runs. */
function protocolsIn({ config }: CommandContext): readonly PlatformProtocol[] {
  return protocolsOf(enabledFaces(config))
}

interface Kinds {
  readonly act: Act
  readonly protocols: readonly PlatformProtocol[]
}

interface CreateOptions extends GlobalOptions, SecretOptions {
  readonly name?: string
  readonly lrs?: string
}

/** A command for each kind, since each has settings of its own. */
function addCreate(group: Command, context: CommandContext, { act, protocols }: Kinds): void {
  const create = group.command('create').description('register one, by what it speaks')
  for (const kind of protocols) {
    const { protocol, summary } = kind
    const command = create
      .command(protocol)
      .description(summary)
      .argument('<id>', 'stands in its addresses: a-z, 0-9 and -, unique in this installation')
      .option('--name <name>', 'for people; the id unless given')
      .option('--lrs <number>', 'where its learners’ records go; the organisation’s default unless given')
    takeSecret(command, leastSecretLength)
    takeSettings(command, [kind]).addHelpText('after', createHelp)
    act<CreateOptions>(command, async (options, id = '') => {
      const shared = secretOf(options, context, leastSecretLength)
      const opened = await context.open()
      const settings = readSettings(kind, options as unknown as Typed)
      const organisation = await chooseOrganisation(opened, options)
      const { platform, secret } = await opened.core.platforms.create(callerIn(opened, organisation.id), {
        ...{ id, protocol, settings, name: options.name ?? id },
        ...(options.lrs !== undefined && { lrsId: parseNumber(options.lrs, '--lrs') as LrsId }),
        ...(shared !== undefined && { secret: shared }),
      })
      const { shown, note, json } = secretLines(secret, shared)
      return {
        json: { ...platformJson(platform), addresses: addressesOf(kind, platform, context), ...json },
        text:
          `Platform ${platform.id} (${platform.name}) registered in organisation ${organisation.id} (${organisation.name}).\n\n` +
          `Enter there:\n${pairs([...addressPairs(kind, platform, context), ['shared secret', shown]])}\n\n${note}` +
          nextFor(platform),
      }
    })
  }
}

/** Once something opens there, one can be let in. */
function nextFor({ id, settings }: PlatformRecord): string {
  const content = (settings as Settings)['content'] ?? null
  if (content !== null) return `Next: claviger launch sign --platform ${id} --user 7 --open`
  return `Next: claviger platform update ${id} --content ID, with the id of a content (claviger content list)`
}

const createHelp = `
What is shared with it has at least 32 characters: everybody who is launched sees what is signed with it, and may guess.
`

function addList(group: Command, context: CommandContext, act: Act): void {
  const list = group.command('list').description('list them; of every organisation unless one is given')
  act<GlobalOptions>(list, async (options) => {
    const opened = await context.open()
    const all: PlatformRecord[] = []
    for await (const { id } of organisationsOf(opened, options))
      all.push(...(await listPlatforms(opened, callerIn(opened, id))))
    const rows = all.map(({ id, organisationId, name, protocol, isEnabled, credentialId, createdAt }) => [
      ...[id, organisationId, name, protocol, isEnabled ? 'yes' : 'no', credentialId, time(createdAt)],
    ])
    const heading = ['id', 'organisation', 'name', 'speaks', 'launches', 'credential', 'created']
    return { json: all.map(platformJson), text: table([heading, ...rows]) }
  })
}

async function listPlatforms(opened: Opened, caller: Caller): Promise<readonly PlatformRecord[]> {
  const all: PlatformRecord[] = []
  const limit = 500
  for (let offset = 0; ; offset += limit) {
    const page = await opened.core.platforms.list(caller, { offset, limit })
    all.push(...page.items)
    if (offset + limit >= page.total) return all
  }
}

interface ShowOptions extends GlobalOptions {
  readonly secrets?: boolean
}

function addShow(group: Command, context: CommandContext, act: Act): void {
  const show = group
    .command('show')
    .description('show its addresses, settings and what it opens where')
    .argument('<id>')
    .option('--secrets', 'what is shared with it, too, in clear')
  act<ShowOptions>(show, async ({ secrets = false, ...options }, word = '') => {
    const opened = await context.open()
    const { caller, platform } = await locatePlatform(opened, options, word)
    const shown = await showPlatform(opened, context, { caller, platform })
    if (!secrets) return shown
    const clear = (await opened.core.platforms.reveal(caller, platform.id)).secrets
    const rows = clear.map(({ value, createdAt, expiresAt }) => [`  ${value}`, time(createdAt), time(expiresAt)])
    const json = clear.map(({ id, value, createdAt, expiresAt }) => ({
      ...{ id, value, createdAt: time(createdAt) },
      expiresAt: expiresAt === null ? null : time(expiresAt),
    }))
    return {
      json: { ...(shown.json as object), secrets: json },
      text: `${shown.text}\n\n${table([['  shared secret', 'since', 'until'], ...rows])}`,
    }
  })
}

const placementsShown = 50

async function showPlatform(
  opened: Opened,
  context: CommandContext,
  { caller, platform }: Pick<LocatedPlatform, 'caller' | 'platform'>,
): Promise<Outcome> {
  const kind = protocolsIn(context).find(({ protocol }) => protocol === platform.protocol)
  const credential = await opened.core.credentials.get(caller, platform.credentialId)
  const slice = { offset: 0, limit: placementsShown }
  const placements = await opened.core.placements.list(caller, { platformId: platform.id }, slice)
  const head = pairs([
    ['id', platform.id],
    ['name', platform.name],
    ['organisation', platform.organisationId],
    ['speaks', kind ? platform.protocol : `${platform.protocol}, which is switched off here`],
    ['launches', platform.isEnabled ? 'yes' : `no: claviger platform update ${platform.id} --enable`],
    ['stores in', `Lrs ${credential.lrsIds[0] ?? 'none'}, as credential ${credential.id}`],
    ['created', time(platform.createdAt)],
    ['updated', time(platform.updatedAt)],
    ...(kind ? addressPairs(kind, platform, context) : []),
  ])
  const settings = kind ? settingRows(kind, platform.settings as Settings) : []
  const settingTable = table([['  setting', 'value', 'meaning'], ...settings.map(indented)], '  It has no settings.')
  const rows = placements.items.map(({ resource, contentId }) => indented([resource, contentId ?? '(removed there)']))
  const more = placements.total > rows.length ? `\n  … and ${placements.total - rows.length} more` : ''
  const placed = table([['  at', 'opens content'], ...rows], '  Nobody has placed any content there yet.')
  return {
    json: {
      ...platformJson(platform),
      ...{ lrsIds: credential.lrsIds, addresses: kind ? addressesOf(kind, platform, context) : {} },
      placements: placements.items.map(({ resource, contentId }) => ({ resource, contentId })),
      placementCount: placements.total,
    },
    text: `${head}\n\n${settingTable}\n\n${placed}${more}`,
  }
}

function indented([first = '', ...rest]: readonly string[]): readonly string[] {
  return [`  ${first}`, ...rest]
}

interface UpdateOptions extends GlobalOptions {
  readonly name?: string
  readonly enable?: boolean
  readonly disable?: boolean
}

function addUpdate(group: Command, context: CommandContext, { act, protocols }: Kinds): void {
  const update = group
    .command('update')
    .description('change what is named; the word default takes a setting back, none empties one')
    .argument('<id>')
    .option('--name <name>', 'for people')
    .option('--disable', 'nothing is launched any more, and no key of what was works, until --enable')
    .option('--enable', 'it launches again')
  takeSettings(update, protocols).addHelpText('after', '\nExample:\n  $ claviger platform update north --disable\n')
  act<UpdateOptions>(update, async ({ name, enable, disable, ...options }, word = '') => {
    if (enable && disable) throw new UsageError('give one of --enable and --disable')
    const opened = await context.open()
    const { caller, platform } = await locatePlatform(opened, options, word)
    const settings = settingsAfter(platform, { protocols, typed: options as unknown as Typed })
    if (name === undefined && !enable && !disable && settings === undefined) {
      throw new UsageError('say what is to change: --help lists it')
    }
    const after = await opened.core.platforms.update(caller, platform.id, {
      ...(name !== undefined && { name }),
      ...(settings !== undefined && { settings }),
      ...((enable || disable) && { isEnabled: enable === true }),
    })
    return showPlatform(opened, context, { caller, platform: after })
  })
}

/** Undefined where no option names one. */
function settingsAfter(
  { protocol, settings }: PlatformRecord,
  { protocols, typed }: { readonly protocols: readonly PlatformProtocol[]; readonly typed: Typed },
): Settings | undefined {
  const names = protocols.flatMap((kind) => kind.settings).map(({ name }) => name)
  if (!names.some((name) => typed[name] !== undefined)) return undefined
  return readSettings(getProtocol(protocols, protocol), typed, { before: settings as Settings, others: protocols })
}

interface RotateOptions extends GlobalOptions, SecretOptions {
  readonly overlap: string
}

function addRotate(group: Command, context: CommandContext, act: Act): void {
  const rotate = group
    .command('rotate')
    .description('share something new with it; what was shared before counts for a while longer')
    .argument('<id>')
    .option('--overlap <time>', 'how long: 0s to 365d', '24h')
  takeSecret(rotate, leastSecretLength).addHelpText(
    'after',
    '\nExample:\n  $ claviger platform rotate north --overlap 1h --secret-stdin < secret\n',
  )
  act<RotateOptions>(rotate, async (options, word = '') => {
    const shared = secretOf(options, context, leastSecretLength)
    const overlapSeconds = parseDuration(options.overlap, '--overlap', overlapSpan)
    const opened = await context.open()
    const { caller, platform } = await locatePlatform(opened, options, word)
    const rotated = await opened.core.platforms.rotateSecret(caller, platform.id, {
      overlapSeconds,
      ...(shared !== undefined && { secret: shared }),
    })
    const { shown, note, json } = secretLines(rotated.secret, shared)
    const [, previous] = rotated.platform.secrets
    const until = previous?.expiresAt ? `counts until ${time(previous.expiresAt)}` : 'counts no more'
    return {
      json: { ...platformJson(rotated.platform), ...json },
      text:
        `Platform ${platform.id} (${platform.name}) shares something new; what it shared before ${until}.\n\n` +
        `${pairs([['shared secret', shown]])}\n\n${note}Enter it there.`,
    }
  })
}

function addPlace(group: Command, context: CommandContext, act: Act): void {
  const place = group
    .command('place')
    .description('say which content opens at one of its places, as an author chooses there')
    .argument('<id>')
    .argument('<place>', 'as platform show lists it')
    .argument('<content-id>', 'or none: nothing opens there; or default: as if nobody had chosen')
    .addHelpText('after', '\nExample:\n  $ claviger platform place north 14/100/200 66f0c1d2a3b4c5d6e7f80912\n')
  act<GlobalOptions>(place, async (options, word = '', resource = '', contentWord = '') => {
    const opened = await context.open()
    const { caller, platform } = await locatePlatform(opened, options, word)
    const within = { ...options, organisation: String(platform.organisationId) }
    if (contentWord === 'default') return unplace(opened, { caller, platform }, resource)
    const content = contentWord === 'none' ? undefined : (await locateContent(opened, within, contentWord)).content
    const kind = protocolsIn(context).find(({ protocol }) => protocol === platform.protocol)
    kind?.checkPlace?.(resource, platform.settings as Settings)
    await opened.core.placements.set(caller, platform.id, resource, content?.id ?? null)
    const what = content ? `content ${content.id} (${content.name})` : 'nothing'
    return {
      json: { platformId: platform.id, resource, contentId: content?.id ?? null },
      text: `At ${resource} platform ${platform.id} (${platform.name}) opens ${what}.`,
    }
  })
}

async function unplace(opened: Opened, { caller, platform }: LocatedPlatform, resource: string): Promise<Outcome> {
  const gone = await opened.core.placements.remove(caller, platform.id, resource)
  const name = `platform ${platform.id} (${platform.name})`
  if (gone === undefined) throw new PlainError(`nobody has chosen anything at ${resource} of ${name}`)
  return {
    json: { platformId: platform.id, resource, contentId: null },
    text: `At ${resource} ${name} opens what it does where nobody has chosen.`,
  }
}

function addRemove(group: Command, context: CommandContext, act: Act): void {
  const remove = group
    .command('remove')
    .description('remove it for good with its key and what it placed; launches end at once, what was stored stays')
    .argument('<id>')
  act<GlobalOptions>(remove, async (options, word = '') => {
    const opened = await context.open()
    const { caller, platform } = await locatePlatform(opened, options, word)
    const { total } = await opened.core.placements.list(caller, { platformId: platform.id }, { offset: 0, limit: 1 })
    const gone = await opened.core.platforms.remove(caller, platform.id)
    return {
      json: platformJson(gone),
      text: `Platform ${gone.id} (${gone.name}) is gone, with ${counted(total, 'placement')}.`,
    }
  })
}

interface LocatedPlatform {
  readonly caller: Caller
  readonly platform: PlatformRecord
}

/** The platform with this id, which no two have; of the organisation given, if one is. */
export async function locatePlatform(opened: Opened, options: GlobalOptions, id: string): Promise<LocatedPlatform> {
  const platform = await opened.core.platforms.findByPath(id)
  const within = options.organisation === undefined ? undefined : await chooseOrganisation(opened, options)
  if (platform !== undefined && (within === undefined || within.id === platform.organisationId)) {
    return { caller: callerIn(opened, platform.organisationId), platform }
  }
  throw new PlainError(`there is no platform ${id}; claviger platform list shows them`)
}

function addressesOf(kind: PlatformProtocol, platform: PlatformRecord, { config }: CommandContext): object {
  return Object.fromEntries(kind.addresses(platform, config.baseUrl).map(({ name, url }) => [name, url]))
}

function addressPairs(
  kind: PlatformProtocol,
  platform: PlatformRecord,
  { config }: CommandContext,
): [string, string][] {
  return kind.addresses(platform, config.baseUrl).map(({ name, url }) => [name, url])
}

function platformJson(platform: PlatformRecord): object {
  const { secrets, createdAt, updatedAt, ...rest } = platform
  return { ...rest, secretCount: secrets.length, createdAt: time(createdAt), updatedAt: time(updatedAt) }
}
